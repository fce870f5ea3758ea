"""Mail cases B: a reply to ours is found however its client writes, and nothing else is read."""

from __future__ import annotations

import base64
import email.header

from lab.held_mailbox import AtScripted
from lab.mail_scene import SceneCase, Thread, raw_mail
from lab.mailbox import Mail


class MatchTest(SceneCase):
    def test_b_in_reply_to_only(self):
        self.assert_read(self.thread.reply("irt alone", References=None), says="irt alone")

    def test_b_references_only(self):
        self.assert_read(self.thread.reply("refs alone", In_Reply_To=None), says="refs alone")

    def test_b_folded(self):
        mine = self.thread.first_id
        for name in ("In_Reply_To", "References"):
            others = {"In_Reply_To": None, "References": None}
            folded = {**others, name: f"\n {mine}"}
            self.assert_read(self.thread.reply(f"folded {name}", **folded), says=f"folded {name}")

    def test_b_tabbed(self):
        mine = self.thread.first_id
        mail = self.thread.reply(
            "tabbed", In_Reply_To=f"\n\t{mine}", References=f"\t<a@b.example>\n\t{mine}\t"
        )
        self.assert_read(mail, says="tabbed")

    def test_b_comment_after_the_id(self):
        mine = self.thread.first_id
        mail = self.thread.reply(
            "commented", In_Reply_To=f"{mine} (your mail (of Monday))", References=None
        )
        self.assert_read(mail, says="commented")

    def test_b_missing_brackets(self):
        bare = self.thread.first_id.strip("<>")
        self.assert_read(
            self.thread.reply("bare", In_Reply_To=bare, References=None),
            self.thread.reply("half", In_Reply_To=f"<{bare}", References=None), says="bare",
        )

    def test_b_case_changed_domain(self):
        local, _, domain = self.thread.first_id.partition("@")
        shouted = f"{local}@{domain.upper()}"
        self.assert_read(
            self.thread.reply("shouted", In_Reply_To=shouted, References=None), says="shouted"
        )

    def test_b_encoded_word_id(self):
        """Some gateways encode the whole value, label included: the search cannot see into
        base64, quoted-printable words keep the letters."""
        word = email.header.Header(self.thread.first_id, "utf-8")
        quoted = f"=?utf-8?Q?=3C{self.thread.first_id.strip('<>')}=3E?="
        self.assert_read(
            self.thread.reply("as Q word", In_Reply_To=quoted, References=None), says="as Q word"
        )
        self.assert_read(
            self.thread.reply("as B word", In_Reply_To=word.encode(), References=None),
            says="as B word",
        )

    def test_b_two_in_reply_to_fields(self):
        two = f"<other@elsewhere.example>\nIn-Reply-To: {self.thread.first_id}"
        self.assert_read(self.thread.reply("two", In_Reply_To=two, References=None), says="two")

    def test_b_1100_references_with_ours_first(self):
        self.assert_read(self._many(0), says="among many")

    def test_b_1100_references_with_ours_in_the_middle(self):
        self.assert_read(self._many(550), says="among many")

    def test_b_1100_references_with_ours_last(self):
        self.assert_read(self._many(1099), says="among many")

    def _many(self, place: int) -> bytes:
        ids = [f"<{number}.filler@elsewhere.example>" for number in range(1099)]
        ids.insert(place, self.thread.first_id)
        return self.thread.reply("among many", In_Reply_To=None, References="\n ".join(ids))

    def test_b_header_of_64_kb(self):
        self._big(64 << 10)

    def test_b_header_of_1_mb(self):
        self._big(1 << 20)

    def _big(self, size: int) -> None:
        """In a field that is passed over, and in the one that is looked at, with ours at either
        end of it."""
        filler = "\n " + "\n ".join(["x" * 70] * (size // 73))
        self.assert_read(self.thread.reply("elsewhere", **{"X-Filler": filler}), says="elsewhere")
        ids = "\n ".join(f"<{number:06}.filler@elsewhere.example>" for number in range(size // 36))
        mine = self.thread.first_id
        for place, value in (("first", f"{mine}\n {ids}"), ("last", f"{ids}\n {mine}")):
            mail = self.thread.reply(f"ours {place}", In_Reply_To=None, References=value)
            self.assert_read(mail, says=f"ours {place}")

    def test_b_references_cut_to_the_last_10(self):
        chain = [f"<{number}.later@creators.example>" for number in range(9)]
        mail = self.thread.reply(
            "cut", In_Reply_To=chain[-1], References=" ".join([self.thread.first_id, *chain])
        )
        self.assert_read(mail, says="cut")

    def test_b_subject_changed(self):
        mail = self.thread.reply("new subject", Subject="Something else entirely")
        self.assert_read(mail, says="new subject")

    def test_b_subject_prefixes(self):
        for prefix in ("AW:", "SV:", "回复:"):
            subject = email.header.Header(f"{prefix} Offer", "utf-8").encode()
            self.assert_read(self.thread.reply(f"with {prefix}", Subject=subject),
                             says=f"with {prefix}")

    def test_b_second_mail_after_the_user_answered_from_outlook(self):
        """The user's own answer is never read; what the creator writes to it is, by our root."""
        self.assert_read(self.thread.reply("first answer"), says="first answer")
        secret = self.scene.foreign.token()
        outlook = raw_mail(
            f"typed in Outlook {secret}",
            {
                "From": self.scene.maya.address, "To": self.thread.lea.account.address,
                "Subject": f"Re: {secret}", "In-Reply-To": "<first.answer@creators.example>",
                "References": f"{self.thread.first_id} <first.answer@creators.example>",
                "Message-ID": f"<AS8PR{self.thread.id}@eurprd07.prod.outlook.com>",
            },
        )
        self.scene.box.append(outlook, "Sent")
        self.scene.lab.deliver(self.thread.lea.account, outlook, sender=self.scene.maya.address)
        answered = Mail("INBOX", 0, frozenset(), outlook)
        self.assert_read(self.thread.reply("second answer", to=answered, Subject="Re: yours"),
                         says="second answer")

    def test_b_reply_from_another_own_address(self):
        """Held, because nobody knows yet that it is the same person; one click admits."""
        other = self.scene.account("leaprivate")
        mail = self.thread.reply("from my other address", From=other.address)
        held = self.assert_held(mail, reason="not_a_participant")
        self.assertEqual(held["sender"]["address"], other.address)
        self.scene.desk.api.post(f"/v1/held/{held['id']}/accept").expect(200)
        self.assert_read(self.thread.reply("again from there", From=other.address),
                         says="again from there")

    def test_b_reply_lands_in_junk(self):
        self._lands_in("Junk")

    def test_b_reply_lands_in_archive(self):
        self._lands_in("Archive")

    def _lands_in(self, folder: str) -> None:
        mail = self.thread.reply(f"in {folder}")
        self.scene.box.append(mail, folder)
        self.scene.settle()
        (message,) = self.thread.received()
        self.assertIn(f"in {folder}", message["text"])

    def test_b_no_thread_headers_at_all(self):
        secret = self.scene.foreign.token()
        self.assert_ignored(
            self.thread.reply(f"no headers {secret}", In_Reply_To=None, References=None)
        )

    def test_b_outlooks_thread_index_alone(self):
        """A hint: held, and read once a person accepts it."""
        held = self.assert_held(self._indexed("from a phone"), reason="thread_index_only")
        self.assertEqual(held["sender"]["address"], self.thread.lea.account.address)
        self.scene.desk.api.post(f"/v1/held/{held['id']}/accept").expect(200)
        (message,) = self.thread.received()
        self.assertIn("from a phone", message["text"])
        self.assertEqual(self.thread.held(), [])

    def test_b_thread_index_of_somebody_else(self):
        """The time of ours and another conversation, and another time with ours."""
        secret = self.scene.foreign.token()
        self.assert_ignored(*(self._indexed(f"another {secret}", place) for place in (8, 2)))

    def _indexed(self, text: str, changed: int | None = None) -> bytes:
        """Without ids, and with what Outlook makes of the Thread-Index of ours."""
        index = bytearray(base64.b64decode(self.thread.mail.parsed["Thread-Index"]))
        self.assertEqual(len(index), 22)
        if changed is not None:
            index[changed] ^= 1
        added = base64.b64encode(bytes(index) + b"\x80\x01\x02\x03\x04").decode()
        return self.thread.reply(text, In_Reply_To=None, References=None, Thread_Index=added)

    def test_b_z_no_canary_of_foreign_mail(self):
        self.assert_read(self.thread.reply("ours"), says="ours")
        self.assert_no_canary()


class MatchAtScriptedTest(MatchTest):
    at = AtScripted
