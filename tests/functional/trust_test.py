"""What an installation claims of itself, proven by `postern trust check` on real data."""

from __future__ import annotations

import base64
import json
import os
import sqlite3

from lab.case import LabCase
from lab.creator import Creator
from lab.postgres import OnPostgres

CLAIMS = [
    "P1.sealed", "P1.isolated", "P2.cut-off", "P2.holder-left", "P3.wire", "P7.hashed",
    "P7.at-rest", "P7.rotated", "P7.second-factor", "P7.sessions-end", "P7.least-access",
    "P7.private-threads", "P7.audited", "P9.deletion", "P10.own-threads", "P11.complete",
]
# A subject key of nobody's, under a generation that never was.
STRAY_WRAP = (
    "INSERT INTO {schema}subject_keys (workspace_id, creator_id, purpose, wrap, generation)"
    " SELECT workspace_id, workspace_id, 9, wrap, 7 FROM {schema}subject_keys LIMIT 1"
)


# What a bug or a restored table leaves of integrations whose row says that they are cut off.
STRAY_SHARE = (
    "INSERT INTO server_shares (workspace_id, integration_id, epoch, wrap)"
    " SELECT workspace_id, integration_id, 1, x'00' FROM integrations WHERE state = 2"
)


class _TrustCase(LabCase):
    """An installation with a thread and its reply, a cut-off and a deleted integration."""

    def prepared(self):
        server, desk = self.running()
        self.desk = desk
        maya = desk.connect(self.person())
        lea = Creator(self.lab, self.creator())
        thread = desk.write(maya, lea.account, "Spring launch of the orchid", "Hi").expect(201)
        (mail,) = lea.received("Spring launch of the orchid")
        lea.answer(mail, "gmail_web", "With pleasure")
        self.thread_id = thread.json["id"]
        desk.incoming(self.thread_id)
        desk.api.post(f"/v1/threads/{self.thread_id}/messages", {"text": "When?"}).expect(201)
        desk.settled(self.thread_id, 2)
        self.cut = desk.connect(self.person())
        desk.write(self.cut, lea.account, "Before the cut-off", "Hi").expect(201)
        lea.received("Before the cut-off")
        desk.act(self.cut, "cut-off").expect(200)
        self.gone = desk.connect(self.person())
        desk.write(self.gone, lea.account, "Before the deletion", "Hi").expect(201)
        lea.received("Before the deletion")
        desk.api.delete(f"/v1/integrations/{self.gone.id}").expect(200)
        return server

    def thread(self):
        return self.desk.api.get(f"/v1/threads/{self.thread_id}").expect(200).json

    def check(self, server, *more):
        done = server.run("trust", "check", "--data", str(server.data), "--json", *more)
        proofs = [json.loads(line) for line in done.stdout.splitlines()]
        return done, {proof["id"]: proof for proof in proofs}

    def isolated(self, server) -> bool:
        """What the host allows, in the words of doctor; the same for as long as the test runs."""
        if not hasattr(server, "isolated"):
            told = server.run("doctor", "--data", str(server.data)).stdout
            self.assertIn("isolation", told)
            server.isolated = "not isolated" not in told
        return server.isolated

    def expect(self, server, failing: set[str]):
        """That those fail, and where this host has not all fences P1.isolated, which says so."""
        done, proofs = self.check(server)
        if not self.isolated(server):
            failing = failing | {"P1.isolated"}
            for fault in proofs["P1.isolated"]["faults"]:
                self.assertTrue(fault.startswith("not isolated: "), fault)
        self.assertEqual(list(proofs), CLAIMS, done.stderr)
        found = {name for name, proof in proofs.items() if proof["verdict"] != "proven"}
        why = [(each["id"], each["faults"], each["reason"]) for each in proofs.values()]
        self.assertEqual(found, failing, why)
        for name in failing:
            self.assertEqual(proofs[name]["verdict"], "failing", proofs[name])
            self.assertTrue(proofs[name]["faults"])
        self.assertEqual(done.returncode, 1 if failing else 0)
        return proofs


