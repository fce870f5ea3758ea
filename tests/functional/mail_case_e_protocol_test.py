"""Case E of docs/mail-cases.md: what mail servers do that clients do not expect. Each test plays
one trick at a scripted IMAP server; after it the usual reply is still found, and found once."""

from __future__ import annotations

import re

from lab import creator
from lab.case import LabCase
from lab.creator import Creator
from lab.mail_servers import Account
from lab.postern import CONFIG
from lab.process import eventually
from lab.scripted_imap import ScriptedImap, Session

# The shortest allowed: a mailbox that says nothing is asked then.
POLLED = CONFIG + "\n[mail]\npoll_interval_s = 15\n"
COMMAND_BYTES_MAX = 8192


class ProtocolCase(LabCase):
    """One thread of a mailbox at the scripted server, idling, that waits for its replies."""

    def setUp(self) -> None:
        super().setUp()
        self.imap = ScriptedImap(self.lab.pair)
        self.addCleanup(self.imap.close)
        self.server, self.desk = self.running(config=POLLED)
        self.maya = self.person()
        self.box = self.imap.account(self.maya.name, self.maya.password)
        self.integration = self.desk.connect(self.maya, imap={"port": self.imap.port})
        self.desk.grant(self.integration)
        self.lea = Creator(self.lab, self.creator())
        thread = self.desk.write(self.integration, self.lea.account, "Start", "Hello").expect(201)
        self.thread_id = thread["id"]
        (self.mail,) = self.lea.received("Start")
        self.desk.sent(self.thread_id)
        self.imap.times("APPEND", 1, self.maya.name)
        self.imap.all_idle(1, 60)

    def reply(self, text: str, author: Account | None = None) -> bytes:
        made = creator.plain_reply(self.mail, author or self.lea.account, text)
        return made.as_bytes().replace(b"\n", b"\r\n")

    def foreign(self) -> bytes:
        return b"From: x@elsewhere.example\r\nMessage-ID: <f@elsewhere.example>\r\n\r\nforeign\r\n"

    def deliver(self, raw: bytes, folder: str = "INBOX") -> int:
        return self.imap.deliver(self.maya.name, raw, folder)

    def texts(self, count: int) -> list[str]:
        found = self.desk.incoming(self.thread_id, count, deadline_s=150)
        self.assertEqual(len(found), count)
        return [message["text"].strip() for message in found]

    def goes_on(self, *before: str) -> None:
        """The usual reply is found, and of the earlier ones exactly these are shown."""
        self.deliver(self.reply("the usual one"))
        self.assertEqual(sorted(self.texts(len(before) + 1)), sorted([*before, "the usual one"]))
        self.assertEqual(self.desk.state(self.integration) in ("leased", "granted"), True)

    def once(self, verb: str, trick) -> None:
        """Plays a trick at the next command of this kind, and lets the usual answer follow unless
        it returns True."""

        def play(session: Session, line: str):
            if session.user != self.maya.name:
                return None
            del self.imap.before[verb]
            return trick(session, line)

        self.imap.run(lambda: self.imap.before.__setitem__(verb, play))


class RangeTest(ProtocolCase):
    def test_e_range_up_to_the_newest_names_the_last_mail_below_it(self):
        self.deliver(self.reply("first"))
        self.assertEqual(self.texts(1), ["first"])
        self.imap.all_idle(1, 60)
        fetched = self.imap.count("UID FETCH")
        searched = self.imap.count("UID SEARCH")
        # A mail comes and goes before the search: "2:*" now means mail 1, which is a hit.
        self.once("UID SEARCH", lambda session, _: session.expunge(2))
        self.deliver(self.foreign())
        self.imap.times("UID SEARCH", searched + 1)
        self.imap.all_idle(1, 60)
        self.assertEqual(self.imap.count("UID FETCH"), fetched)
        self.goes_on("first")

    def test_e_commands_stay_below_the_line_limits_of_servers(self):
        self.goes_on()
        longest = max(len(line) for _, line in self.imap.commands)
        self.assertLess(longest, COMMAND_BYTES_MAX)

    def test_e_line_without_end_ends_the_connection_and_nothing_else(self):
        sessions = self.imap.accepted

        def babble(session: Session, _: str) -> bool:
            session.raw(b"* OK " + b"x" * 300_000)
            return True

        self.once("UID SEARCH", babble)
        self.deliver(self.foreign())
        eventually(lambda: self.imap.accepted > sessions, "another connection", 60)
        self.imap.all_idle(1, 60)
        self.goes_on()


