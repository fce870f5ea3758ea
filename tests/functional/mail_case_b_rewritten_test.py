"""Mail cases B and E: a server gave our mail another Message-ID, and replies name only that."""

from __future__ import annotations

import re

from lab.case import LabCase
from lab.creator import Creator, plain_reply
from lab.held_mailbox import AtDovecot, AtScripted, HeldMailbox
from lab.mailbox import Mail
from lab.process import eventually
from lab.scripted_smtp import CLOSE_AFTER, ScriptedSmtp, Taken

EXCHANGE_ID = "AM0PR07MB5906E4C2A1@AM0PR07MB5906.eurprd07.prod.outlook.com"
COMMAND_BYTES_MAX = 8192
# More than one line holds: each is named twice, with its 203 bytes.
LONG_IDS = 40
GIVEN_ID = "CAFzK7nQ2p8X-learnt-from-sent@mail.provider.example"


class RewrittenTest(LabCase):
    """The submission server is scripted; the mailbox is at either."""

    at: type[HeldMailbox] = AtDovecot

    def setUp(self) -> None:
        super().setUp()
        self.smtp = ScriptedSmtp(self.lab.pair)
        self.addCleanup(self.smtp.close)
        self.server, self.desk = self.running()
        maya = self.person()
        self.box = self.at(self.lab, maya)
        self.addCleanup(self.box.close)
        ports = {**self.box.ports(), "smtp": {"port": self.smtp.port}}
        self.integration = self.desk.connect(maya, **ports)
        self.desk.grant(self.integration)
        self.box.idles()
        self.lea = Creator(self.lab, self.creator())

    def test_b_rewritten_message_id_told_by_the_submission_server(self):
        """As Exchange does; iOS Mail then names nothing but that id."""
        self.smtp.script["dot"] = f"250 2.6.0 <{EXCHANGE_ID}> [InternalId=1] Queued"
        thread = self._write()
        self._deliver(self._reply("by the given id", f"<{EXCHANGE_ID}>"))
        self._shown(thread, "by the given id")

    def test_b_rewritten_message_id_learnt_from_our_copy_in_sent(self):
        self.smtp.on_taken = self._keep_rewritten_copy
        thread = self._write()
        eventually(self._is_searched_for, "the watch knows the id of the copy")
        self._deliver(self._reply("by the id of the copy", f"<{GIVEN_ID}>"))
        self._shown(thread, "by the id of the copy")
        self.assertEqual(self.box.count("Sent"), 1)
        self.assertNotIn(b" APPEND ", self._said())

    def test_b_answer_that_comes_before_the_rewritten_id_is_learnt(self):
        """An autoresponder is quicker than the look into Sent."""
        searched = []

        def answered_at_once(taken: Taken) -> None:
            self._deliver(self._reply_to(taken, "at once", f"<{GIVEN_ID}>"))
            searched.append(self.desk.act(self.integration, "sync").expect(200).json)
            self._keep_rewritten_copy(taken)

        self.smtp.on_taken = answered_at_once
        thread = self._write()
        self._shown(thread, "at once")
        self.assertEqual([found["matched"] for found in searched], [0])

    def test_b_rewritten_message_id_of_an_unknown_send(self):
        """The copy tells that it was sent, too."""
        self.smtp.on_taken = self._keep_rewritten_copy
        self.smtp.script["dot"] = CLOSE_AFTER
        body = self.desk.write(self.integration, self.lea.account, "Offer", "x").expect(201)
        eventually(
            lambda: self.desk.thread(body["id"])["messages"][0]["state"] == "sent", "found", 90
        )
        self.assertEqual(len(self.smtp.mails), 1)
        eventually(self._is_searched_for, "the watch knows the id of the copy")
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

    def test_e_many_learnt_ids_are_asked_for_in_lines_that_servers_take(self):
        threads = {}
        for number in range(LONG_IDS):
            given = f"{number:03}{'x' * 180}@prod.outlook.example"
            self.smtp.script["dot"] = f"250 2.6.0 <{given}> [InternalId=1] Queued"
            threads[given] = self._write()
        for taken, given in zip(self.smtp.mails, threads, strict=True):
            self._deliver(self._reply_to(taken, f"to {given[:3]}", f"<{given}>"))
        for given, thread in threads.items():
            self._shown(thread, f"to {given[:3]}")
        lines = self._said().split(b"\r\n")
        self.assertLess(max(len(line) for line in lines), COMMAND_BYTES_MAX)
        named = [line for line in lines if b"prod.outlook.example" in line]
        self.assertFalse(
            any(all(given.encode() in line for given in threads) for line in named),
            "all ids fit into one line: too few of them",
        )

    def _write(self) -> str:
        body = self.desk.write(self.integration, self.lea.account, "Offer", "x").expect(201)
        self.desk.sent(body["id"])
        return body["id"]

    def _reply(self, text: str, named: str) -> bytes:
        (taken,) = self.smtp.mails
        return self._reply_to(taken, text, named)

    def _reply_to(self, taken: Taken, text: str, named: str) -> bytes:
        original = Mail("INBOX", 0, frozenset(), taken.raw)
        reply = plain_reply(original, self.lea.account, text, In_Reply_To=named, References=named)
        return reply.as_bytes().replace(b"\n", b"\r\n")

    def _said(self) -> bytes:
        return b"".join(session.from_client for session in self.box.sessions())

    def _is_searched_for(self) -> bool:
        self._deliver(b"Message-ID: <f@elsewhere.example>\r\n\r\nforeign\r\n")
        self.desk.act(self.integration, "sync").expect(200)
        return GIVEN_ID.encode() in self._said()

    def _deliver(self, raw: bytes) -> None:
        self.box.deliver(raw, sender=self.lea.account.address)

    def _shown(self, thread: str, text: str) -> None:
        (reply,) = self.desk.incoming(thread, 1)
        self.assertIn(text, reply["text"])

    def _keep_rewritten_copy(self, taken: Taken) -> None:
        """The provider keeps its own copy of what it took, under its own id."""
        raw = re.sub(rb"(?m)^Message-ID: .*?\r\n", b"", taken.raw)
        self.box.append(f"Message-ID: <{GIVEN_ID}>\r\n".encode() + raw, "Sent")


class RewrittenAtScriptedTest(RewrittenTest):
    at = AtScripted
