"""Mail cases B and C: answers that name no id of ours, but go to an address made for one thread."""

from __future__ import annotations

import email.utils
import sqlite3
import unittest

from lab import canary
from lab.case import LabCase
from lab.desk import Connected, Desk
from lab.mail_scene import Scene, SceneCase, Thread, raw_mail
from lab.mail_servers import MailServers
from lab.process import eventually


def check_of(desk: Desk, integration: Connected, body: dict | None = None) -> dict:
    """The line about reply addresses in the checklist."""
    answer = desk.act(integration, "verify", body).expect(200).json
    return next(check for check in answer["checks"] if check["name"] == "reply_address")


def probed(desk: Desk, integration: Connected) -> str:
    """A person asks, and waits for what comes of it."""
    asked = check_of(desk, integration, {"reply_address": True})
    if asked["code"] not in ("waiting", "arrives", "did_not_arrive"):
        raise AssertionError(asked)

    def found() -> str:
        desk.act(integration, "sync").expect(200)
        code = check_of(desk, integration)["code"]
        return code if code != "waiting" else ""

    return eventually(found, "the probe arrived or came back", 90)


def reply_address_of(thread: Thread) -> str:
    """As the creator's client reads it in the first mail."""
    (field,) = thread.mail.parsed.get_all("Reply-To")
    return email.utils.parseaddr(str(field))[1]


