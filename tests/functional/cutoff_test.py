"""Step 7: the user takes access away, and what a thief of yesterday's disk has then."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3

from lab import codes, faults
from lab.case import LabCase
from lab.creator import Creator
from lab.desk import Connected, Desk
from lab.postern import Postern
from lab.process import alive, eventually
from lab.scripted_smtp import ScriptedSmtp

NEW_SECRET = "maple-lantern-quartz-breeze-77"


class ResealTest(LabCase):
    def test_old_secret_refused_new_one_opens_and_state_is_sealed(self):
        _, desk, integration = self.connected(grant=True)
        receipt = desk.reseal(integration, NEW_SECRET).expect(200).json
        self.assertRegex(receipt["id"], r"^rcp_")
        self.assertEqual(receipt["kind"], "reseal")
        self.assertIn(receipt["state"], ("pending", "final"))
        seen = desk.api.get(f"/v1/integrations/{integration.id}").expect(200)
        self.assertEqual((seen["state"], seen["epoch"], seen["grants"]), ("sealed", 2, []))
        desk.unlock(integration).expect(401, 403, code=codes.WRONG_SECRET)
        desk.unlock(integration, NEW_SECRET).expect(200)

    def test_connections_are_closed(self):
        _, desk = self.running()
        maya = self.person()
        integration = desk.connect(maya)
        desk.grant(integration)
        eventually(lambda: self.lab.dovecot.connected(maya.name), "watching the mailbox")
        desk.reseal(integration, NEW_SECRET).expect(200)
        eventually(lambda: not self.lab.dovecot.connected(maya.name), "connections closed")

    def test_the_old_secret_is_needed(self):
        _, desk, integration = self.connected()
        body = {"shared_secret": "not the old one", "new_shared_secret": NEW_SECRET}
        desk.act(integration, "reseal", body).expect(401, 403, code=codes.WRONG_SECRET)
        desk.unlock(integration).expect(200)

    def test_a_weak_new_secret_changes_nothing(self):
        _, desk, integration = self.connected()
        desk.reseal(integration, "maya2026").expect(400, 422, code=codes.WEAK_SECRET)
        desk.unlock(integration).expect(200)

    def test_after_a_restart_only_the_new_secret_opens(self):
        server, desk, integration = self.connected()
        desk.reseal(integration, NEW_SECRET).expect(200)
        server.kill()
        server.start()
        desk.unlock(integration).expect(401, 403, code=codes.WRONG_SECRET)
        desk.unlock(integration, NEW_SECRET).expect(200)


class CutOffTest(LabCase):
    def test_every_use_answers_410(self):
        _, desk, integration = self.connected(grant=True)
        desk.act(integration, "cut-off").expect(200)
        self.assertEqual(desk.state(integration), "cut_off")
        body = {"shared_secret": integration.secret, "verbs": ["send"], "expires_in": "P1D"}
        uses = (
            desk.unlock(integration),
            desk.act(integration, "grants", body),
            desk.reseal(integration, NEW_SECRET),
            desk.act(integration, "sync"),
            desk.write(integration, self.creator(), "No", "x"),
        )
        for answer in uses:
            with self.subTest(answer.request):
                answer.expect(410, code=codes.CUT_OFF)

    def test_connections_are_closed_and_stay_closed(self):
        _, desk = self.running()
        maya = self.person()
        integration = desk.connect(maya)
        desk.grant(integration)
        eventually(lambda: self.lab.dovecot.connected(maya.name), "watching the mailbox")
        desk.act(integration, "cut-off").expect(200)
        eventually(lambda: not self.lab.dovecot.connected(maya.name), "connections closed")
        sessions = len(self.lab.sessions(maya))
        self.lab.deliver(maya, b"From: x@elsewhere.example\r\nSubject: wake up\r\n\r\nx\r\n")
        self.lab.arrived(maya)
        self.assertEqual(len(self.lab.sessions(maya)), sessions)

    def test_the_receipt_is_signed_and_says_what_happened(self):
        server, desk, integration = self.connected(grant=True)
        receipt = desk.act(integration, "cut-off").expect(200).json
        self.assertEqual((receipt["kind"], receipt["subject"]), ("cut_off", integration.id))
        self.assertTrue(receipt["steps"])
        for step in receipt["steps"]:
            self.assertLessEqual({"name", "result", "at"}, set(step))
        self.assertGreaterEqual(receipt["bound_ms"], 0)
        self.assertIn("password", json.dumps(receipt), "tells to change the mailbox password")
        again = desk.api.get(f"/v1/receipts/{receipt['id']}").expect(200)
        self.assertEqual(again["signature"], receipt["signature"])

        file = self.scratch / "receipt.json"
        file.write_text(again.text)
        self.assertEqual(server.run("receipt", "verify", str(file)).returncode, 0)
        file.write_text(again.text.rstrip().removesuffix("}") + r',"\u001b[2J all well":1}')
        added = server.run("receipt", "verify", str(file))
        self.assertEqual(added.returncode, 0)
        self.assertIn("Not signed", added.stdout)
        self.assertNotIn("\x1b", added.stdout, "a receipt of others does not speak to a terminal")
        file.write_text(again.text.replace('"cut_off"', '"reseal"', 1))
        self.assertNotEqual(server.run("receipt", "verify", str(file)).returncode, 0)

    def test_a_mail_in_the_queue_is_not_sent_any_more(self):
        with ScriptedSmtp(self.lab.pair) as smtp:
            _, desk, integration = self.connected(smtp={"port": smtp.port})
            smtp.script["rcpt"] = "451 4.3.0 later"
            desk.write(integration, self.creator(), "Late", "x").expect(201)
            smtp.reached("rcpt")
            desk.act(integration, "cut-off").expect(200)
            smtp.script = {}
            eventually(lambda: desk.state(integration) == "cut_off", "cut off")
            self.assertEqual(smtp.mails, [])

    def test_it_needs_neither_the_provider_nor_the_secret(self):
        _, desk = self.running()
        with ScriptedSmtp(self.lab.pair) as smtp:
            integration = desk.connect(self.person(), smtp={"port": smtp.port})
        # The SMTP server is gone now.
        desk.act(integration, "cut-off").expect(200)
        self.assertEqual(desk.state(integration), "cut_off")

    def test_it_survives_a_kill_right_after_the_answer(self):
        server, desk, integration = self.connected(grant=True)
        desk.act(integration, "cut-off").expect(200)
        server.kill()
        server.start()
        self.assertEqual(desk.state(integration), "cut_off")
        desk.unlock(integration).expect(410, code=codes.CUT_OFF)

    def test_a_courier_that_hangs_is_ended_with_its_connections(self):
        server, desk = self.running()
        maya = self.person()
        integration = desk.connect(maya)
        other = desk.connect(self.person("otto"))
        desk.grant(integration)
        eventually(lambda: self.lab.dovecot.connected(maya.name), "watching the mailbox")
        hanging = server.process("courier")
        os.kill(hanging, signal.SIGSTOP)
        receipt = desk.act(integration, "cut-off").expect(200).json
        self.assertFalse(alive(hanging))
        (closed,) = [s for s in receipt["steps"] if s["name"] == "connections_closed"]
        self.assertEqual(closed["result"], "all ended with the mail process")
        eventually(lambda: not self.lab.dovecot.connected(maya.name), "connections closed")
        eventually(lambda: server.api().get("/readyz").status == 200, "another courier")
        lea = Creator(self.lab, self.creator())
        desk.write(other, lea.account, "Goes on", "x").expect(201)
        lea.received("Goes on")

    def test_a_start_goes_on_when_courier_hangs_over_a_cut_off_that_was_left(self):
        if refusal := faults.ptrace_refusal():
            self.skipTest(refusal)
        server, desk, integration = self.connected(grant=True)
        if "[store]" in server.config.read_text():
            self.skipTest("keeper itself syncs nothing where its store lies on a server")
        keeper = server.process("keeper")
        # So that nobody mends it before everything is killed.
        os.kill(server.pid, signal.SIGSTOP)
        with faults.Strace([keeper], self.scratch, inject="signal=SIGKILL:when=1"):
            with contextlib.suppress(OSError, AssertionError):
                desk.act(integration, "cut-off", deadline_s=5).expect(200)
            eventually(lambda: not alive(keeper), "keeper killed in the middle")
        server.kill()
        # The supervisor takes a second over its first message, after it has started all of them.
        server.prefix = [
            "strace", "-D", "-o", str(self.scratch / "slow"), "-e", "trace=sendmsg",
            "-e", "inject=sendmsg:delay_enter=1000000:when=1", "--",
        ]
        server.spawn()
        while not (found := server.processes().get("courier")):
            pass
        os.kill(found[0], signal.SIGSTOP)
        eventually(server.is_ready, "the server is ready")
        self.assertIn("courier_hangs", server.log())
        self.assertNotEqual(server.process("courier"), found[0])
        self.assertEqual(desk.state(integration), "cut_off")

    def test_another_integration_is_untouched(self):
        _, desk, integration = self.connected()
        other = desk.connect(self.person("otto"))
        desk.act(integration, "cut-off").expect(200)
        self.assertEqual(desk.state(other), "leased")
        lea = Creator(self.lab, self.creator())
        desk.write(other, lea.account, "Otto writes", "x").expect(201)
        lea.received("Otto writes")


class StolenCopyTest(LabCase):
    """7a and 7b: what a copy of yesterday is worth today."""

    def setUp(self) -> None:
        super().setUp()
        self.today, self.desk, self.integration = self.connected(grant=True)
        self.today.stop()
        self.yesterday = self.copy(self.today, "yesterday")
        self.today.start()

    def test_7a_yesterdays_database_with_todays_keys_does_not_open_after_cut_off(self):
        self.desk.act(self.integration, "cut-off").expect(200)
        self.today.stop()
        self._database_of_yesterday_keys_of_today()
        self._opens_with_neither_secret()

    def test_7a_yesterdays_database_with_todays_keys_does_not_open_after_reseal_and_cut_off(self):
        self.desk.reseal(self.integration, NEW_SECRET).expect(200)
        self.desk.act(self.integration, "cut-off").expect(200)
        self.today.stop()
        self._database_of_yesterday_keys_of_today()
        self._opens_with_neither_secret()

    def test_7a_yesterdays_database_does_not_revive_the_old_secret_after_reseal(self):
        self.desk.reseal(self.integration, NEW_SECRET).expect(200)
        self.today.stop()
        self._database_of_yesterday_keys_of_today()
        self._opens_with_neither_secret()

    def test_7b_yesterdays_whole_host_with_the_old_secret_does_open(self):
        """Said openly: this is why a receipt tells the user to change the mailbox password."""
        self.desk.act(self.integration, "cut-off").expect(200)
        self.yesterday.start()
        thief = Desk(self.yesterday.api(self.desk.api.token), self.lab)
        thief.unlock(self.integration).expect(200)
        self.assertEqual(thief.state(self.integration), "leased")

    def test_7b_the_changed_mailbox_password_is_what_stops_it(self):
        account = self.lab.by_address(self.integration.address)
        self.desk.act(self.integration, "cut-off").expect(200)
        self.lab.change_password(account, "changed as the receipt said")
        self.yesterday.start()
        thief = Desk(self.yesterday.api(self.desk.api.token), self.lab)
        thief.unlock(self.integration)
        checked = thief.act(self.integration, "verify")
        self.assertNotIn("leased", thief.state(self.integration), str(checked))

    def test_grants_that_front_did_not_live_to_write_down_as_ended_are_none(self):
        """As after a crash between keeper's destruction and front's write."""
        self.desk.api.post("/v1/integrations/seal-all", {"grants": True}).expect(200)
        self._only_the_row_is_left()

    def test_a_grant_that_front_did_not_live_to_write_down_as_revoked_is_none(self):
        self.desk.act(self.integration, "lock").expect(204)
        path = f"/v1/integrations/{self.integration.id}"
        (grant,) = self.desk.api.get(path).expect(200)["grants"]
        self.desk.api.delete(f"{path}/grants/{grant['id']}").expect(204)
        self._only_the_row_is_left()

    def _only_the_row_is_left(self) -> None:
        self.today.stop()
        self._database_of_yesterday_keys_of_today()
        server = self.yesterday
        self.assertEqual(self._grant_rows(), 1)
        server.start()
        desk = Desk(server.api(self.desk.api.token), self.lab)
        seen = desk.api.get(f"/v1/integrations/{self.integration.id}").expect(200)
        self.assertEqual((seen["state"], seen["grants"]), ("sealed", []))
        for verb in ("sync", "verify"):
            desk.act(self.integration, verb).expect(423, code=codes.SEALED)
        desk.write(self.integration, self.creator(), "No", "x").expect(423, code=codes.SEALED)
        server.stop()
        self.assertEqual(self._grant_rows(), 0)

    def _grant_rows(self) -> int:
        path = self.yesterday.data / "store" / "store.db"
        with contextlib.closing(sqlite3.connect(path)) as rows:
            return rows.execute("SELECT COUNT(*) FROM grants").fetchone()[0]

    def _database_of_yesterday_keys_of_today(self) -> None:
        """Puts today's keyring and root key beside yesterday's bulk database."""
        for path in self.yesterday.data.rglob("*"):
            if path.is_file() and path.name.startswith(("keyring.db", "root.key")):
                path.unlink()
        for path in self.today.data.rglob("*"):
            if path.is_file() and path.name.startswith(("keyring.db", "root.key")):
                target = self.yesterday.data / path.relative_to(self.today.data)
                shutil.copy2(path, target)
                shutil.chown(target, path.stat().st_uid, path.stat().st_gid)

    def _opens_with_neither_secret(self) -> None:
        """Either the mixed store is refused at start, or no secret opens it."""
        self.yesterday.spawn()
        eventually(lambda: not self.yesterday.running or _ready(self.yesterday), "start settled")
        if not self.yesterday.running:
            return
        thief = Desk(self.yesterday.api(self.desk.api.token), self.lab)
        self.assertNotIn(thief.state(self.integration), ("leased", "granted"))
        for secret in (self.integration.secret, NEW_SECRET):
            answer = thief.unlock(Connected(self.integration.id, secret, {}))
            self.assertGreaterEqual(answer.status, 400, str(answer))
        write = thief.write(self.integration, self.creator(), "Stolen", "x")
        self.assertGreaterEqual(write.status, 400, str(write))


def _ready(server: Postern) -> bool:
    try:
        return server.api().get("/readyz").status == 200
    except OSError:
        return False
