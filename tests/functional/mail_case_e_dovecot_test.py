"""Mail cases E at real Dovecot: what it does by itself or can be brought to do. What only a server
that lies or dies at a given word can play is in mail_case_e_protocol_test.py."""

from __future__ import annotations

import os
import re
import signal

from lab.mail_scene import SceneCase
from lab.process import eventually

# Whatever is found within a minute was told of, not polled for.
NEVER_POLLED = "\n[mail]\npoll_interval_s = 86400\n"


class DovecotCase(SceneCase):
    config = NEVER_POLLED

    def setUp(self) -> None:
        super().setUp()
        self.maya = self.scene.maya
        self.dovecot = self.scene.lab.dovecot

    def watch(self) -> tuple[bytes, bytes]:
        """What was said and heard in the newest session that idles."""
        (*_, newest) = [one for one in self.scene.box.sessions() if b" IDLE\r\n" in one.from_client]
        return newest.from_client, newest.from_server

    def no_foreign_word_crossed(self) -> None:
        self.assertNotIn(self.scene.foreign.stem.encode(), self.scene.wire())


class NotifyTest(DovecotCase):
    def test_e_notify_is_sent_and_brings_replies_from_other_folders(self):
        said, _ = self.watch()
        self.assertRegex(said, rb" NOTIFY SET \(SELECTED-DELAYED [^\r]*\(MAILBOXES \(?[^)]*Junk")
        for number, folder in enumerate(("Junk", "Archive"), start=1):
            foreign = self.scene.foreign_mail()
            self.scene.box.append(self.thread.reply(f"in {folder}"), folder)
            found = self.scene.desk.incoming(self.thread.id, number)
            self.assertIn(f"in {folder}", found[-1]["text"])
            self.scene.box.append(foreign, folder)
        self.assert_read(self.thread.reply("in INBOX"), says="in INBOX")
        said, heard = self.watch()
        self.assertIn(b"* STATUS Junk (", heard)
        # Before the first IDLE each folder's numbers were asked for: since then, none.
        self.assertNotIn(b" STATUS ", said[said.index(b" IDLE\r\n") :])
        self.no_foreign_word_crossed()


class RealDovecotTest(DovecotCase):
    def test_e_range_up_to_the_newest_names_the_last_mail_below_it(self):
        self.assert_read(self.thread.reply("first"), says="first")
        before, _ = eventually(self._idles, "it idles")
        courier = self.scene.server.process("courier")
        os.kill(courier, signal.SIGSTOP)
        try:
            # It came and went: courier learns of both at once, and asks for what is not there.
            self.scene.box.deliver(self.scene.foreign_mail())
            self._told(rb"\* \d+ EXISTS\r\n")
            uid = max(self.scene.box.flags())
            self._expunge(uid)
            self._told(rb"\* \d+ EXPUNGE\r\n")
        finally:
            os.kill(courier, signal.SIGCONT)
        said, heard = eventually(lambda: self._idles(len(before)), "it looked and idles again")
        self.assertIn(f"UID SEARCH UID {uid}:*".encode(), said[len(before) :])
        last = max(self.scene.box.flags())
        self.assertIn(f"* SEARCH {last}\r\n".encode(), heard, "Dovecot named the last mail")
        self.assertNotIn(b"FETCH", said[len(before) :])
        self.assertEqual(len(self.thread.received()), 1)
        self.assert_read(self.thread.reply("goes on"), says="goes on")

    def test_e_uidvalidity_changes_and_each_mail_is_taken_once(self):
        self._renumbered("INBOX")

    def test_e_uidvalidity_of_another_folder_changes_while_watched(self):
        self._renumbered("Archive")

    def _renumbered(self, folder: str) -> None:
        self.scene.box.append(self.scene.foreign_mail(), folder)
        self.scene.box.append(self.thread.reply("before"), folder)
        self.scene.settle()
        self.assertEqual(len(self.thread.received()), 1)
        self.dovecot.renumber(self.maya.name, folder, 1_900_000_000)
        self.scene.box.append(self.thread.reply("meanwhile"), folder)
        self.scene.settle()
        self.assert_read(self.thread.reply("goes on"), says="goes on")
        said = sorted(message["text"].strip() for message in self.thread.received())
        self.assertEqual(said, ["before", "goes on", "meanwhile"])
        wire = b"".join(one.from_server for one in self.scene.box.sessions())
        self.assertIn(b"UIDVALIDITY 1900000000", wire)
        self.no_foreign_word_crossed()

    def test_e_connection_dropped_while_idle(self):
        eventually(self._idles, "it idles")
        for pid in self.dovecot.connected(self.maya.name):
            os.kill(pid, signal.SIGTERM)
        self.scene.box.deliver(self.thread.reply("while nobody was there"))
        (found,) = self.scene.desk.incoming(self.thread.id)
        self.assertIn("while nobody was there", found["text"])

    def _idles(self, length: int = 0) -> tuple[bytes, bytes] | None:
        """The watch's session once it has said more than this and went idle after it."""
        said, heard = self.watch()
        return (said, heard) if len(said) > length and said.endswith(b" IDLE\r\n") else None

    def _told(self, what: bytes) -> None:
        """Dovecot wrote it into the session that idles, after `+ idling`."""
        eventually(
            lambda: re.search(what, self.watch()[1].rpartition(b"+ idling\r\n")[2]), f"told {what}"
        )

    def _expunge(self, uid: int) -> None:
        with self.scene.lab.mailbox(self.maya).session() as imap:
            imap.select("INBOX")
            imap.uid("STORE", str(uid), "+FLAGS", "\\Deleted")
            imap.expunge()
