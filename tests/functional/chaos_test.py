"""The story over networks that delay, cut, drop and corrupt, on every outgoing protocol: it ends
right. POSTERN_CHAOS_SEED=... plays one seed again; a failure prints its seed and schedule."""

from __future__ import annotations

import os

from lab import creator
from lab.case import LabCase
from lab.chaos_proxy import ChaosProxy, plan
from lab.creator import Creator
from lab.desk import Connected, Desk
from lab.process import eventually
from lab.scripted_smtp import ScriptedSmtp

SEED = os.environ.get("POSTERN_CHAOS_SEED", "")
MAILS = 12
SETTLING_S = 240


class ChaosCase(LabCase):
    def setUp(self) -> None:
        super().setUp()
        self.proxies: list[ChaosProxy] = []
        self.addCleanup(self._show_schedules)

    def proxy(self, port: int, seed: str, **more) -> ChaosProxy:
        made = ChaosProxy(port, seed=seed, **more)
        self.addCleanup(made.close)
        self.proxies.append(made)
        return made

    def calm(self) -> None:
        for proxy in self.proxies:
            proxy.calm()

    def _show_schedules(self) -> None:
        if not getattr(self._outcome, "success", True):
            print("\n".join(proxy.schedule() for proxy in self.proxies))

    def connect(self, desk: Desk, *, imap: dict, smtp: dict) -> Connected:
        """Connecting is a person's act: it is tried again until it gets through."""
        maya = self.person()
        body = desk.integration_body(maya, imap=imap, smtp=smtp)

        def tried() -> dict | None:
            answer = desk.api.post("/v1/integrations", body).expect(201, 422)
            return answer.json if answer.status == 201 else None

        made = eventually(tried, "a mailbox connected through chaos", 60)
        integration = Connected(made["id"], made["shared_secret"], made, maya.address)
        desk.grant(integration)
        return integration

    def settle_all(self, desk: Desk, threads: list[str]) -> list[dict]:
        return [desk.settled(thread, deadline_s=SETTLING_S) for thread in threads]


class StoryTest(ChaosCase):
    """Real Dovecot and Postfix: what arrived is counted in the creator's mailbox."""

    def test_story_over_imaps_and_submission(self):
        lab = self.lab
        self._story(
            SEED or "1", (lab.dovecot.imaps_port, "implicit"),
            (lab.postfix.submission_port, "starttls"),
        )

    def test_story_over_starttls_and_smtps(self):
        lab = self.lab
        self._story(
            SEED or "2", (lab.dovecot.imap_port, "starttls"), (lab.postfix.smtps_port, "implicit")
        )

    def _story(self, seed: str, imap: tuple[int, str], smtp: tuple[int, str]) -> None:
        reading = self.proxy(imap[0], f"{seed}/imap")
        sending = self.proxy(smtp[0], f"{seed}/smtp")
        server, desk = self.running()
        integration = self.connect(
            desk, imap={"port": reading.port, "tls": imap[1]},
            smtp={"port": sending.port, "tls": smtp[1]},
        )
        lea = Creator(self.lab, self.creator())
        threads = [
            desk.write(integration, lea.account, f"Chaos {n:02}.", "x").expect(201)["id"]
            for n in range(MAILS)
        ]
        settled = self.settle_all(desk, threads)
        answered = self._answer(integration, lea)
        self.assertGreater(reading.harmed() + sending.harmed(), 0, "no chaos at all")
        self.calm()
        # A later mail on the same way: whatever is still under way came before it.
        desk.sent(desk.write(integration, lea.account, "Barrier", "x").expect(201)["id"])
        lea.received("Barrier")
        maya = self.lab.mailbox(self.lab.by_address(integration.address))
        lying = {mail.header("Message-ID"): mail.raw for mail in maya.mails()}
        for number, (thread, message) in enumerate(zip(threads, settled, strict=True)):
            copies = lea.count(f"Chaos {number:02}.")
            self._right(message["state"], copies, number)
            if number in answered:
                (reply,) = desk.incoming(thread, 1, deadline_s=SETTLING_S)
                kept = desk.api.get(f"/v1/messages/{reply['id']}/raw").expect(200).body
                self.assertEqual(kept, lying[answered[number]])
            state = desk.thread(thread)["messages"][0]["state"]
            self.assertIn(state, (message["state"], "sent"), "a settled state went back")
        for thread in threads:
            found = [m for m in desk.thread(thread)["messages"] if m["direction"] == "in"]
            self.assertLessEqual(len(found), 1, "a reply twice")
        self.assertIn(desk.state(integration), ("leased", "granted"))
        self.assertEqual(desk.held(), [])
        server.stop()

    def _right(self, state: str, copies: int, number: int) -> None:
        self.assertLessEqual(copies, 1, f"mail {number} twice")
        if state == "sent":
            self.assertEqual(copies, 1, f"mail {number} is sent and not there")
        if state == "failed":
            self.assertEqual(copies, 0, f"mail {number} failed and is there")

    def _answer(self, integration: Connected, lea: Creator) -> dict[int, str]:
        """Answers what has arrived so far, past the proxies; number -> the reply's Message-ID."""
        maya = self.lab.by_address(integration.address)
        answered = {}
        for mail in self.lab.mailbox(lea.account).mails("INBOX", 'SUBJECT "Chaos"'):
            number = int(mail.header("Subject")[6:8])
            made = creator.plain_reply(mail, lea.account, f"Answer {number}")
            answered[number] = str(made["Message-ID"])
            raw = made.as_bytes().replace(b"\n", b"\r\n")
            self.lab.deliver(maya, raw, sender=lea.account.address)
        self.assertTrue(answered)
        return answered


class FinalDotTest(ChaosCase):
    def test_unknown_only_where_the_dot_was_in_flight(self):
        """The server tells which mails it had asked for with 354, and which it took: only the
        first can be unknown, and none of the second is called failed."""
        smtp = ScriptedSmtp(self.lab.pair)
        self.addCleanup(smtp.close)
        sending = self.proxy(smtp.port, f"{SEED or '1'}/dot", harm=0.8, bytes_max=5000)
        _, desk = self.running()
        integration = self.connect(desk, imap={}, smtp={"port": sending.port})
        people = [self.creator() for _ in range(MAILS)]
        threads = [desk.write(integration, one, "Dot", "x").expect(201)["id"] for one in people]
        settled = self.settle_all(desk, threads)
        taken = [to for mail in smtp.mails if mail.accepted for to in mail.recipients]
        asked = {to for recipients in smtp.asked_for for to in recipients}
        for one, message in zip(people, settled, strict=True):
            self._right(message["state"], one.address, taken, asked)

    def _right(self, state: str, address: str, taken: list[str], asked: set[str]) -> None:
        self.assertLessEqual(taken.count(address), 1, f"{address} got it twice")
        if state == "unknown":
            self.assertIn(address, asked, f"{address} unknown, but the dot cannot have been sent")
        if state == "failed":
            self.assertNotIn(address, taken, f"{address} failed, but the server took it")
        if state == "sent":
            self.assertIn(address, taken, f"{address} sent, but the server has nothing")


class ScheduleTest(LabCase):
    def test_same_seed_makes_the_same_schedule_and_another_another(self):
        def schedule(seed: str) -> list:
            return [plan(seed, number, 0.6, 8000) for number in range(200)]

        self.assertEqual(schedule("a"), schedule("a"))
        self.assertNotEqual(schedule("a"), schedule("b"))
        self.assertEqual({one.kind for one in schedule("a")},
                         {"pass", "delay", "cut", "drop", "corrupt"})
