"""The story, cut into steps: what each does under a fault, and what must hold after a clean start.

A step acts as a patient client does: it asks again, with the same Idempotency-Key, while it gets no
answer or a 5xx. What it was answered is what must be there afterwards.
"""

from __future__ import annotations

import dataclasses
import pathlib
import shutil
import signal
from typing import Callable

from installation import Programs, Swept, scratch
from lab.api import Reply, new_key
from lab.creator import plain_reply
from lab.desk import Connected, Desk
from lab.mail_servers import Account, MailServers
from lab.mailbox import Mail
from lab.postern import copy_owners
from lab.process import TimedOut, eventually
from lab.scripted_smtp import ScriptedSmtp

SECRET = "maple-lantern-quartz-breeze-77"
NEW_SECRET = "pelican-orchid-thunder-velvet-41"
PATIENCE_S = 4.0
CLEAN_S = 20.0


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
    account: Account | None = None
    connected: Connected | None = None
    kept: str = ""  # a thread that was acknowledged long before


@dataclasses.dataclass
class Case:
    """One run of a step: its server, and what its client was told."""

    world: World
    server: Swept
    fault: str
    prepared: Prepared
    told: dict[str, Reply] = dataclasses.field(default_factory=dict)
    key: str = dataclasses.field(default_factory=new_key)

    @property
    def subject(self) -> str:
        """Of the mail that this case writes."""
        return f"Once {self.key}"

    @property
    def desk(self) -> Desk:
        return Desk(self.server.api(self.world.token), self.world.lab)

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

    def write(self, desk: Desk) -> Reply:
        """The one mail of this case, however often it is asked for."""
        return self.world.write(desk, self.prepared, self.subject, self.key)

    def was_told(self, name: str) -> bool:
        return name in self.told and self.told[name].status < 300


class World:
    """Mail servers, and stopped installations to begin each step from."""

    def __init__(self) -> None:
        self.folder = scratch()
        self.programs = Programs()
        self.lab = MailServers()
        # Dovecot alone: mail leaves into `smtp`, and arrives over LMTP.
        (self.lab.postfix.queue / "private").mkdir(parents=True)
        self.lab.dovecot.start()
        self.smtp = ScriptedSmtp(self.lab.pair)
        self.lea = self.lab.account("lea", "creators.example")
        self._made = 0
        server = self.installation()
        server.init()
        self.token = server.token()
        nothing, ready = Prepared(self.folder / "nothing"), Prepared(self.folder / "ready")
        self._keep(server, ready)
        self.prepared = {"nothing": nothing, "ready": ready}
        self.maya = self.lab.account("maya")
        self.prepared["at_work"] = self._at_work("at_work", self.maya)
        self.prepared["awaiting"] = self._at_work("awaiting", self.lab.account("noa"))
        self._deliver_reply(self.prepared["awaiting"])

    def close(self) -> None:
        self.smtp.close()
        self.lab.close()
        self.programs.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def installation(self, prepared: Prepared | None = None) -> Swept:
        self._made += 1
        server = Swept(self.folder / f"i{self._made}", self.programs)
        if prepared and prepared.data.exists():
            server.adopt_data(prepared.data)
        server.plan.arm()
        return server

    def connect(self, desk: Desk, account: Account, key: str) -> Reply:
        body = desk.integration_body(account, shared_secret=SECRET, smtp={"port": self.smtp.port})
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

    def _keep(self, server: Swept, prepared: Prepared) -> None:
        shutil.copytree(server.data, prepared.data)
        copy_owners(server.data, prepared.data)
        server.discard()

    def _at_work(self, name: str, account: Account) -> Prepared:
        made = Prepared(self.folder / name, account, Connected("", SECRET, {}))
        server = self.installation(self.prepared["ready"])
        server.start()
        desk = Desk(server.api(self.token), self.lab)
        made.connected.id = self.connect(desk, account, new_key()).expect(201)["id"]
        self.grant(desk, made.connected.id, new_key()).expect(201)
        made.kept = self.write(desk, made, f"Kept {name}", new_key()).expect(201)["id"]
        desk.sent(made.kept)
        server.stop()
        self._keep(server, made)
        return made

    def _deliver_reply(self, prepared: Prepared) -> None:
        subject = b"Subject: Kept awaiting\r\n"
        sent = next(mail.raw for mail in self.smtp.mails if subject in mail.raw)
        reply = plain_reply(Mail("Sent", 0, frozenset(), sent), self.lea, "with pleasure")
        self.lab.deliver(prepared.account, reply.as_bytes(), sender=self.lea.address)


