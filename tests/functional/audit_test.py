"""The audit record of a real server: who did what, whole or told to be broken."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3

from lab.desk import Desk
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
            api.get("/v1/audit/export").expect(status)

    def test_every_act_on_an_integration_and_its_mail_stands_there(self):
        self.olga.sign_in()
        token = self.olga.call("POST", "/v1/tokens", {"role": "manager"}).expect(201)
        desk = Desk(self.server.api(token["token"]), self.lab)
        integration = desk.connect(self.person())
        of = f"/v1/integrations/{integration.id}"
        desk.api.patch(of, {"name": "Other"}).expect(200)
        desk.unlock(integration).expect(200)
        desk.unlock(integration, "not the secret").expect(422, 403, 401)
        granted = desk.grant(integration)["id"]
        desk.api.call("DELETE", f"{of}/grants/{granted}").expect(204)
        desk.act(integration, "verify").expect(200)
        desk.act(integration, "sync").expect(200)
        thread = desk.write(integration, self.creator(), "Collab?", "Hello").expect(201)["id"]
        desk.api.post(f"/v1/threads/{thread}/messages", {"text": "And"}).expect(201)
        desk.sent(thread)
        desk.act(integration, "lock").expect(204)
        desk.act(integration, "cut-off").expect(403)
        self.olga.call("POST", f"{of}/cut-off", {}).expect(200)
        found = self.olga.call("GET", f"/v1/audit?about={integration.id}").expect(200)["items"]
        self.assertEqual(
            [record["action"] for record in reversed(found)],
            [
                "integration.connected", "integration.renamed", "integration.unlocked",
                "secret.refused", "grant.made", "grant.revoked", "integration.verified",
                "integration.synced", "thread.started", "message.written", "integration.locked",
                "integration.cut_off",
            ],
        )
        self.assertEqual(found[0]["facts"]["by"], "person")
        for record in found[1:]:
            self.assertEqual(record["facts"]["by_id"], token["id"], record)
            self.assertEqual(record["from"], "127.0.0.1")
        self.assertIn(" records, whole", self.verified())

    def test_it_is_searched_by_page(self):
        self.olga.sign_in()
        made = [
            self.olga.call("POST", "/v1/tokens", {"role": "reader"}).expect(201)["id"]
            for _ in range(5)
        ]
        seen, cursor = [], ""
        while True:
            page = self.olga.call("GET", f"/v1/audit?action=token.created&limit=2{cursor}")
            seen += [item["facts"]["token_id"] for item in page.expect(200)["items"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        self.assertEqual(seen, made[::-1])
        about = self.olga.call("GET", f"/v1/audit?about={made[2]}").expect(200)["items"]
        self.assertEqual([item["facts"]["token_id"] for item in about], [made[2]])
        by = about[0]["facts"]["by_id"]
        self.assertGreaterEqual(len(self.olga.call("GET", f"/v1/audit?by={by}")["items"]), 5)
        at = about[0]["at"]
        since = self.olga.call("GET", f"/v1/audit?since={at}&until={at}").expect(200)["items"]
        self.assertIn(about[0], since)
        none = self.olga.call("GET", "/v1/audit?since=2100-01-01T00:00:00Z").expect(200)
        self.assertEqual(none["items"], [])
        for wrong in ("action=", "action=a%20b", "by=%22", "since=yesterday", "limit=0", "x=1"):
            self.olga.call("GET", f"/v1/audit?{wrong}").expect(422)

    def test_it_is_exported_with_what_its_macs_are_over(self):
        self.olga.sign_in()
        for _ in range(3):
            self.server.token(role="reader")
        told = self.olga.call("GET", "/v1/audit/export").expect(200)
        self.assertEqual(told.headers["content-type"], "application/jsonl")
        lines = [json.loads(line) for line in told.text.splitlines()]
        self.assertEqual([line["number"] for line in lines], list(range(1, len(lines) + 1)))
        self.assertIn("audit.exported", self.actions())
        for line in lines:
            self.assertRegex(line["mac"], "^[0-9a-f]{64}$")
            self.assertRegex(line["segment"], "^[0-9a-f]{32}$")
        self.assertEqual(lines[1]["from"], "127.0.0.1")
        where = ("--data", str(self.server.data))
        (by_id,) = re.findall(r"(wks_\w+): \d+ records", self.verified().split("\n", 1)[1])
        for workspace in ("Brand", by_id):
            on_host = self.server.command("audit", "export", *where, "--workspace", workspace)
            self.assertTrue(on_host.startswith(told.text), workspace)
        unknown = self.server.run("audit", "export", *where, "--workspace", "Nobody's")
        self.assertIn("unknown_workspace", unknown.stderr)

    def test_what_is_asked_on_the_host_stands_in_the_installations_record(self):
        where = ("--data", str(self.server.data))
        self.server.command("keyring", "recovery-kit", *where)
        self.server.command("keyring", "rotate", *where)
        self.server.command("seal-all", *where)
        self.server.stop()
        self.server.command("keyring", "rotate", *where, "--workspaces")
        self.server.start()
        told = self.server.command("audit", "export", *where, "--workspace", "installation")
        self.assertEqual(
            [json.loads(line)["action"] for line in told.splitlines()],
            [
                "recovery_kit.asked", "setup_link.made", "recovery_kit.asked",
                "root_key.rotation_asked", "keyring_key.rotation_asked",
                "workspace_keys.rotation_asked", "installation.sealed",
                "workspace_keys.rotation_asked",
            ],
        )
        # Keys have changed since, and every record is still known.
        self.assertEqual(self.verified().count(", whole; "), 2)
        refused = (
            "CREATE TRIGGER refuse BEFORE INSERT ON audit_records "
            "BEGIN SELECT RAISE(ABORT, 'x'); END"
        )
        self.change_store(refused)
        self.assertNotEqual(self.server.run("keyring", "rotate", *where).returncode, 0)
        self.assertNotEqual(self.server.run("keyring", "recovery-kit", *where).returncode, 0)
        self.assertEqual(self.server.run("seal-all", *where).returncode, 0, "it ends access")

    def test_a_pause_after_guesses_is_told_once(self):
        guess = self.other_browser()
        guess.password = "wrong horse battery staple"
        for _ in range(8):
            guess.try_sign_in()
        self.server.token(role="reader")
        auditor = self.server.api(self.server.token(role="auditor"))
        found = auditor.get("/v1/audit?action=session.refused").expect(200)["items"]
        self.assertEqual(len(found), 5, "tries during the pause are none")
        self.assertEqual([item["facts"].get("pause_s") for item in found], ["30"] + [None] * 4)

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
        told = self.server.command(
            "audit", "export", "--data", str(self.server.data), "--workspace", "installation"
        )
        self.assertEqual(told.count('"session.refused"'), 1)
