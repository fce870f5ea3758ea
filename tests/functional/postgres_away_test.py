"""A database server that stops, crashes or cuts connections under the running server: requests are
answered in words, everything works again by itself, and nothing that was acknowledged is lost."""

from __future__ import annotations

import concurrent.futures
import contextlib
import signal
import threading
import time

from lab.case import LabCase
from lab.postern import CONFIG
from lab.postgres import END_SESSIONS, Cluster, PostgresPair
from lab.process import eventually


class PostgresAwayTest(LabCase):
    """On clusters of its own, that really sync."""

    pair: PostgresPair

    @classmethod
    def setUpClass(cls) -> None:
        cls.pair = PostgresPair()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.pair.close()

    def begin(self):
        self.place = self.pair.place()
        server = self.installation(config=CONFIG + self.place.config())
        server.init()
        token = server.token()
        server.start()
        from lab.desk import Desk

        desk = Desk(server.api(token), self.lab)
        return server, desk, desk.connect(self.person())

    def write_until(self, desk, integration, stop: threading.Event) -> tuple[list, list]:
        """Starts threads until told to stop: the ids that were acknowledged, the other answers."""
        lea = self.creator()
        acknowledged, refused = [], []
        while not stop.is_set():
            reply = desk.write(integration, lea, "Hello", "x")
            if reply.status == 201:
                acknowledged.append(reply.json["id"])
            else:
                refused.append((reply.status, reply.json.get("code")))
        return acknowledged, refused

    def all_threads(self, desk) -> set[str]:
        found, cursor = set(), ""
        while True:
            page = desk.api.get(f"/v1/threads?limit=100{cursor}").expect(200).json
            found.update(item["id"] for item in page["items"])
            if not page["next_cursor"]:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    def works_again(self, desk) -> None:
        eventually(
            lambda: desk.api.get("/v1/integrations").status == 200, "the bulk store is back"
        )

    def test_the_bulk_server_stops_and_comes_back(self):
        for number in (signal.SIGINT, signal.SIGQUIT):
            with self.subTest(number):
                server, desk, integration = self.begin()
                self.pair.bulk.stop(number)
                reply = desk.api.get("/v1/integrations")
                self.assertEqual((reply.status, reply["code"]), (503, "store_unreachable"))
                self.assertIn("nothing was changed", reply["detail"])
                self.assertIn("retry-after", reply.headers)
                self.assertTrue(server.running)
                self.pair.bulk.start()
                self.works_again(desk)
                thread = desk.write(integration, self.creator(), "Again", "x").expect(201)
                desk.sent(thread["id"])

    def test_nothing_acknowledged_is_lost_when_it_crashes_under_load(self):
        server, desk, integration = self.begin()
        stop = threading.Event()
        told: list = []
        writer = threading.Thread(
            target=lambda: told.extend(self.write_until(desk, integration, stop))
        )
        writer.start()
        try:
            for _ in range(3):
                eventually(
                    lambda: int(self.place.bulk_sql(
                        "SELECT count(*) FROM postern_store.threads")) % 5 == 4,
                    "a few more threads",
                )
                self.pair.bulk.stop(signal.SIGQUIT)
                self.pair.bulk.start()
                self.place.bulk_sql(END_SESSIONS)
        finally:
            stop.set()
            writer.join()
        acknowledged, refused = told
        self.assertTrue(acknowledged)
        for status, code in refused:
            self.assertIn((status, code), (
                (503, "store_unreachable"), (503, "store_busy"), (500, "store_outcome_unknown"),
            ))
        self.works_again(desk)
        missing = set(acknowledged) - self.all_threads(desk)
        self.assertEqual(missing, set())
        self.assertTrue(server.running)

    def test_a_promoted_standby_takes_over_with_all_that_was_acknowledged(self):
        pair = PostgresPair()
        self.addCleanup(pair.close)
        standby = Cluster(follows=pair.bulk).start()
        self.addCleanup(standby.close)
        pair.bulk.sql(
            "ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"
        )
        place = pair.place()
        one, both = f'["{pair.bulk.folder}"]', f'["{standby.folder}", "{pair.bulk.folder}"]'
        server, desk = self.running(config=CONFIG + place.config().replace(one, both))
        integration = desk.connect(self.person())
        desk.grant(integration)
        stop = threading.Event()
        with concurrent.futures.ThreadPoolExecutor(1) as pool, contextlib.ExitStack() as end:
            writing = pool.submit(self.write_until, desk, integration, stop)
            end.callback(stop.set)
            eventually(lambda: len(self.all_threads(desk)) > 3, "threads are written")
            pair.bulk.stop(signal.SIGQUIT)
            reply = desk.api.get("/v1/integrations")
            self.assertIn(reply.status, (200, 503), "a standby can be read, not written")
            standby.sql("SELECT pg_promote()")
            eventually(
                lambda: desk.write(integration, self.creator(), "Here", "x").status == 201,
                "the standby takes writes",
            )
        acknowledged, refused = writing.result()
        self.assertLessEqual(set(acknowledged), self.all_threads(desk))
        self.assertLessEqual({code for _, code in refused}, {"store_unreachable", "store_busy"})
        self.assertNotIn("forbidden_system_call", server.log())
        for thread in acknowledged[:2]:
            desk.sent(thread)
        desk.act(integration, "cut-off").expect(200)

    def test_the_keyring_server_stops_and_comes_back(self):
        server, desk, integration = self.begin()
        self.pair.keyring.stop(signal.SIGQUIT)
        reply = desk.unlock(integration)
        self.assertEqual(reply.status, 503, reply.text)
        # Whether it is cut off is keeper's to say; nothing is said until it can.
        desk.api.get("/v1/integrations").expect(503)
        self.assertTrue(server.running)
        self.pair.keyring.start()
        eventually(lambda: desk.unlock(integration).status == 200, "the keyring is back")
        receipt = desk.act(integration, "cut-off").expect(200).json
        self.assertEqual(receipt["kind"], "cut_off")

    def test_a_cut_off_is_finished_when_the_keyring_comes_back(self):
        _, desk, integration = self.begin()
        self.pair.keyring.stop(signal.SIGQUIT)
        reply = desk.act(integration, "cut-off")
        self.assertEqual(reply.status, 503, reply.text)
        self.pair.keyring.start()
        eventually(
            lambda: desk.act(integration, "cut-off").status == 200, "the cut-off is done"
        )
        self.assertEqual(desk.state(integration), "cut_off")

    def test_a_second_server_on_the_same_stores_is_refused(self):
        server, _, _ = self.begin()
        twin = self.copy(server, "twin")
        child = twin.spawn()
        self.assertNotEqual(child.wait(60), 0)
        self.assertIn("store_in_use", twin.log())
        self.assertTrue(server.running)

    def test_stores_of_another_installation_are_not_taken_for_new_ones(self):
        self.begin()
        other = self.installation(config=CONFIG + self.place.config())
        refused = other.run("init", "--data", str(other.data))
        self.assertNotEqual(refused.returncode, 0)
        self.assertFalse(other.data.exists())

    def test_a_keyring_cluster_that_would_keep_keys_is_refused_with_words(self):
        server, _, _ = self.begin()
        server.stop()
        self.pair.keyring.sql("SELECT pg_create_physical_replication_slot('copy', true)")
        try:
            child = server.spawn()
            self.assertNotEqual(child.wait(60), 0)
            self.assertIn("replication slot", server.log())
            doctor = server.run("doctor", "--data", str(server.data))
            self.assertIn("replication slot", doctor.stdout)
            self.assertNotEqual(doctor.returncode, 0)
        finally:
            self.pair.keyring.sql("SELECT pg_drop_replication_slot('copy')")
        server.start()

    def shares(self) -> int:
        return int(self.place.keyring_sql("SELECT count(*) FROM postern_keyring.server_shares"))

    def test_a_cluster_that_comes_to_keep_keys_does_not_keep_a_cut_off_from_happening(self):
        server, desk, integration = self.begin()
        self.assertEqual(self.shares(), 1)
        self.pair.keyring.sql("SELECT pg_create_physical_replication_slot('copy', true)")
        try:
            self.place.keyring_sql(END_SESSIONS)
            reply = desk.act(integration, "cut-off")
            self.assertEqual(reply.status, 503, reply.text)
            self.assertEqual(self.shares(), 0)
            self.assertIn("replication slot", server.log())
        finally:
            self.pair.keyring.sql("SELECT pg_drop_replication_slot('copy')")
        eventually(
            lambda: desk.act(integration, "cut-off").status == 200, "the receipt is there"
        )
        self.assertEqual(desk.state(integration), "cut_off")

    def test_a_long_transaction_beside_the_keyring_holds_up_one_cut_off_and_nothing_else(self):
        _, desk, integration = self.begin()
        other = desk.connect(self.person())
        with self.pair.keyring.holding(
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "SELECT 1",
            database=self.place.database,
        ):
            begun = time.monotonic()
            self.assertEqual(desk.act(integration, "cut-off").status, 503)
            desk.unlock(other).expect(200)
            self.assertLess(time.monotonic() - begun, 8)
        eventually(
            lambda: desk.act(integration, "cut-off").status == 200, "the receipt is there"
        )

    def test_an_init_that_fails_leaves_nothing_in_either_cluster(self):
        place = self.pair.place()
        server = self.installation(config=CONFIG + place.config())
        for file in (place.bulk_password, place.keyring_password):
            right = file.read_text()
            file.write_text("wrong-password\n")
            refused = server.run("init", "--data", str(server.data))
            self.assertIn("store_login_refused", refused.stderr)
            self.assertFalse(server.data.exists())
            file.write_text(right)
        schemas = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'postern%'"
        self.assertEqual(place.bulk_sql(schemas), "0\n")
        self.assertEqual(place.keyring_sql(schemas), "0\n")
        server.init()

    def test_a_wrong_password_is_told_and_not_shown(self):
        server, _, _ = self.begin()
        server.stop()
        right = self.place.bulk_password.read_text()
        self.place.bulk_password.write_text("wrong-password\n")
        child = server.spawn()
        self.assertNotEqual(child.wait(60), 0)
        self.assertIn("store_login_refused", server.log())
        self.assertNotIn("wrong-password", server.log())
        self.place.bulk_password.write_text(right)
        server.start()
