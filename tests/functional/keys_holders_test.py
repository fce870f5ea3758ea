"""Several holders of one integration, a secret in shares, idle integrations, sealing it all."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
import time

from lab.api import Reply
from lab.case import LabCase
from lab.creator import Creator
from lab.desk import Connected, Desk
from lab.process import eventually

IDA = "nine copper kettles"
NAME = "Ida Copperkettle"
WRONG = "grey heron on one leg"


class HoldersCase(LabCase):
    def path(self, integration: Connected, more: str = "holders") -> str:
        return f"/v1/integrations/{integration.id}/{more}"

    def add(self, desk: Desk, integration: Connected, **more) -> Reply:
        body = {"name": NAME, "shared_secret": integration.secret, **more}
        return desk.api.post(self.path(integration), body)

    def sends(self, desk: Desk, integration: Connected, subject: str) -> None:
        creator = self.creator()
        thread = desk.write(integration, creator, subject, "Hello").expect(201)["id"]
        desk.sent(thread)
        lea = Creator(self.lab, creator)
        lea.answer_with_swaks(lea.received(subject)[0], "I am in")
        self.assertIn("I am in", desk.incoming(thread)[0]["text"])


class TwoHoldersTest(HoldersCase):
    def test_each_opens_and_after_one_has_left_the_other_still_does(self):
        server, desk, integration = self.connected()
        added = self.add(desk, integration, new_shared_secret=IDA).expect(201).json
        self.assertNotIn("shared_secret", added)
        listed = desk.api.get(self.path(integration)).expect(200)["items"]
        self.assertEqual([holder["name"] for holder in listed], [None, NAME])
        maya = listed[0]["id"]
        for secret in (integration.secret, IDA):
            desk.act(integration, "lock").expect(204)
            desk.unlock(integration, secret).expect(200)
            self.sends(desk, integration, f"With {secret[:4]}")

        for path in server.data.rglob("*"):
            if path.is_file():
                self.assertNotIn(NAME.encode(), path.read_bytes(), path)
        # Maya leaves; Ida, who does not take part, keeps her secret.
        receipt = desk.api.delete(self.path(integration, f"holders/{maya}")).expect(200).json
        self.assertEqual(receipt["kind"], "reseal")
        server.stop()
        server.start()
        desk.unlock(integration).expect(403, code="wrong_secret")
        desk.unlock(integration, IDA).expect(200)
        self.sends(desk, integration, "Ida alone")
        names = desk.api.get(self.path(integration)).expect(200)["items"]
        self.assertEqual([holder["name"] for holder in names], [NAME])

    def test_leaving_with_a_secret_while_it_is_sealed(self):
        _, desk, integration = self.connected()
        added = self.add(desk, integration, generate=True).expect(201).json
        desk.act(integration, "lock").expect(204)
        path = self.path(integration, f"holders/{added['id']}")
        desk.api.delete(path).expect(423, code="integration_sealed")
        desk.api.delete(path, body={"shared_secret": WRONG}).expect(403, code="wrong_secret")
        desk.api.delete(path, body={"shared_secret": integration.secret}).expect(200)
        desk.unlock(integration, added["shared_secret"]).expect(403)
        desk.unlock(integration).expect(200)

    def test_what_is_refused(self):
        server, desk, integration = self.connected()
        first = desk.api.get(self.path(integration)).expect(200)["items"][0]["id"]
        self.add(desk, integration, new_shared_secret="short").expect(422, code="weak_secret")
        self.add(desk, integration).expect(422)
        self.add(desk, integration, generate=True, new_shared_secret=IDA).expect(422)
        self.add(desk, integration, generate=True, shares=3).expect(422)
        self.add(desk, integration, generate=True, shares=2, threshold=3).expect(422)
        self.add(desk, integration, new_shared_secret=IDA, shares=3, threshold=2).expect(422)
        self.add(desk, integration, name="", new_shared_secret=IDA).expect(422)
        self.add(desk, integration, shared_secret=WRONG, new_shared_secret=IDA).expect(
            403, code="wrong_secret"
        )
        ida = self.add(desk, integration, generate=True).expect(201)["shared_secret"]
        for typed in (ida, ida.upper()):
            for refused in (
                self.add(desk, integration, new_shared_secret=typed),
                desk.reseal(integration, typed),
            ):
                refused.expect(422, code="secret_in_use")
                self.assertNotIn(NAME, refused.text)
        for _ in range(6):
            desk.unlock(integration, ida).expect(200)
        added = desk.api.get(self.path(integration)).expect(200)["items"][1]["id"]
        desk.api.delete(self.path(integration, f"holders/{added}")).expect(200)
        last = desk.api.delete(self.path(integration, f"holders/{first}"))
        last.expect(409, code="last_holder")
        stranger = first[:-1] + ("0" if first[-1] != "0" else "1")
        desk.api.delete(self.path(integration, f"holders/{stranger}")).expect(404)
        reader = server.api(server.token(role="reader"))
        reader.post(self.path(integration), {"name": "x"}).expect(403)
        reader.delete(self.path(integration, f"holders/{first}")).expect(403)

    def test_guesses_at_one_holder_do_not_lock_the_other_out(self):
        _, desk, integration = self.connected()
        added = self.add(desk, integration, new_shared_secret=IDA).expect(201).json
        guess = {"shared_secret": WRONG, "holder_id": added["id"]}
        for _ in range(5):
            desk.act(integration, "unlock", guess).expect(403, code="wrong_secret")
        right = {"shared_secret": IDA, "holder_id": added["id"]}
        desk.act(integration, "unlock", right).expect(429, code="too_many_attempts")
        for _ in range(6):
            desk.unlock(integration).expect(200)
        desk.act(integration, "unlock", right).expect(429)


class SharesTest(HoldersCase):
    def test_a_generated_secret_in_shares_opens_with_so_many_of_them(self):
        server, desk = self.running()
        account = self.person()
        body = desk.integration_body(account, shares=3, threshold=2)
        made = desk.api.post("/v1/integrations", body).expect(201).json
        self.assertNotIn("shared_secret", made)
        shares = made["shared_secret_shares"]
        self.assertEqual(len(shares), 3)
        integration = Connected(made["id"], "", made, account.address)
        for pair in itertools.combinations(shares, 2):
            desk.act(integration, "lock").expect(204)
            desk.unlock(integration, "\n".join(pair)).expect(200)
        self.sends(desk, integration, "Opened by two")
        for wrong in (shares[0], shares[0] + " " + shares[0]):
            desk.unlock(integration, wrong).expect(403, code="wrong_secret")
        for path in server.data.rglob("*"):
            if path.is_file():
                self.assertNotIn(shares[0].encode(), path.read_bytes(), path)


class IdleTest(HoldersCase):
    def test_only_what_nobody_has_used_for_so_long_is_listed(self):
        _, desk, integration = self.connected()
        never = desk.api.get("/v1/integrations?idle_for=P90D").expect(200)["items"]
        self.assertEqual(never, [])
        now = desk.api.get("/v1/integrations?idle_for=PT0S").expect(200)["items"]
        self.assertEqual([item["id"] for item in now], [integration.id])
        self.assertIn("last_used_at", now[0])
        for wrong in ("x", "-P1D", "P99999D"):
            desk.api.get(f"/v1/integrations?idle_for={wrong}").expect(422)

    def test_one_that_nobody_used_for_ninety_days_is_proposed_for_cut_off(self):
        server, desk, integration = self.connected()
        said = server.run("doctor", "--data", str(server.data)).stdout
        self.assertIn("good    integrations that nobody uses", said)
        server.stop()
        long_ago = int((time.time() - 91 * 86400) * 1000)
        with contextlib.closing(sqlite3.connect(server.data / "store" / "store.db")) as store:
            store.execute("UPDATE integrations SET last_used_at_ms = ?", (long_ago,))
            store.commit()
        server.start()
        said = server.run("doctor", "--data", str(server.data)).stdout
        self.assertIn("warning integrations that nobody uses: 1 not used for 90 days", said)
        listed = desk.api.get("/v1/integrations?idle_for=P90D").expect(200)["items"]
        self.assertEqual([item["id"] for item in listed], [integration.id])
        # A person's act is a use.
        desk.unlock(integration)
        self.assertEqual(desk.api.get("/v1/integrations?idle_for=P90D").expect(200)["items"], [])


class SealAllTest(HoldersCase):
    def test_leases_end_and_grants_are_kept_unless_they_are_meant_too(self):
        server, desk, leased = self.connected()
        granted = desk.connect(self.person())
        desk.grant(granted)
        with desk.api.events() as events:
            sealed = desk.api.post("/v1/integrations/seal-all", {}).expect(200).json
            events.wait_for(lambda event: event.kind == "integrations.sealed", "all sealed")
        self.assertEqual(sealed["leases_ended"], 2)
        self.assertTrue(sealed["confirmed"])
        self.assertEqual(desk.state(leased), "sealed")
        self.assertEqual(desk.state(granted), "granted")
        self.sends(desk, granted, "Under a grant")
        sealed = desk.api.post("/v1/integrations/seal-all", {"grants": True}).expect(200).json
        self.assertEqual(sealed["grants_ended"], 1)
        self.assertEqual(desk.state(granted), "sealed")
        desk.write(granted, self.creator(), "No more", "x").expect(423)
        desk.unlock(granted).expect(200)
        self.sends(desk, granted, "Opened again")
        server.api(server.token(role="reader")).post("/v1/integrations/seal-all", {}).expect(403)

    def test_another_workspace_is_not_touched_but_by_the_operator(self):
        server, desk, integration = self.connected()
        other = Desk(server.api(server.token(workspace="Other")), self.lab)
        theirs = other.connect(self.person())
        desk.api.post("/v1/integrations/seal-all", {"grants": True}).expect(200)
        self.assertEqual(other.state(theirs), "leased")
        told = server.command("seal-all", "--data", str(server.data))
        self.assertIn("1 leases", told)
        eventually(lambda: other.state(theirs) == "sealed", "sealed by the operator")
