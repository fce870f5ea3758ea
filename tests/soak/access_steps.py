"""Who may open what: owner, grants, holders, secrets, held mail."""

from __future__ import annotations

from lab.api import Reply, new_key
from step import Step, exactly_one_opens, receipt_holds, still_sends
from world import CLEAN_S, NEW_SECRET, SECRET, Case, require

OWNER = {"email": "olga@brand.example", "password": "correct horse battery staple"}
HOLDER = "Ida Copperkettle"


class Setup(Step):
    """The link of `init` makes the first owner."""

    name, template = "setup", "ready"

    def act(self, case: Case) -> None:
        case.ask("setup", lambda desk: desk.api.post("/v1/setup", self._body(case)))

    def check(self, case: Case) -> None:
        sign_in = lambda: case.server.api().post("/v1/sessions", OWNER)
        signed_in = sign_in()
        if signed_in.status >= 300 and not case.was_told("setup"):
            case.server.api().post("/v1/setup", self._body(case)).expect(201)
            signed_in = sign_in()
        require(signed_in.status < 300, "lost", signed_in)
        again = case.server.api().post("/v1/setup", self._body(case))
        require(again.status in (401, 403, 409, 410), "double", again)
        if case.was_told("setup"):
            me = case.server.api(case.told["setup"]["token"]).get("/v1/me")
            require(me.status == 200, "lost", me)

    @staticmethod
    def _body(case: Case) -> dict:
        return {**OWNER, "token": case.prepared.more["setup"], "workspace": "First"}


class Revoke(Step):
    """A grant goes: nothing is sent under it any more."""

    name = "revoke"

    def act(self, case: Case) -> None:
        case.ask("revoke", lambda desk: desk.api.delete(self._path(case)))

    def check(self, case: Case) -> None:
        self.check_kept(case)
        desk, integration = case.desk, case.prepared.connected
        listed = desk.api.get(f"/v1/integrations/{integration.id}").expect(200)["grants"]
        if case.was_told("revoke"):
            require(listed == [], "lost", listed)
        if listed:
            desk.api.delete(self._path(case)).expect(204)
        refused = case.world.write(desk, case.prepared, case.subject, new_key())
        require(refused.status == 423, "lost", refused)
        require(desk.state(integration) == "sealed", "lost", "state")
        desk.unlock(integration).expect(200)
        still_sends(case)

    @staticmethod
    def _path(case: Case) -> str:
        grant = case.prepared.more["grant"]
        return f"/v1/integrations/{case.prepared.connected.id}/grants/{grant}"


class Reconnect(Step):
    """A new credential and secret: exactly one of the two secrets opens."""

    name = "reconnect"

    def act(self, case: Case) -> None:
        body = {"credential": {"password": case.prepared.account.password},
                "shared_secret": NEW_SECRET}
        integration = case.prepared.connected
        case.ask("reconnect", lambda desk: desk.act(integration, "reconnect", body, key=case.key))

    def check(self, case: Case) -> None:
        self.check_kept(case)
        if case.was_told("reconnect"):
            require(case.told["reconnect"].status == 200, "wrong_answer", case.told["reconnect"])
        exactly_one_opens(case, "reconnect")
        still_sends(case)


class HolderAdd(Step):
    """Somebody else gets a secret of their own."""

    name = "holder_add"

    def act(self, case: Case) -> None:
        case.ask("add", lambda desk: desk.api.post(holders(case), self._body(), key=case.key))

    def check(self, case: Case) -> None:
        self.check_kept(case)
        desk, integration = case.desk, case.prepared.connected
        desk.unlock(integration).expect(200)
        names = named(case)
        if case.was_told("add"):
            require(names == [None, HOLDER], "lost", names)
        if HOLDER not in names:
            desk.api.post(holders(case), self._body(), key=new_key()).expect(201)
        require(named(case) == [None, HOLDER], "double", named(case))
        for secret in (SECRET, NEW_SECRET):
            desk.act(integration, "lock").expect(204)
            unlocked = desk.unlock(integration, secret)
            require(unlocked.status == 200, "lost", unlocked)

    @staticmethod
    def _body() -> dict:
        return {"name": HOLDER, "shared_secret": SECRET, "new_shared_secret": NEW_SECRET}


class HolderLeave(Step):
    """One of two holders leaves: theirs opens no more, the other's still does."""

    name, template = "holder_leave", "two_holders"

    def ready(self, case: Case) -> None:
        case.desk.unlock(case.prepared.connected, NEW_SECRET).expect(200)

    def act(self, case: Case) -> None:
        case.ask("leave", lambda desk: desk.api.delete(self._path(case), key=case.key))

    def check(self, case: Case) -> None:
        self.check_kept(case)
        desk, integration = case.desk, case.prepared.connected
        desk.unlock(integration, NEW_SECRET).expect(200)
        if case.was_told("leave"):
            require(named(case) == [HOLDER], "lost", named(case))
            receipt_holds(desk, case.told["leave"])
        if named(case) != [HOLDER]:
            desk.unlock(integration, SECRET).expect(200)
            desk.api.delete(self._path(case), key=new_key()).expect(200)
        unlocked = desk.unlock(integration, SECRET)
        require(unlocked.status == 403, "lost", unlocked)
        desk.unlock(integration, NEW_SECRET).expect(200)
        still_sends(case)

    @staticmethod
    def _path(case: Case) -> str:
        return f"{holders(case)}/{case.prepared.more['first_holder']}"


class SealAll(Step):
    """Every lease and grant of the workspace ends at once; also on a full disk."""

    name = "seal_all"

    def ready(self, case: Case) -> None:
        case.desk.unlock(case.prepared.connected).expect(200)

    def act(self, case: Case) -> None:
        case.ask("seal", self._seal)
        if case.fault == "full" and case.server.plan.fired:
            require(case.was_told("seal"), "not_on_full_disk", case.told.get("seal", "seal"))

    def check(self, case: Case) -> None:
        self.check_kept(case)
        desk, integration = case.desk, case.prepared.connected
        if case.was_told("seal"):
            require(desk.state(integration) == "sealed", "lost", desk.state(integration))
        else:
            self._seal(desk).expect(200)
        refused = case.world.write(desk, case.prepared, case.subject, new_key())
        require(refused.status == 423, "lost", refused)
        desk.unlock(integration).expect(200)
        still_sends(case)

    @staticmethod
    def _seal(desk) -> Reply:
        return desk.api.post("/v1/integrations/seal-all", {"grants": True})


class Accept(Step):
    """A held mail is read and taken into its thread."""

    name, template = "accept", "holding"

    def act(self, case: Case) -> None:
        case.ask("accept", lambda desk: desk.api.post(self._path(case)))

    def check(self, case: Case) -> None:
        self.check_kept(case)
        desk = case.desk
        if case.was_told("accept"):
            require(desk.held() == [], "lost", desk.held())
        if desk.held():
            desk.unlock(case.prepared.connected).expect(200)
            desk.api.post(self._path(case)).expect(200)
        (message,) = desk.incoming(case.prepared.kept, deadline_s=CLEAN_S)
        require(message["text"].strip() == "let me answer", "lost", message)

    @staticmethod
    def _path(case: Case) -> str:
        return f"/v1/held/{case.prepared.more['held']}/accept"


def holders(case: Case) -> str:
    return f"/v1/integrations/{case.prepared.connected.id}/holders"


def named(case: Case) -> list[str | None]:
    return [holder["name"] for holder in case.desk.api.get(holders(case)).expect(200)["items"]]
