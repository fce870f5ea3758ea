#!/usr/bin/env python3
"""Holds the data map and the schema together, and turns the map into C++.

usage: check.py DATA_MAP.csv MIGRATIONS_DIR [--header OUT.h --source OUT.cpp]

Fails when a column has no entry or an entry no column, an id repeats, a table is not STRICT, the
first column of a primary key is not workspace_id, or a word is not of the vocabulary.
"""
import argparse
import csv
import pathlib
import re
import sqlite3
import sys

STORES = ("store", "keyring", "index")
FIELDS = ["id", "store", "table", "column", "purpose", "subject", "content", "retention", "export"]
VOCABULARY = {
    "store": set(STORES),
    "subject": {"none", "person", "creator", "workspace", "integration"},
    # `retired`: the column is gone, its id stays taken.
    "content": {"sealed", "wrap", "clear", "key", "hash", "retired"},
    "export": {"no", "subject", "workspace", "both"},
}
BLOB_ONLY = {"sealed", "wrap"}
NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
FREE_TEXT = re.compile(r"[ -~]+\Z")
FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql\Z")
ID_MAX = 65535
OWN_TABLE = "schema_migrations"
KEYWORDS = {
    "auto", "bool", "break", "case", "catch", "char", "class", "concept", "const", "continue",
    "default", "delete", "do", "double", "else", "enum", "explicit", "export", "extern", "false",
    "final", "float", "for", "friend", "goto", "if", "inline", "int", "long", "mutable",
    "namespace", "new", "operator", "override", "private", "protected", "public", "register",
    "requires", "return", "short", "signed", "sizeof", "static", "struct", "switch", "template",
    "this", "throw", "true", "try", "typedef", "typename", "union", "unsigned", "using",
    "virtual", "void", "volatile", "while", "and", "or", "not", "xor"}


def migration_files(folder):
    """The files of one store in order, or the first thing wrong with them."""
    found, errors = [], []
    for path in sorted(folder.glob("*")):
        match = FILE.match(path.name)
        if not match:
            errors.append(f"{path}: not named NNNN_what_it_does.sql")
        elif int(match[1]) != len(found) + 1:
            errors.append(f"{path}: expected number {len(found) + 1:04}")
        else:
            found.append((int(match[1]), match[2], path))
    return found, errors


def expand(sql):
    return sql.replace("{int64}", "INTEGER").replace("{blob}", "BLOB")


def check_table(db, store, table, strict):
    """The columns of a table, with their types, and what the house rules say against it."""
    errors = []
    if not strict:
        errors.append(f"{store}.{table}: not STRICT")
    columns, first_of_key = {}, None
    for _, name, kind, _, _, key, _ in db.execute(f'PRAGMA table_xinfo("{table}")').fetchall():
        columns[name] = kind
        first_of_key = name if key == 1 else first_of_key
        if not NAME.match(name):
            errors.append(f"{store}.{table}.{name}: not a lower-case name")
    if first_of_key != "workspace_id":
        errors.append(f"{store}.{table}: the primary key does not begin with workspace_id")
    if not NAME.match(table):
        errors.append(f"{store}.{table}: not a lower-case name")
    return columns, errors


def read_schema(store, folder):
    """{(store, table, column): type} after all migrations."""
    files, errors = migration_files(folder)
    schema = {}
    db = sqlite3.connect(":memory:")
    for _, _, path in files:
        try:
            db.executescript(expand(path.read_text(encoding="utf-8")))
        except sqlite3.Error as error:
            return {}, errors + [f"{path}: {error}"]
    for _, table, kind, _, _, strict in db.execute("PRAGMA main.table_list").fetchall():
        if table.startswith("sqlite_") or table == OWN_TABLE:
            continue
        if kind != "table":
            errors.append(f"{store}.{table}: a {kind}; only tables are mapped")
            continue
        columns, found = check_table(db, store, table, strict)
        errors += found
        schema.update({(store, table, name): kind for name, kind in columns.items()})
    return schema, errors


def check_line(where, row):
    errors = []
    for field, words in VOCABULARY.items():
        if row[field] not in words:
            errors.append(f"{where}: {field} '{row[field]}' is none of {', '.join(sorted(words))}")
    for field in ("purpose", "retention"):
        if not FREE_TEXT.match(row[field] or ""):
            errors.append(f"{where}: {field} is empty or not printable ASCII")
    if not re.match(r"[1-9][0-9]*\Z", row["id"] or "") or int(row["id"]) > ID_MAX:
        errors.append(f"{where}: id '{row['id']}' is not between 1 and {ID_MAX}")
    if row["export"] in ("subject", "both") and row["subject"] not in ("person", "creator"):
        errors.append(f"{where}: exported to a subject, but subject is '{row['subject']}'")
    return errors


