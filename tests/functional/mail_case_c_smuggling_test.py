"""Mail cases C: what only looks like a reply to ours is not read, what may be one is held."""

from __future__ import annotations

import sqlite3
import unittest
from email.message import EmailMessage

from lab import canary
from lab.held_mailbox import AtDovecot, AtScripted
from lab.mail_scene import Scene, SceneCase, Thread


class SmugglingTest(SceneCase):
    """Every mail that must not be read carries a canary; the last test looks for them."""

    def secret(self) -> str:
        return self.scene.foreign.token()

    def forged(self, name: str) -> bytes:
        secret = self.secret()
        return self.thread.reply(
            f"smuggled {secret}", Subject=f"Re: {secret}", In_Reply_To=name, References=name
        )

    def test_c_superstring_ids(self):
        mine = self.thread.first_id.strip("<>")
        self.assert_ignored(
            self.forged(f"<{mine}.evil.example>"), self.forged(f"<x{mine}>"),
            self.forged(f"<evil.example/{mine}>"), self.forged(f"<{mine}@evil.example>"),
        )

    def test_c_prefix_ids(self):
        local, _, domain = self.thread.first_id.strip("<>").partition("@")
        words = local.split(".")
        self.assert_ignored(
            self.forged(f"<{'.'.join(words[:3])}@{domain}>"),
            self.forged(f"<{'.'.join(words[:2])}@{domain}>"),
            self.forged(f"<{local[:-1]}@{domain}>"), self.forged(f"<@{domain}>"),
        )

    def test_c_bad_hmac(self):
        local, _, domain = self.thread.first_id.strip("<>").partition("@")
        kind, thread, number, mac = local.split(".")
        changed = mac[:-1] + ("0" if mac[-1] != "0" else "4")
        self.assert_ignored(
            self.forged(f"<{kind}.{thread}.{number}.{changed}@{domain}>"),
            self.forged(f"<{kind}.{thread}.99.{mac}@{domain}>"),
            self.forged(f"<{kind}.{thread}.{number}.{mac.upper()}@{domain}>"),
        )

    def test_c_label_of_another_mailbox(self):
        local, _, domain = self.thread.first_id.strip("<>").partition("@")
        _, _, rest = domain.partition(".")
        self.assert_ignored(self.forged(f"<{local}@other7.{rest}>"))

    def test_c_valid_token_from_an_outsider(self):
        otto = self.scene.account("otto")
        secret = self.secret()
        mail = self.thread.reply(f"let me answer {secret}", Subject=secret, From=otto.address)
        held = self.assert_held(mail, reason="not_a_participant")
        self.assertEqual(held["sender"]["address"], otto.address)

    def test_c_many_outsiders_in_one_thread(self):
        """The newest of them are listed among all; the thread's own list has every one."""
        mails = [
            self.thread.reply("let me answer", From=f"outsider{n}@elsewhere.example")
            for n in range(22)
        ]
        self.assert_held(*mails, reason="not_a_participant")
        ids = [held["id"] for held in self.thread.held()]
        self.assertEqual(len(set(ids)), 22)
        listed = [held for held in self.scene.desk.held() if held["thread_id"] == self.thread.id]
        self.assertEqual([held["id"] for held in listed], ids[:20])
        self.assertEqual([held["more"] for held in listed], [False] * 19 + [True])

    def test_c_from_spoofed_dmarc_fail(self):
        """Only what the mailbox's own server says counts, and it stands on top."""
        own = "Authentication-Results: mx.brand.example; spf=fail; dmarc=fail header.from=x"
        bare = "Authentication-Results: mx.brand.example; spf=fail; dkim=none; dmarc=none"
        forged = "Authentication-Results: mx.brand.example; spf=pass; dmarc=pass header.from=x"
        good = self.thread.reply("signed", **{"X-A": f"b\n{forged}"})
        self.assert_read(good, says="signed")
        secret = self.secret()
        for found in (own, bare):
            spoofed = self.thread.reply(
                f"spoofed {secret}", Subject=secret, **{"X-A": f"b\n{found}\n{forged}"}
            )
            self.thread.deliver(spoofed)
        self.scene.settle()
        reasons = [held["reason"] for held in self.thread.held()]
        self.assertEqual(reasons, ["authentication_failed"] * 2)
        self.assertEqual(len(self.thread.received()), 1)

    def test_c_several_authors_or_none(self):
        both = f"{self.thread.lea.account.address}, outsider@elsewhere.example"
        secret = self.secret()
        self.assert_held(
            self.thread.reply(f"two of us {secret}", From=both, Subject=secret),
            self.thread.reply(f"nobody {secret}", From=None, Subject=secret),
            reason="not_a_participant",
        )

    def test_c_token_only_in_the_subject(self):
        mine = self.thread.first_id
        self._token_elsewhere(Subject=f"{mine} {self.secret()}")

    def test_c_token_only_in_another_header(self):
        mine = self.thread.first_id
        self._token_elsewhere(**{
            "X-Thread": mine, "X-In-Reply-To": mine, "Comments": mine, "Keywords": mine,
        })

    def test_c_token_only_in_the_body(self):
        self._token_elsewhere(f"about {self.thread.first_id}\n\nReferences: {self.thread.first_id}")

    def _token_elsewhere(self, text: str = "", **fields: str) -> None:
        usual = {"Subject": self.secret(), "In_Reply_To": None, "References": None}
        self.assert_ignored(self.thread.reply(f"{text} {self.secret()}", **{**usual, **fields}))

    def test_c_token_only_in_an_attached_mail(self):
        secret = self.secret()
        attached = EmailMessage()
        attached["From"] = self.thread.lea.account.address
        attached["Subject"] = secret
        attached["In-Reply-To"] = self.thread.first_id
        attached["References"] = self.thread.first_id
        attached.set_content(f"the inner one {secret}")
        mail = EmailMessage()
        mail["From"] = self.thread.lea.account.address
        mail["To"] = self.scene.maya.address
        mail["Subject"] = secret
        mail.set_content(f"see attached {secret}")
        mail.add_attachment(attached)
        self.assert_ignored(mail.as_bytes().replace(b"\n", b"\r\n"))

    def test_c_forward_to_a_third_party_who_answers(self):
        """The creator forwards ours; whoever gets it answers the user with the right ids."""
        agent = self.scene.account("agent")
        forwarded = f"<fwd.{self.thread.id}@creators.example>"
        secret = self.secret()
        mail = self.thread.reply(
            f"I am her agent {secret}", From=f"Agent <{agent.address}>", Subject=f"Fwd: {secret}",
            In_Reply_To=forwarded, References=f"{self.thread.first_id} {forwarded}",
        )
        self.assert_held(mail, reason="not_a_participant")

    def test_c_private_cc_added(self):
        secret = self.secret()
        friend = "friend@elsewhere.example"
        self.assert_held(
            self.thread.reply(f"with a friend {secret}", Subject=secret, Cc=friend),
            self.thread.reply(f"in a group {secret}", Subject=secret, Cc=f"Group: {friend};"),
            reason="new_recipient",
        )

    def test_c_mail_of_the_mailbox_s_own_address(self):
        secret = self.secret()
        own = self.thread.reply(
            f"note to myself {secret}", Subject=secret, From=self.scene.maya.address,
            To=self.thread.lea.account.address,
        )
        shouted = self.thread.reply(
            f"louder {secret}", Subject=secret, From=self.scene.maya.address.upper()
        )
        self.assert_ignored(own, shouted)

    def test_c_z_no_canary_of_mail_that_was_not_read(self):
        self.assert_read(self.thread.reply("ours"), says="ours")
        self.assert_no_canary()


