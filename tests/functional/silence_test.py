"""Only our own threads are read: a mailbox full of other people's mail, with a canary in every
part of it, and a search of everything Postern touched."""

from __future__ import annotations

import email.utils
import pathlib
import re
import shutil
import tempfile
import unittest
from email.message import EmailMessage

from lab import canary, faults
from lab.case import shared_lab
from lab.creator import Creator
from lab.desk import Desk
from lab.postern import ROLES, Postern

OLD_MAILS = 1000
NEW_MAILS = 1000


class Scene:
    """One mailbox's day, played once: unrelated mail before, during and after our own thread."""

    def __init__(self) -> None:
        self.lab = shared_lab()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pst-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.foreign = canary.Family("foreign")
        self.ours = canary.Family("ours")
        self.maya = self.lab.account("silence", "brand.example")
        self.lea = Creator(self.lab, self.lab.account("silencelea", "creators.example"))
        self.server = Postern(self.folder / "postern")

    def play(self) -> None:
        self.lab.fill(self.maya, [self._foreign_mail(n) for n in range(OLD_MAILS)])
        self.server.init()
        token = self.server.token()
        self.server.start()
        self.desk = Desk(self.server.api(token), self.lab)
        self.flags_before = self.lab.mailbox(self.maya).flags()
        self.integration = self.desk.connect(self.maya)
        self.desk.grant(self.integration)

        subject, text = f"Hi {self.ours.token()}", f"Our words {self.ours.token()}"
        thread = self.desk.write(self.integration, self.lea.account, subject, text).expect(201)
        self.thread_id = thread["id"]
        (mail,) = self.lea.received(subject)
        self.desk.sent(self.thread_id)

        new = [self._foreign_mail(OLD_MAILS + n) for n in range(NEW_MAILS)]
        self.lab.deliver(self.maya, *new[: NEW_MAILS // 2])
        self.lea.answer(mail, "gmail_web", f"with {self.ours.token()}")
        self.desk.incoming(self.thread_id, 1)
        self.lab.deliver(self.maya, *new[NEW_MAILS // 2 :])
        # A later reply of ours is the sign that all mail before it was looked at.
        self.lea.answer(mail, "thunderbird", f"and {self.ours.token()}")
        self.desk.incoming(self.thread_id, 2)

    def close(self) -> None:
        self.server.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _foreign_mail(self, number: int) -> bytes:
        """Unrelated mail of several kinds, some of it from our own creator."""
        mail = EmailMessage()
        sender = f"{self.foreign.token()}@elsewhere.example"
        mail["From"] = f"{self.foreign.token()} <{sender}>"
        if number % 7 == 0:
            mail.replace_header("From", f"{self.foreign.token()} <{self.lea.account.address}>")
        mail["To"] = self.maya.address
        mail["Subject"] = f"{'Hi' if number % 3 else 'Re:'} {self.foreign.token()}"
        mail["Date"] = email.utils.formatdate()
        mail["Message-ID"] = f"<{number}.x@elsewhere.example>"
        if number % 3 == 0:
            parent = f"<{number}.parent@elsewhere.example>"
            mail["In-Reply-To"] = parent
            mail["References"] = f"<{number}.root@elsewhere.example> {parent}"
        if number % 5 == 0:
            mail["Auto-Submitted"] = "auto-replied"
        mail.set_content(f"Body with {self.foreign.token()}\n")
        if number % 2:
            mail.add_alternative(f"<p>{self.foreign.token()}</p>", subtype="html")
        mail.add_attachment(
            f"{self.foreign.token()}\n".encode() * 20, maintype="application",
            subtype="octet-stream", filename=f"{self.foreign.token()}.bin",
        )
        return mail.as_bytes().replace(b"\n", b"\r\n")


class SilenceTest(unittest.TestCase):
    scene: Scene

    @classmethod
    def setUpClass(cls) -> None:
        cls.scene = Scene()
        cls.addClassCleanup(cls.scene.close)
        cls.scene.play()
        cls.scanner = canary.Scanner(cls.scene.foreign)

    def test_no_canary_on_the_wire_after_sign_in(self):
        sessions = self.scene.lab.sessions(self.scene.maya)
        self.assertTrue(sessions)
        for session in sessions:
            for name, data in (("server", session.from_server), ("client", session.from_client)):
                self._nothing(self.scanner.scan(data, f"{session.name} from {name}"))

    def test_the_wire_log_would_have_shown_one(self):
        ours = canary.Scanner(self.scene.ours)
        wire = b"".join(s.from_server for s in self.scene.lab.sessions(self.scene.maya))
        self.assertTrue(ours.scan(wire, "wire"), "our own replies are not in the wire log")

    def test_no_canary_in_store_log_temp_or_metrics(self):
        self._nothing(self.scanner.scan_tree(self.scene.server.folder))
        self._nothing(self.scanner.scan(self.scene.server.metrics().encode(), "metrics"))

    def test_a_planted_copy_is_found_in_the_same_places(self):
        place = self.scene.server.data / "planted"
        place.mkdir()
        try:
            planted = canary.plant(self.scene.foreign.token(), place)
            seen = " ".join(map(str, self.scanner.scan_tree(self.scene.server.folder)))
            for form in ("raw", "base64_0", "base64_1", "base64_2", "gzip"):
                self.assertIn(str(planted[form]), seen)
        finally:
            shutil.rmtree(place)

    def test_our_own_mail_is_stored_sealed_only(self):
        ours = canary.Scanner(self.scene.ours)
        self._nothing(ours.scan_tree(self.scene.server.folder))
        address = self.scene.lea.account.address.encode()
        for path in self.scene.server.folder.rglob("*"):
            if path.is_file() and path != self.scene.server.config:
                self.assertNotIn(address, path.read_bytes(), f"the creator's address in {path}")

    def test_no_secret_or_password_at_rest_or_in_the_log(self):
        for word in (self.scene.integration.secret, self.scene.maya.password):
            for path in self.scene.server.folder.rglob("*"):
                if path.is_file():
                    self.assertNotIn(word.encode(), path.read_bytes(), str(path))

    def test_no_canary_in_the_memory_of_any_process(self):
        if refusal := faults.ptrace_refusal():
            self.skipTest(refusal)
        processes = self.scene.server.processes()
        for role in ("supervisor", *ROLES):
            for pid in processes.get(role, []):
                with self.subTest(f"{role} {pid}"):
                    core = canary.dump(pid, self.scene.folder)
                    marker = _marker(pid)
                    self.assertTrue(canary.holds(core, marker), f"the dump lacks {marker!r}")
                    found = self.scanner.scan_file(core)
                    core.unlink()
                    self._nothing(found)

    def test_no_mail_was_flagged_or_moved(self):
        box = self.scene.lab.mailbox(self.scene.maya)
        after = box.flags()
        for uid, flags in self.scene.flags_before.items():
            self.assertEqual(after[uid] - {"\\Recent"}, flags - {"\\Recent"}, f"uid {uid}")
        seen = [uid for uid, flags in after.items() if "\\Seen" in flags]
        self.assertEqual(seen, [])
        self.assertEqual(len(after), OLD_MAILS + NEW_MAILS + 2)

    def test_only_commands_that_change_nothing(self):
        allowed = (
            "CAPABILITY|ID|ENABLE|NAMESPACE|LIST|LSUB|STATUS|EXAMINE|IDLE|DONE|NOOP|NOTIFY|SEARCH"
            "|UID|FETCH|CLOSE|UNSELECT|LOGOUT|APPEND|COMPRESS"
        )
        for session in self.scene.lab.sessions(self.scene.maya):
            text = re.sub(rb"\{\d+\+?\}\r\n.*", b"", session.from_client, flags=re.DOTALL)
            for line in text.decode(errors="replace").splitlines():
                with self.subTest(line):
                    self.assertRegex(line, rf"(?i)^(\S+ )?({allowed})\b")
                    if "FETCH" in line:
                        self.assertNotRegex(line, r"(?i)RFC822(?!\.SIZE)|\bBODY\[")

    def test_few_bytes_for_each_unrelated_mail(self):
        """The bound of MAIL.md for the fallback; what is really spent is measured by the bench."""
        ours = sum(len(part) for part in self._own_literals())
        total = sum(len(s.from_server) for s in self.scene.lab.sessions(self.scene.maya))
        self.assertLess((total - ours) / NEW_MAILS, 350)

    def test_history_holds_our_thread_and_nothing_else(self):
        items = self.scene.desk.api.get("/v1/threads").expect(200).json["items"]
        self.assertEqual([item["id"] for item in items], [self.scene.thread_id])
        self.assertEqual(len(self.scene.desk.thread(self.scene.thread_id)["messages"]), 3)
        self.assertEqual(self.scene.desk.held(), [])

    def _own_literals(self) -> list[bytes]:
        """The bodies that the server sent because they are ours."""
        mails = self.scene.lab.mailbox(self.scene.maya).mails("INBOX", 'HEADER References "ptn1."')
        mails += self.scene.lab.mailbox(self.scene.maya).mails("Sent")
        return [mail.raw for mail in mails]

    def _nothing(self, sightings: list[canary.Sighting]) -> None:
        self.assertFalse(sightings, "\n".join(map(str, sightings[:10])))


def _marker(pid: int) -> bytes:
    """What must be in a dump of this process, or the dump covers too little: its command line."""
    return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
