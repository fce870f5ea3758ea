"""Mail servers, stopped installations to begin a step from, and one run of a step."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import shutil
from typing import Any, Callable

from installation import Programs, Swept, scratch
from lab.api import Reply, new_key
from lab.creator import plain_reply
from lab.desk import Connected, Desk
from lab.faults import ChaosProxy
from lab.fixture_store import FixtureStore
from lab.mail_servers import Account, MailServers
from lab.mailbox import Mail
from lab.postern import copy_owners
from lab.process import TimedOut, eventually
from lab.scripted_smtp import ScriptedSmtp

SECRET = "maple-lantern-quartz-breeze-77"
NEW_SECRET = "pelican-orchid-thunder-velvet-41"
PATIENCE_S = 4.0
CLEAN_S = 20.0
# More than two of keeper's batches of 32 subject keys, and more than one of workspaces.
CROWD, RECIPIENTS = 70, 35
WORKSPACES = 34
SHARE = re.compile(r"^postern-recovery-2:\S+$", re.MULTILINE)


class Broken(AssertionError):
    """The oracle's word for what went wrong, then the evidence."""

    def __init__(self, outcome: str, evidence: object) -> None:
        super().__init__(f"{outcome}: {evidence}")
        self.outcome = outcome


def require(condition: object, outcome: str, evidence: object) -> None:
    if not condition:
        raise Broken(outcome, evidence)


@dataclasses.dataclass
class Prepared:
    """A stopped installation to begin from."""

    data: pathlib.Path
    token: str = ""
    account: Account | None = None
    connected: Connected | None = None
    kept: str = ""  # a thread that was acknowledged long before
    more: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Case:
    """One run of a step: its server, and what its client was told."""

    world: World
    server: Swept
    fault: str
    prepared: Prepared
    told: dict[str, Reply] = dataclasses.field(default_factory=dict)
    key: str = dataclasses.field(default_factory=new_key)
    more: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def subject(self) -> str:
        """Of the mail that this case writes."""
        return f"Once {self.key}"

    @property
    def desk(self) -> Desk:
        return Desk(self.server.api(self.prepared.token), self.world.lab)

    @property
    def over(self) -> bool:
        """Every process is to die at this moment: nobody is asked any more."""
        return self.fault == "cut" and bool(self.server.plan.fired)

    def ask(self, name: str, question: Callable[[Desk], Reply]) -> Reply | None:
        """The first answer that is no 5xx; nothing when there was none in time."""

        def probe() -> Reply | str:
            if self.over or not self.server.running:
                return "nobody is there"
            try:
                answer = question(self.desk)
            except OSError:
                return ""
            return answer if answer.status < 500 else ""

        try:
            answer = eventually(probe, name, PATIENCE_S)
        except TimedOut:
            return None
        if isinstance(answer, str):
            return None
        self.told[name] = answer
        return answer

    def command(self, name: str, *arguments: str, stdin: str = "") -> bool:
        """One command of the operator's under the fault; one that fails says why."""
        done = self.server.run(*arguments, "--data", str(self.server.data), stdin=stdin)
        if done.returncode == 0:
            self.told[name] = Reply(name, 200, {}, done.stdout.encode())
            return True
        killed = self.fault in ("kill", "kill_sync", "cut") and done.returncode in (-9, 137)
        spoke = done.stderr.strip() or done.stdout.strip() or killed
        require(spoke, "silent", f"{name} failed without a word: {done.returncode}")
        self.more[name] = done.stderr
        return False

    def write(self, desk: Desk) -> Reply:
        """The one mail of this case, however often it is asked for."""
        return self.world.write(desk, self.prepared, self.subject, self.key)

    def was_told(self, name: str) -> bool:
        return name in self.told and self.told[name].status < 300


