"""Canaries: words that must never be found where they do not belong, and the search for them.

A family of canaries shares one random stem, so that a search for the stem finds each of them. The
scanner knows the stem raw, in UTF-16, base64 (three alignments), quoted-printable, hex and percent
form, also across the line breaks that mail puts inside, and looks into gzip, zlib and zstd streams.
`plant` writes a copy in each form: a scanner that does not find those proves nothing.
"""

from __future__ import annotations

import base64
import dataclasses
import gzip
import mmap
import os
import pathlib
import re
import secrets
import shutil
import sqlite3
import subprocess
import tempfile
import zlib
from typing import Iterator

_DEPTH_MAX = 3
_SIGHTINGS_MAX = 100
_INFLATED_BYTES_MAX = 64 << 20
_WORTH_A_LOOK = 16
_CHUNK = 16 << 20
_OVERLAP = 4096
_BLANK = bytes(4096)
_STREAM = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]|\x28\xb5\x2f\xfd")


@dataclasses.dataclass(frozen=True)
class Sighting:
    """Where a canary was seen and in which form; `context` is for the failing test's message."""

    place: str
    form: str
    offset: int
    context: bytes

    def __str__(self) -> str:
        return f"{self.place} @{self.offset} as {self.form}: {self.context!r}"


class Family:
    """Canaries of one kind, all with the same stem: lower-case letters and digits only."""

    def __init__(self, label: str = "") -> None:
        self.stem = f"zq{label}{secrets.token_hex(9)}"
        self._made = 0

    def token(self) -> str:
        """A new canary: the stem and a number."""
        self._made += 1
        return f"{self.stem}n{self._made}"


class Scanner:
    """Finds the stem of one family."""

    def __init__(self, family: Family) -> None:
        self.stem = family.stem.encode()
        self._forms = _forms(self.stem)

    def scan(self, data: bytes, place: str, depth: int = 0) -> list[Sighting]:
        """All forms in one piece of memory, compressed streams within it included."""
        found = self._plain(data, place)
        joined = data.translate(None, b"\r\n") if b"\n" in data else b""
        if joined:
            found += self._plain(joined, f"{place} (lines joined)")
            soft = data.replace(b"=\r\n", b"").replace(b"=\n", b"")
            found += self._plain(soft, f"{place} (soft breaks joined)")
        if depth < _DEPTH_MAX:
            for offset, inflated in _streams(data):
                found += self.scan(inflated, f"{place} > stream @{offset}", depth + 1)
        return found

    def scan_file(self, path: pathlib.Path) -> list[Sighting]:
        found = []
        with open(path, "rb") as file:
            offset, tail = 0, b""
            while chunk := file.read(_CHUNK):
                place = f"{path} (from {offset - len(tail)}, blank pages left out)"
                found += self.scan(tail + _without_blanks(chunk), place)
                offset += len(chunk)
                tail = chunk[-_OVERLAP:]
        if _is_sqlite(path):
            found += self._scan_rows(path)
        return found

    def scan_tree(self, *roots: pathlib.Path) -> list[Sighting]:
        """Every regular file below the roots, names included; a file that vanishes is no hit."""
        found = []
        for path in _files(*roots):
            found += self._plain(str(path).encode(), f"name of {path}")
            try:
                found += self.scan_file(path)
            except FileNotFoundError:
                continue
        return found

    def scan_process(self, pid: int, scratch: pathlib.Path) -> list[Sighting]:
        """All memory of a live process. Raises PtraceRefused where the system does not allow it."""
        core = dump(pid, scratch)
        try:
            return self.scan_file(core)
        finally:
            core.unlink()

    def _plain(self, data: bytes, place: str) -> list[Sighting]:
        found = []
        for form, text in self._forms.items():
            at = data.find(text)
            while at >= 0 and len(found) < _SIGHTINGS_MAX:
                context = bytes(data[max(0, at - 40) : at + len(text) + 40])
                found.append(Sighting(place, form, at, context))
                at = data.find(text, at + 1)
        return found

    def _scan_rows(self, path: pathlib.Path) -> list[Sighting]:
        """Values as SQLite gives them back: a long one is cut into pages in the file."""
        found = []
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / "copy.db"
            for suffix in ("", "-wal"):
                if pathlib.Path(f"{path}{suffix}").exists():
                    shutil.copyfile(f"{path}{suffix}", f"{copy}{suffix}")
            for table, value in _rows(copy):
                data = value.encode(errors="surrogateescape") if isinstance(value, str) else value
                found += self.scan(data, f"{path} table {table}")
        return found


class PtraceRefused(Exception):
    """This system does not let us read another process's memory: a reason to skip."""


def dump(pid: int, scratch: pathlib.Path) -> pathlib.Path:
    """A core file of a live process by gdb, pages marked as not to be dumped included."""
    target = scratch / f"core.{pid}"
    done = subprocess.run(
        [
            "gdb", "-nx", "-batch", "-p", str(pid),
            "-iex", "set auto-load off", "-iex", "set debuginfod enabled off",
            "-ex", "set use-coredump-filter off", "-ex", "set dump-excluded-mappings on",
            "-ex", f"gcore {target}",
        ],
        capture_output=True, text=True, check=False, timeout=300,
    )
    if not target.exists():
        reason = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise PtraceRefused(f"gcore of {pid}: {reason[0] if reason else 'no output'}")
    return target


