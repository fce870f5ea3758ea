"""Fifty and a thousand mailboxes in one courier: all are watched, all come back after a restart of
their server, and each gets its own replies and no other's. bench/mailboxes.py measures them."""

from __future__ import annotations

import concurrent.futures
import os
import re
import signal

from lab import creator
from lab.case import LabCase
from lab.creator import Creator
from lab.desk import Desk
from lab.mail_servers import Account
from lab.postern import CONFIG, Postern
from lab.process import eventually
from lab.scripted_imap import ScriptedImap

# Connecting stretches a secret each time; how strongly is not what is tested here.
CHEAP = CONFIG + "\n[seal]\nargon2_memory_kib = 19456\nargon2_passes = 1\n"
# As src/features/mail/watches.h has it.
SIGN_INS_AT_ONE_HOST = 8


class ManyMailboxesCase(LabCase):
    def connect_all(self, desk: Desk, accounts: list[Account], **more) -> dict[str, str]:
        """account name -> id of its integration, each with a grant to keep working."""
        offer = {"verbs": ["send", "read_replies"], "expires_in": "P30D"}

        def connect(account: Account) -> tuple[str, str]:
            return account.name, desk.connect(account, keep_working=offer, **more).id

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            return dict(pool.map(connect, accounts))

    def all_watched(self, server: Postern, count: int, deadline_s: float = 60) -> None:
        def watched() -> int:
            return int(re.search(r"^postern_mailboxes_watched (\d+)$", server.metrics(), re.M)[1])

        eventually(lambda: watched() == count, f"{count} mailboxes watched", deadline_s, 0.2)


class FiftyTest(ManyMailboxesCase):
    COUNT = 50

    def test_each_of_fifty_gets_its_own_replies_also_after_its_server_restarted(self):
        server, desk = self.running(config=CHEAP)
        people = [self.person("many") for _ in range(self.COUNT)]
        ids = self.connect_all(desk, people)
        self.all_watched(server, self.COUNT)
        lea = Creator(self.lab, self.creator())
        threads = {}
        for account in people:
            body = {
                "integration_id": ids[account.name], "subject": f"For {account.name}", "text": "x",
                "to": [{"name": "Lea", "address": lea.account.address}],
            }
            threads[account.name] = desk.api.post("/v1/threads", body).expect(201)["id"]
        mails = {mail.header("Subject"): mail for mail in lea.received("For many", self.COUNT)}
        self.assertEqual(len(mails), self.COUNT)
        for account in people:
            self._answer(lea, account, mails[f"For {account.name}"], "before")
        for account in people:
            (reply,) = desk.incoming(threads[account.name], 1)
            self.assertIn(f"before {account.name}.", reply["text"])

        self.lab.dovecot.stop()
        self.all_watched(server, 0)
        self.lab.dovecot.start()
        self.all_watched(server, self.COUNT)
        for account in people:
            self._answer(lea, account, mails[f"For {account.name}"], "after")
        for account in people:
            texts = [reply["text"] for reply in desk.incoming(threads[account.name], 2)]
            self.assertIn(f"after {account.name}.", texts[1])
            self.assertLessEqual(len(self.lab.dovecot.connected(account.name)), 2)
        self.assertEqual(desk.held(), [])

    def _answer(self, lea: Creator, account: Account, mail, word: str) -> None:
        made = creator.plain_reply(mail, lea.account, f"{word} {account.name}.")
        raw = made.as_bytes().replace(b"\n", b"\r\n")
        self.lab.deliver(account, raw, sender=lea.account.address)


class StormCase(ManyMailboxesCase):
    """What the mail server sees, counted there."""

    COUNT: int
    DEADLINE_S = 60.0

    def setUp(self) -> None:
        super().setUp()
        self.imap = ScriptedImap(self.lab.pair)
        self.addCleanup(self.imap.close)
        self.server, self.desk = self.running(config=CHEAP)
        people = [self.person("storm") for _ in range(self.COUNT)]
        for account in people:
            self.imap.account(account.name, account.password)
        self.connect_all(self.desk, people, imap={"port": self.imap.port})
        self.imap.all_idle(self.COUNT, self.DEADLINE_S)

    def comes_back_without_a_storm(self) -> None:
        self.imap.forget_counts()
        self.imap.stop()
        self.imap.listen()
        self.imap.all_idle(self.COUNT, self.DEADLINE_S)
        self.assertLessEqual(self.imap.unsigned_peak, SIGN_INS_AT_ONE_HOST)
        self.assertEqual(len(self.imap.sign_ins), self.COUNT)
        self.assertEqual(max(self.imap.account_peak.values()), 1)


class ThousandTest(StormCase):
    COUNT = 1000
    DEADLINE_S = 240.0

    def test_a_thousand_are_watched_and_come_back_when_their_server_restarts(self):
        self.all_watched(self.server, self.COUNT, self.DEADLINE_S)
        self.comes_back_without_a_storm()


class StormTest(StormCase):
    COUNT = 60

    def test_server_that_restarts_sees_few_sign_ins_at_a_time_and_one_for_each_mailbox(self):
        self.comes_back_without_a_storm()

    def test_server_that_was_away_for_long_is_not_waited_for_when_it_answers_again(self):
        self.imap.stop()
        # Each has failed some times: its next try would be many seconds away.
        failures = "watch_failed"
        eventually(
            lambda: self.server.log().count(failures) >= 5 * self.COUNT, "five failures each", 90
        )
        self.imap.forget_counts()
        self.imap.listen()
        self.imap.all_idle(self.COUNT, 60)
        self.assertLessEqual(self.imap.unsigned_peak, SIGN_INS_AT_ONE_HOST)
        self.assertEqual(len(self.imap.sign_ins), self.COUNT)

    def test_restart_of_courier_and_of_postern_is_no_storm_either(self):
        self.imap.forget_counts()
        os.kill(self.server.process("courier"), signal.SIGKILL)
        eventually(lambda: self.imap.idling == 0, "courier gone")
        self.imap.all_idle(self.COUNT, 60)
        self.assertLessEqual(self.imap.unsigned_peak, SIGN_INS_AT_ONE_HOST)
        self.server.stop()
        self.server.start()
        self.imap.all_idle(self.COUNT, 60)
        self.assertLessEqual(self.imap.unsigned_peak, SIGN_INS_AT_ONE_HOST)
