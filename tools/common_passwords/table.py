#!/usr/bin/env python3
"""Turns a list of common passwords into a table that tells whether a password is in it.

usage: table.py LIST OUT.cpp

LIST has one password a line, the commonest first. Kept are those that are long enough to be taken
otherwise, without regard to case; of each the first 8 bytes of its SHA-256, sorted.
"""
import hashlib
import pathlib
import sys

CHARACTERS_MIN = 12  # k_password_characters_min of features/identity/password_rules.h
# A list that lost its end, or is another one, fails the build: OWASP ASVS 6.2.4 asks for 3,000.
PASSWORDS_MIN = 3000
PREFIX_BYTES = 8
PREFIXES_A_LINE = 4


def _characters(password):
    """As many as the server counts: UTF-8's first bytes."""
    return sum(byte & 0xC0 != 0x80 for byte in password)


def kept(lines):
    """The long ones of these lines of bytes, in lower case (ASCII), each once."""
    passwords = {line.rstrip(b"\r\n").lower() for line in lines}
    return {password for password in passwords if _characters(password) >= CHARACTERS_MIN}


def prefixes(passwords):
    digests = (hashlib.sha256(password).digest() for password in passwords)
    return sorted({int.from_bytes(digest[:PREFIX_BYTES], "big") for digest in digests})


def source_of(numbers):
    words = [f"0x{number:016x}," for number in numbers]
    rows = [" ".join(words[at:at + PREFIXES_A_LINE])
            for at in range(0, len(words), PREFIXES_A_LINE)]
    return "\n".join([
        "// Generated from a list of common passwords.",
        '#include "features/identity/common_passwords.h"', "", "#include <cstdint>",
        "#include <span>", "", "namespace postern::identity {", "namespace {", "",
        "constexpr std::uint64_t k_prefixes[] = {", *(f"    {row}" for row in rows), "};", "",
        "}  // namespace", "",
        "std::span<const std::uint64_t> common_password_prefixes() {", "    return k_prefixes;",
        "}", "", "}  // namespace postern::identity", ""])


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    lines = pathlib.Path(sys.argv[1]).read_bytes().splitlines()
    passwords = kept(lines)
    if len(passwords) < PASSWORDS_MIN:
        sys.exit(f"table.py: {len(passwords)} passwords of {CHARACTERS_MIN} characters or more in "
                 f"{sys.argv[1]}, wanted are {PASSWORDS_MIN}")
    out = pathlib.Path(sys.argv[2])
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(source_of(prefixes(passwords)), encoding="ascii")
    print(f"common passwords: {len(passwords)} of {len(lines)} are long enough to matter")


if __name__ == "__main__":
    main()
