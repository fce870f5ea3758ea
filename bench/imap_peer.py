"""The peers of mail reading: small IMAP clients that do what mail programs and their libraries do.

Each counts what the server sends after sign-in. They share `Watcher`: sign in, EXAMINE, IDLE, and
at each EXISTS leave IDLE, fetch what is new, and enter IDLE again.
"""

from __future__ import annotations

import dataclasses
import re
import socket
import ssl
import threading
import time

from lab.mail_servers import Account, MailServers
from lab.mailbox import OBSERVER

_LITERAL = re.compile(rb"\{(\d+)\}\r\n\Z")
_EXISTS = re.compile(rb"^\* (\d+) EXISTS")
_UID = re.compile(rb"\bUID (\d+)")
IDLE_S = 1500.0

ENVELOPES = "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)"
THREAD_FIELDS = "(UID BODY.PEEK[HEADER.FIELDS (IN-REPLY-TO REFERENCES)])"
ID_FIELDS = "(UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID IN-REPLY-TO REFERENCES)])"


class Connection:
    """One signed-in IMAP session with a count of the bytes that came."""

    def __init__(self, lab: MailServers, owner: Account) -> None:
        tls = ssl.create_default_context(cadata=lab.ca_pem)
        plain = socket.create_connection(("localhost", lab.dovecot.imaps_port), timeout=60)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = tls.wrap_socket(plain, server_hostname="localhost")
        self._file = self._socket.makefile("rb")
        self._tag = 0
        self.received = 0
        self.item()
        self.command(f"LOGIN {owner.name} {owner.password}")
        self.command(f'ID ("name" "{OBSERVER}")')
        self.received = 0

    def close(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()

    def send(self, line: str) -> None:
        self._socket.sendall(line.encode() + b"\r\n")

    def item(self) -> bytes:
        """One response with the literals that belong to it."""
        whole = b""
        while True:
            line = self._file.readline()
            if not line:
                raise ConnectionError("the IMAP server ended the connection")
            self.received += len(line)
            whole += line
            literal = _LITERAL.search(line)
            if not literal:
                return whole
            content = self._file.read(int(literal[1]))
            self.received += len(content)
            whole += content

    def begin(self, line: str) -> bytes:
        """Sends a command; its tag."""
        self._tag += 1
        tag = f"p{self._tag}"
        self.send(f"{tag} {line}")
        return tag.encode()

    def finish(self, tag: bytes) -> list[bytes]:
        """All untagged responses up to the tagged OK."""
        items = []
        while True:
            item = self.item()
            if item.startswith(tag + b" "):
                if not item.startswith(tag + b" OK"):
                    raise RuntimeError(f"IMAP server: {item!r}")
                return items
            items.append(item)

    def command(self, line: str) -> list[bytes]:
        return self.finish(self.begin(line))


@dataclasses.dataclass(frozen=True)
class Seen:
    """When the watcher was told of something new, and when it had read this mail's fields."""

    woken_at: float
    read_at: float


class Watcher:
    """Watches INBOX in a thread and fetches `fields` of what is new (and of all, where asked)."""

    def __init__(
        self, lab: MailServers, owner: Account, fields: str, *, all_at_connect: bool = False
    ) -> None:
        self._fields = fields
        self._ending = threading.Event()
        self._news = threading.Condition()
        self.fetched: list[tuple[bytes, Seen]] = []
        self.failure: Exception | None = None
        self._connection = Connection(lab, owner)
        items = self._connection.command("EXAMINE INBOX")
        self._next_uid = int(re.search(rb"UIDNEXT (\d+)", b"".join(items))[1])
        if all_at_connect:
            self._connection.command(f"UID FETCH 1:* {fields}")
        self.bytes_at_connect = self._connection.received
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self) -> Watcher:
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._connection.close()
        self._thread.join(10)

    @property
    def received(self) -> int:
        return self._connection.received

    def wait_count(self, count: int, deadline_s: float = 60.0) -> None:
        """Waits until so many new mails have been fetched in all."""
        with self._news:
            if not self._news.wait_for(lambda: len(self.fetched) >= count, deadline_s):
                seen = f"{len(self.fetched)} of {count} new mails"
                raise RuntimeError(f"the IMAP peer saw {seen}: {self.failure!r}")

    def wait_for(self, marker: str, deadline_s: float = 60.0) -> Seen:
        """Waits until a mail whose fields hold `marker` was fetched."""
        wanted = marker.encode()

        def find() -> Seen | None:
            return next((seen for text, seen in reversed(self.fetched) if wanted in text), None)

        with self._news:
            found = self._news.wait_for(find, deadline_s)
        if not found:
            raise RuntimeError(f"the IMAP peer did not see {marker}: {self.failure!r}")
        return found

    def _run(self) -> None:
        try:
            while not self._ending.is_set():
                woken_at = self._idle()
                while woken_at:
                    woken_at = self._fetch(woken_at)
        except (OSError, ValueError, RuntimeError) as problem:
            # After our own close this is how the thread ends; else the next wait reports it.
            self.failure = problem

    def _idle(self) -> float:
        """Idles until the server tells of a change in number; when it did."""
        tag = self._connection.begin("IDLE")
        woken_at = 0.0
        while not woken_at:
            if _EXISTS.match(self._connection.item()):
                woken_at = time.monotonic()
        self._connection.send("DONE")
        self._connection.finish(tag)
        return woken_at

    def _fetch(self, woken_at: float) -> float:
        """Fetches what is new; the time at which still more was announced meanwhile, or 0."""
        again = 0.0
        tag = self._connection.begin(f"UID FETCH {self._next_uid}:* {self._fields}")
        found = []
        for item in self._connection.finish(tag):
            if _EXISTS.match(item):
                again = time.monotonic()
            uid = _UID.search(item)
            # n:* names the last mail even where its UID is below n.
            if uid and b" FETCH " in item[:40] and int(uid[1]) >= self._next_uid:
                found.append((int(uid[1]), item))
        seen = Seen(woken_at, time.monotonic())
        with self._news:
            for uid, item in found:
                self._next_uid = max(self._next_uid, uid + 1)
                self.fetched.append((item, seen))
            self._news.notify_all()
        return again
