"""The story, cut into steps: from nothing to a deleted integration."""

from __future__ import annotations

import shutil

from lab.api import Reply, new_key
from lab.desk import Desk
from lab.process import eventually
from step import Offline, Step, exactly_one_opens, receipt_holds, still_sends
from world import CLEAN_S, NEW_SECRET, SECRET, Case, require


class Start(Step):
    """A server is started; the start itself is what is broken."""

    name, breaks_start = "start", True

    def act(self, case: Case) -> None:
        case.ask("thread", lambda desk: desk.api.get(f"/v1/threads/{case.prepared.kept}"))

    def check(self, case: Case) -> None:
        self.check_kept(case)
        case.desk.unlock(case.prepared.connected).expect(200)


class Init(Offline):
    """From nothing to a token."""

    name, template = "init", "nothing"

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
        require(made.status == 201, "wrong_answer", made)
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
            require(made.status == 201, "wrong_answer", made)
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

    def start(self, case: Case) -> bool:
        case.world.imap.freeze()
        return super().start(case)

    def act(self, case: Case) -> None:
        case.world.imap.freeze(False)
        case.ask("reply", lambda desk: _received(desk, case.prepared.kept))

    def end(self, case: Case) -> None:
        case.world.imap.freeze(False)

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
        self.check_kept(case)
        exactly_one_opens(case, "reseal")
        if case.was_told("reseal"):
            receipt_holds(case.desk, case.told["reseal"])
        still_sends(case)


class CutOff(Step):
    """Unlock, lock, cut off; the last two also on a full disk."""

    name = "cut_off"

    def act(self, case: Case) -> None:
        integration = case.prepared.connected
        case.ask("unlock", lambda desk: desk.unlock(integration))
        case.ask("lock", lambda desk: desk.act(integration, "lock"))
        case.ask("cut_off", lambda desk: desk.act(integration, "cut-off", key=case.key))
        if case.fault == "full" and case.server.plan.fired:
            for act in ("lock", "cut_off"):
                require(case.was_told(act), "not_on_full_disk", case.told.get(act, act))

    def check(self, case: Case) -> None:
        desk, integration = case.desk, case.prepared.connected
        self.check_kept(case)
        state = desk.state(integration)
        if case.was_told("cut_off"):
            require(state == "cut_off", "lost", state)
            receipt_holds(desk, case.told["cut_off"])
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
            receipt_holds(desk, case.told["delete"])
        elif there.status == 200:
            desk.api.delete(path, key=new_key()).expect(200)
            desk.api.get(path).expect(404)


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
