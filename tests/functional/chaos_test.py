"""The story over mail protocols whose networks delay, cut, drop and corrupt: it ends right.
POSTERN_CHAOS_SEED=... plays one seed again; a failure prints its seed and schedule."""

from __future__ import annotations

from lab import creator
from lab.case import LabCase
from lab.chaos_case import SEED, SETTLING_S, ChaosCase
from lab.chaos_proxy import HARM, plan
from lab.creator import Creator
from lab.desk import Connected
from lab.scripted_smtp import ScriptedSmtp

MAILS = 12


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
        self.until_all_struck(
            reading, sending,
            go_on=lambda _: desk.act(integration, "verify").expect(200, 409, 422, 502, 503, 504),
        )
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
                         {"pass", *HARM})
