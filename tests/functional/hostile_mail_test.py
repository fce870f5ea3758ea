"""Hostile mail as replies: huge, deep, broken, smuggled. The thread goes on after each of them."""

from __future__ import annotations

import base64
import email.utils
import os
import re
import signal

from lab import creator
from lab.case import LabCase
from lab.creator import Creator
from lab.mailbox import Mail
from lab.postern import PROJECT
from lab.process import alive, eventually

SAMPLES = PROJECT.parent / "shared" / "data" / "mime"
# Headers of a sample that would make it somebody else's mail.
_ROUTING = re.compile(
    rb"^(from|to|cc|bcc|sender|reply-to|in-reply-to|references|message-id|return-path|delivered-to"
    rb"|resent-[a-z-]+|auto-submitted|list-[a-z-]+|precedence)[ \t]*:",
    re.IGNORECASE,
)


class ThreadCase(LabCase):
    """One thread that waits for its reply."""

    def setUp(self) -> None:
        super().setUp()
        self.server, self.desk = self.running()
        self.maya = self.person()
        self.integration = self.desk.connect(self.maya)
        self.lea = Creator(self.lab, self.creator())
        thread = self.desk.write(self.integration, self.lea.account, "Start", "Hello").expect(201)
        self.thread_id = thread["id"]
        (self.mail,) = self.lea.received("Start")
        self.desk.sent(self.thread_id)

    def deliver(self, *mails: bytes) -> None:
        self.lab.deliver(self.maya, *mails, sender=self.lea.account.address)

    def reply(self, text: str = "fine", **headers: str | None) -> bytes:
        mail = creator.plain_reply(self.mail, self.lea.account, text, **headers)
        return mail.as_bytes().replace(b"\n", b"\r\n")

    def goes_on(self, shown: int) -> list[dict]:
        """A usual reply after the hostile one is shown: nothing hangs, nothing was lost."""
        self.lea.answer(self.mail, "gmail_android", "the usual one")
        found = self.desk.incoming(self.thread_id, shown + 1, deadline_s=180)
        self.assertEqual(len(found), shown + 1)
        self.assertIn("the usual one", found[-1]["text"])
        return found


class HugeTest(ThreadCase):
    def test_fifty_megabytes(self):
        blob = base64.encodebytes(os.urandom(37 << 20)).replace(b"\n", b"\r\n")
        head = self._head(b"multipart/mixed; boundary=b")
        self.deliver(
            head + b"--b\r\nContent-Type: text/plain\r\n\r\nlarge one\r\n--b\r\n"
            b"Content-Type: video/mp4; name=v.mp4\r\nContent-Transfer-Encoding: base64\r\n"
            b"Content-Disposition: attachment; filename=v.mp4\r\n\r\n" + blob + b"--b--\r\n"
        )
        self.goes_on(1)

    def test_a_reader_that_a_mail_has_taken_over_ends_all_the_same(self):
        """A stopped process takes no notice of a closed connection, as such a one would."""
        self.deliver(self._head(b"text/html") + b"<p>many of them</p>\r\n" * (2 << 20))
        reader = self.server.process("reader")
        os.kill(reader, signal.SIGSTOP)
        front = self.server.process("front")
        os.kill(front, signal.SIGKILL)
        eventually(lambda: not alive(reader), "the reader is ended")
        self.assertIn("reader_killed", self.server.log())
        self.goes_on(1)

    def test_fifty_megabytes_of_text_in_one_line(self):
        self.deliver(self._head(b"text/plain") + b"x" * (50 << 20) + b"\r\n")
        self.goes_on(1)

    def test_a_thousand_parts(self):
        part = b"--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nx\r\n"
        self.deliver(self._head(b"multipart/mixed; boundary=b") + part * 1000 + b"--b--\r\n")
        self.goes_on(1)

    def test_a_hundred_levels(self):
        body = b""
        for level in range(100):
            kind = b"Content-Type: multipart/mixed; boundary=b%d" % (level + 1)
            body += b"--b%d\r\n%s\r\n\r\n" % (level, kind)
        body += b"--b100\r\nContent-Type: text/plain\r\n\r\ndeep\r\n"
        self.deliver(self._head(b"multipart/mixed; boundary=b0") + body)
        self.goes_on(1)

    def test_mails_within_mails(self):
        inner = b"Subject: end\r\n\r\nend\r\n"
        for _ in range(100):
            inner = b"Content-Type: message/rfc822\r\n\r\n" + inner
        self.deliver(self._head(b"message/rfc822") + inner)
        self.goes_on(1)

    def test_a_megabyte_of_headers_and_of_references(self):
        mine = str(self.mail.parsed["Message-ID"])
        many = "\r\n ".join(f"<{n}.x@elsewhere.example>" for n in range(1100))
        self.deliver(
            self._head(b"text/plain", b"X-Filler: " + b"y\r\n " * 200_000 + b"z\r\n") + b"one\r\n"
        )
        self.deliver(self.reply("two", References=None, In_Reply_To=None).replace(
            b"Subject:", f"References: {many}\r\n {mine}\r\nSubject:".encode(), 1
        ))
        self.goes_on(2)

    def test_a_thousand_nested_html_tags_and_entities(self):
        html = b"<div>" * 20_000 + b"deep" + b"&amp;" * 50_000 + b"<a href=x>" * 5_000
        self.deliver(self._head(b"text/html; charset=utf-8") + html + b"\r\n")
        self.goes_on(1)

    def _head(self, kind: bytes, more: bytes = b"") -> bytes:
        return _thread_head(self.mail, self.lea.account.address) + more + (
            b"MIME-Version: 1.0\r\nContent-Type: " + kind + b"\r\n\r\n"
        )


