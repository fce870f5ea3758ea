"""Bad networks before a name server: UDP and TCP of one port, harmed as chaos_proxy.py harms."""

from __future__ import annotations

import contextlib
import socket
import threading

from .chaos_proxy import HARM, ChaosProxy, plan
from .fake_dns import listen

_WAIT_S = 0.2


class ChaosDns:
    """Datagrams are counted, each question with its answers: of one the question or an answer
    comes late, loses its end, does not come at all, or has a bit flipped."""

    def __init__(self, target: int, *, seed: str, harm: float = 0.6) -> None:
        self.seed = seed
        self.struck: set[str] = set()
        self._target = ("127.0.0.1", target)
        self._harm = harm
        self._asked = 0
        self._calm = threading.Event()
        self._closing = threading.Event()
        self._udp, tcp = listen()
        self._udp.settimeout(_WAIT_S)
        self.port = self._udp.getsockname()[1]
        self.tcp = ChaosProxy(target, seed=f"{seed}/tcp", harm=harm, bytes_max=40, listener=tcp)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._thread.join(10)
        self._udp.close()
        self.tcp.close()

    def calm(self) -> None:
        """Of datagrams; `tcp` is calmed by itself."""
        self._calm.set()

    def unstruck(self) -> set[str]:
        return set(HARM) - self.struck

    def schedule(self) -> str:
        done = ", ".join(sorted(self.struck)) or "nothing"
        return f"chaos seed {self.seed!r}, {self._asked} datagrams, struck: {done}"

    def _serve(self) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                question, sender = self._udp.recvfrom(4096)
                self._asked += 1
                carry = threading.Thread(
                    target=self._carry, args=(question, sender, self._asked - 1), daemon=True
                )
                carry.start()

    def _carry(self, question: bytes, sender: tuple[str, int], number: int) -> None:
        made = plan(self.seed, number, 0 if self._calm.is_set() else self._harm, len(question))
        with contextlib.suppress(OSError), socket.socket(type=socket.SOCK_DGRAM) as way:
            way.settimeout(2)
            sent = self._harmed(question, made) if made.upstream else question
            if sent is None:
                return
            way.sendto(sent, self._target)
            answer = way.recv(65536)
            told = answer if made.upstream else self._harmed(answer, made)
            if told is not None:
                self._udp.sendto(told, sender)

    def _harmed(self, data: bytes, made) -> bytes | None:
        if made.kind == "pass":
            return data
        self.struck.add(made.kind)
        at = min(made.at, len(data) - 1)
        if made.kind == "delay":
            self._closing.wait(made.delay_s)
            return data
        if made.kind == "cut":
            return data[:at]
        if made.kind == "corrupt":
            return data[:at] + bytes([data[at] ^ 0x20]) + data[at + 1 :]
        return None
