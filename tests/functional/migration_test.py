"""Stores of earlier releases, opened by this one: all that was in them is there and works."""

from __future__ import annotations

import hashlib
import json

from lab import codes
from lab.case import LabCase, shared_lab
from lab.creator import Creator
from lab.desk import Connected, Desk
from lab.fixture_store import FixtureStore
from lab.postern import Postern


class FixtureCase(LabCase):
    """Each test runs once for every fixture in tests/data/stores."""

    def setUp(self) -> None:
        super().setUp()
        self.fixtures = FixtureStore.all()
        self.assertTrue(self.fixtures, "no fixture store")

    def opened(self, fixture: FixtureStore) -> tuple[Postern, Desk]:
        """A running server of today on a copy of the fixture, and its owner."""
        server = self.installation()
        fixture.unpack(server.data)
        server.start()
        return server, Desk(server.api(fixture.expected["tokens"]["Brand"]), self.lab)

    def connected(self, fixture: FixtureStore, name: str) -> Connected:
        known = fixture.expected["integrations"][name]
        return Connected(known["id"], known["secret"], {}, known["address"])


class HistoryTest(FixtureCase):
    def test_every_message_is_as_it_was(self):
        for fixture in self.fixtures:
            with self.subTest(fixture.folder.name):
                server, desk = self.opened(fixture)
                self._compare(fixture, desk)
                server.stop()
                server.start()
                self._compare(fixture, desk)

    def test_held_mail_still_waits(self):
        for fixture in self.fixtures:
            with self.subTest(fixture.folder.name):
                _, desk = self.opened(fixture)
                (held,) = desk.held()
                self.assertEqual(held["id"], fixture.expected["held"]["id"])
                self.assertIn(fixture.expected["held"]["from"], json.dumps(held))
                desk.api.post(f"/v1/held/{held['id']}/refuse").expect(200, 204)
                self.assertEqual(desk.held(), [])

    def test_another_workspace_sees_nothing_of_it(self):
        for fixture in self.fixtures:
            with self.subTest(fixture.folder.name):
                server, _ = self.opened(fixture)
                other = server.api(fixture.expected["tokens"]["Studio"])
                self.assertEqual(other.get("/v1/threads").expect(200)["items"], [])
                thread = fixture.expected["threads"]["Winter collection"]["id"]
                other.get(f"/v1/threads/{thread}/messages").expect(404)

    def _compare(self, fixture: FixtureStore, desk: Desk) -> None:
        for subject, known in fixture.expected["threads"].items():
            thread = desk.thread(known["id"])
            self.assertEqual(thread["subject"], subject)
            self.assertEqual(len(thread["messages"]), len(known["messages"]))
            for message, before in zip(thread["messages"], known["messages"]):
                same = {name: message[name] for name in before if name != "raw_sha256"}
                self.assertEqual({**same, "raw_sha256": before["raw_sha256"]}, before)
                raw = desk.api.get(f"/v1/messages/{message['id']}/raw").expect(200).body
                self.assertEqual(hashlib.sha256(raw).hexdigest(), before["raw_sha256"])


