"""A GET over one connection that stays open, with as little of Python in between as can be."""

from __future__ import annotations

import re
import socket
import time

from figures import NotMeasured

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class KeepAlive:
    """Asks one server for one path again and again."""

    def __init__(
        self, port: int, path: str, token: str = "", *, lines: str = "", status: int = 200
    ) -> None:
        """`lines`: the head's, in the place of Host and token."""
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._path = path
        bearer = f"Authorization: Bearer {token}\r\n" if token else ""
        head = lines or f"Host: 127.0.0.1:{port}\r\n{bearer}"
        self._request = f"GET {path} HTTP/1.1\r\n{head}\r\n".encode()
        self._status = f"HTTP/1.1 {status}".encode()

    def __enter__(self) -> KeepAlive:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def get(self) -> bytes:
        """The body; another status ends the measure."""
        self._socket.sendall(self._request)
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not head.startswith(self._status) or not length:
            raise NotMeasured(f"GET {self._path}: {head[:300]!r} {body[:300]!r}")
        parts, have = [body], len(body)
        while have < int(length[1]):
            parts.append(self._more())
            have += len(parts[-1])
        return b"".join(parts)

    def times_ms(self, count: int, warm_up: int = 20) -> list[float]:
        """How long each of `count` requests took, one after the other."""
        for _ in range(warm_up):
            self.get()
        times = []
        for _ in range(count):
            began = time.perf_counter()
            self.get()
            times.append((time.perf_counter() - began) * 1000)
        return times

    def _more(self) -> bytes:
        data = self._socket.recv(262_144)
        if not data:
            raise NotMeasured(f"GET {self._path}: the server ended the connection")
        return data
