"""Mail cases B: a server gave our mail another Message-ID, and replies name only that."""

from __future__ import annotations

import re

from lab.case import LabCase
from lab.creator import Creator, plain_reply
from lab.mailbox import Mail
from lab.process import eventually
from lab.scripted_imap import ScriptedImap, Session
from lab.scripted_smtp import CLOSE_AFTER, ScriptedSmtp

EXCHANGE_ID = "AM0PR07MB5906E4C2A1@AM0PR07MB5906.eurprd07.prod.outlook.com"
GIVEN_ID = "CAFzK7nQ2p8X-learnt-from-sent@mail.provider.example"


class RewrittenTest(LabCase):
    def setUp(self) -> None:
        super().setUp()
        self.smtp = ScriptedSmtp(self.lab.pair)
        self.addCleanup(self.smtp.close)
        self.imap = ScriptedImap(self.lab.pair)
        self.addCleanup(self.imap.close)
        self.server, self.desk = self.running()
        self.maya = self.person()
        self.imap.account(self.maya.name, self.maya.password)
        self.integration = self.desk.connect(
            self.maya, imap={"port": self.imap.port}, smtp={"port": self.smtp.port}
        )
        self.desk.grant(self.integration)
        self.imap.all_idle(1, 60)
        self.lea = Creator(self.lab, self.creator())

    def test_b_rewritten_message_id_told_by_the_submission_server(self):
        """As Exchange does; iOS Mail then names nothing but that id."""
        self.smtp.script["dot"] = f"250 2.6.0 <{EXCHANGE_ID}> [InternalId=1] Queued"
        thread = self._write()
        self._deliver(self._reply("by the given id", f"<{EXCHANGE_ID}>"))
        self._shown(thread, "by the given id")

    def test_b_rewritten_message_id_learnt_from_our_copy_in_sent(self):
        self.imap.before["EXAMINE"] = self._add_rewritten_copy
        thread = self._write()
        eventually(lambda: self.imap.count("APPEND") == 0 and self._copies() == 1, "one copy")
        self._deliver(self._reply("by the id of the copy", f"<{GIVEN_ID}>"))
        self._shown(thread, "by the id of the copy")
        self.assertEqual(self.imap.count("APPEND"), 0)

    def test_b_rewritten_message_id_of_an_unknown_send(self):
        """The copy tells that it was sent, too."""
        self.imap.before["EXAMINE"] = self._add_rewritten_copy
        self.smtp.script["dot"] = CLOSE_AFTER
        body = self.desk.write(self.integration, self.lea.account, "Offer", "x").expect(201)
        eventually(
            lambda: self.desk.thread(body["id"])["messages"][0]["state"] == "sent", "found", 90
        )
        self.assertEqual(len(self.smtp.mails), 1)
        self._deliver(self._reply("after all", f"<{GIVEN_ID}>"))
        self._shown(body["id"], "after all")

    def test_b_rewritten_message_id_survives_a_restart(self):
        self.smtp.script["dot"] = f"250 2.6.0 <{EXCHANGE_ID}> [InternalId=1] Queued"
        thread = self._write()
        self.server.stop()
        self.server.start()
        self._deliver(self._reply("after the restart", f"<{EXCHANGE_ID}>"))
        self._shown(thread, "after the restart")

    def test_b_ids_that_only_contain_a_learnt_one_are_not_read(self):
        self.smtp.script["dot"] = f"250 2.6.0 <{EXCHANGE_ID}> [InternalId=1] Queued"
        thread = self._write()
        for forged in (f"<x{EXCHANGE_ID}>", f"<{EXCHANGE_ID}.evil.example>"):
            self._deliver(self._reply("forged", forged))
        self._deliver(self._reply("true", f"<{EXCHANGE_ID}>"))
        self._shown(thread, "true")
        self.assertEqual(self.desk.held(), [])

    def _write(self) -> str:
        body = self.desk.write(self.integration, self.lea.account, "Offer", "x").expect(201)
        self.desk.sent(body["id"])
        return body["id"]

    def _reply(self, text: str, named: str) -> bytes:
        (taken,) = self.smtp.mails
        original = Mail("INBOX", 0, frozenset(), taken.raw)
        reply = plain_reply(original, self.lea.account, text, In_Reply_To=named, References=named)
        return reply.as_bytes().replace(b"\n", b"\r\n")

    def _deliver(self, raw: bytes) -> None:
        self.imap.deliver(self.maya.name, raw)

    def _shown(self, thread: str, text: str) -> None:
        (reply,) = self.desk.incoming(thread, 1)
        self.assertIn(text, reply["text"])

    def _copies(self) -> int:
        return len(self.imap.boxes[self.maya.name].folders["Sent"].mails)

    def _add_rewritten_copy(self, session: Session, line: str) -> None:
        """The provider keeps its own copy of what it took, under its own id."""
        if '"Sent"' not in line or not self.smtp.mails or self._copies():
            return
        raw = re.sub(rb"(?m)^Message-ID: .*?\r\n", b"", self.smtp.mails[0].raw)
        session.box.folders["Sent"].add(f"Message-ID: <{GIVEN_ID}>\r\n".encode() + raw)
