"""A client of the Chrome DevTools protocol: JSON messages over a WebSocket (RFC 6455) on loopback.

    with DevTools("ws://127.0.0.1:9222/devtools/page/...") as page:
        page.call("Runtime.evaluate", expression="1 + 1")
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
import struct
import urllib.parse
from typing import Any, Callable

CALL_S = 60.0
_ACCEPT_KEY = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10


class DevToolsError(AssertionError):
    """The browser refused a command, or a page's script threw."""


class WebSocket:
    """One connection as a client; whole text messages only."""

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=CALL_S)
        self._buffer = b""
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        head = self._until(b"\r\n\r\n").decode()
        wanted = base64.b64encode(hashlib.sha1((key + _ACCEPT_KEY).encode()).digest()).decode()
        if " 101 " not in head.splitlines()[0] or wanted not in head:
            raise ConnectionError(f"no WebSocket at {url}: {head!r}")

    def send(self, text: str) -> None:
        self._send_frame(_TEXT, text.encode())

    def receive(self) -> str:
        """The next message. Raises ConnectionError where the other end closed."""
        whole = b""
        while True:
            head = self._take(2)
            kind, is_last = head[0] & 15, bool(head[0] & 128)
            size = head[1] & 127
            if size == 126:
                (size,) = struct.unpack(">H", self._take(2))
            elif size == 127:
                (size,) = struct.unpack(">Q", self._take(8))
            content = self._take(size)
            if kind == _CLOSE:
                raise ConnectionError("the browser closed the connection")
            if kind == _PING:
                self._send_frame(_PONG, content)
            elif kind != _PONG:
                whole += content
                if is_last:
                    return whole.decode()

    def close(self) -> None:
        self._socket.close()

    def _send_frame(self, kind: int, content: bytes) -> None:
        mask = os.urandom(4)
        size = len(content)
        if size < 126:
            head = struct.pack(">BB", 128 | kind, 128 | size)
        elif size < 65536:
            head = struct.pack(">BBH", 128 | kind, 128 | 126, size)
        else:
            head = struct.pack(">BBQ", 128 | kind, 128 | 127, size)
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(content))
        self._socket.sendall(head + mask + masked)

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            more = self._socket.recv(65536)
            if not more:
                raise ConnectionError("the browser is gone")
            self._buffer += more
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._buffer:
            self._buffer += self._socket.recv(65536) or _gone()
        taken, _, self._buffer = self._buffer.partition(mark)
        return taken


def _gone() -> bytes:
    raise ConnectionError("the browser is gone")


class DevTools:
    """One target. Calls are answered in turn; `on` handlers run while an answer is waited for."""

    def __init__(self, url: str) -> None:
        self._socket = WebSocket(url)
        self._last = 0
        self.on: dict[str, Callable[[dict], None]] = {}

    def __enter__(self) -> DevTools:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def post(self, method: str, **parameters: Any) -> int:
        """Sends a command whose answer nobody waits for."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        self._socket.send(json.dumps(message))
        return self._last

    def call(self, method: str, **parameters: Any) -> dict:
        """The command's result."""
        number = self.post(method, **parameters)
        while True:
            message = json.loads(self._socket.receive())
            if message.get("id") == number:
                if "error" in message:
                    raise DevToolsError(f"{method}: {message['error']}")
                return message["result"]
            if handler := self.on.get(message.get("method", "")):
                handler(message["params"])