class ReplyAddressCase(SceneCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        state = probed(cls.scene.desk, cls.scene.integration)
        if state != "arrives":
            raise AssertionError(state)

    def addressed(self, text: str, to: str = "", **fields: str | None) -> bytes:
        """An answer without any thread header."""
        usual: dict[str, str | None] = {
            "To": to or reply_address_of(self.thread), "In_Reply_To": None, "References": None,
        }
        return self.thread.reply(text, **{**usual, **fields})

    def secret(self) -> str:
        return self.scene.foreign.token()

    def unread(self, to: str = "", **fields: str | None) -> bytes:
        """One that must not be read, with a canary in subject and body."""
        secret = self.secret()
        return self.addressed(f"smuggled {secret}", to, **{"Subject": secret, **fields})


class MatchTest(ReplyAddressCase):
    def test_b_no_thread_headers_but_the_reply_address(self):
        """Through the real mail system, as a client sends it that drops all thread headers."""
        address = reply_address_of(self.thread)
        local, _, domain = self.scene.maya.address.partition("@")
        self.assertRegex(address, rf"^{local}\+[a-z0-9]{{12}}\.[0-9a-z]{{16}}@{domain}$")
        raw = self.addressed("by the address alone")
        self.scene.lab.submit(self.thread.lea.account, [address], raw)
        (found,) = self.scene.desk.incoming(self.thread.id, 1)
        self.assertIn("by the address alone", found["text"])
        self.assertEqual(self.thread.held(), [])

    def test_b_reply_address_in_other_case_or_in_cc(self):
        address = reply_address_of(self.thread)
        self.assert_read(self.addressed("shouted", address.upper()), says="shouted")
        in_cc = self.addressed("in copy", self.scene.maya.address, Cc=f"Maya <{address}>")
        self.assert_read(in_cc, says="in copy")

    def test_b_reply_address_beside_the_thread_headers(self):
        both = self.thread.reply("both", To=reply_address_of(self.thread))
        self.assert_read(both, says="both")

    def test_b_reply_address_of_a_second_mail_is_the_same(self):
        desk = self.scene.desk
        self.assert_read(self.addressed("first"), says="first")
        body = {"text": "and more"}
        desk.api.post(f"/v1/threads/{self.thread.id}/messages", body).expect(201)
        mails = self.thread.lea.received(str(self.thread.mail.parsed["Subject"]), 2)
        named = {str(mail.parsed["Reply-To"]) for mail in mails}
        self.assertEqual(len(named), 1)
        self.assert_read(self.addressed("second"), says="second")

    def test_b_z_no_canary_of_mail_beside_reply_addresses(self):
        self.assert_read(self.addressed("ours"), says="ours")
        self.assert_no_canary()


class SmugglingTest(ReplyAddressCase):
    def test_c_reply_address_with_a_wrong_mac(self):
        address = reply_address_of(self.thread)
        before, _, domain = address.partition("@")
        last = "0" if before[-1] != "0" else "4"
        self.assert_ignored(
            self.unread(f"{before[:-1]}{last}@{domain}"),
            self.unread(f"{before[:-16]}{'0' * 16}@{domain}"),
        )

    def test_c_reply_address_of_another_mailbox(self):
        local, _, domain = reply_address_of(self.thread).partition("@")
        _, _, detail = local.partition("+")
        box, _, tag = detail.partition(".")
        other = self.scene.account("other", "brand.example").name
        self.assert_ignored(
            self.unread(f"{other}+{detail}@{domain}"),
            self.unread(f"{self.scene.maya.name}+{box[::-1]}.{tag}@{domain}"),
            self.unread(f"{local}@elsewhere.example"),
        )

    def test_c_superstrings_and_prefixes_of_a_reply_address(self):
        address = reply_address_of(self.thread)
        local, _, domain = address.partition("@")
        self.assert_ignored(
            self.unread(f"x{address}"), self.unread(f"{address}.evil.example"),
            self.unread(f"{local}0@{domain}"), self.unread(f"{local[:-1]}@{domain}"),
            self.unread(f"{local[:-16]}@{domain}"), self.unread(f"{local}+x@{domain}"),
            self.unread(f"evil@evil.example, <{local}%{domain}@evil.example>"),
        )

    def test_c_reply_address_only_in_the_subject_body_or_another_header(self):
        address = reply_address_of(self.thread)
        own = self.scene.maya.address
        secret = self.secret()
        self.assert_ignored(
            self.unread(own, Subject=f"{address} {secret}"),
            self.unread(own, **{
                "X-To": address, "Reply-To": address, "Resent-To": address, "Bcc": address,
            }),
            self.unread(f'"{address}" <{own}>'), self.unread(f"{own} ({address})"),
            self.addressed(f"To: {address} {secret}", own, Subject=secret),
        )

    def test_c_reply_address_from_an_outsider(self):
        """Held; one click admits."""
        otto = self.scene.account("otto")
        held = self.assert_held(self.unread(From=otto.address), reason="not_a_participant")
        self.assertEqual(held["sender"]["address"], otto.address)

    def test_c_outsider_at_a_reply_address_is_read_when_accepted(self):
        agent = self.scene.account("agent")
        mail = self.addressed("I am her agent", From=agent.address)
        held = self.assert_held(mail, reason="not_a_participant")
        self.scene.desk.api.post(f"/v1/held/{held['id']}/accept").expect(200)
        (message,) = self.thread.received()
        self.assertIn("I am her agent", message["text"])

    def test_c_reply_address_of_another_thread_beside_an_id(self):
        other = self.scene.thread()
        secret = self.secret()
        mixed = self.thread.reply(f"mixed {secret}", To=reply_address_of(other), Subject=secret)
        self.assert_held(mixed, reason="new_recipient")
        self.assertEqual(other.received(), [])

    def test_c_private_cc_beside_a_reply_address(self):
        self.assert_held(self.unread(Cc="friend@elsewhere.example"), reason="new_recipient")

    def test_c_mail_from_the_mailbox_to_a_reply_address(self):
        own = self.scene.maya.address
        self.assert_ignored(
            self.unread(From=own), self.unread(From=reply_address_of(self.thread))
        )

    def test_c_z_no_canary_of_mail_to_forged_reply_addresses(self):
        self.assert_read(self.addressed("ours"), says="ours")
        self.assert_no_canary()


class DeletedThreadTest(unittest.TestCase):
    def test_c_reply_address_of_a_deleted_thread(self):
        scene = Scene()
        self.addCleanup(scene.close)
        scene.open()
        self.assertEqual(probed(scene.desk, scene.integration), "arrives")
        gone, stays = Thread(scene), Thread(scene)
        scene.server.stop()
        oldest = "SELECT thread_id FROM threads ORDER BY created_at_ms LIMIT 1"
        mails = f"SELECT message_id FROM messages WHERE thread_id = ({oldest})"
        with sqlite3.connect(next(scene.server.data.rglob("store.db"))) as base:
            for table in ("raw_mails", "message_wraps"):
                base.execute(f"DELETE FROM {table} WHERE message_id IN ({mails})")
            for table in ("messages", "thread_people", "threads"):
                base.execute(f"DELETE FROM {table} WHERE thread_id = ({oldest})")
        scene.server.start()
        secret = scene.foreign.token()
        none = {"In_Reply_To": None, "References": None}
        late = {"To": reply_address_of(gone), "Subject": secret}
        gone.deliver(gone.reply(f"too late {secret}", **none, **late))
        stays.deliver(stays.reply("still here", To=reply_address_of(stays), **none))
        (message,) = scene.desk.incoming(stays.id, 1)
        self.assertIn("still here", message["text"])
        self.assertEqual(scene.desk.held(), [])
        scanner = canary.Scanner(scene.foreign)
        found = scanner.scan(scene.wire(), "wire") + scanner.scan_tree(scene.server.folder)
        self.assertFalse(found, "\n".join(map(str, found[:10])))


class ProbeTest(LabCase):
    """What a person sees who asks whether reply addresses arrive."""

    def test_one_mail_is_sent_when_asked_and_none_before(self):
        _, desk, integration = self.connected(grant=True)
        maya = self.lab.by_address(integration.address)
        self.assertEqual(check_of(desk, integration)["code"], "not_tried")
        self.assertEqual(self.lab.mailbox(maya).count("INBOX", "ALL"), 0)
        self.assertEqual(probed(desk, integration), "arrives")
        (mail,) = self.lab.arrived(maya)
        local, _, domain = maya.address.partition("@")
        self.assertRegex(str(mail.parsed["To"]), rf"^{local}\+[a-z0-9.]{{29}}@{domain}$")
        self.assertEqual(str(mail.parsed["Auto-Submitted"]), "auto-generated")
        self.assertIn("can be deleted", mail.parsed.get_content())
        self.assertEqual(desk.held(), [])
        self.assertEqual(desk.api.get("/v1/threads").expect(200)["items"], [])

    def test_mail_names_no_reply_address_before_one_arrived(self):
        _, desk, integration = self.connected(grant=True)
        lea = self.creator()
        thread = desk.write(integration, lea, "Offer", "x").expect(201)["id"]
        desk.sent(thread)
        (mail,) = self.lab.arrived(lea)
        self.assertIsNone(mail.parsed["Reply-To"])

    def test_arrival_survives_a_restart(self):
        server, desk, integration = self.connected(grant=True)
        self.assertEqual(probed(desk, integration), "arrives")
        lea = self.creator()
        thread = desk.write(integration, lea, "Offer", "x").expect(201)["id"]
        desk.sent(thread)
        (mail,) = self.lab.arrived(lea)
        server.stop()
        server.start()
        desk.unlock(integration).expect(200)
        self.assertEqual(check_of(desk, integration)["code"], "arrives")
        address = email.utils.parseaddr(str(mail.parsed["Reply-To"]))[1]
        answer = raw_mail("after it", {"From": lea.address, "To": address, "Subject": "new"})
        self.lab.submit(lea, [address], answer)
        (found,) = desk.incoming(thread, 1)
        self.assertIn("after it", found["text"])

    def test_mailbox_that_only_sends_or_is_closed_sends_none(self):
        server, desk = self.running()
        only_sends = desk.connect(self.person(), level="send_only")
        desk.grant(only_sends, verbs=("send",))
        refused = desk.act(only_sends, "verify", {"reply_address": True})
        self.assertEqual((refused.status, refused.json["code"]),
                         (422, "reply_address_not_possible"))
        wrong = desk.act(only_sends, "verify", {"reply_address": "yes"})
        self.assertEqual(wrong.status, 422)


class NoPlusAddressesTest(LabCase):
    """A mail system for which name+anything is nobody."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.own_lab = MailServers(plus_addresses=False)
        cls.addClassCleanup(cls.own_lab.close)
        cls.own_lab.start()

    @property
    def lab(self) -> MailServers:
        return self.own_lab

    def test_probe_that_bounces_did_not_arrive_and_mail_names_no_reply_address(self):
        _, desk, integration = self.connected(grant=True)
        self.assertEqual(probed(desk, integration), "did_not_arrive")
        lea = self.creator()
        thread = desk.write(integration, lea, "Offer", "x").expect(201)["id"]
        desk.sent(thread)
        (mail,) = self.lab.arrived(lea)
        self.assertIsNone(mail.parsed["Reply-To"])
        answer = raw_mail("as ever", {
            "From": lea.address, "To": integration.address, "Subject": "Re: Offer",
            "In-Reply-To": str(mail.parsed["Message-ID"]),
        })
        self.lab.submit(lea, [integration.address], answer)
        (found,) = desk.incoming(thread, 1)
        self.assertIn("as ever", found["text"])
        self.assertTrue(desk.act(integration, "verify").expect(200).json["good"])
