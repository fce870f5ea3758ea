"""Mail cases A: nothing of other people's mail is asked for, and where a server's search does not
work two thread fields of new mail are, and nothing is kept of them."""

from __future__ import annotations

import email.utils

from lab import canary, faults
from lab.case import LabCase
from lab.creator import Creator
from lab.held_mailbox import AtDovecot, AtScripted, HeldMailbox
from lab.mail_scene import SceneCase, raw_mail
from lab.postern import CONFIG, ROLES
from lab.process import eventually
from lab.scripted_imap import ScriptedImap, Session

OLD_MAILS = 10_000
NEW_MAILS = 1_000
CONNECT_BYTES_MAX = 2048
SEARCH_BYTES_MAX = 150
HEADERS_BYTES_MAX = 350


def foreign(word: str, number: int = 0) -> bytes:
    """The two fields that the fallback fetches hold the word as well, as ids of other mails."""
    lines = (
        f"From: {word} <{word}@elsewhere.example>", "To: maya@brand.example", f"Subject: {word}",
        f"Date: {email.utils.formatdate()}", f"Message-ID: <{number}.m@elsewhere.example>",
        f"In-Reply-To: <{word}@elsewhere.example>",
        f"References: <{number}.root@elsewhere.example> <{word}@elsewhere.example>", "",
        f"Body with {word}",
    )
    return "".join(f"{line}\r\n" for line in lines).encode()


class FullMailboxTest(LabCase):
    at: type[HeldMailbox] = AtDovecot

    def setUp(self) -> None:
        super().setUp()
        self.family = canary.Family("foreign")
        self.server, self.desk = self.running(config='log_level = "debug"\n' + CONFIG)
        self.maya = self.person()
        self.box = self.at(self.lab, self.maya)
        self.addCleanup(self.box.close)

    def test_a_connect_to_10k_mails(self):
        self.box.fill([foreign(self.family.token(), n) for n in range(OLD_MAILS)])
        before = self.box.flags()
        self.assertEqual(len(before), OLD_MAILS)
        integration = self.desk.connect(self.maya, **self.box.ports())
        self.desk.grant(integration)
        eventually(lambda: b" IDLE" in self._said(), "the watch idles", 60)
        (watch,) = [s for s in self.box.sessions() if b" IDLE" in s.from_client]
        self.assertLess(len(watch.from_server), CONNECT_BYTES_MAX)
        self.assertNotIn(b"SEARCH", watch.from_client)
        self._nothing_anywhere()
        self.assertEqual(self.box.flags(), before)

    def test_a_1000_new_unrelated_mails(self):
        integration = self.desk.connect(self.maya, **self.box.ports())
        self.desk.grant(integration)
        eventually(lambda: b" IDLE" in self._said(), "the watch idles", 60)
        before = len(self._heard())
        self.box.deliver(*(foreign(self.family.token(), n) for n in range(NEW_MAILS)))
        self.desk.act(integration, "sync").expect(200)
        self.assertLess((len(self._heard()) - before) / NEW_MAILS, SEARCH_BYTES_MAX)
        self._nothing_anywhere()
        flags = self.box.flags()
        self.assertEqual([uid for uid, seen in flags.items() if "\\Seen" in seen], [])

    def _said(self) -> bytes:
        return b"".join(s.from_client for s in self.box.sessions())

    def _heard(self) -> bytes:
        return b"".join(s.from_server for s in self.box.sessions())

    def _nothing_anywhere(self) -> None:
        scanner = canary.Scanner(self.family)
        found = scanner.scan(self._heard(), "wire") + scanner.scan(self._said(), "wire")
        found += scanner.scan_tree(self.server.folder)
        found += scanner.scan(self.server.metrics().encode(), "metrics")
        self.assertFalse(found, "\n".join(map(str, found[:10])))


class FullMailboxAtScriptedTest(FullMailboxTest):
    at = AtScripted