class AccessTest(FixtureCase):
    def test_people_and_tokens_are_known(self):
        for fixture in self.fixtures:
            with self.subTest(fixture.folder.name):
                server, desk = self.opened(fixture)
                desk.api.get("/v1/me").expect(200)
                owner = fixture.expected["owner"]
                server.api().post("/v1/sessions", owner).expect(200, 201)
                wrong = {**owner, "password": "not this one at all"}
                server.api().post("/v1/sessions", wrong).expect(401)

    def test_the_recovery_share_restores_the_root_key(self):
        for fixture in self.fixtures:
            with self.subTest(fixture.folder.name):
                server = self.installation()
                fixture.unpack(server.data)
                key = server.data / "root.key"
                before = key.read_bytes()
                key.unlink()
                share = fixture.expected["recovery_share"] + "\n"
                server.command("recover", "--data", str(server.data), stdin=share)
                self.assertEqual(key.read_bytes(), before)

    def test_secrets_open_and_only_the_right_ones(self):
        for fixture in self.fixtures:
            with self.subTest(fixture.folder.name):
                _, desk = self.opened(fixture)
                nora = self.connected(fixture, "nora")
                old = fixture.expected["integrations"]["nora"]["old_secret"]
                desk.unlock(nora, old).expect(401, 403, code=codes.WRONG_SECRET)
                for name in ("maya", "nora"):
                    integration = self.connected(fixture, name)
                    seen = desk.unlock(integration).expect(200).json
                    self.assertEqual(desk.state(integration), "leased", seen)

    def test_what_was_ended_stays_ended(self):
        for fixture in self.fixtures:
            with self.subTest(fixture.folder.name):
                _, desk = self.opened(fixture)
                for name, known in fixture.expected["integrations"].items():
                    seen = desk.api.get(f"/v1/integrations/{known['id']}")
                    if known["state"] == "deleted":
                        seen.expect(404)
                        continue
                    self.assertIn(seen.expect(200)["state"], known["state"], name)
                    self.assertEqual(seen["epoch"], known["epoch"], name)
                ines = self.connected(fixture, "ines")
                desk.unlock(ines).expect(410, code=codes.CUT_OFF)

    def test_receipts_are_kept_and_verify(self):
        for fixture in self.fixtures:
            with self.subTest(fixture.folder.name):
                server, desk = self.opened(fixture)
                for known in fixture.expected["receipts"]:
                    kept = desk.api.get(f"/v1/receipts/{known['id']}").expect(200)
                    self.assertEqual(kept["signature"], known["signature"])
                    file = self.scratch / f"{known['id']}.json"
                    file.write_text(kept.text)
                    place = ("--data", str(server.data))
                    server.command("receipt", "verify", *place, str(file))
                    file.write_text(kept.text.replace(known["at"], "2020-01-01T00:00:00Z"))
                    forged = server.run("receipt", "verify", *place, str(file))
                    self.assertNotEqual(forged.returncode, 0)


class GoesOnTest(FixtureCase):
    """A mailbox of an old store works on: its threads, its label, its waiting mail."""

    # The accounts of a fixture have fixed names: one lab serves one fixture, and has one Lea.
    lea: Creator

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.lea = Creator(shared_lab(), shared_lab().account("lea", "creators.example"))

    def test_a_reconnected_mailbox_takes_up_its_old_threads(self):
        fixture = self.fixtures[-1]
        _, desk = self.opened(fixture)
        maya = self.connected(fixture, "maya")
        known = fixture.expected["threads"]["Winter collection"]
        self._reconnect(desk, maya)
        desk.api.post(f"/v1/threads/{known['id']}/messages", {"text": "Still there?"}).expect(201)
        (mail,) = self.lea.received("Winter collection")
        self.assertEqual(mail.header("In-Reply-To"), self._last_id(desk, known))
        self.lea.answer(mail, "thunderbird", "of course I am")
        (_, reply) = desk.incoming(known["id"], 2)
        self.assertIn("of course I am", reply["text"])

    def test_a_mail_that_waited_in_the_queue_is_sent_once(self):
        fixture = self.fixtures[-1]
        _, desk = self.opened(fixture)
        uma = self.connected(fixture, "uma")
        self._reconnect(desk, uma)
        desk.sent(fixture.expected["threads"]["Waiting"]["id"])
        self.lea.received("Waiting")
        perhaps = desk.thread(fixture.expected["threads"]["Perhaps"]["id"])
        self.assertEqual(perhaps["messages"][0]["state"], "unknown", "never sent by itself")

    def _reconnect(self, desk: Desk, integration: Connected) -> None:
        account = self.lab.account(integration.address.partition("@")[0])
        body = desk.integration_body(account)
        wanted = {name: body[name] for name in ("config", "credential", "generate")}
        answer = desk.act(integration, "reconnect", wanted).expect(200)
        self.assertEqual((answer["id"], answer["state"]), (integration.id, "leased"))

    def _last_id(self, desk: Desk, known: dict) -> str:
        """The Message-ID of the newest message of the fixture's thread."""
        raw = desk.api.get(f"/v1/messages/{known['messages'][-1]['id']}/raw").expect(200).text
        line = next(l for l in raw.splitlines() if l.lower().startswith("message-id:"))
        return line.partition(":")[2].strip()