class TrustTest(_TrustCase):
    """Stores in files."""

    def test_every_claim_is_proven_on_a_running_server_and_on_a_stopped_one(self):
        server = self.prepared()
        proofs = self.expect(server, set())
        self.assertIn("1 leased by somebody", str(proofs["P1.sealed"]["evidence"]))
        self.assertIn("1 integration cut_off", str(proofs["P2.cut-off"]["evidence"]))
        self.assertIn("1 integration deleted", str(proofs["P9.deletion"]["evidence"]))
        self.assertIn("2 threads of ended", str(proofs["P9.deletion"]["evidence"]))
        self.assertIn("1 received mails", str(proofs["P10.own-threads"]["evidence"]))
        self.assertIn("5 messages in 3 threads", str(proofs["P11.complete"]["evidence"]))
        self.assertIn("the one who stayed opens it", str(proofs["P2.holder-left"]["evidence"]))
        self.assertIn("no rotation is under way", str(proofs["P7.rotated"]["evidence"]))
        if self.isolated(server):
            told = str(proofs["P1.isolated"]["evidence"])
            self.assertIn("1 courier, 1 front, 1 keeper", told)
            self.assertIn("no role runs as root", told)
        for proof in proofs.values():
            self.assertNotIn("orchid", str(proof))
            self.assertNotIn("@", str(proof))
        # Nothing that a proof does shows anywhere else.
        self.assertEqual(len(self.desk.api.get("/v1/integrations").json["items"]), 2)
        self.assertEqual(len(self.thread()["messages"]), 3)
        server.stop()
        stopped = self.expect(server, set())
        self.assertIn("1 refused by keeper without a lease", str(stopped["P1.sealed"]["evidence"]))
        server.start()
        self.expect(server, set())

    def test_what_is_readable_in_another_form_is_found_in_the_rows(self):
        server = self.prepared()
        server.stop()
        store = server.data / "store" / "store.db"
        good = store.read_bytes()
        subject = "Spring launch of the orchid"
        for form in (
            base64.b64encode(b"x" + subject.encode()),
            subject.encode("utf-16-le"),
        ):
            with self.subTest(form):
                with sqlite3.connect(store) as database:
                    database.execute("UPDATE raw_mails SET raw = ?", (form,))
                database.close()
                done, proofs = self.check(server, "--claim", "P7.at-rest")
                proof = proofs["P7.at-rest"]
                self.assertEqual((done.returncode, proof["verdict"]), (1, "failing"), proof)
                self.assertIn(
                    "personal data stands in clear in table raw_mails", proof["faults"]
                )
            for leftover in store.parent.glob("store.db-*"):
                leftover.unlink()
            store.write_bytes(good)

    def test_one_claim_alone(self):
        server = self.installation()
        server.init()
        done, proofs = self.check(server, "--claim", "P3.wire")
        self.assertEqual((done.returncode, list(proofs)), (0, ["P3.wire"]))
        done, proofs = self.check(server, "--claim", "P99.nothing")
        self.assertEqual((done.returncode, proofs), (1, {}))
        self.assertIn("unknown_claim", done.stderr)

    def test_a_server_without_root_is_not_isolated_and_says_why(self):
        server = self.installation()
        server.init()
        user = 65534
        for path in (server.data, *server.data.rglob("*"), server.folder, server.config):
            os.chown(path, user, user, follow_symlinks=False)
        server.prefix = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--"]
        server.start()
        done, proofs = self.check(server, "--claim", "P1.isolated")
        proof = proofs["P1.isolated"]
        self.assertEqual((done.returncode, proof["verdict"]), (1, "failing"), proof)
        self.assertIn("start the server as root", proof["faults"][0])
        for role in ("front", "keeper", "courier", "reader"):
            fault = f"not isolated: {role} runs as the user of its parent"
            self.assertIn(fault, proof["faults"])

    def test_a_fault_in_the_store_makes_its_claim_fail(self):
        server = self.prepared()
        server.stop()
        faults = {
            "P1.sealed": ["UPDATE seals SET epoch = epoch + 1"],
            "P2.cut-off": [
                "INSERT INTO seals SELECT i.workspace_id, i.integration_id, 1, x'00' FROM"
                " integrations i WHERE i.state = 'cut_off'"
            ],
            "P7.hashed": ["UPDATE api_tokens SET token_hash = x'7073745f616161'"],
            "P7.at-rest": ["UPDATE integrations SET broken_code = 'Spring launch of the orchid'"],
            "P9.deletion": [
                "INSERT INTO grants SELECT i.workspace_id, i.integration_id, i.integration_id,"
                " i.epoch, 1, 1, 0, 0, x'00', 0 FROM integrations i WHERE i.state = 'deleted'"
            ],
            "P10.own-threads": ["DELETE FROM read_ledger WHERE command = 'fetch_body'"],
            "P11.complete": [
                "DELETE FROM messages WHERE number = 2",
                "DELETE FROM raw_mails WHERE message_id NOT IN (SELECT message_id FROM messages)",
            ],
        }
        store = server.data / "store" / "store.db"
        good = store.read_bytes()
        for claim, statements in faults.items():
            with self.subTest(claim):
                with sqlite3.connect(store) as database:
                    for statement in statements:
                        self.assertGreater(database.execute(statement).rowcount, 0)
                database.close()
                self.expect(server, {claim})
            for leftover in store.parent.glob("store.db-*"):
                leftover.unlink()
            store.write_bytes(good)
        self.expect(server, set())

    def test_names_and_the_copies_from_before_migrations_are_searched(self):
        server = self.prepared()
        server.token(workspace="Orchid Studios")
        proofs = self.expect(server, set())
        self.assertIn("names of 2 workspaces", str(proofs["P7.at-rest"]["evidence"]))
        server.stop()
        store = server.data / "store" / "store.db"
        good = store.read_bytes()
        # A reply's author, and a workspace.
        for name in ("Léa Martin", "Orchid Studios"):
            with self.subTest(name):
                with sqlite3.connect(store) as database:
                    database.execute("UPDATE integrations SET broken_code = ?", (name,))
                database.close()
                self.expect(server, {"P7.at-rest"})
            for leftover in store.parent.glob("store.db-*"):
                leftover.unlink()
            store.write_bytes(good)
        copy = store.with_name("store.db.before-1")
        copy.write_text("Spring launch of the orchid")
        copy.chmod(0o644)
        proofs = self.expect(server, {"P7.at-rest"})
        self.assertEqual(
            proofs["P7.at-rest"]["faults"],
            ["personal data stands in clear in store.db.before-1"],
        )
        copy.unlink()
        self.expect(server, set())

    def test_a_credential_that_opens_in_the_keyring_after_a_cut_off_is_found(self):
        """An older keyring put back behind the server's back."""
        server, desk = self.running()
        maya = desk.connect(self.person())
        server.stop()
        keyring = server.data / "keyring" / "keyring.db"
        before = keyring.read_bytes()
        server.start()
        desk.api = server.api(desk.api.token)
        desk.act(maya, "cut-off").expect(200)
        server.stop()
        for leftover in keyring.parent.glob("keyring.db-*"):
            leftover.unlink()
        keyring.write_bytes(before)
        self.expect(server, {"P2.cut-off"})

    def test_a_wrap_under_no_key_is_found_and_a_rotation_leaves_none(self):
        server, desk = self.running()
        lea = Creator(self.lab, self.creator())
        desk.write(desk.connect(self.person()), lea.account, "Orchids", "Hi").expect(201)
        lea.received("Orchids")
        server.command("keyring", "rotate", "--data", str(server.data))
        self.expect(server, set())
        server.stop()
        with sqlite3.connect(server.data / "keyring" / "keyring.db") as keyring:
            self.assertEqual(keyring.execute(STRAY_WRAP.format(schema="")).rowcount, 1)
        keyring.close()
        proofs = self.expect(server, {"P7.rotated"})
        self.assertIn("1 of", str(proofs["P7.rotated"]["faults"]))


    def test_a_share_that_outlived_its_integration_is_found(self):
        server = self.prepared()
        server.stop()
        with sqlite3.connect(server.data / "keyring" / "keyring.db") as keyring:
            left = keyring.execute(STRAY_SHARE).rowcount
            # Of the two that have ended, and of those that checks made and cut off.
            self.assertGreaterEqual(left, 2)
        keyring.close()
        proofs = self.expect(server, {"P2.cut-off", "P9.deletion"})
        self.assertIn("1 of 1 integration cut_off", str(proofs["P2.cut-off"]["faults"]))
        self.assertIn("1 of 1 integration deleted", str(proofs["P9.deletion"]["faults"]))