class BrokenSearchTest(LabCase):
    """A server whose search says NO, finds nothing, or finds everything."""

    def setUp(self) -> None:
        super().setUp()
        self.family = canary.Family("foreign")
        self.imap = ScriptedImap(self.lab.pair)
        self.addCleanup(self.imap.close)
        self.server, self.desk = self.running(config='log_level = "debug"\n' + CONFIG)
        self.maya = self.person()
        self.imap.account(self.maya.name, self.maya.password)
        self.integration = self.desk.connect(self.maya, imap={"port": self.imap.port})
        self.desk.grant(self.integration)
        self.imap.all_idle(1, 60)
        self.lea = Creator(self.lab, self.creator())

    def test_a_search_answers_no(self):
        self.imap.before["UID SEARCH"] = _answering("NO")
        self._falls_back()
        self._nothing_was_kept()

    def test_a_search_answers_nothing(self):
        self.imap.before["UID SEARCH"] = _answering("OK", "* SEARCH")
        self._falls_back()
        self._costs_little()
        self._nothing_was_kept()
        self._wiped_when_looked_at()
        self._goes_back()

    def test_a_search_answers_everything(self):
        """What it names is not looked at: a random label is named, too."""
        self.imap.before["UID SEARCH"] = _finding_all
        self._falls_back()
        self._nothing_was_kept()

    def _write(self, subject: str) -> str:
        thread = self.desk.write(self.integration, self.lea.account, subject, "x").expect(201)
        self.desk.sent(thread["id"])
        return thread["id"]

    def _answer(self, subject: str, text: str) -> None:
        (mail,) = self.lea.received(subject)
        parent = str(mail.parsed["Message-ID"])
        self.imap.deliver(self.maya.name, raw_mail(text, {
            "From": self.lea.account.address, "To": self.maya.address, "Subject": f"Re: {subject}",
            "In-Reply-To": parent, "References": parent,
        }))

    def _falls_back(self) -> None:
        """A foreign mail and a reply, told apart by their thread fields alone."""
        thread = self._write("First")
        eventually(lambda: "search_fails" in self._reasons(), "the probe fails", 60)
        self.imap.deliver(self.maya.name, foreign(self.family.token()))
        self._answer("First", "found by its fields")
        self.imap.deliver(self.maya.name, foreign(self.family.token()))
        (reply,) = self.desk.incoming(thread, 1)
        self.assertIn("found by its fields", reply["text"])
        self.assertEqual(self.desk.held(), [])
        check = self._check()
        self.assertEqual(check["code"], "search_not_working")
        self.assertIn("fetch_thread_fields", [line["command"] for line in self._ledger()])

    def _costs_little(self) -> None:
        for number in range(200):
            self.imap.deliver(self.maya.name, foreign(self.family.token(), number))
        self.desk.act(self.integration, "sync").expect(200)
        lines = [line for line in self._ledger() if line["command"] == "fetch_thread_fields"]
        newest = lines[0]
        self.assertGreater(newest["next_uid"], 200)
        quiet = [line for line in lines if line["first_uid"] > 3]
        mails = sum(line["next_uid"] - line["first_uid"] for line in quiet)
        self.assertGreater(mails, 100)
        self.assertLessEqual(sum(line["bytes"] for line in quiet) / mails, HEADERS_BYTES_MAX)

    def _nothing_was_kept(self) -> None:
        for _, line in self.imap.commands:
            if "FETCH" in line:
                self.assertNotIn("SUBJECT", line)
        scanner = canary.Scanner(self.family)
        found = scanner.scan_tree(self.server.folder)
        found += scanner.scan(self.server.metrics().encode(), "metrics")
        self.assertFalse(found, "\n".join(map(str, found[:10])))

    def _wiped_when_looked_at(self) -> None:
        """The two fields are in courier's memory until its command is answered: what the scan sees
        then it would see later, too."""
        if refusal := faults.ptrace_refusal():
            self.skipTest(refusal)
        end = self.imap.hold_end("UID FETCH")
        self.imap.deliver(self.maya.name, foreign(self.family.token()))
        eventually(lambda: end.held, "the fields are sent, the end of the answer is held back")
        eventually(lambda: self._in_memory("courier"), "the fields are in courier's memory", 60)
        end.release()
        self.desk.act(self.integration, "sync").expect(200)
        for role in ("supervisor", *ROLES):
            found = self._in_memory(role)
            self.assertFalse(found, "\n".join([role, *map(str, found[:10])]))
        self._nothing_was_kept()

    def _in_memory(self, role: str) -> list[canary.Sighting]:
        scanner = canary.Scanner(self.family)
        pids = self.server.processes().get(role, [])
        return [seen for pid in pids for seen in scanner.scan_process(pid, self.scratch)]

    def _goes_back(self) -> None:
        """Each sent mail is a reason to try again."""
        del self.imap.before["UID SEARCH"]
        thread = self._write("Second")
        eventually(lambda: "search_works" in self._reasons(), "the probe passes", 60)
        fetched = self.imap.count("UID FETCH")
        self.imap.deliver(self.maya.name, foreign(self.family.token()))
        self.desk.act(self.integration, "sync").expect(200)
        self.assertEqual(self.imap.count("UID FETCH"), fetched)
        self._answer("Second", "found by the search")
        (reply,) = self.desk.incoming(thread, 1)
        self.assertIn("found by the search", reply["text"])
        self.assertNotIn("code", self._check())

    def _ledger(self) -> list[dict]:
        path = f"/v1/integrations/{self.integration.id}/read-ledger?limit=100"
        return self.desk.api.get(path).expect(200)["items"]

    def _reasons(self) -> list[str]:
        return [line["reason"] for line in self._ledger()]

    def _check(self) -> dict:
        answer = self.desk.act(self.integration, "verify").expect(200).json
        return next(check for check in answer["checks"] if check["name"] == "reply_search")


class FlagsTest(SceneCase):
    def test_a_seen_of_no_mail_changes(self):
        box = self.scene.box
        before = {uid: flags - {"\\Recent"} for uid, flags in box.flags().items()}
        self.assert_read(self.thread.reply("ours"), says="ours")
        after = box.flags()
        for uid, flags in before.items():
            self.assertEqual(after[uid] - {"\\Recent"}, flags)
        self.assertEqual([uid for uid, flags in after.items() if "\\Seen" in flags], [])

    def test_a_z_no_canary_at_the_highest_log_level(self):
        self.assertIn('log_level = "debug"', self.scene.server.config.read_text())
        self.assert_read(self.thread.reply("ours"), says="ours")
        self.assert_no_canary()


class FlagsAtScriptedTest(FlagsTest):
    at = AtScripted


def _answering(word: str, *before: str):
    def hook(session: Session, line: str) -> bool:
        for text in before:
            session.say(text)
        session.say(f"{line.partition(' ')[0]} {word} as the test says")
        return True

    return hook


def _finding_all(session: Session, line: str) -> bool:
    found = " ".join(str(uid) for uid, _ in session.open_folder.mails)
    session.say(f"* SEARCH {found}".rstrip())
    session.say(f"{line.partition(' ')[0]} OK all of them")
    return True