class SmugglingAtScriptedTest(SmugglingTest):
    at = AtScripted


class DeletedThreadTest(unittest.TestCase):
    at = AtDovecot

    def test_c_token_of_a_deleted_thread(self):
        """The id is right in every way, but there is nothing left that it could belong to."""
        scene = Scene(self.at)
        self.addCleanup(scene.close)
        scene.open()
        gone, stays = Thread(scene), Thread(scene)
        scene.server.stop()
        oldest = "SELECT thread_id FROM threads ORDER BY created_at_ms LIMIT 1"
        mails = f"SELECT message_id FROM messages WHERE thread_id = ({oldest})"
        with sqlite3.connect(next(scene.server.data.rglob("store.db"))) as base:
            for table in ("raw_mails", "message_wraps"):
                base.execute(f"DELETE FROM {table} WHERE message_id IN ({mails})")
            deleted = sum(
                base.execute(f"DELETE FROM {table} WHERE thread_id = ({oldest})").rowcount
                for table in ("messages", "thread_people", "threads")
            )
        self.assertGreaterEqual(deleted, 3)
        scene.server.start()
        scene.desk.api.get(f"/v1/threads/{gone.id}").expect(404)
        secret = scene.foreign.token()
        gone.deliver(gone.reply(f"too late {secret}", Subject=secret))
        stays.deliver(stays.reply("still here"))
        (message,) = scene.desk.incoming(stays.id, 1)
        self.assertIn("still here", message["text"])
        self.assertEqual(scene.desk.held(), [])
        scanner = canary.Scanner(scene.foreign)
        found = scanner.scan(scene.wire(), "wire") + scanner.scan_tree(scene.server.folder)
        self.assertFalse(found, "\n".join(map(str, found[:10])))


class DeletedThreadAtScriptedTest(DeletedThreadTest):
    at = AtScripted
