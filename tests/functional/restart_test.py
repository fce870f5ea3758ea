"""Restart under load: while mails are sent and replies come in, single children and the whole
server are killed or restarted. No acknowledged send is lost, none goes out twice, and no reply is
taken twice."""

from __future__ import annotations

import os
import signal
import threading
from typing import Callable

from lab import creator
from lab.api import new_key
from lab.case import LabCase
from lab.creator import Creator
from lab.desk import Connected, Desk
from lab.faults import ChaosProxy
from lab.postern import Postern
from lab.process import eventually

SETTLING_S = 240
# How many mails are acknowledged between one blow and the next.
BETWEEN = 4


class Load(threading.Thread):
    """One client that writes mails as fast as they are acknowledged. What is not acknowledged is
    asked for again with the same key, as a client does."""

    def __init__(self, desk: Desk, integration: Connected, lea: Creator) -> None:
        super().__init__(daemon=True)
        self._desk = desk
        self._integration = integration
        self._lea = lea
        self._ending = threading.Event()
        self.acknowledged: list[str] = []
        self.failure: BaseException | None = None
        self.start()

    def end(self) -> list[str]:
        self._ending.set()
        self.join(120)
        if self.failure:
            raise self.failure
        return self.acknowledged

    def reached(self, count: int) -> None:
        eventually(
            lambda: self.failure or len(self.acknowledged) >= count,
            f"{count} mails acknowledged", 120,
        )

    def run(self) -> None:
        try:
            while not self._ending.is_set():
                self.acknowledged.append(self._one(len(self.acknowledged)))
        except BaseException as failure:
            self.failure = failure

    def _one(self, number: int) -> str:
        key = new_key()

        def tried() -> str | None:
            try:
                answer = self._desk.write(
                    self._integration, self._lea.account, f"Load {number:04}.", "x", key=key
                )
            except OSError:
                return None
            # 5xx: something is restarting; 409: the first try is still under way.
            if answer.status >= 500 or answer.status == 409:
                return None
            return answer.expect(200, 201)["id"]

        return eventually(tried, f"mail {number} acknowledged", 120)


class RestartTest(LabCase):
    def setUp(self) -> None:
        super().setUp()
        self.server, self.desk, self.integration = self.connected(grant=True)
        self.lea = Creator(self.lab, self.creator())
        self.maya = self.lab.by_address(self.integration.address)

    def test_children_killed_one_after_the_other(self):
        self._under_load([self._kill(role) for role in ("courier", "front", "keeper")] * 2)

    def test_whole_server_killed(self):
        self._under_load([self._crash] * 3)

    def test_whole_server_restarted_gracefully(self):
        self._under_load([self._graceful] * 3)

    def _kill(self, role: str) -> Callable[[Postern], None]:
        def blow(server: Postern) -> None:
            os.kill(server.process(role), signal.SIGKILL)

        return blow

    def _crash(self, server: Postern) -> None:
        server.kill()
        server.start()

    def _graceful(self, server: Postern) -> None:
        server.stop()
        server.start()

    def _under_load(self, blows: list[Callable[[Postern], None]]) -> None:
        load = Load(self.desk, self.integration, self.lea)
        answered: set[str] = set()
        for blow in blows:
            load.reached(len(load.acknowledged) + BETWEEN)
            self._answer_what_arrived(answered)
            blow(self.server)
            load.reached(len(load.acknowledged) + 1)
        threads = load.end()
        states = [
            self.desk.settled(thread, deadline_s=SETTLING_S)["state"] for thread in threads
        ]
        self._answer_what_arrived(answered)
        barrier = self.desk.write(self.integration, self.lea.account, "Barrier", "x").expect(201)
        self.desk.sent(barrier["id"])
        self.lea.received("Barrier")
        arrived = [
            mail.header("Subject")
            for mail in self.lab.mailbox(self.lea.account).mails("INBOX", 'SUBJECT "Load"')
        ]
        for number, (thread, state) in enumerate(zip(threads, states, strict=True)):
            subject = f"Load {number:04}."
            self.assertLessEqual(arrived.count(subject), 1, f"{subject} twice")
            self.assertIn(state, ("sent", "unknown"), subject)
            if state == "sent":
                self.assertEqual(arrived.count(subject), 1, f"{subject} lost")
            if subject in answered:
                self.assertEqual(len(self.desk.incoming(thread, 1, SETTLING_S)), 1, subject)
        self.assertEqual(len(set(threads)), len(threads))
        self.assertEqual(len(arrived), len(set(arrived)))
        self.assertEqual(self.desk.held(), [])

    def _answer_what_arrived(self, answered: set[str]) -> None:
        """Each once, straight into the mailbox: what looks for it may be down."""
        for mail in self.lab.mailbox(self.lea.account).mails("INBOX", 'SUBJECT "Load"'):
            subject = mail.header("Subject")
            if subject in answered:
                continue
            answered.add(subject)
            made = creator.plain_reply(mail, self.lea.account, f"Answer to {subject}")
            raw = made.as_bytes().replace(b"\n", b"\r\n")
            self.lab.deliver(self.maya, raw, sender=self.lea.account.address)


class FirstWatchTest(LabCase):
    def test_answer_that_came_before_the_first_watch(self):
        """The server went down between the first sent mail and the first look at the mailbox."""
        imap = self.enterContext(ChaosProxy(self.lab.dovecot.imaps_port))
        server, desk = self.running()
        maya, lea = self.person(), Creator(self.lab, self.creator())
        integration = desk.connect(maya, imap={"port": imap.port})
        imap.freeze()
        desk.grant(integration)
        thread = desk.write(integration, lea.account, "Before", "x").expect(201)["id"]
        desk.sent(thread)
        server.kill()
        (mail,) = lea.received("Before")
        lea.send(mail, lea.answer(mail, "thunderbird", "before anybody looked"))
        self.lab.arrived(maya, 'SUBJECT "Before"')
        imap.freeze(False)
        server.start()
        (message,) = desk.incoming(thread)
        self.assertIn("before anybody looked", message["text"])
