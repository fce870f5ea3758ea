#!/usr/bin/env python3
"""Plants each violation that check.py must notice, and checks that it does; and that embed.py
carries the text unchanged."""
import hashlib
import pathlib
import tempfile
import unittest

import check
import embed

TABLE = """CREATE TABLE notes (
    workspace_id {blob} NOT NULL,
    number {int64} NOT NULL,
    body {blob},
    PRIMARY KEY (workspace_id, number)
) STRICT;
"""
HEAD = ",".join(check.FIELDS)
LINES = [
    "1,store,notes,workspace_id,tells workspaces apart,workspace,key,workspace,no",
    "2,store,notes,number,orders notes,none,clear,workspace,no",
    '3,store,notes,body,"what was written, sealed",creator,sealed,P365D,both',
]


class Folder:
    """A data map and migrations in a temporary folder."""

    def __init__(self, test):
        holder = tempfile.TemporaryDirectory()
        test.addCleanup(holder.cleanup)
        self.path = pathlib.Path(holder.name)
        self.migrations = self.path / "migrations"
        for store in check.STORES:
            (self.migrations / store).mkdir(parents=True)
        self.migration("store", "0001_first.sql", TABLE)
        self.map(LINES)

    def migration(self, store, name, text):
        (self.migrations / store / name).write_text(text, encoding="utf-8")

    def map(self, lines, head=HEAD):
        (self.path / "data_map.csv").write_text("\n".join([head, *lines, ""]), encoding="utf-8")

    def check(self):
        return check.check(self.path / "data_map.csv", self.migrations)


def with_line(number, line):
    return [line if index == number else old for index, old in enumerate(LINES)]


