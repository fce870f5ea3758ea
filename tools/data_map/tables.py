#!/usr/bin/env python3
"""Writes the statements that carry a whole store from one engine to the other, for every table.

usage: tables.py DATA_MAP.csv MIGRATIONS_DIR OUT.cpp
"""
import pathlib
import sqlite3
import sys

import check

# Rows of a page: what is sealed may be a mail with attachments, and an answer has a limit.
PAGE_SEALED, PAGE = 4, 500


def tables_of(store, folder):
    """{table: (key columns in order, other columns)}"""
    files, _ = check.migration_files(folder)
    db = sqlite3.connect(":memory:")
    for _, _, path in files:
        db.executescript(check.expand(path.read_text(encoding="utf-8")))
    found = {}
    names = [row[1] for row in db.execute("PRAGMA main.table_list").fetchall()]
    for table in sorted(names):
        if table.startswith("sqlite_") or table == check.OWN_TABLE:
            continue
        columns = db.execute(f'PRAGMA table_xinfo("{table}")').fetchall()
        key = [c[1] for c in sorted((c for c in columns if c[5] > 0), key=lambda c: c[5])]
        found[table] = (key, [c[1] for c in columns if c[1] not in key])
    return found


def texts_of(table, key, others, sealed):
    names, keys = ", ".join(key + others), ", ".join(key)
    page = PAGE_SEALED if sealed else PAGE
    numbers = [f"${i + 1}" for i in range(len(key) + len(others))]
    left, right = (keys, numbers[0]) if len(key) == 1 else (
        f"({keys})", f"({', '.join(numbers[:len(key)])})")
    return [
        f"SELECT {names} FROM {table} ORDER BY {keys} LIMIT {page}",
        f"SELECT {names} FROM {table} WHERE {left} > {right} ORDER BY {keys} LIMIT {page}",
        f"INSERT INTO {table} ({names}) VALUES ({', '.join(numbers)})",
        f"DELETE FROM {table}",
        f"SELECT count(*) FROM {table}",
    ]


def array_of(store, rows, folder):
    out = [f"constexpr TableText k_{store}[] = {{"]
    for table, (key, others) in tables_of(store, folder).items():
        sealed = any(row["content"] == "sealed" for row in rows
                     if (row["store"], row["table"]) == (store, table))
        out.append(f'    {{"{table}", {len(key)}, {PAGE_SEALED if sealed else PAGE},')
        out += [f"     {check.literal(text)}," for text in texts_of(table, key, others, sealed)]
        out[-1] = out[-1][:-1] + "},"
    return out + ["};", ""]


def source_of(rows, migrations):
    out = ["// Generated from data_map.csv and the migrations.",
           '#include "platform/store/table_text.h"', "", "namespace postern::store {",
           "namespace {", ""]
    for store in check.STORES:
        out += array_of(store, rows, migrations / store)
    out += ["}  // namespace", "", "std::span<const TableText> table_texts(StoreKind kind) {",
            "    switch (kind) {"]
    out += [f"        case StoreKind::{store}: return k_{store};" for store in check.STORES]
    out += ["    }", "    return {};", "}", "", "}  // namespace postern::store", ""]
    return "\n".join(out)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    migrations, out = pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    rows, errors = check.check(pathlib.Path(sys.argv[1]), migrations)
    if errors:
        sys.exit("\n".join(errors))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(source_of(rows, migrations), encoding="utf-8")


if __name__ == "__main__":
    main()
