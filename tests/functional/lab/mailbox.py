"""A person's own view of a mailbox in the lab, over IMAP: what lies where, with which flags."""

from __future__ import annotations

import contextlib
import dataclasses
import email
import email.policy
import imaplib
import re
import ssl
from email.message import EmailMessage
from typing import Iterator

# How our own sessions name themselves, so that they are told from those of the product.
OBSERVER = "postern-lab-observer"


@dataclasses.dataclass(frozen=True)
class Mail:
    """One mail as the server holds it."""

    folder: str
    uid: int
    flags: frozenset[str]
    raw: bytes

    @property
    def parsed(self) -> EmailMessage:
        return email.message_from_bytes(self.raw, policy=email.policy.default)

    def header(self, name: str) -> str:
        return str(self.parsed[name] or "")


class Mailbox:
    """Signs in anew for each question, so that it never holds a view that has gone stale."""

    def __init__(self, port: int, ca_pem: str, username: str, password: str) -> None:
        self.port = port
        self.username = username
        self.password = password
        self._tls = ssl.create_default_context(cadata=ca_pem)

    @contextlib.contextmanager
    def session(self) -> Iterator[imaplib.IMAP4_SSL]:
        imap = imaplib.IMAP4_SSL("localhost", self.port, ssl_context=self._tls, timeout=30)
        try:
            imap.login(self.username, self.password)
            imap.xatom("ID", f'("name" "{OBSERVER}")')
            yield imap
        finally:
            with contextlib.suppress(imaplib.IMAP4.error, OSError):
                imap.logout()

    def mails(self, folder: str = "INBOX", search: str = "ALL") -> list[Mail]:
        """Whole mails that match an IMAP search, oldest first; no flag changes."""
        with self.session() as imap:
            _ok(imap.select(_quoted(folder), readonly=True))
            uids = _ok(imap.uid("SEARCH", None, search))[0].split()
            return [_fetched(imap, folder, uid.decode()) for uid in uids]

    def count(self, folder: str = "INBOX", search: str = "ALL") -> int:
        with self.session() as imap:
            _ok(imap.select(_quoted(folder), readonly=True))
            return len(_ok(imap.uid("SEARCH", None, search))[0].split())

    def flags(self, folder: str = "INBOX") -> dict[int, frozenset[str]]:
        """uid -> flags of every mail: the same before and after proves that nothing was touched."""
        with self.session() as imap:
            _ok(imap.select(_quoted(folder), readonly=True))
            rows = _ok(imap.uid("FETCH", "1:*", "(UID FLAGS)"))
        return dict(_flags(row) for row in rows if isinstance(row, bytes))

    def folders(self) -> dict[str, frozenset[str]]:
        """folder -> its special-use flags."""
        found = {}
        with self.session() as imap:
            for row in _ok(imap.list()):
                match = re.match(rb'\((.*?)\) "?.*?"? "?([^"]+)"?$', row)
                found[match[2].decode()] = frozenset(match[1].decode().split())
        return found

    def append(self, raw: bytes, folder: str = "INBOX", flags: str = "") -> None:
        with self.session() as imap:
            _ok(imap.append(_quoted(folder), flags or None, None, raw))

    def move(self, uid: int, source: str, target: str) -> None:
        with self.session() as imap:
            _ok(imap.select(_quoted(source)))
            _ok(imap.uid("MOVE", str(uid), _quoted(target)))


def _fetched(imap: imaplib.IMAP4, folder: str, uid: str) -> Mail:
    parts = _ok(imap.uid("FETCH", uid, "(UID FLAGS BODY.PEEK[])"))
    head = b" ".join(part[0] if isinstance(part, tuple) else part for part in parts)
    raw = next(part[1] for part in parts if isinstance(part, tuple))
    return Mail(folder, int(uid), _flags(head)[1], raw)


def _flags(row: bytes) -> tuple[int, frozenset[str]]:
    uid = re.search(rb"UID (\d+)", row)
    flags = re.search(rb"FLAGS \((.*?)\)", row)
    return int(uid[1]) if uid else 0, frozenset(flags[1].decode().split() if flags else ())


def _quoted(folder: str) -> str:
    return f'"{folder}"'


def _ok(answer):
    status, data = answer
    if status != "OK":
        raise RuntimeError(f"IMAP server answered {status}: {data!r}")
    return data
