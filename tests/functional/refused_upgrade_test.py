"""An upgrade that cannot be made as a whole is not begun: the keyring, which has no way back, stays
as the earlier program knows it."""

from __future__ import annotations

import contextlib
import pathlib
import sqlite3

from lab.case import LabCase
from lab.fixture_store import FixtureStore
from lab.postern import Postern


class RefusedUpgradeTest(LabCase):
    def setUp(self) -> None:
        super().setUp()
        # The oldest: this program would migrate each of its stores.
        self.fixture = FixtureStore.all()[0]
        self.server: Postern = self.installation()
        self.fixture.unpack(self.server.data)
        self.store = self.server.data / "store" / "store.db"
        self.keyring = self.server.data / "keyring" / "keyring.db"
        self.before = _schema(self.keyring)

    def test_a_store_that_front_refuses_leaves_the_keyring_to_the_earlier_program(self):
        self._make_foreign()
        self.assertNotEqual(self._ends(), 0)
        self.assertIn("migration_changed", self.server.log())
        self.assertEqual(_schema(self.keyring), self.before)
        self._make_as_it_was()
        self.server.start()
        self.server.stop()
        self.assertGreater(len(_schema(self.keyring)), len(self.before))

    def test_no_command_migrates_it_either(self):
        self._make_foreign()
        place = ("--data", str(self.server.data))
        wanted = ("--workspace", "Brand", "--role", "reader")
        refused = self.server.run("token", "create", *place, *wanted)
        self.assertIn("migration_changed", refused.stderr)
        self.assertEqual(_schema(self.keyring), self.before)
        for words in (("recovery-kit",), ("rotate",), ("passphrase", "--remove")):
            refused = self.server.run("keyring", words[0], *place, *words[1:])
            self.assertNotEqual(refused.returncode, 0, words)
            self.assertIn("migration_changed", refused.stderr, words)
            self.assertEqual(_schema(self.keyring), self.before, words)
        (self.server.data / "root.key").unlink()
        share = self.fixture.expected["recovery_share"] + "\n"
        self.assertNotEqual(self.server.run("recover", *place, stdin=share).returncode, 0)
        self.assertFalse((self.server.data / "root.key").exists())
        self.assertEqual(_schema(self.keyring), self.before)

    def test_a_key_command_brings_the_stores_up_to_date_for_its_record(self):
        place = ("--data", str(self.server.data))
        before = _schema(self.store)
        self.server.command("keyring", "recovery-kit", *place)
        self.assertGreater(len(_schema(self.store)), len(before))
        self.assertGreater(len(_schema(self.keyring)), len(self.before))
        self.server.start()
        self.server.stop()
        self.server.command("keyring", "recovery-kit", *place)

    def test_a_keyring_that_keeper_refuses_leaves_the_store_as_it_was(self):
        before = _schema(self.store)
        self._make_foreign(self.keyring)
        self.assertNotEqual(self._ends(), 0)
        self.assertEqual(_schema(self.store), before)

    def _ends(self) -> int:
        self.server.spawn()
        return self.server.wait_exit()

    def _make_foreign(self, file: pathlib.Path | None = None) -> None:
        with contextlib.closing(sqlite3.connect(file or self.store)) as base:
            base.execute("INSERT INTO schema_migrations VALUES (900, 'of_another', 'x', 0)")
            base.commit()
            base.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _make_as_it_was(self) -> None:
        with contextlib.closing(sqlite3.connect(self.store)) as base:
            base.execute("DELETE FROM schema_migrations WHERE number = 900")
            base.commit()
            base.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _schema(file: pathlib.Path) -> list[tuple]:
    """What the program that opens this file compares with the migrations that it knows."""
    with contextlib.closing(sqlite3.connect(file)) as base:
        return base.execute(
            "SELECT number, name, checksum FROM schema_migrations ORDER BY number"
        ).fetchall()