class SamplesTest(ThreadCase):
    def test_every_sample_mail_as_a_reply(self):
        files = sorted(path for path in SAMPLES.rglob("*") if path.is_file())
        if not files:
            self.skipTest(f"{SAMPLES} is not beside the project")
        self.deliver(*(
            _thread_head(self.mail, self.lea.account.address) + _without_routing(path.read_bytes())
            for path in files
        ))
        self.goes_on(len(files))


class AdmissionTest(ThreadCase):
    """Which mail is ours: thread ids that we issued, from people who take part."""

    def test_the_reply_is_found_however_its_ids_are_written(self):
        mine = str(self.mail.parsed["Message-ID"])
        forms = {
            "In-Reply-To only": {"References": None},
            "References only": {"In_Reply_To": None},
            "comment after the id": {"In_Reply_To": f"{mine} (your mail of Monday)"},
            "case of the domain": {"In_Reply_To": _upper_domain(mine), "References": None},
            "other subject": {"Subject": "Something else entirely"},
        }
        for name, headers in forms.items():
            self.deliver(self.reply(name, **headers))
        self.deliver(self.reply("folded").replace(b"In-Reply-To: ", b"In-Reply-To:\r\n\t"))
        found = self.goes_on(len(forms) + 1)
        said = [message["text"] for message in found]
        for name in (*forms, "folded"):
            self.assertTrue(any(name in text for text in said), f"{name} not in {said}")

    def test_in_junk_and_archive(self):
        for folder in ("Junk", "Archive"):
            self.lab.mailbox(self.maya).append(self.reply(f"in {folder}"), folder)
        self.desk.act(self.integration, "sync").expect(200)
        said = " ".join(message["text"] for message in self.goes_on(2))
        self.assertIn("in Junk", said)
        self.assertIn("in Archive", said)

    def test_an_outsider_is_held_until_a_person_accepts(self):
        otto = self.creator("otto")
        mail = creator.plain_reply(self.mail, otto, "let me answer for her")
        self.lab.submit(otto, [self.maya.address], mail.as_bytes())
        self.goes_on(0)
        (held,) = self.desk.held()
        self.assertIn(otto.address, str(held))
        self.assertNotIn("let me answer", str(held))
        self.desk.api.post(f"/v1/held/{held['id']}/accept").expect(200)
        found = self.desk.incoming(self.thread_id, 2)
        self.assertTrue(any("let me answer" in message["text"] for message in found))

    def test_a_new_recipient_is_held(self):
        self.deliver(self.reply("with my agent", Cc="agent@elsewhere.example"))
        self.goes_on(0)
        (held,) = self.desk.held()
        self.desk.api.post(f"/v1/held/{held['id']}/refuse").expect(200, 204)
        self.assertEqual(self.desk.held(), [])
        self.goes_on(1)

    def test_ids_that_only_look_like_ours_are_not_read(self):
        mine = str(self.mail.parsed["Message-ID"]).strip("<>")
        local, _, domain = mine.partition("@")
        words = local.split(".")
        changed = words[3][:-1] + ("a" if words[3][-1] != "a" else "b")
        forged = (
            f"<{mine}.evil.example>",
            f"<x{mine}>",
            f"<{'.'.join([*words[:3], changed])}@{domain}>",
            f"<{'.'.join([words[0], words[1], '99', words[3]])}@{domain}>",
            f"<{local}@other.ptn.brand.example>",
        )
        for number, name in enumerate(forged):
            self.deliver(self.reply(f"forged {number}", In_Reply_To=name, References=name))
        alone = {"In_Reply_To": None, "References": None}
        self.deliver(self.reply("in the subject", Subject=mine, **alone))
        self.deliver(self.reply(f"in the body {mine}", **alone))
        self.deliver(self.reply("elsewhere", X_Thread=f"<{mine}>", **alone))
        self.goes_on(0)
        self.assertEqual(self.desk.held(), [])
        wire = b"".join(session.from_server for session in self.lab.sessions(self.maya))
        for word in (b"forged ", b"in the subject", b"in the body", b"elsewhere\r\n"):
            self.assertNotIn(word, wire)

    def test_mail_of_the_mailbox_s_own_address_is_never_read(self):
        mail = creator.plain_reply(self.mail, self.maya, "private note to myself")
        mail.replace_header("To", self.lea.account.address)
        self.lab.mailbox(self.maya).append(mail.as_bytes(), "INBOX")
        self.goes_on(0)
        self.assertEqual(self.desk.held(), [])
        wire = b"".join(session.from_server for session in self.lab.sessions(self.maya))
        self.assertNotIn(b"private note", wire)


def _thread_head(mail: Mail, sender: str) -> bytes:
    lines = (
        f"From: {sender}", f"To: {creator.sender_of(mail)}", f"Date: {email.utils.formatdate()}",
        f"Message-ID: <{os.urandom(8).hex()}@creators.example>",
        f"In-Reply-To: {mail.parsed['Message-ID']}", f"References: {creator.references(mail)}",
    )
    return "".join(f"{line}\r\n" for line in lines).encode()


def _without_routing(raw: bytes) -> bytes:
    """The sample with its own sender, recipients and ids left out, the rest as it is."""
    kept, dropping, in_head = [], False, True
    for line in raw.splitlines(keepends=True):
        if in_head and not line.strip(b"\r\n"):
            in_head = False
        if in_head:
            dropping = (dropping and line[:1] in b" \t") or bool(_ROUTING.match(line))
            if dropping:
                continue
        kept.append(line)
    return b"".join(kept)


def _upper_domain(message_id: str) -> str:
    local, at, domain = message_id.partition("@")
    return local + at + domain.upper()