class TrustOnPostgresTest(OnPostgres, _TrustCase):
    """The same with the stores on two clusters, whose files are not looked at."""

    def test_every_claim_is_proven_and_a_fault_in_a_row_is_found(self):
        server = self.prepared()
        proofs = self.expect(server, set())
        told = str(proofs["P7.at-rest"]["evidence"])
        self.assertIn("rows", told)
        self.assertIn("not looked at", told)
        server.place.bulk_sql(
            "UPDATE postern_store.integrations SET broken_code = 'Spring launch of the orchid'"
        )
        proofs = self.expect(server, {"P7.at-rest"})
        self.assertIn("table integrations", str(proofs["P7.at-rest"]["faults"]))
        server.place.bulk_sql("UPDATE postern_store.integrations SET broken_code = NULL")
        server.place.bulk_sql("UPDATE postern_store.seals SET epoch = epoch + 1")
        self.expect(server, {"P1.sealed"})
        server.place.bulk_sql("UPDATE postern_store.seals SET epoch = epoch - 1")
        server.place.bulk_sql(
            "INSERT INTO postern_store.grants SELECT i.workspace_id, i.integration_id,"
            " i.integration_id, i.epoch, 1, 1, 0, 0, ''::bytea, 0"
            " FROM postern_store.integrations i WHERE i.state = 'deleted'"
        )
        self.expect(server, {"P9.deletion"})
        server.place.bulk_sql(
            "DELETE FROM postern_store.grants WHERE grant_id = integration_id"
        )
        server.place.bulk_sql(
            "UPDATE postern_store.read_ledger SET command = 'fetch_envelopes'"
            " WHERE command = 'fetch_body'"
        )
        self.expect(server, {"P10.own-threads"})
        server.place.bulk_sql(
            "UPDATE postern_store.read_ledger SET command = 'fetch_body'"
            " WHERE command = 'fetch_envelopes'"
        )
        server.place.keyring_sql(STRAY_WRAP.format(schema="postern_keyring."))
        self.expect(server, {"P7.rotated"})
