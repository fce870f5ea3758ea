"""Mail cases D: what programs send. Bounces stand at the mail that bounced, the rest is marked."""

from __future__ import annotations

import unittest

from lab.held_mailbox import AtDovecot, AtScripted
from lab.mail_scene import Scene, SceneCase, Thread, raw_mail
from lab.process import eventually
from lab.scripted_smtp import CLOSE_AFTER, ScriptedSmtp


class AutomaticTest(SceneCase):
    def _kind(self, text: str, **fields: str | None) -> str:
        return self.assert_read(self.thread.reply(text, **fields), says=text)["author_kind"]

    def test_d_out_of_office_with_auto_submitted(self):
        kind = self._kind("I am away", **{"Auto-Submitted": "auto-replied (vacation)"})
        self.assertEqual(kind, "auto_reply")

    def test_d_out_of_office_by_exchange(self):
        kind = self._kind(
            "Ich bin im Urlaub", Subject="Automatische Antwort: Offer",
            **{"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
        )
        self.assertEqual(kind, "auto_reply")

    def test_d_out_of_office_without_auto_submitted(self):
        for name, value in (("X-Autoreply", "yes"), ("Precedence", "bulk"),
                            ("Precedence", "auto_reply")):
            with self.subTest(f"{name}: {value}"):
                self.assertEqual(self._kind(f"away by {name} {value}", **{name: value}),
                                 "auto_reply")

    def test_d_auto_submitted_no(self):
        kind = self._kind("typed by hand", **{"Auto-Submitted": "no", "Precedence": "bulk"})
        self.assertEqual(kind, "person")

    def test_d_subject_alone_marks_nothing(self):
        self.assertEqual(self._kind("not away", Subject="Out of office: Automatic reply"), "person")

    def test_d_mdn(self):
        mail = self._report("disposition-notification", (
            "Reporting-UA: phone.example\nFinal-Recipient: rfc822;lea@creators.example\n"
            f"Original-Message-ID: {self.thread.first_id}\nDisposition: manual-action; displayed"
        ))
        self.assertEqual(self.assert_read(mail, says="report")["author_kind"], "machine")

    def test_d_arf(self):
        """A complaint comes from a provider: it is held, whatever ids it names."""
        mail = self._report(
            "feedback-report", "Feedback-Type: abuse\nUser-Agent: complaints",
            From="feedback@elsewhere.example",
        )
        held = self.assert_held(mail, reason="not_a_participant")
        self.scene.desk.api.post(f"/v1/held/{held['id']}/accept").expect(200)
        (message,) = self.scene.desk.incoming(self.thread.id)
        self.assertEqual(message["author_kind"], "machine")

    def test_d_calendar_reply(self):
        calendar = "BEGIN:VCALENDAR\nMETHOD:REPLY\nEND:VCALENDAR"
        mail = self.thread.reply(
            f"--b\nContent-Type: text/plain\n\nLea accepted\n--b\n"
            f"Content-Type: text/calendar; method=REPLY\n\n{calendar}\n--b--",
            **{"Content-Type": "multipart/alternative; boundary=b"},
        )
        self.assertEqual(self.assert_read(mail, says="Lea accepted")["author_kind"], "machine")

    def test_d_list_mail(self):
        mail = self.thread.reply("from the list", **{"List-Id": "<l.creators.example>"})
        self.assertEqual(self.assert_read(mail, says="from the list")["author_kind"], "machine")

    def _report(self, kind: str, fields: str, **headers: str) -> bytes:
        text = f"--b\nContent-Type: text/plain\n\na report\n--b\n" \
               f"Content-Type: message/{kind}\n\n{fields}\n\n--b--"
        return self.thread.reply(
            text, **{"Content-Type": f"multipart/report; report-type={kind}; boundary=b"}, **headers
        )

    def test_d_z_no_canary_of_what_was_not_read(self):
        self.assert_read(self.thread.reply("ours"), says="ours")
        self.assert_no_canary()


class AutomaticAtScriptedTest(AutomaticTest):
    at = AtScripted


class BounceTest(SceneCase):
    """No bounce is a reply or held, and none but those of our own mails is read."""

    def test_d_bounce_by_the_real_mail_system(self):
        """Postfix itself: nobody has this address."""
        desk = self.scene.desk
        body = {
            "integration_id": self.scene.integration.id, "subject": "Nobody", "text": "x",
            "to": [{"address": "nobody-here@creators.example"}],
        }
        thread = desk.api.post("/v1/threads", body).expect(201)["id"]
        desk.sent(thread)
        message = eventually(
            lambda: next((m for m in desk.thread(thread)["messages"] if m["bounces"]), None),
            "the bounce is told",
        )
        (bounce,) = message["bounces"]
        self.assertEqual(bounce["recipient"]["address"], "nobody-here@creators.example")
        self.assertEqual(bounce["action"], "failed")
        self.assertRegex(bounce["status"], r"^5\.\d+\.\d+$")
        self.assertTrue(bounce["diagnostic"])
        self.assertEqual(message["state"], "sent")
        self.assertEqual(len(desk.thread(thread)["messages"]), 1)

    def test_d_bounce_dsn(self):
        bounce = self._bounced(self._dsn())
        self.assertEqual((bounce["action"], bounce["status"]), ("failed", "5.1.1"))
        self.assertEqual(bounce["diagnostic"], "550 5.1.1 User unknown")

    def test_d_bounce_dsn_delayed_then_failed(self):
        self.assertEqual(self._bounced(self._dsn("delayed", "4.4.1"))["action"], "delayed")
        self._deliver(self._dsn("failed", "5.4.1"))
        eventually(lambda: self._bounces()[0]["action"] == "failed", "the failure is told")
        self.assertEqual(len(self._bounces()), 1)

    def test_d_bounce_dsn_with_headers_only(self):
        self.assertEqual(self._bounced(self._dsn(kind="text/rfc822-headers"))["status"], "5.1.1")

    def test_d_bounce_exchange_ndr(self):
        """It names what it answers, as a reply does; its author is nobody of the thread."""
        mail = self._dsn(**{
            "From": "Microsoft Outlook <postmaster@creators.example>",
            "Auto-Submitted": "auto-replied", "In-Reply-To": self.thread.first_id,
            "References": self.thread.first_id, "X-MS-Exchange-Message-Is-Ndr": "",
        })
        self.assertEqual(self._bounced(mail)["status"], "5.1.1")

    def test_d_bounce_qmail(self):
        address = self.thread.lea.account.address
        mail = self._from_system(
            "Hi. This is the qmail-send program at mx.creators.example.\n"
            "I'm afraid I wasn't able to deliver your message to the following addresses.\n\n"
            f"<{address}>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
            "--- Below this line is a copy of the message.\n\n"
            f"Return-Path: <{self.scene.maya.address}>\n{self._original()}"
        )
        bounce = self._bounced(mail)
        self.assertEqual(bounce["status"], "5.1.1")
        self.assertIn("no mailbox here", bounce["diagnostic"])

    def test_d_bounce_of_another_recipient_counts_for_nobody(self):
        self._ignored(self._dsn(recipient="outsider@elsewhere.example"))

    def test_d_bounce_of_the_user_s_own_mail_in_our_thread(self):
        """It quotes our id, and so the search names it; what it is about is not ours."""
        secret = self.scene.foreign.token()
        own = (
            f"Message-ID: <typed.in.outlook@brand.example>\nReferences: {self.thread.first_id}\n"
            f"Subject: {secret}\n\n{secret}"
        )
        self._ignored(self._dsn(original=own, note=secret))
        self._ignored(self._dsn(original=own, note=secret, kind="text/rfc822-headers"))
        self._ignored(self._from_system(
            f"<{self.thread.lea.account.address}>:\nno (#5.1.1)\n\n--- Below\n\n{own}"
        ))

    def test_d_bounce_with_a_forged_id(self):
        secret = self.scene.foreign.token()
        local, _, domain = self.thread.first_id.partition("@")
        changed = local[:-1] + ("0" if local[-1] != "0" else "4")
        for forged in (f"{changed}@{domain}", f"{self.thread.first_id[:-1]}.evil.example>"):
            original = f"Message-ID: {forged}\nSubject: {secret}\n\n{secret}"
            self._ignored(self._dsn(original=original, note=secret))

    def test_d_z_no_canary_of_bounces_that_are_not_ours(self):
        self.assert_read(self.thread.reply("ours"), says="ours")
        self.assert_no_canary()

    def test_d_bounce_that_somebody_sent_is_none(self):
        """Whoever saw the Message-ID can write one; only mail systems send from nobody."""
        self.thread.deliver(self._dsn())
        self.scene.settle()
        self.assertEqual(self._bounces(), [])
        self.assertEqual(self.thread.held(), [])

    def _original(self) -> str:
        return self.thread.mail.raw.decode().replace("\r\n", "\n")

    def _from_system(self, text: str, **fields: str) -> bytes:
        return raw_mail(text, {
            "From": "MAILER-DAEMON@mx.creators.example", "To": self.scene.maya.address,
            "Subject": "failure notice", **fields,
        })

    def _dsn(
        self, action: str = "failed", status: str = "5.1.1", *, recipient: str = "",
        original: str = "", note: str = "sorry", kind: str = "message/rfc822", **fields: str,
    ) -> bytes:
        recipient = recipient or self.thread.lea.account.address
        text = (
            f"--b\nContent-Type: text/plain\n\n{note}\n"
            "--b\nContent-Type: message/delivery-status\n\n"
            "Reporting-MTA: dns; mx.creators.example\n\n"
            f"Final-Recipient: rfc822; {recipient}\nAction: {action}\nStatus: {status}\n"
            f"Diagnostic-Code: smtp; 550 {status} User unknown\n\n"
            f"--b\nContent-Type: {kind}\n\n{original or self._original()}\n--b--"
        )
        report = "multipart/report; report-type=delivery-status; boundary=b"
        return self._from_system(text, **{"Content-Type": report, **fields})

    def _bounces(self) -> list[dict]:
        return self.scene.desk.thread(self.thread.id)["messages"][0]["bounces"]

    def _deliver(self, mail: bytes) -> None:
        """With the null return path (RFC 5321 section 4.5.5), as mail systems do."""
        self.scene.box.deliver(mail, sender="")

    def _bounced(self, mail: bytes) -> dict:
        self._deliver(mail)
        (bounce,) = eventually(self._bounces, "the bounce is told")
        self.assertEqual(bounce["recipient"]["address"], self.thread.lea.account.address)
        self.assertEqual(self.thread.received(), [])
        self.assertEqual(self.thread.held(), [])
        return bounce

    def _ignored(self, mail: bytes) -> None:
        self._deliver(mail)
        self.scene.settle()
        self.assertEqual(self._bounces(), [])
        self.assertEqual(self.thread.received(), [])
        self.assertEqual(self.thread.held(), [])


class BounceAtScriptedTest(BounceTest):
    at = AtScripted
    test_d_bounce_by_the_real_mail_system = None


class UnknownTest(unittest.TestCase):
    """A mail whose delivery is unknown: a bounce or a person settles it, nothing sends it again."""

    at = AtDovecot

    def setUp(self) -> None:
        self.scene = Scene(self.at)
        self.addCleanup(self.scene.close)
        self.smtp = ScriptedSmtp(self.scene.lab.pair)
        self.addCleanup(self.smtp.close)
        self.scene.open(smtp={"port": self.smtp.port})
        self.smtp.script["dot"] = CLOSE_AFTER
        self.lea = self.scene.account()
        desk = self.scene.desk
        self.thread_id = desk.write(self.scene.integration, self.lea, "Dot", "x").expect(201)["id"]
        self.message = desk.settled(self.thread_id)
        self.assertEqual(self.message["state"], "unknown")
        eventually(lambda: self.smtp.mails, "the server has the mail that it did not confirm")

    def test_d_bounce_resolves_an_unknown_send(self):
        text = (
            "--b\nContent-Type: text/plain\n\nsorry\n--b\nContent-Type: message/delivery-status\n\n"
            f"X: y\n\nFinal-Recipient: rfc822; {self.lea.address}\nAction: failed\n"
            "Status: 5.2.2\n\n--b\nContent-Type: message/rfc822\n\n"
            f"Message-ID: {self.message['message_id']}\n\nx\n--b--"
        )
        report = "multipart/report; report-type=delivery-status; boundary=b"
        mail = raw_mail(text, {"From": "postmaster@creators.example", "Content-Type": report})
        self.scene.box.deliver(mail, sender="")
        message = eventually(
            lambda: next((m for m in self._messages() if m["state"] == "sent"), None), "resolved"
        )
        self.assertEqual(message["bounces"][0]["status"], "5.2.2")
        self.assertEqual(len(self.smtp.mails), 1)

    def test_d_person_resolves_an_unknown_send(self):
        api, path = self.scene.desk.api, f"/v1/messages/{self.message['id']}/resolve"
        for wrong in ({}, {"state": "queued"}, {"state": "sent", "resend": True}):
            api.post(path, wrong).expect(422)
        nobody = "/v1/messages/msg_00000000000000000000000000/resolve"
        api.post(nobody, {"state": "sent"}).expect(404)
        self.assertEqual(api.post(path, {"state": "failed"}).expect(200)["state"], "failed")
        self.assertEqual(self._messages()[0]["failure_code"], "resolved_by_person")
        api.post(path, {"state": "sent"}).expect(409)
        self.assertEqual(len(self.smtp.mails), 1)

    def _messages(self) -> list[dict]:
        return self.scene.desk.thread(self.thread_id)["messages"]


class UnknownAtScriptedTest(UnknownTest):
    at = AtScripted


class LoopTest(unittest.TestCase):
    def test_d_loop_between_two_postern_mailboxes(self):
        """Both sides are ours: each mail goes out once, nothing answers by itself, and what one
        gets from the other is marked."""
        scene = Scene()
        self.addCleanup(scene.close)
        scene.open()
        other = scene.account("otto", "brand.example")
        second = scene.desk.connect(other)
        there = Thread(scene, to=other)
        body = {
            "integration_id": second.id, "subject": "From the other side", "text": "x",
            "to": [{"address": scene.maya.address}],
        }
        back = scene.desk.api.post("/v1/threads", body).expect(201)["id"]
        scene.desk.sent(back)
        (theirs,) = scene.lab.arrived(scene.maya, 'SUBJECT "From the other side"')
        # As a person at the other mailbox would do it: with their Postern's id, as an answer.
        answer = there.reply("from one to the other", From=other.address, **{
            "Message-ID": str(theirs.parsed["Message-ID"]),
        })
        scene.lab.deliver(scene.maya, answer, sender=other.address)
        (message,) = scene.desk.incoming(there.id)
        self.assertEqual(message["author_kind"], "machine")
        scene.settle()
        scene.desk.act(second, "sync").expect(200)
        for thread, count in ((there.id, 2), (back, 1)):
            self.assertEqual(len(scene.desk.thread(thread)["messages"]), count)
        self.assertEqual(scene.lab.mailbox(scene.maya).count(search='SUBJECT "From the other"'), 1)
        self.assertEqual(scene.lab.mailbox(other).count(), 1)