def read_map(path):
    """The entries, in file order."""
    errors, rows, ids, columns = [], [], {}, {}
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file, restkey="rest")
        if reader.fieldnames != FIELDS:
            return [], [f"{path}: the first line must be {','.join(FIELDS)}"]
        for row in reader:
            where = f"{path}:{reader.line_num}"
            if "rest" in row or None in row.values():
                errors.append(f"{where}: not {len(FIELDS)} fields")
                continue
            errors += check_line(where, row)
            key = (row["store"], row["table"], row["column"])
            if row["id"] in ids:
                errors.append(f"{where}: id {row['id']} is taken by line {ids[row['id']]}")
            if row["content"] != "retired" and key in columns:
                errors.append(f"{where}: {'.'.join(key)} stands in line {columns[key]} already")
            ids.setdefault(row["id"], reader.line_num)
            if row["content"] != "retired":
                columns.setdefault(key, reader.line_num)
            rows.append(row)
    return rows, errors


def compare(rows, schema):
    errors, mapped = [], set()
    for row in rows:
        key = (row["store"], row["table"], row["column"])
        name = ".".join(key)
        if row["content"] == "retired":
            if key in schema and all(r["content"] == "retired" for r in rows
                                     if (r["store"], r["table"], r["column"]) == key):
                errors.append(f"{name}: retired in the data map, but still in the schema")
            continue
        mapped.add(key)
        if key not in schema:
            errors.append(f"{name}: in the data map, but in no migration")
        elif row["content"] in BLOB_ONLY and schema[key] != "BLOB":
            errors.append(f"{name}: content {row['content']} needs {{blob}}, not {schema[key]}")
    for key in sorted(set(schema) - mapped):
        errors.append(f"{'.'.join(key)}: has no entry in the data map")
    return errors


def check(map_path, migrations):
    """(entries, errors)"""
    rows, errors = read_map(map_path)
    schema = {}
    for store in STORES:
        columns, found = read_schema(store, migrations / store)
        schema.update(columns)
        errors += found
    return rows, errors + compare(rows, schema)


def identifier(name):
    return name + "_" if name in KEYWORDS else name


def header_of(rows):
    live = [row for row in rows if row["content"] != "retired"]
    out = ["// Generated from data_map.csv.", "#pragma once", "",
           '#include "platform/store/column_id.h"', "", "namespace postern::store::data_map {", ""]
    for store in STORES:
        for table in sorted({row["table"] for row in live if row["store"] == store}):
            out.append(f"namespace {store}::{identifier(table)} {{")
            for row in live:
                if (row["store"], row["table"]) == (store, table):
                    name = identifier(row["column"])
                    out.append(f"inline constexpr ColumnId {name}{{{row['id']}}};")
            out += [f"}}  // namespace {store}::{identifier(table)}", ""]
    return "\n".join(out + ["}  // namespace postern::store::data_map", ""])


def literal(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def source_of(rows):
    live = sorted((row for row in rows if row["content"] != "retired"), key=lambda r: int(r["id"]))
    out = ["// Generated from data_map.csv.", '#include "platform/store/data_map.h"', "",
           "namespace postern::store::data_map {", "namespace {",
           f"constexpr Entry k_entries[{len(live)}] = {{"]
    for row in live:
        words = ", ".join(literal(row[field]) for field in FIELDS[1:])
        out.append(f"    {{{{{row['id']}}}, {words}}},")
    out += ["};", "}  // namespace", "std::span<const Entry> entries() {", "    return k_entries;",
            "}", "}  // namespace postern::store::data_map", ""]
    return "\n".join(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_map", type=pathlib.Path)
    parser.add_argument("migrations", type=pathlib.Path)
    parser.add_argument("--header", type=pathlib.Path)
    parser.add_argument("--source", type=pathlib.Path)
    options = parser.parse_args()
    rows, errors = check(options.data_map, options.migrations)
    for error in errors:
        print(f"data map: {error}", file=sys.stderr)
    if errors:
        return 1
    for path, text in ((options.header, header_of(rows)), (options.source, source_of(rows))):
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