class World:
    """Mail servers, and stopped installations, each made when a step first begins from it."""

    def __init__(self) -> None:
        self.folder = scratch()
        self.programs = Programs()
        self.lab = MailServers()
        # Dovecot alone: mail leaves into `smtp`, and arrives over LMTP.
        (self.lab.postfix.queue / "private").mkdir(parents=True)
        self.lab.dovecot.start()
        self.smtp = ScriptedSmtp(self.lab.pair)
        # In front of the mailboxes: what lies in them is found when a step says so.
        self.imap = ChaosProxy(self.lab.dovecot.imaps_port)
        self.lea = self.lab.account("lea", "creators.example")
        self.maya = self.lab.account("maya")
        self._made = 0
        self._prepared: dict[str, Prepared] = {"nothing": Prepared(self.folder / "nothing")}

    def close(self) -> None:
        self.imap.__exit__()
        self.smtp.close()
        self.lab.close()
        self.programs.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def prepared(self, name: str) -> Prepared:
        if name not in self._prepared:
            self._prepared[name] = getattr(self, f"_make_{name}")(name)
        return self._prepared[name]

    def installation(self, prepared: Prepared | None = None) -> Swept:
        self._made += 1
        server = Swept(self.folder / f"i{self._made}", self.programs)
        if prepared and prepared.data.exists():
            server.adopt_data(prepared.data)
        server.plan.arm()
        return server

    def connect(self, desk: Desk, account: Account, key: str, imap: int = 0) -> Reply:
        ports = {"smtp": {"port": self.smtp.port}, **({"imap": {"port": imap}} if imap else {})}
        body = desk.integration_body(account, shared_secret=SECRET, **ports)
        return desk.api.post("/v1/integrations", body, key=key)

    def grant(self, desk: Desk, integration: str, key: str) -> Reply:
        body = {"shared_secret": SECRET, "verbs": ["send", "read_replies"], "expires_in": "P30D"}
        return desk.api.post(f"/v1/integrations/{integration}/grants", body, key=key)

    def write(self, desk: Desk, prepared: Prepared, subject: str, key: str) -> Reply:
        return desk.write(prepared.connected, self.lea, subject, "what was said", key=key)

    def copies(self, subject: str) -> int:
        """How many mails with this subject were handed over."""
        line = f"Subject: {subject}\r\n".encode()
        return sum(line in mail.raw for mail in self.smtp.mails if mail.accepted)

    def deliver_reply(self, prepared: Prepared, text: str, sender: Account) -> None:
        """An answer to the kept thread comes into its mailbox."""
        subject = f"Subject: Kept {prepared.data.name}\r\n".encode()
        sent = next(mail.raw for mail in self.smtp.mails if subject in mail.raw)
        reply = plain_reply(Mail("Sent", 0, frozenset(), sent), sender, text)
        self.lab.deliver(prepared.account, reply.as_bytes(), sender=sender.address)

    def _keep(self, server: Swept, prepared: Prepared) -> Prepared:
        shutil.copytree(server.data, prepared.data)
        copy_owners(server.data, prepared.data)
        server.discard()
        return prepared

    def _make_ready(self, name: str) -> Prepared:
        """Initialised, with a token; nobody has used the set-up link."""
        server = self.installation()
        told = server.init()
        made = Prepared(self.folder / name, server.token())
        made.more = {"setup": told.setup_token, "share": told.recovery_share}
        return self._keep(server, made)

    def _make_lost(self, name: str) -> Prepared:
        """Without its root key."""
        ready = self.prepared("ready")
        server = self.installation(ready)
        made = Prepared(self.folder / name, ready.token, more=dict(ready.more))
        made.more["root_key"] = (server.data / "root.key").read_bytes()
        (server.data / "root.key").unlink()
        return self._keep(server, made)

    def _make_old(self, name: str) -> Prepared:
        """What an earlier release left."""
        fixture = FixtureStore.all()[0]
        server = self.installation()
        fixture.unpack(server.data)
        made = Prepared(self.folder / name, fixture.expected["tokens"]["Brand"])
        made.more["expected"] = fixture.expected
        return self._keep(server, made)

    def _make_at_work(self, name: str) -> Prepared:
        return self._at_work(name, self.maya)

    def _make_awaiting(self, name: str) -> Prepared:
        """A reply lies in the mailbox, which is found through `imap`."""
        made = self._at_work(name, self.lab.account("noa"), self.imap.port)
        self.deliver_reply(made, "with pleasure", self.lea)
        return made

    def _make_holding(self, name: str) -> Prepared:
        """A mail of somebody who is not in the thread waits for a person."""

        def hold(_: Swept, desk: Desk, made: Prepared) -> None:
            self.deliver_reply(made, "let me answer", self.lab.account("otto", "creators.example"))
            (held,) = eventually(desk.held, "held mail", CLEAN_S)
            made.more["held"] = held["id"]

        return self._at_work(name, self.lab.account("nora"), prepare=hold)

    def _make_two_holders(self, name: str) -> Prepared:
        def add(_: Swept, desk: Desk, made: Prepared) -> None:
            path = f"/v1/integrations/{made.connected.id}/holders"
            made.more["first_holder"] = desk.api.get(path).expect(200)["items"][0]["id"]
            body = {"name": "Ida Copperkettle", "shared_secret": SECRET,
                    "new_shared_secret": NEW_SECRET}
            desk.api.post(path, body).expect(201)

        return self._at_work(name, self.maya, prepare=add)

    def _make_crowd(self, name: str) -> Prepared:
        """So many keys that a rotation moves several batches of each kind."""

        def gather(server: Swept, desk: Desk, made: Prepared) -> None:
            told = server.command("keyring", "recovery-kit", "--data", str(server.data))
            made.more["share"] = SHARE.search(told)[0]
            made.more["threads"] = [
                self._write_to_many(desk, made, first) for first in range(0, CROWD, RECIPIENTS)
            ]
            for number in range(WORKSPACES):
                server.token(workspace=f"Other {number}")

        return self._at_work(name, self.lab.account("ines"), prepare=gather)

    def _write_to_many(self, desk: Desk, made: Prepared, first: int) -> str:
        people = [{"name": f"P {number}", "address": f"p{number}@creators.example"}
                  for number in range(first, first + RECIPIENTS)]
        body = {"integration_id": made.connected.id, "subject": f"Kept for {first}",
                "text": "what was said", "to": people}
        thread = desk.api.post("/v1/threads", body).expect(201)["id"]
        desk.sent(thread)
        return thread

    def _at_work(
        self, name: str, account: Account, imap: int = 0,
        prepare: Callable[[Swept, Desk, Prepared], None] | None = None,
    ) -> Prepared:
        ready = self.prepared("ready")
        made = Prepared(self.folder / name, ready.token, account, Connected("", SECRET, {}))
        made.more = dict(ready.more)
        server = self.installation(ready)
        server.start()
        desk = Desk(server.api(made.token), self.lab)
        made.connected.id = self.connect(desk, account, new_key(), imap).expect(201)["id"]
        made.more["grant"] = self.grant(desk, made.connected.id, new_key()).expect(201)["id"]
        made.kept = self.write(desk, made, f"Kept {name}", new_key()).expect(201)["id"]
        desk.sent(made.kept)
        if prepare:
            prepare(server, desk, made)
        server.stop()
        return self._keep(server, made)
