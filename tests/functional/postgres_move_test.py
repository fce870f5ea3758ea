"""postern migrate-store: files to PostgreSQL and back, with the history of a real mailbox."""

from __future__ import annotations

from lab.case import LabCase
from lab.creator import Creator
from lab.desk import Desk
from lab.postern import CONFIG
from lab.postgres import shared_pair
from lab.process import eventually, kill_tree
from lab.stored import rows_of


class MigrateStoreTest(LabCase):
    def setUp(self) -> None:
        super().setUp()
        self.place = shared_pair().place()

    def told(self, server, to: str) -> str:
        return server.command("migrate-store", "--data", str(server.data), "--to", to)

    def set_kind(self, server, kind: str) -> None:
        server.config.write_text(CONFIG + self.place.config(kind))

    def history(self) -> tuple:
        """A stopped installation with mail both ways, a receipt and a locked integration."""
        server = self.installation(config=CONFIG + self.place.config("sqlite"))
        server.init()
        token = server.token()
        server.start()
        desk = Desk(server.api(token), self.lab)
        maya = desk.connect(self.person())
        lea = Creator(self.lab, self.creator())
        thread = desk.write(maya, lea.account, "Moving house", "Hello").expect(201)["id"]
        desk.sent(thread)
        lea.answer(lea.received("Moving house")[0], "gmail_web", "Gladly.")
        desk.incoming(thread)
        gone = desk.connect(self.person())
        receipt = desk.act(gone, "cut-off").expect(200).json
        server.stop()
        return server, token, maya, thread, receipt

    def works(self, server, token, maya, thread, receipt) -> None:
        """History, unlock, sending and receipts after a move."""
        server.start()
        desk = Desk(server.api(token), self.lab)
        messages = desk.thread(thread)["messages"]
        self.assertIn("Hello", messages[0]["text"])
        self.assertIn("Gladly.", messages[1]["text"])
        self.assertEqual(desk.state(maya), "sealed")
        desk.unlock(maya).expect(200)
        creator = self.creator()
        fresh = desk.write(maya, creator, "After the move", "x").expect(201)["id"]
        desk.sent(fresh)
        again = desk.api.get(f"/v1/receipts/{receipt['id']}").expect(200)
        file = self.scratch / "receipt.json"
        file.write_text(again.text)
        server.command("receipt", "verify", str(file), "--data", str(server.data))
        server.stop()

    def test_there_and_back(self):
        server, *known = self.history()
        bulk = rows_of(server.data / "store" / "store.db")
        keyring = rows_of(server.data / "keyring" / "keyring.db")
        self.assertIn("rows were moved", self.told(server, "postgresql"))
        self.assertFalse((server.data / "store" / "store.db").exists())
        self.assertFalse((server.data / "keyring" / "keyring.db").exists())

        child = server.spawn()
        self.assertNotEqual(child.wait(60), 0)
        self.assertIn("other_engine", server.log())

        self.told(server, "sqlite")
        there = rows_of(server.data / "store" / "store.db")
        # All that was recorded is there as it was; a move to the engine that the configuration
        # names already, as the one back, adds no record.
        recorded, before = (set(rows.pop("audit_records")) for rows in (there, bulk))
        self.assertLessEqual(before, recorded)
        self.assertEqual([row[3] for row in recorded - before], ["migration.asked"])
        self.assertEqual(there, bulk)
        self.assertEqual(rows_of(server.data / "keyring" / "keyring.db"), keyring)
        schemas = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'postern%'"
        self.assertEqual(self.place.bulk_sql(schemas), "0\n")
        self.assertEqual(self.place.keyring_sql(schemas), "0\n")
        self.works(server, *known)

    def test_it_works_on_after_each_move(self):
        server, *known = self.history()
        self.told(server, "postgresql")
        self.set_kind(server, "postgresql")
        self.works(server, *known)
        self.told(server, "sqlite")
        self.set_kind(server, "sqlite")
        self.works(server, *known)

    def test_no_key_is_left_where_it_came_from(self):
        server, *_ = self.history()
        file = server.data / "keyring" / "keyring.db"
        wrap = rows_of(file)["keyring_keys"][0][2][:24]
        self.told(server, "postgresql")
        self.assertEqual(len(self.place.keyring.files_with(wrap)) > 0, True)
        self.told(server, "sqlite")
        self.assertIn(wrap, file.read_bytes())
        self.assertEqual(self.place.keyring.files_with(wrap), [])
        self.assertEqual(self.place.bulk.files_with(wrap), [], "never in the bulk's cluster")

    def test_a_running_server_keeps_its_stores(self):
        server, *_ = self.history()
        server.start()
        refused = server.run("migrate-store", "--data", str(server.data), "--to", "postgresql")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("in_use", refused.stderr)

    def test_a_target_in_use_is_refused_and_the_source_stays(self):
        server, *known = self.history()
        other = self.installation(config=CONFIG + self.place.config())
        other.init()
        refused = server.run("migrate-store", "--data", str(server.data), "--to", "postgresql")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("store_not_empty", refused.stderr)
        self.works(server, *known)

    def test_without_servers_in_the_configuration_nothing_happens(self):
        server, *_ = self.history()
        server.config.write_text(CONFIG)
        refused = server.run(
            "migrate-store", "--data", str(server.data), "--to", "postgresql", "--config",
            str(server.config),
        )
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("no_target", refused.stderr)

    def test_moving_where_it_lies_already_changes_nothing(self):
        server, *known = self.history()
        self.told(server, "sqlite")
        self.works(server, *known)

    def refused_to_start(self, server, code: str) -> None:
        child = server.spawn()
        self.assertNotEqual(child.wait(60), 0)
        self.assertIn(code, server.log())

    def wrap_of(self, server) -> bytes:
        return rows_of(server.data / "keyring" / "keyring.db")["keyring_keys"][0][2][:24]

    def test_a_bulk_that_cannot_take_it_leaves_no_key_in_the_target(self):
        server, *known = self.history()
        wrap = self.wrap_of(server)
        self.place.bulk_sql(
            "CREATE SCHEMA postern_store", "CREATE TABLE postern_store.others (n int)"
        )
        refused = server.run("migrate-store", "--data", str(server.data), "--to", "postgresql")
        self.assertIn("not_a_store", refused.stderr)
        self.assertEqual(self.place.keyring.files_with(wrap), [])
        self.works(server, *known)

    def test_a_copy_that_fails_is_taken_back(self):
        server, *known = self.history()
        wrap = self.wrap_of(server)
        self.place.bulk_sql(f"ALTER DATABASE {self.place.database} OWNER TO lab_admin")
        refused = server.run("migrate-store", "--data", str(server.data), "--to", "postgresql")
        self.assertIn("store_not_permitted", refused.stderr)
        self.assertEqual(self.place.keyring.files_with(wrap), [])
        self.assertEqual(
            self.place.keyring_sql("SELECT 1 FROM pg_namespace WHERE nspname LIKE 'postern%'"), ""
        )
        self.assertFalse((server.data / "moving").exists())
        self.works(server, *known)

    def test_nothing_is_served_between_the_switch_and_the_end(self):
        server, *known = self.history()
        self.told(server, "postgresql")
        self.set_kind(server, "postgresql")
        held = self.place.keyring.holding(
            "LOCK TABLE postern_keyring.keyring_keys IN ACCESS SHARE MODE",
            database=self.place.database,
        )
        with held:
            child = server.begin("migrate-store", "--data", str(server.data), "--to", "sqlite")
            eventually(
                lambda: (server.data / "engine").read_text() == "sqlite\n", "the switch", 60
            )
            kill_tree(child.pid)
            child.wait(60)
        for kind in ("postgresql", "sqlite"):
            self.set_kind(server, kind)
            self.refused_to_start(server, "move_unfinished")
        note = server.data / "moving"
        note.rename(note.with_suffix(".away"))
        self.refused_to_start(server, "move_unfinished")
        note.with_suffix(".away").rename(note)
        told = server.run("doctor", "--data", str(server.data), "--config", str(server.config))
        self.assertRegex(told.stdout, "BAD .*were being moved")
        back = server.run("migrate-store", "--data", str(server.data), "--to", "postgresql")
        self.assertIn("move_unfinished", back.stderr)
        self.told(server, "sqlite")
        schemas = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'postern%'"
        self.assertEqual(self.place.keyring_sql(schemas), "0\n")
        self.set_kind(server, "sqlite")
        self.works(server, *known)

    def test_what_was_begun_can_be_given_up(self):
        server, *known = self.history()
        wrap = self.wrap_of(server)
        with self.place.bulk.holding(
            "CREATE SCHEMA postern_store", database=self.place.database
        ):
            child = server.begin("migrate-store", "--data", str(server.data), "--to", "postgresql")
            eventually(lambda: self.place.keyring.files_with(wrap), "the keyring's copy", 60)
            kill_tree(child.pid)
            child.wait(60)
        self.refused_to_start(server, "move_unfinished")
        self.told(server, "sqlite")
        self.assertEqual(self.place.keyring.files_with(wrap), [])
        self.works(server, *known)