class ValidityTest(ProtocolCase):
    def test_e_uidvalidity_changes_and_each_mail_is_taken_once(self):
        self.deliver(self.reply("before"))
        self.assertEqual(self.texts(1), ["before"])

        def renumber() -> None:
            folder = self.box.folders["INBOX"]
            folder.uid_validity += 1
            folder.mails = [(uid + 500, raw) for uid, raw in folder.mails]
            folder.uid_next += 500
            folder.add(self.reply("meanwhile"))
            for session in self.imap.of(self.maya.name):
                session.cut()

        self.imap.run(renumber)
        self.assertEqual(sorted(self.texts(2)), ["before", "meanwhile"])
        self.imap.all_idle(1, 60)
        self.goes_on("before", "meanwhile")

    def test_e_uidvalidity_of_another_folder_changes_while_watched(self):
        self.deliver(self.reply("old"), "Archive")
        self.desk.act(self.integration, "sync").expect(200)
        self.assertEqual(self.texts(1), ["old"])

        def renumber() -> None:
            folder = self.box.folders["Archive"]
            folder.uid_validity += 1
            folder.mails = [(700, self.foreign()), (701, folder.mails[0][1])]
            folder.uid_next = 702

        self.imap.run(renumber)
        self.desk.act(self.integration, "sync").expect(200)
        wire = [line for _, line in self.imap.commands if "FETCH 700" in line]
        self.assertEqual(wire, [])
        self.goes_on("old")


class ConnectionTest(ProtocolCase):
    def test_e_idle_dropped_after_29_minutes(self):
        def drop() -> None:
            for session in self.imap.of(self.maya.name):
                session.say("* BYE Autologout; idle for too long")
                session.cut()
            self.box.folders["INBOX"].add(self.reply("while nobody was there"))

        self.imap.run(drop)
        self.assertEqual(self.texts(1), ["while nobody was there"])
        self.imap.all_idle(1, 60)
        self.goes_on("while nobody was there")

    def test_e_half_open_connection(self):
        """Nothing comes back any more and nothing says so: a poll without an answer shows it."""

        def mute() -> None:
            for session in self.imap.of(self.maya.name):
                session.mute, session.idle_tag = True, ""
            self.box.folders["INBOX"].add(self.reply("into the void"))

        self.imap.run(mute)
        self.assertEqual(self.texts(1), ["into the void"])
        self.goes_on("into the void")

    def test_e_exists_before_idling(self):
        def tell_early(session: Session, _: str) -> None:
            session.open_folder.add(self.reply("early"))
            session.tell()

        self.once("IDLE", tell_early)
        self.deliver(self.foreign())
        self.assertEqual(self.texts(1), ["early"])
        self.goes_on("early")

    def test_e_expunge_between_search_and_fetch_of_the_header(self):
        self.once("UID FETCH", lambda session, _: session.expunge(1))
        self.deliver(self.reply("gone"))
        self.imap.times("UID FETCH", 1)
        self.goes_on()

    def test_e_expunge_between_header_and_body(self):
        def gone(session: Session, line: str) -> None:
            if "BODY.PEEK[]" in line:
                self.imap.before.pop("UID FETCH", None)
                session.expunge(1)
            else:
                self.imap.before["UID FETCH"] = gone

        self.once("UID FETCH", gone)
        self.deliver(self.reply("gone"))
        self.imap.times("UID FETCH", 4)
        # It was verified: that it came, and from whom, is told; its text is missing.
        (shown,) = self.desk.incoming(self.thread_id, 1)
        self.assertEqual(shown["from"]["address"], self.lea.account.address)
        self.goes_on("")


class DisconnectTest(ProtocolCase):
    def test_e_disconnect_within_a_body_and_reconnect_leave_the_history_complete(self):
        """The same bytes as were delivered, once, after each kind of cut; also when the
        integration is gone."""
        raw = self.reply("a long answer " + "x" * 60 + "\n" + "line\n" * 4000)
        cuts = []

        def cut_within(session: Session, line: str) -> bool | None:
            if "BODY.PEEK[]" in line and len(cuts) < 2:
                cuts.append(line)
                uid = int(re.search(r"UID FETCH (\d+)", line)[1])
                session.say(f"* 1 FETCH (UID {uid} BODY[] {{{len(raw)}}}")
                session.raw(raw[: len(raw) // 2])
                session._writer.close()
                return True
            return None

        self.imap.run(lambda: self.imap.before.__setitem__("UID FETCH", cut_within))
        self.deliver(raw)
        (message,) = self.desk.incoming(self.thread_id, 1, deadline_s=150)
        self.assertEqual(len(cuts), 2)
        self.imap.all_idle(1, 60)
        self._same(message["id"], raw)
        self.goes_on(message["text"].strip())
        self.desk.api.delete(f"/v1/integrations/{self.integration.id}").expect(200)
        self._same(message["id"], raw)
        self.assertEqual(len(self.desk.thread(self.thread_id)["messages"]), 3)

    def test_e_at_most_two_connections_to_a_mailbox(self):
        ids = [
            self.desk.write(self.integration, self.lea.account, f"More {n}", "x").expect(201)["id"]
            for n in range(6)
        ]
        for thread_id in ids:
            self.desk.sent(thread_id)
        self.imap.times("APPEND", 7, self.maya.name)
        self.assertLessEqual(self.imap.account_peak[self.maya.name], 2)

    def _same(self, message_id: str, raw: bytes) -> None:
        kept = self.desk.api.get(f"/v1/messages/{message_id}/raw").expect(200).body
        self.assertEqual(kept, raw)
