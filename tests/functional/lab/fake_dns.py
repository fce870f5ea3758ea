"""A name server that answers SRV and MX questions as a test says, over UDP and TCP on one port.

    with FakeDns() as dns:
        dns.srv("_imaps._tcp.brand.example", "mail.brand.example", 993)
        dns.trick["_imap._tcp.brand.example"] = "loop"

A name without records does not exist. Tricks: silent, wrong_id, other_question, loop (a name that
points to itself), bomb (many records), truncated (over UDP; the whole over TCP), oversized (over
TCP: a length without end), servfail, cut.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import threading

SRV, MX, CNAME = 33, 15, 5
_LISTEN_S = 0.2
# What a question that a bad network cut or changed ends in: it has no answer.
_BROKEN = (OSError, struct.error, IndexError, UnicodeDecodeError)


def listen() -> tuple[socket.socket, socket.socket]:
    """One port for both; another where somebody else has it for TCP."""
    while True:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        try:
            return udp, socket.create_server(udp.getsockname())
        except OSError as error:
            udp.close()
            if error.errno != errno.EADDRINUSE:
                raise


class FakeDns:
    def __init__(self) -> None:
        self.trick: dict[str, str] = {}
        self.questions: list[tuple[str, int]] = []
        self.raw: list[bytes] = []
        self._records: dict[tuple[str, int], list[bytes]] = {}
        self._closing = threading.Event()
        self._udp, self._tcp = listen()
        self.port = self._udp.getsockname()[1]
        self._threads = [
            threading.Thread(target=serve, daemon=True)
            for serve in (self._serve_udp, self._serve_tcp)
        ]
        for listening in (self._udp, self._tcp):
            listening.settimeout(_LISTEN_S)
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> FakeDns:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._closing.set()
        for thread in self._threads:
            thread.join(10)
        self._udp.close()
        self._tcp.close()

    def srv(
        self, name: str, target: str, port: int, priority: int = 0, weight: int = 0
    ) -> None:
        data = struct.pack(">HHH", priority, weight, port) + _name(target)
        self._records.setdefault((name, SRV), []).append(data)

    def mx(self, name: str, exchange: str, preference: int = 10) -> None:
        data = struct.pack(">H", preference) + _name(exchange)
        self._records.setdefault((name, MX), []).append(data)

    def _serve_udp(self) -> None:
        while not self._closing.is_set():
            try:
                query, sender = self._udp.recvfrom(4096)
            except TimeoutError:
                continue
            with contextlib.suppress(*_BROKEN):
                for answer in self._answers(query, over_tcp=False):
                    self._udp.sendto(answer, sender)

    def _serve_tcp(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._tcp.accept()
            except TimeoutError:
                continue
            with connection, contextlib.suppress(*_BROKEN):
                self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        connection.settimeout(2)
        size = struct.unpack(">H", connection.recv(2, socket.MSG_WAITALL))[0]
        query = connection.recv(size, socket.MSG_WAITALL)
        name, _ = _question(query)
        if self.trick.get(name) == "oversized":
            connection.sendall(struct.pack(">H", 0xFFFF) + b"x" * 1000)
            return
        for answer in self._answers(query, over_tcp=True):
            connection.sendall(struct.pack(">H", len(answer)) + answer)

    def _answers(self, query: bytes, *, over_tcp: bool) -> list[bytes]:
        name, kind = _question(query)
        self.questions.append((name, kind))
        self.raw.append(query)
        trick = self.trick.get(name, "")
        records = self._records.get((name, kind), [])
        good = _message(query, records)
        if trick == "silent":
            return []
        if trick == "wrong_id":
            forged = _message(query, [struct.pack(">HHH", 0, 0, 993) + _name("evil.example")])
            return [struct.pack(">H", (struct.unpack(">H", query[:2])[0] + 1) % 65536) + forged[2:],
                    good]
        if trick == "other_question":
            other = query.replace(b"\x06_imaps", b"\x06_evils")
            return [_message(other, [struct.pack(">HHH", 0, 0, 993) + _name("evil.example")]), good]
        if trick == "loop":
            at = len(_message(query, []))
            itself = struct.pack(">HHHIH", 0xC000 | at, kind, 1, 1, 0)
            return [_message(query, [], count=1) + itself]
        if trick == "bomb":
            return [_message(query, [struct.pack(">HHH", 0, 0, 1) + _name("a.example")] * 65)]
        if trick in ("truncated", "oversized") and not over_tcp:
            return [_message(query, [], flags=0x8380)]
        if trick == "servfail":
            return [_message(query, [], flags=0x8182)]
        if trick == "cut":
            return [good[:-3]]
        return [good] if records else [_message(query, [], flags=0x8183)]


def _name(text: str) -> bytes:
    labels = [label.encode() for label in text.strip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _question(query: bytes) -> tuple[str, int]:
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += query[at] + 1
    return ".".join(labels), struct.unpack(">H", query[at + 1 : at + 3])[0]


def _message(
    query: bytes, records: list[bytes], *, flags: int = 0x8180, count: int | None = None
) -> bytes:
    """Repeats the question, then gives the records under its name."""
    end = 12
    while query[end]:
        end += query[end] + 1
    end += 5
    kind = query[end - 4 : end - 2]
    head = query[:2] + struct.pack(
        ">HHHHH", flags, 1, len(records) if count is None else count, 0, 0
    )
    body = b"".join(
        struct.pack(">H", 0xC00C) + kind + struct.pack(">HIH", 1, 300, len(data)) + data
        for data in records
    )
    return head + query[12:end] + body
