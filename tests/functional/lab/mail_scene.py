"""One mailbox between foreign mail and our threads, where docs/mail-cases.md is tested."""

from __future__ import annotations

import email.utils
import itertools
import pathlib
import shutil
import tempfile
import unittest

from . import canary, faults
from .case import shared_lab
from .creator import Creator, references, sender_of
from .desk import Connected, Desk
from .held_mailbox import AtDovecot, HeldMailbox
from .mail_servers import Account
from .mailbox import Mail
from .postern import CONFIG, ROLES, Postern

_serials = itertools.count(1)
_FOREIGN_MAILS = 12
# The highest: what is never logged must not be there either.
_LOUD = 'log_level = "debug"\n' + CONFIG


class Scene:
    """An installation that logs all it can, and one connected mailbox that gets foreign mail, too.

    Every word of `foreign` is of mail that must not be read.
    """

    def __init__(self, at: type[HeldMailbox] = AtDovecot, more: str = "") -> None:
        self.lab = shared_lab()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pst-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.foreign = canary.Family("foreign")
        self.maya = self.lab.account(f"scene{next(_serials)}", "brand.example")
        self.box = at(self.lab, self.maya)
        self.server = Postern(self.folder / "postern", config=_LOUD + more)

    def open(self, **more) -> None:
        """`more` goes into the integration, as in Desk.connect()."""
        self.box.fill([self.foreign_mail() for _ in range(_FOREIGN_MAILS)])
        self.server.init()
        token = self.server.token()
        self.server.start()
        self.desk = Desk(self.server.api(token), self.lab)
        self.integration = self.desk.connect(self.maya, **{**self.box.ports(), **more})
        self.desk.grant(self.integration)
        self.box.deliver(*(self.foreign_mail() for _ in range(_FOREIGN_MAILS)))

    def close(self) -> None:
        self.server.close()
        self.box.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def account(self, name: str = "lea", domain: str = "creators.example") -> Account:
        return self.lab.account(f"{name}s{next(_serials)}", domain)

    def thread(self) -> Thread:
        return Thread(self)

    def foreign_mail(self, **fields: str | None) -> bytes:
        word = self.foreign.token
        usual = {
            "From": f"{word()} <{word()}@elsewhere.example>", "To": self.maya.address,
            "Subject": f"Re: {word()}", "In-Reply-To": f"<{word()}@elsewhere.example>",
            "References": f"<{word()}@elsewhere.example> <{word()}@elsewhere.example>",
        }
        return raw_mail(f"Body with {word()}", {**usual, **fields})

    def settle(self) -> None:
        """Everything delivered so far was looked at."""
        self.desk.act(self.integration, "sync").expect(200)

    def wire(self) -> bytes:
        """All that the server said in our sessions."""
        return b"".join(session.from_server for session in self.box.sessions())


class Thread:
    """A thread with a creator of its own, whose first mail has arrived."""

    def __init__(self, scene: Scene, to: Account | None = None) -> None:
        self.scene = scene
        self.lea = Creator(scene.lab, to or scene.account())
        subject = f"Offer {next(_serials)}"
        desk = scene.desk
        wrote = desk.write(scene.integration, self.lea.account, subject, "Hello")
        self.id = wrote.expect(201)["id"]
        self.mail = scene.box.taken(subject, self.lea.account)
        desk.sent(self.id)
        self.first_id = str(self.mail.parsed["Message-ID"])
        self.label = self.first_id.partition("@")[2].strip("<>")

    def reply(self, text: str, *, to: Mail | None = None, **fields: str | None) -> bytes:
        """An answer whose fields a test may replace (`In_Reply_To="<...>"`, folds as they are) or
        drop (None)."""
        answered = to or self.mail
        usual = {
            "From": self.lea.account.address, "To": sender_of(answered),
            "Subject": f"Re: {answered.parsed['Subject']}",
            "In-Reply-To": str(answered.parsed["Message-ID"]), "References": references(answered),
        }
        changes = {name.replace("_", "-"): value for name, value in fields.items()}
        return raw_mail(text, {**usual, **changes})

    def deliver(self, *mails: bytes) -> None:
        self.scene.box.deliver(*mails, sender=self.lea.account.address)

    def received(self) -> list[dict]:
        return [m for m in self.scene.desk.thread(self.id)["messages"] if m["direction"] == "in"]

    def held(self) -> list[dict]:
        return self.scene.desk.held(self.id)


class SceneCase(unittest.TestCase):
    """Tests that share a scene, each with a thread of its own; `at` says whose mailbox it is,
    `config` what its installation is told beside the usual."""

    at: type[HeldMailbox] = AtDovecot
    config = ""
    scene: Scene

    @classmethod
    def setUpClass(cls) -> None:
        cls.scene = Scene(cls.at, cls.config)
        cls.addClassCleanup(cls.scene.close)
        cls.scene.open()

    def setUp(self) -> None:
        self.thread = self.scene.thread()

    def assert_read(self, *mails: bytes, says: str) -> dict:
        """The mails are taken in, one of them with this text."""
        before = len(self.thread.received())
        self.thread.deliver(*mails)
        found = self.scene.desk.incoming(self.thread.id, before + len(mails))
        self.assertEqual(len(found), before + len(mails))
        self.assertEqual(self.thread.held(), [])
        return next(message for message in found if says in message["text"])

    def assert_held(self, *mails: bytes, reason: str) -> dict:
        """Sender and reason are known, nothing is in the thread."""
        self.thread.deliver(*mails)
        self.scene.settle()
        self.assertEqual(self.thread.received(), [])
        held = self.thread.held()
        self.assertEqual([one["reason"] for one in held], [reason] * len(mails))
        return held[0]

    def assert_ignored(self, *mails: bytes) -> None:
        """Neither read nor held; the thread goes on."""
        held = self.scene.desk.held()
        self.thread.deliver(*mails)
        self.scene.settle()
        self.assertEqual(self.scene.desk.held(), held)
        self.assert_read(self.thread.reply("goes on"), says="goes on")
        self.assertEqual(len(self.thread.received()), 1)

    def assert_no_canary(self) -> None:
        """Nowhere: wire, store, logs, temporary files, metrics, memory of every process."""
        scene = self.scene
        scanner = canary.Scanner(scene.foreign)
        found = []
        sessions = scene.box.sessions()
        self.assertTrue(any(session.from_server for session in sessions))
        for session in sessions:
            found += scanner.scan(session.from_server, f"{session.name} from server")
            found += scanner.scan(session.from_client, f"{session.name} from client")
        found += scanner.scan_tree(scene.server.folder)
        found += scanner.scan(scene.server.metrics().encode(), "metrics")
        self.assertFalse(found, "\n".join(map(str, found[:10])))
        if refusal := faults.ptrace_refusal():
            self.skipTest(refusal)
        processes = scene.server.processes()
        for pid in (pid for role in ("supervisor", *ROLES) for pid in processes.get(role, [])):
            found = scanner.scan_process(pid, scene.folder)
            self.assertFalse(found, "\n".join(map(str, found[:10])))


def raw_mail(text: str, fields: dict[str, str | None]) -> bytes:
    """A mail with exactly these fields; a value may hold folds and, as "\\n", further fields."""
    usual = {
        "Date": email.utils.formatdate(),
        "Message-ID": f"<{next(_serials)}.{id(fields)}@creators.example>",
        "MIME-Version": "1.0", "Content-Type": "text/plain; charset=utf-8",
    }
    lines = [f"{name}: {value}" for name, value in {**usual, **fields}.items() if value is not None]
    return "\n".join([*lines, "", text, ""]).encode().replace(b"\n", b"\r\n")