def holds(path: pathlib.Path, word: bytes) -> bool:
    """Whether a file holds `word` raw: the proof that a dump covers what it must."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        return view.find(word) >= 0


def plant(word: str, folder: pathlib.Path) -> dict[str, pathlib.Path]:
    """One file per form that the scanner must know, the word surrounded by other text."""
    text = f"Dear all, the word is {word} and nothing else.\n" * 3
    raw = text.encode()
    head, rest = word[:9].encode(), word[9:].encode()
    forms = {
        "raw": raw,
        "utf16le": text.encode("utf-16-le"),
        "utf16be": text.encode("utf-16-be"),
        "base64_lines": base64.encodebytes(raw),
        "base64url": base64.urlsafe_b64encode(raw),
        "hex": raw.hex().encode(),
        "hex_upper": raw.hex().upper().encode(),
        "upper": raw.upper(),
        "qp_all": "".join(f"={byte:02X}" for byte in raw).encode(),
        "qp_soft_break": raw.replace(head + rest, head + b"=\r\n" + rest),
        "percent": "".join(f"%{byte:02x}" for byte in raw).encode(),
        "gzip": b"junk" + gzip.compress(raw) + b"junk",
        "zlib": b"junk" + zlib.compress(raw) + b"junk",
        "gzip_of_base64": gzip.compress(base64.encodebytes(raw)),
        "zlib_in_gzip": gzip.compress(zlib.compress(raw)),
    }
    for shift in range(3):
        forms[f"base64_{shift}"] = base64.b64encode(b"x" * shift + raw)
    if shutil.which("zstd"):
        forms["zstd"] = b"junk" + subprocess.run(
            ["zstd", "-q", "-c"], input=raw, capture_output=True, check=True
        ).stdout
    written = {}
    for name, data in forms.items():
        written[name] = folder / f"planted_{name}"
        written[name].write_bytes(b"\0" * 100 + data + b"\0" * 100)
    return written


def _forms(stem: bytes) -> dict[str, bytes]:
    text = stem.decode()
    forms = {
        "raw": stem,
        "upper case": stem.upper(),
        "utf-16": text.encode("utf-16-le"),
        "utf-16 big endian": text.encode("utf-16-be"),
        "hex": stem.hex().encode(),
        "upper hex": stem.hex().upper().encode(),
        "quoted-printable": "".join(f"={byte:02X}" for byte in stem).encode(),
        "percent": "".join(f"%{byte:02x}" for byte in stem).encode(),
        "upper percent": "".join(f"%{byte:02X}" for byte in stem).encode(),
    }
    for shift in range(3):
        # The first and last characters depend on the neighbours; what lies between does not.
        encoded = base64.b64encode(b"\0" * shift + stem)
        start = (0, 2, 3)[shift]
        end = len(encoded) - (0 if (shift + len(stem)) % 3 == 0 else 4)
        forms[f"base64 shifted by {shift}"] = encoded[start:end]
    return forms


def _without_blanks(data: bytes) -> bytes:
    """Most of a core file is pages that nobody ever wrote to; one zero stands for a run of them."""
    view = memoryview(data)
    kept: list[memoryview | bytes] = []
    for at in range(0, len(data), len(_BLANK)):
        page = view[at : at + len(_BLANK)]
        if page != _BLANK:
            kept.append(page)
        elif not kept or kept[-1] != b"\0":
            kept.append(b"\0")
    return b"".join(kept)


def _streams(data: bytes) -> Iterator[tuple[int, bytes]]:
    view = memoryview(data)
    for match in _STREAM.finditer(data):
        rest = view[match.start() :]
        if match[0][0] == 0x28:
            inflated = _unzstd(bytes(rest[:_CHUNK]))
        else:
            inflated = _inflate(rest, gzip_stream=match[0][0] == 0x1F)
        if len(inflated) >= _WORTH_A_LOOK:
            yield match.start(), inflated


def _inflate(data: memoryview, *, gzip_stream: bool) -> bytes:
    """As much as can be inflated: a stream that breaks off gives what came before."""
    machine = zlib.decompressobj(31 if gzip_stream else 15)
    out = []
    room = _INFLATED_BYTES_MAX
    try:
        for at in range(0, len(data), 4096):
            out.append(machine.decompress(data[at : at + 4096], room))
            room -= len(out[-1])
            if machine.eof or room <= 0:
                break
    except zlib.error:
        pass
    return b"".join(out)


def _unzstd(data: bytes) -> bytes:
    if not shutil.which("zstd"):
        return b""
    done = subprocess.run(["zstd", "-q", "-d", "-c"], input=data, capture_output=True, check=False)
    return done.stdout[:_INFLATED_BYTES_MAX]


def _files(*roots: pathlib.Path) -> Iterator[pathlib.Path]:
    for root in roots:
        if root.is_file():
            yield root
        for folder, _, names in os.walk(root):
            for name in names:
                path = pathlib.Path(folder) / name
                if path.is_file() and not path.is_symlink():
                    yield path


def _is_sqlite(path: pathlib.Path) -> bool:
    with open(path, "rb") as file:
        return file.read(16) == b"SQLite format 3\0"


def _rows(path: pathlib.Path) -> Iterator[tuple[str, str | bytes]]:
    base = sqlite3.connect(path)
    try:
        base.text_factory = lambda data: data.decode(errors="surrogateescape")
        tables = base.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            for row in base.execute(f'SELECT * FROM "{table}"'):
                yield from ((table, value) for value in row if isinstance(value, (str, bytes)))
    except sqlite3.DatabaseError:
        return  # A copy taken in the middle of a write; the raw scan of the file still counts.
    finally:
        base.close()
