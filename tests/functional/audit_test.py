"""The audit record of a real server: who did what, whole or told to be broken."""

from __future__ import annotations

import contextlib
import sqlite3

from lab.person import PeopleCase


class AuditTest(PeopleCase):
    def records(self) -> list[dict]:
        """Newest first."""
        return self.olga.call("GET", "/v1/audit?limit=100").expect(200)["items"]

    def actions(self) -> list[str]:
        return [record["action"] for record in self.records()]

    def verified(self) -> str:
        return self.server.command("audit", "verify", "--data", str(self.server.data))

    def broken(self) -> str:
        done = self.server.run("audit", "verify", "--data", str(self.server.data))
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("audit_broken", done.stderr)
        return done.stdout

    def claim(self) -> int:
        """The status of proving it."""
        where = ("--data", str(self.server.data))
        return self.server.run("trust", "check", *where, "--claim", "P7.audited").returncode

    def change_store(self, *statements: str) -> None:
        """As whoever has the files and no key, while the server stands."""
        self.server.stop()
        with contextlib.closing(sqlite3.connect(self.server.data / "store" / "store.db")) as store:
            for statement in statements:
                store.execute(statement)
            store.commit()
        self.server.start()

    def test_who_did_what_is_told_with_its_place_and_survives_restarts(self):
        self.olga.sign_in()
        self.olga.enrol()
        made = self.olga.call("POST", "/v1/tokens", {"role": "auditor"}).expect(201)
        self.assertEqual(
            self.actions(),
            ["token.created", "factor.added", "session.started", "workspace.set_up"],
        )
        newest = self.records()[0]
        self.assertEqual(newest["number"], 4)
        self.assertEqual(newest["from"], "127.0.0.1")
        self.assertEqual(newest["facts"]["by"], "person")
        self.assertEqual(newest["facts"]["token_id"], made["id"])
        self.assertRegex(self.verified(), r"wks_\w+: 4 records, whole; head [0-9a-f]{64}\n")
        auditor = self.server.api(made["token"])
        self.assertEqual(len(auditor.get("/v1/audit?limit=3").expect(200)["items"]), 3)
        self.server.stop()
        self.assertIn(": 4 records, whole", self.verified())
        self.server.start()
        self.server.token(role="reader")
        self.assertIn(": 5 records, whole", self.verified())
        self.assertEqual(self.records()[0]["facts"]["by"], "host")

    def test_what_was_changed_taken_out_or_put_in_is_found(self):
        self.olga.sign_in()
        for _ in range(4):
            self.server.token(role="reader")
        whole = self.verified()
        self.change_store(
            "CREATE TABLE kept AS SELECT * FROM audit_records",
            "UPDATE audit_records SET facts = '{\"by\":\"nobody\"}' WHERE number = 3",
        )
        self.assertIn("2 records are whole; number 3: it was changed", self.broken())
        self.assertEqual(self.claim(), 1)
        self.change_store(
            "DELETE FROM audit_records", "INSERT INTO audit_records SELECT * FROM kept",
        )
        self.assertEqual(self.verified(), whole)
        self.assertEqual(self.claim(), 0)
        self.change_store("DELETE FROM audit_records WHERE number = 2")
        self.assertIn("1 records are whole; number 2: it is missing", self.broken())
        self.change_store(
            "DELETE FROM audit_records", "INSERT INTO audit_records SELECT * FROM kept",
            "INSERT INTO audit_records SELECT workspace_id, 7, at_ms, action, facts, seal_row, "
            "details, segment, step, mac FROM kept WHERE number = 5", "DROP TABLE kept",
        )
        self.assertIn("6 records are whole; number 7: it was changed", self.broken())

    def test_without_a_record_nothing_changes_and_what_ends_access_goes_on(self):
        self.olga.sign_in()
        before = len(self.olga.call("GET", "/v1/tokens").expect(200)["items"])
        self.change_store(
            "CREATE TRIGGER refuse BEFORE INSERT ON audit_records "
            "BEGIN SELECT RAISE(ABORT, 'x'); END"
        )
        refused = self.olga.call("POST", "/v1/tokens", {"role": "reader"})
        self.assertGreaterEqual(refused.status, 500)
        self.assertGreaterEqual(self.other_browser().try_sign_in().status, 500)
        listed = self.olga.call("GET", "/v1/tokens").expect(200)["items"]
        self.assertEqual(len(listed), before)
        self.assertIn("session.started", self.actions())

    def test_only_owners_and_auditors_see_it(self):
        for role, status in (("owner", 200), ("auditor", 200), ("manager", 403), ("reader", 403)):
            api = self.server.api(self.server.token(role=role))
            api.get("/v1/audit").expect(status)

    def test_refused_sign_ins_of_people_and_strangers(self):
        guess = self.other_browser()
        guess.password = "wrong horse battery staple"
        self.assertEqual(guess.try_sign_in().status, 401)
        stranger = self.other_browser()
        stranger.email = "nobody@brand.example"
        self.assertEqual(stranger.try_sign_in().status, 401)
        self.olga.sign_in()
        self.assertEqual(
            self.actions(), ["session.started", "session.refused", "workspace.set_up"]
        )
        self.assertEqual(self.records()[1]["facts"]["by"], "nobody")
        # The stranger's stands with the installation.
        self.assertEqual(self.verified().count(" records, whole"), 2)