class Step:
    """`act` runs under the fault, `check` after a clean start."""

    name = ""
    template = "at_work"

    def start(self, case: Case) -> bool:
        """Serves under the fault; false when the server refused, which it may do with words."""
        case.server.spawn()

        def probe() -> str:
            if case.over:
                return "over"
            if not case.server.running:
                return "ended"
            return "ready" if case.server.answers() else ""

        try:
            seen = eventually(probe, "serve", CLEAN_S)
        except TimedOut:
            require(case.server.log().strip(), "silent", "serve did not become ready, and said why")
            return False
        killed = case.server.exit_status == -signal.SIGKILL
        require(seen != "ended" or killed or case.server.log().strip(), "silent", "serve ended")
        return seen == "ready"

    def act(self, case: Case) -> None:
        raise NotImplementedError

    def repair(self, case: Case) -> None:
        """What a person would do before the clean start."""

    def check(self, case: Case) -> None:
        raise NotImplementedError

    def check_kept(self, case: Case) -> None:
        """What was acknowledged long before is there, and opens."""
        thread = case.desk.thread(case.prepared.kept)
        message = thread["messages"][0]
        require(thread["subject"].startswith("Kept"), "lost", thread)
        require((message["state"], message["text"].strip()) == ("sent", "what was said"), "lost",
                message)


class Init(Step):
    """From nothing to a token."""

    name, template = "init", "nothing"

    def start(self, case: Case) -> bool:
        return True

    def act(self, case: Case) -> None:
        for name, arguments in (
            ("init", ("init", "--data", str(case.server.data))), ("token", self._token(case)),
        ):
            done = case.server.run(*arguments)
            if done.returncode != 0:
                spoke = done.stderr.strip() or done.stdout.strip() or done.returncode == -9
                require(spoke, "silent", f"{name} failed without a word")
                return
            case.told[name] = Reply(name, 200, {}, done.stdout.encode())

    def repair(self, case: Case) -> None:
        """Init again where it was not acknowledged; a half-made folder may be refused in words."""
        if "init" not in case.told:
            done = case.server.run("init", "--data", str(case.server.data))
            if done.returncode != 0:
                require(done.stderr.strip(), "silent", "init failed again without a word")
                shutil.rmtree(case.server.data, ignore_errors=True)
                case.server.init()
        if "token" not in case.told:
            case.told["token"] = Reply("token", 200, {}, case.server.token().encode())

    def check(self, case: Case) -> None:
        token = case.told["token"].text.strip()
        answer = case.server.api(token).get("/v1/me")
        require(answer.status == 200, "lost", answer)

    @staticmethod
    def _token(case: Case) -> tuple[str, ...]:
        return ("token", "create", "--data", str(case.server.data), "--workspace", "Brand",
                "--role", "owner")


class Connect(Step):
    """Connect, grant, lock."""

    name, template = "connect", "ready"

    def act(self, case: Case) -> None:
        maya = case.world.maya
        made = case.ask("connect", lambda desk: case.world.connect(desk, maya, case.key))
        if made is None:
            return
        require(made.status == 201, "refused", made)
        case.ask("grant", lambda desk: case.world.grant(desk, made["id"], case.key + "g"))
        path = f"/v1/integrations/{made['id']}/lock"
        case.ask("lock", lambda desk: desk.api.post(path, {}))

    def check(self, case: Case) -> None:
        desk, world = case.desk, case.world
        integration = world.connect(desk, world.maya, case.key).expect(201)["id"]
        listed = desk.api.get("/v1/integrations").expect(200)["items"]
        require([item["id"] for item in listed] == [integration], "double", listed)
        if case.was_told("connect"):
            require(case.told["connect"]["id"] == integration, "lost", (case.told, listed))
        if case.was_told("grant"):
            require(len(listed[0]["grants"]) == 1, "lost", listed)
        if case.was_told("lock"):
            wanted = "granted" if case.was_told("grant") else "sealed"
            require(listed[0]["state"] == wanted, "lost", listed)
        path = f"/v1/integrations/{integration}/unlock"
        desk.api.post(path, {"shared_secret": SECRET, "for": "PT1H"}).expect(200)


class Send(Step):
    """Write to somebody; the mail leaves once."""

    name = "send"

    def act(self, case: Case) -> None:
        made = case.ask("write", lambda desk: case.write(desk))
        if made is not None:
            require(made.status == 201, "refused", made)
            case.ask("settled", lambda desk: _settled(desk, made["id"]))

    def check(self, case: Case) -> None:
        desk, world = case.desk, case.world
        self.check_kept(case)
        made = case.write(desk).expect(201)["id"]
        if case.was_told("write"):
            require(case.told["write"]["id"] == made, "double", case.told["write"])
        message = desk.settled(made, deadline_s=CLEAN_S)
        require(message["state"] in ("sent", "unknown"), "lost", message)
        require(message["text"].strip() == "what was said", "lost", message)
        if case.was_told("settled") and case.told["settled"]["messages"][0]["state"] == "sent":
            require(message["state"] == "sent", "lost", message)
        found = [item for item in desk.api.get("/v1/threads").expect(200)["items"]
                 if item.get("subject") == case.subject]
        require(len(found) == 1, "double", found)
        # Whatever would send it again comes before this later mail.
        barrier = world.write(desk, case.prepared, f"After {case.key}", new_key()).expect(201)["id"]
        desk.settled(barrier, deadline_s=CLEAN_S)
        copies = world.copies(case.subject)
        require(copies <= 1, "double", f"{copies} copies")
        require(copies == 1 or message["state"] != "sent", "lost", "sent, but no mail came")


