"""A small client of the HTTP API: JSON, problem documents, idempotency keys, server-sent events."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
import uuid
from typing import Any, Callable

from . import openapi

REQUEST_S = 60.0


class Reply:
    """An answer. `expect` is the usual next step: it fails with the whole answer in its message."""

    def __init__(self, request: str, status: int, headers: dict[str, str], body: bytes) -> None:
        self.request = request
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The stable code of a problem document; empty where the answer is none."""
        if "application/problem+json" not in self.headers.get("content-type", ""):
            return ""
        return self.json.get("code", "")

    @property
    def field_codes(self) -> dict[str, str]:
        """field -> code of the errors that a problem document lists."""
        return {error["field"]: error["code"] for error in self.json.get("errors", [])}

    def expect(self, *statuses: int, code: str | tuple[str, ...] = "") -> Reply:
        """Fails unless the status is one of these and the code (if named) is the one, or one of."""
        codes = (code,) if isinstance(code, str) else code
        if self.status not in statuses or (code and self.code not in codes):
            wanted = "/".join(map(str, statuses)) + (f" {code}" if code else "")
            raise AssertionError(f"wanted {wanted}, got {self}")
        return self

    def __getitem__(self, name: str) -> Any:
        return self.json[name]

    def __str__(self) -> str:
        return f"{self.request} -> {self.status} {self.text[:1500]}"


class Api:
    """One caller with one token. Each request has a connection of its own."""

    def __init__(self, host: str, port: int, token: str = "") -> None:
        self.host = host
        self.port = port
        self.token = token

    def get(self, path: str, **more) -> Reply:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more) -> Reply:
        return self.call("POST", path, body, **more)

    def patch(self, path: str, body: Any = None, **more) -> Reply:
        return self.call("PATCH", path, body, **more)

    def delete(self, path: str, body: Any = None, **more) -> Reply:
        return self.call("DELETE", path, body, **more)

    def call(
        self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, key: str = "",
        headers: dict[str, str] | None = None, deadline_s: float = REQUEST_S,
    ) -> Reply:
        """`body` goes as JSON; `raw` goes as it is; `key` is the Idempotency-Key."""
        sent = self._headers()
        if body is not None or raw is not None:
            sent["Content-Type"] = "application/json"
        if key:
            sent["Idempotency-Key"] = key
        sent.update(headers or {})
        data = raw if raw is not None else json.dumps(body).encode() if body is not None else None
        connection = http.client.HTTPConnection(self.host, self.port, timeout=deadline_s)
        try:
            connection.request(method, path, body=data, headers=sent)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            body = answer.read()
            kind = found.get("content-type", "")
            openapi.check(method, path, data, answer.status, kind, body)
            return Reply(f"{method} {path}", answer.status, found, body)
        except http.client.HTTPException as broken:
            raise ConnectionError(f"{method} {path}: {broken!r}") from broken
        finally:
            connection.close()

    def events(self, last_id: str = "") -> Events:
        return Events.of(self, last_id)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


class Event:
    """One server-sent event; `data` is its JSON."""

    def __init__(self, kind: str, cursor: str, data: Any) -> None:
        self.kind = kind
        self.cursor = cursor
        self.data = data
        self.at = time.monotonic()

    def names(self, wanted: str) -> bool:
        """Whether an id (or any other value) stands anywhere in the data."""
        return wanted in json.dumps(self.data)

    def __repr__(self) -> str:
        return f"{self.kind}#{self.cursor} {self.data}"


class Events:
    """Reads /v1/events in a thread. Open it before the act whose event is awaited, then wait_for.

    `closed` is set when the server ends the stream: revoked tokens and cut-offs are seen by it.
    """

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self.seen: list[Event] = []
        self.closed = threading.Event()
        self._news = threading.Condition()
        self._connection = connection
        # An answer without a length takes the socket from the connection: keep it for close().
        self._socket = connection.sock
        self._answer = connection.getresponse()
        if self._answer.status != 200:
            body = self._answer.read()
            connection.close()
            raise AssertionError(f"GET /v1/events -> {self._answer.status} {body[:500]!r}")
        self._socket.settimeout(None)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @classmethod
    def of(cls, api: Api, last_id: str = "") -> Events:
        headers = {**api._headers(), "Accept": "text/event-stream"}
        if last_id:
            headers["Last-Event-ID"] = last_id
        connection = http.client.HTTPConnection(api.host, api.port, timeout=REQUEST_S)
        connection.request("GET", "/v1/events", headers=headers)
        return cls(connection)

    def __enter__(self) -> Events:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wait_for(
        self, wanted: Callable[[Event], bool], what: str, deadline_s: float = 30.0
    ) -> Event:
        """The first event, already seen or still to come, that `wanted` accepts."""
        end = time.monotonic() + deadline_s
        looked_at = 0
        with self._news:
            while True:
                for event in self.seen[looked_at:]:
                    if wanted(event):
                        return event
                looked_at = len(self.seen)
                left = end - time.monotonic()
                if left <= 0 or self.closed.is_set():
                    raise AssertionError(f"no event: {what}; seen {self.seen[-10:]}")
                self._news.wait(left)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._connection.close()

    def _read(self) -> None:
        fields: dict[str, list[str]] = {}
        try:
            while line := self._answer.readline():
                text = line.decode().rstrip("\r\n")
                if not text:
                    self._add(fields)
                    fields = {}
                elif not text.startswith(":"):
                    name, _, value = text.partition(":")
                    fields.setdefault(name, []).append(value.removeprefix(" "))
        except (OSError, ValueError, http.client.HTTPException, AttributeError):
            pass  # The other end, or close(), ended the stream: `closed` tells it.
        with self._news:
            self.closed.set()
            self._news.notify_all()

    def _add(self, fields: dict[str, list[str]]) -> None:
        if "data" not in fields:
            return
        event = Event(
            fields.get("event", ["message"])[-1],
            fields.get("id", [""])[-1],
            json.loads("\n".join(fields["data"])),
        )
        with self._news:
            self.seen.append(event)
            self._news.notify_all()


def new_key() -> str:
    """A fresh Idempotency-Key."""
    return str(uuid.uuid4())
