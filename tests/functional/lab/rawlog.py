"""What crossed the wire after sign-in, from Dovecot's own log of each IMAP session."""

from __future__ import annotations

import dataclasses
import pathlib
import re

# Each line of a rawlog carries the time. Where ">" follows, the line end was added by the log, too.
_PIECE = re.compile(rb"^\d{10}\.\d{6}>(.*)\n", re.MULTILINE)
_STAMP = re.compile(rb"^\d{10}\.\d{6} ", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Session:
    """One signed-in IMAP session."""

    name: str
    from_client: bytes
    from_server: bytes


def sessions(folder: pathlib.Path) -> list[Session]:
    """All sessions of one mailbox, oldest first."""
    names = sorted({path.stem for path in folder.iterdir() if path.suffix in (".in", ".out")})
    return [
        Session(name, _sent(folder / f"{name}.in"), _sent(folder / f"{name}.out")) for name in names
    ]


def _sent(path: pathlib.Path) -> bytes:
    if not path.exists():
        return b""
    logged = path.read_bytes()
    joined = _PIECE.sub(rb"\1", logged)
    return _STAMP.sub(b"", joined)
