#!/usr/bin/env python3
"""Turns the migrations into C++: number, name, SHA-256 and text of each, per store.

usage: embed.py MIGRATIONS_DIR OUT.cpp
"""
import hashlib
import pathlib
import sys

from check import STORES, migration_files

DELIMITER = "postern_sql"
CHUNK_CHARS = 8000  # compilers limit the length of one literal; neighbours are joined


def text_literal(text):
    if f'){DELIMITER}"' in text or "\r" in text or "\0" in text:
        raise ValueError("carriage return, NUL or the literal's own end in the text")
    chunks = [text[at:at + CHUNK_CHARS] for at in range(0, len(text), CHUNK_CHARS)] or [""]
    return "\n".join(f'R"{DELIMITER}({chunk}){DELIMITER}"' for chunk in chunks)


def array_of(store, folder):
    files, errors = migration_files(folder)
    if errors or not files:
        raise ValueError("; ".join(errors) or f"{folder}: no migrations")
    out = [f"constexpr Migration k_{store}[] = {{"]
    for number, name, path in files:
        raw = path.read_bytes()
        checksum = hashlib.sha256(raw).hexdigest()
        out += [f'    {{{number}, "{name}", "{checksum}",',
                text_literal(raw.decode("utf-8")) + "},"]
    return out + ["};", ""]


def source_of(migrations):
    out = ["// Generated from the migrations.", '#include "platform/store/migration.h"', "",
           "namespace postern::store {", "namespace {", ""]
    for store in STORES:
        out += array_of(store, migrations / store)
    out += ["}  // namespace", "",
            "std::span<const Migration> embedded_migrations(StoreKind kind) {",
            "    switch (kind) {"]
    out += [f"        case StoreKind::{store}: return k_{store};" for store in STORES]
    out += ["    }", "    return {};", "}", "", "}  // namespace postern::store", ""]
    return "\n".join(out)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        text = source_of(pathlib.Path(sys.argv[1]))
    except ValueError as error:
        sys.exit(f"embed.py: {error}")
    out = pathlib.Path(sys.argv[2])
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
