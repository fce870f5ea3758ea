"""A TCP proxy that does to connections what bad networks do, by a schedule made from a seed.

    with ChaosProxy(port, seed=7) as proxy:
        ... clients connect to proxy.port ...
        proxy.calm()            # from here on everything passes
    print(proxy.schedule())     # what was done; the same seed does it again

Each connection has a plan of its own, made from the seed and its number alone: pass, delay (pieces
come late), cut (reset), drop (bytes vanish, and some time later the connection is reset), or
corrupt (one bit flips), at some byte of one direction.
"""

from __future__ import annotations

import contextlib
import dataclasses
import random
import select
import socket
import struct
import threading

HARM = ("delay", "cut", "drop", "corrupt")
VANISHING_S = 1.5
DELAYS_S = (0.01, 0.3)
_CHUNK = 65536


@dataclasses.dataclass(frozen=True)
class Plan:
    """What happens to one connection. `at` counts the bytes of the direction before it happens."""

    number: int
    kind: str
    upstream: bool
    at: int
    delay_s: float

    def __str__(self) -> str:
        way = "client to server" if self.upstream else "server to client"
        more = f" by {self.delay_s:.2f} s" if self.kind == "delay" else ""
        place = "" if self.kind == "pass" else f" at byte {self.at}, {way}"
        return f"{self.number}: {self.kind}{more}{place}"


def plan(
    seed: int | str, number: int, harm: float, bytes_max: int, bytes_min: int = 0
) -> Plan:
    """The same for the same seed and number, whatever happened before."""
    dice = random.Random(f"{seed}/{number}")
    kind = "pass"
    if dice.random() < harm:
        # Dealt, not thrown: of four neighbours each would have a kind of its own.
        deck = random.Random(f"{seed}/deck/{number // len(HARM)}").sample(HARM, len(HARM))
        kind = deck[number % len(HARM)]
    # Early bytes matter as much as late ones: handshakes and sign-ins are short.
    at = bytes_min + int((bytes_max - bytes_min) ** dice.random())
    return Plan(number, kind, dice.random() < 0.5, at, dice.uniform(*DELAYS_S))


class ChaosProxy:
    """`listener`: a socket that listens already, instead of one at a port of its own."""

    def __init__(
        self, target: int, *, seed: int | str, harm: float = 0.6, bytes_max: int = 8000,
        bytes_min: int = 0, listener: socket.socket | None = None,
    ) -> None:
        self.seed = seed
        self.plans: list[Plan] = []
        self.struck: set[str] = set()  # kinds that did happen to some connection
        self._target = target
        self._harm = harm
        self._bytes = {"bytes_max": bytes_max, "bytes_min": bytes_min}
        self._calm = threading.Event()
        self._closing = threading.Event()
        self._open: set[socket.socket] = set()
        self._listener = listener or socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> ChaosProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._closing.set()
        self._listener.close()
        for one in list(self._open):
            _reset(one)

    def calm(self) -> None:
        """New connections pass, and so does what follows in those that are open."""
        self._calm.set()

    def storm(self) -> None:
        """Ends calm(); what was accepted meanwhile stays unharmed."""
        self._calm.clear()

    def unstruck(self) -> set[str]:
        """The kinds of harm that no connection has come to yet."""
        return set(HARM) - self.struck

    def schedule(self) -> str:
        lines = "\n".join(f"  {one}" for one in list(self.plans) if one.kind != "pass")
        done = ", ".join(sorted(self.struck)) or "nothing"
        head = f"chaos seed {self.seed!r}, {len(self.plans)} connections, struck: {done}"
        return f"{head}; planned:\n{lines}"

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            made = plan(self.seed, len(self.plans), self._harm, **self._bytes)
            if self._calm.is_set():
                made = dataclasses.replace(made, kind="pass")
            self.plans.append(made)
            threading.Thread(target=self._serve, args=(client, made), daemon=True).start()

    def _serve(self, client: socket.socket, made: Plan) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._target), timeout=10)
        except OSError:
            _reset(client)
            return
        pair = {client: server, server: client}
        self._open.update(pair)
        try:
            self._carry(client, server, made)
        except (OSError, ValueError):
            pass  # Either side may go at any moment, ours by close().
        finally:
            for one in pair:
                self._open.discard(one)
                _reset(one)

    def _carry(self, client: socket.socket, server: socket.socket, made: Plan) -> None:
        passed = {client: 0, server: 0}
        source = client if made.upstream else server
        ended: set[socket.socket] = set()
        while len(ended) < 2:
            ready, _, _ = select.select([one for one in passed if one not in ended], [], [], 1)
            if self._closing.is_set():
                return
            for one in ready:
                other = server if one is client else client
                data = one.recv(_CHUNK)
                if not data:
                    ended.add(one)
                    with contextlib.suppress(OSError):
                        other.shutdown(socket.SHUT_WR)
                    continue
                before = passed[one]
                passed[one] += len(data)
                due = one is source and not self._calm.is_set() and passed[one] > made.at
                if due and made.kind == "delay":
                    self.struck.add("delay")
                    self._closing.wait(made.delay_s)
                elif due and before <= made.at and made.kind != "pass":
                    data = self._harm_at(data, made.at - before, made.kind, other)
                    if data is None:
                        return
                other.sendall(data)

    def _harm_at(
        self, data: bytes, at: int, kind: str, other: socket.socket
    ) -> bytes | None:
        """What is still passed on; None where the connection ends."""
        self.struck.add(kind)
        if kind == "corrupt":
            return data[:at] + bytes([data[at] ^ 0x20]) + data[at + 1 :]
        other.sendall(data[:at])
        if kind == "drop":
            self._closing.wait(VANISHING_S)
        return None


def _reset(one: socket.socket) -> None:
    """Closes with a reset, as a network that gives up does."""
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    one.close()
