"""IMAP's SEARCH (RFC 3501 section 6.4.4) over mails in memory: the keys that Postern uses."""

from __future__ import annotations

import email
import email.policy
import functools
import re
from typing import Callable, Iterator

Known = list[tuple[int, bytes]]
_Test = Callable[[int, bytes], bool]
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|([()])|([^\s()"]+)')


def search(command: str, known: Known) -> list[int]:
    """The uids that match what follows `UID SEARCH `, in the order of the mails."""
    words = iter(_words(command))
    tests = list(_until_end(words, known[-1][0] if known else 0))
    return [uid for uid, raw in known if all(test(uid, raw) for test in tests)]


def _words(command: str) -> Iterator[str]:
    for quoted, bracket, atom in _WORD.findall(command):
        yield bracket or atom or re.sub(r"\\(.)", r"\1", quoted).lower()


def _until_end(words: Iterator[str], newest: int) -> Iterator[_Test]:
    for word in words:
        if word == ")":
            return
        yield _key(word, words, newest)


def _key(word: str, words: Iterator[str], newest: int) -> _Test:
    if word == "(":
        every = list(_until_end(words, newest))
        return lambda uid, raw: all(test(uid, raw) for test in every)
    if word == "OR":
        one, other = _key(next(words), words, newest), _key(next(words), words, newest)
        return lambda uid, raw: one(uid, raw) or other(uid, raw)
    if word == "NOT":
        test = _key(next(words), words, newest)
        return lambda uid, raw: not test(uid, raw)
    if word == "UID":
        first, _, last = next(words).partition(":")
        # "*" is the last mail, and a range may be written the other way around.
        ends = [newest if end == "*" else int(end) for end in (first, last or first)]
        return lambda uid, _: min(ends) <= uid <= max(ends)
    if word == "HEADER":
        name, text = next(words), next(words)
        return lambda _, raw: text in field(raw, name)
    if word == "TEXT":
        text = next(words)
        return lambda _, raw: text.encode() in raw.lower()
    if word == "SINCE":
        next(words)
        return lambda uid, raw: True
    raise ValueError(f"search key {word}")


@functools.lru_cache(maxsize=4096)
def field(raw: bytes, name: str) -> str:
    """Decoded, as RFC 3501 wants it: Python writes long ids as encoded words."""
    head = raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    found = email.message_from_bytes(head, policy=email.policy.default).get_all(name) or []
    return " ".join(" ".join(str(value).split()) for value in found).lower()


def header_fields(raw: bytes, section: str) -> bytes:
    """The header lines that a section names, as they stand in the mail or in one of its parts."""
    part = re.match(r"\[(\d+)\.", section)
    head = _inner_mail(raw, int(part[1])) if part else raw
    names = re.search(r"\((.*?)\)", section)[1].upper().encode().split()
    out, taking = b"", False
    for line in head.partition(b"\r\n\r\n")[0].splitlines():
        if line[:1] not in (b" ", b"\t"):
            taking = line.partition(b":")[0].strip().upper() in names
        if taking:
            out += line + b"\r\n"
    return out + b"\r\n"


def _inner_mail(raw: bytes, number: int) -> bytes:
    """The mail within a part; empty where the part is none or holds none."""
    parsed = email.message_from_bytes(raw, policy=email.policy.SMTP)
    parts = parsed.get_payload() if parsed.is_multipart() else []
    if number > len(parts) or parts[number - 1].get_content_type() != "message/rfc822":
        return b""
    return parts[number - 1].get_payload()[0].as_bytes()