class FindReply(Step):
    """A reply that lies in the mailbox is found."""

    name, template = "find_reply", "awaiting"

    def act(self, case: Case) -> None:
        case.ask("reply", lambda desk: _received(desk, case.prepared.kept))

    def check(self, case: Case) -> None:
        self.check_kept(case)
        (message,) = eventually(
            lambda: _incoming(case.desk, case.prepared.kept), "the reply", CLEAN_S
        )
        require(message["text"].strip() == "with pleasure", "lost", message)
        raw = case.desk.api.get(f"/v1/messages/{message['id']}/raw").expect(200)
        require(b"with pleasure" in raw.body, "lost", raw)


class Reseal(Step):
    """A new secret: exactly one of the two opens."""

    name = "reseal"

    def act(self, case: Case) -> None:
        integration = case.prepared.connected
        body = {"shared_secret": SECRET, "new_shared_secret": NEW_SECRET}
        case.ask("reseal", lambda desk: desk.act(integration, "reseal", body, key=case.key))

    def check(self, case: Case) -> None:
        desk, integration = case.desk, case.prepared.connected
        self.check_kept(case)
        answers = [desk.unlock(integration, secret) for secret in (SECRET, NEW_SECRET)]
        opens = [answer.status == 200 for answer in answers]
        require(sum(opens) == 1, "lost", [str(answer) for answer in answers])
        if case.was_told("reseal"):
            require(opens[1], "lost", [str(answer) for answer in answers])
            _receipt_holds(desk, case.told["reseal"])
        made = case.world.write(desk, case.prepared, case.subject, new_key()).expect(201)["id"]
        require(desk.settled(made, deadline_s=CLEAN_S)["state"] == "sent", "lost", case.subject)


class CutOff(Step):
    """Unlock, lock, cut off; the last two also on a full disk."""

    name = "cut_off"

    def act(self, case: Case) -> None:
        integration = case.prepared.connected
        case.ask("unlock", lambda desk: desk.unlock(integration))
        case.ask("lock", lambda desk: desk.act(integration, "lock"))
        case.ask("cut_off", lambda desk: desk.act(integration, "cut-off", key=case.key))
        if case.fault == "full" and case.server.plan.fired:
            # The server itself may have refused to start on a full disk: then nobody could ask.
            for act in ("lock", "cut_off") if case.server.running else ():
                require(case.was_told(act), "not_on_full_disk", case.told.get(act, act))

    def check(self, case: Case) -> None:
        desk, integration = case.desk, case.prepared.connected
        self.check_kept(case)
        state = desk.state(integration)
        if case.was_told("cut_off"):
            require(state == "cut_off", "lost", state)
            _receipt_holds(desk, case.told["cut_off"])
        elif case.was_told("lock"):
            require(state in ("granted", "cut_off"), "lost", state)
        unlocked = desk.unlock(integration)
        require(unlocked.status == (410 if state == "cut_off" else 200), "lost", unlocked)
        if state != "cut_off":
            desk.act(integration, "cut-off").expect(200)
            require(desk.state(integration) == "cut_off", "lost", "cut off again")


class Delete(Step):
    """The integration goes, the history stays."""

    name = "delete"

    def act(self, case: Case) -> None:
        path = f"/v1/integrations/{case.prepared.connected.id}"
        case.ask("delete", lambda desk: desk.api.delete(path, key=case.key))

    def check(self, case: Case) -> None:
        desk = case.desk
        self.check_kept(case)
        path = f"/v1/integrations/{case.prepared.connected.id}"
        there = desk.api.get(path)
        require(there.status in (200, 404), "lost", there)
        if case.was_told("delete"):
            require(there.status == 404, "lost", there)
            _receipt_holds(desk, case.told["delete"])
        elif there.status == 200:
            desk.api.delete(path, key=new_key()).expect(200)
            desk.api.get(path).expect(404)


STEPS: tuple[type[Step], ...] = (Init, Connect, Send, FindReply, Reseal, CutOff, Delete)


def _settled(desk: Desk, thread: str) -> Reply:
    """The thread once its first mail is settled; until then an answer that is asked again."""
    answer = desk.api.get(f"/v1/threads/{thread}")
    if answer.status == 200 and answer["messages"][0]["state"] in ("queued", "sending"):
        raise ConnectionError("not settled yet")
    return answer


def _incoming(desk: Desk, thread: str) -> list[dict]:
    messages = desk.api.get(f"/v1/threads/{thread}").expect(200)["messages"]
    return [message for message in messages if message["direction"] == "in"]


def _received(desk: Desk, thread: str) -> Reply:
    answer = desk.api.get(f"/v1/threads/{thread}")
    if answer.status == 200 and len(answer["messages"]) < 2:
        raise ConnectionError("no reply yet")
    return answer


def _receipt_holds(desk: Desk, told: Reply) -> None:
    receipt = desk.api.get(f"/v1/receipts/{told['id']}")
    require(receipt.status == 200, "lost", receipt)
    require(receipt["signature"] == told["signature"], "lost", receipt)