class DataMap(unittest.TestCase):
    def setUp(self):
        self.folder = Folder(self)

    def refused(self, *wanted):
        errors = self.folder.check()[1]
        self.assertTrue(errors, "nothing was noticed")
        for part in wanted:
            self.assertTrue(any(part in error for error in errors), f"{part!r} not in {errors}")

    def test_accepted_when_all_is_right(self):
        self.assertEqual(self.folder.check()[1], [])

    def test_column_without_entry(self):
        self.folder.map(LINES[:2])
        self.refused("store.notes.body: has no entry")

    def test_column_added_later_without_entry(self):
        self.folder.migration("store", "0002_more.sql", "ALTER TABLE notes ADD COLUMN more {blob};")
        self.refused("store.notes.more: has no entry")

    def test_generated_column_without_entry(self):
        self.folder.migration("store", "0002_more.sql",
                              "ALTER TABLE notes ADD COLUMN twice {int64} AS (number * 2);")
        self.refused("store.notes.twice: has no entry")

    def test_entry_without_column(self):
        self.folder.map(LINES + ["4,store,notes,gone,nothing,none,clear,workspace,no"])
        self.refused("store.notes.gone: in the data map, but in no migration")

    def test_entry_of_another_store(self):
        self.folder.map(with_line(1, LINES[1].replace(",store,", ",index,")))
        self.refused("index.notes.number: in the data map", "store.notes.number: has no entry")

    def test_repeated_id(self):
        self.folder.map(with_line(1, LINES[1].replace("2,", "1,", 1)))
        self.refused("id 1 is taken")

    def test_repeated_column(self):
        self.folder.map(LINES + [LINES[1].replace("2,", "4,", 1)])
        self.refused("stands in line 3 already")

    def test_id_out_of_range(self):
        for wrong in ("0", "-1", "65536", "01", "x", ""):
            self.folder.map(with_line(1, LINES[1].replace("2,", wrong + ",", 1)))
            self.refused("is not between 1 and 65535")

    def test_unknown_words(self):
        for old, new in (("workspace,key", "nobody,key"), ("key,workspace", "text,workspace"),
                         ("workspace,no", "workspace,perhaps"), ("1,store", "1,shop")):
            self.folder.map(with_line(0, LINES[0].replace(old, new, 1)))
            self.refused("is none of")

    def test_empty_purpose_or_retention(self):
        for old in ("orders notes", "workspace"):
            self.folder.map(with_line(1, LINES[1].replace(old, "", 1)))
            self.refused("is empty")

    def test_export_to_nobody(self):
        self.folder.map(with_line(1, LINES[1].removesuffix("no") + "subject"))
        self.refused("exported to a subject")

    def test_wrong_number_of_fields(self):
        for line in (LINES[1] + ",more", LINES[1].removesuffix(",no")):
            self.folder.map(with_line(1, line))
            self.refused("not 9 fields")

    def test_wrong_first_line(self):
        self.folder.map(LINES, head=HEAD.replace("purpose", "why"))
        self.refused("the first line must be")

    def test_sealed_content_in_a_text_column(self):
        self.folder.migration("store", "0001_first.sql", TABLE.replace("body {blob}", "body TEXT"))
        self.refused("needs {blob}")

    def test_retired_id_stays_taken(self):
        retired = "4,store,notes,old,was a label,none,retired,workspace,no"
        self.folder.map(LINES + [retired])
        self.assertEqual(self.folder.check()[1], [])
        self.folder.map(with_line(1, LINES[1].replace("2,", "4,", 1)) + [retired])
        self.refused("id 4 is taken")

    def test_retired_column_that_is_still_there(self):
        self.folder.map(with_line(1, LINES[1].replace("clear", "retired")))
        self.refused("store.notes.number")

    def test_key_that_does_not_begin_with_the_workspace(self):
        for key in ("number, workspace_id", "number"):
            self.folder.migration("store", "0001_first.sql",
                                  TABLE.replace("workspace_id, number)", key + ")"))
            self.refused("does not begin with workspace_id")

    def test_table_without_key(self):
        self.folder.migration("store", "0001_first.sql",
                              TABLE.replace(",\n    PRIMARY KEY (workspace_id, number)", ""))
        self.refused("does not begin with workspace_id")

    def test_table_that_is_not_strict(self):
        self.folder.migration("store", "0001_first.sql", TABLE.replace(") STRICT", ")"))
        self.refused("store.notes: not STRICT")

    def test_view(self):
        self.folder.migration("store", "0002_view.sql", "CREATE VIEW v AS SELECT 1 AS a;")
        self.refused("store.v: a view")

    def test_names_in_capitals(self):
        self.folder.migration("store", "0001_first.sql", TABLE.replace("body", "Body"))
        self.refused("store.notes.Body: not a lower-case name")

    def test_broken_sql(self):
        self.folder.migration("index", "0001_first.sql", "CREATE TABLE;")
        self.refused("0001_first.sql: near")

    def test_gap_and_odd_names_among_the_files(self):
        self.folder.migration("store", "0003_late.sql", "")
        self.refused("expected number 0002")
        self.folder.migration("index", "first.sql", "")
        self.refused("not named NNNN")

    def test_bookkeeping_table_is_exempt(self):
        self.folder.migration("store", "0002_own.sql",
                              "CREATE TABLE schema_migrations (number {int64} PRIMARY KEY);")
        self.assertEqual(self.folder.check()[1], [])


class Generated(unittest.TestCase):
    def test_header_names_each_column_once(self):
        rows, _ = Folder(self).check()
        header = check.header_of(rows)
        self.assertIn("namespace store::notes {", header)
        self.assertIn("inline constexpr ColumnId body{3};", header)

    def test_keyword_gets_an_underscore(self):
        self.assertEqual(check.identifier("export"), "export_")
        self.assertEqual(check.identifier("body"), "body")

    def test_text_is_embedded_unchanged(self):
        folder = Folder(self)
        long_text = TABLE + "-- " + "x" * 20000 + "\n"
        folder.migration("store", "0001_first.sql", long_text)
        for store in ("keyring", "index"):
            folder.migration(store, "0001_first.sql", TABLE)
        source = embed.source_of(folder.migrations)
        self.assertIn(hashlib.sha256(long_text.encode()).hexdigest(), source)
        joined = source.replace(f'){embed.DELIMITER}"\nR"{embed.DELIMITER}(', "")
        self.assertIn(long_text, joined)

    def test_text_that_would_end_the_literal_is_refused(self):
        for text in (f'){embed.DELIMITER}"', "a\r\nb", "a\0b"):
            with self.assertRaises(ValueError):
                embed.text_literal(text)

    def test_store_without_migrations_is_refused(self):
        with self.assertRaises(ValueError):
            embed.source_of(Folder(self).migrations)


if __name__ == "__main__":
    unittest.main()
