"""What the operator does to keys: rotation while people work, the kit, the passphrase, recovery."""

from __future__ import annotations

import json
import re
import threading

from lab.desk import Desk
from lab.postern import passed_line
from lab.process import TimedOut, eventually
from step import Offline, Step, still_sends
from world import CLEAN_S, CROWD, SECRET, SHARE, WORKSPACES, Case, require

PASSPHRASE = "grey heron on one leg"
PLAIN_KEY_BYTES, SEALED_KEY_BYTES = 32, 148
ROTATED = re.compile(r"Rotated: (\d+) wraps")


# A grant that goes has keeper write its keyring anew, which would be most of what is counted.
REVOKES_ONE_IN = 4


class Worker(threading.Thread):
    """Somebody at work all the while: unlocks, reads, gives a grant and takes it back. Answers of
    5xx and lost connections are borne; anything else that fails is raised by `finish`."""

    def __init__(self, case: Case) -> None:
        super().__init__(daemon=True)
        self._case = case
        self._desk = Desk(case.server.api(case.prepared.token), case.world.lab)
        self._stopping = threading.Event()
        self._failure: Exception | None = None
        self.rounds = 0
        self.answers = 0
        self.asking = False
        self.borne = 0
        self.revoked: set[str] = set()

    def run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._round()
        except Exception as error:  # Raised again where somebody sees it.
            self._failure = error

    def stop(self) -> None:
        self._stopping.set()
        self.join()

    def finish(self) -> None:
        self.stop()
        if self._failure:
            raise self._failure

    def pass_rounds(self, count: int, deadline_s: float) -> None:
        """Until so many more have come to their end."""
        wanted = self.rounds + count
        eventually(lambda: self.rounds >= wanted or not self.is_alive(), "rounds", deadline_s)
        require(self.is_alive(), "broken", self._failure)

    def _round(self) -> None:
        api, prepared = self._desk.api, self._case.prepared
        path = f"/v1/integrations/{prepared.connected.id}"
        wish = {"shared_secret": SECRET, "verbs": ["send"], "expires_in": "P1D"}
        self.asking = True
        try:
            self._demand(self._desk.unlock(prepared.connected))
            thread = self._demand(api.get(f"/v1/threads/{prepared.kept}"))
            require("what was said" in thread["messages"][0]["text"], "lost", thread)
            if self.rounds % REVOKES_ONE_IN == 0:
                made = self._demand(api.post(f"{path}/grants", wish))
                self._demand(api.delete(f"{path}/grants/{made['id']}"))
                self.revoked.add(made["id"])
        except OSError:
            self._bear()
            return
        finally:
            self.asking = False
        self.rounds += 1

    def _demand(self, answer):
        if answer.status >= 500:
            raise ConnectionError(str(answer))
        require(answer.status < 300, "lost", answer)
        self.answers += 1
        return answer

    def _bear(self) -> None:
        self.borne += 1
        self._stopping.wait(0.02)


class Rotate(Step):
    """`keyring rotate` of one kind of keys while somebody works; taken up again after a crash."""

    template = "crowd"
    option = ""
    wraps_least = 0

    def ready(self, case: Case) -> None:
        case.more["worker"] = Worker(case)
        case.more["worker"].start()
        case.more["worker"].pass_rounds(1, CLEAN_S)

    def act(self, case: Case) -> None:
        worker = case.more["worker"]
        before = worker.answers
        if case.command("rotate", "keyring", "rotate", self.option) and self.wraps_least:
            moved = int(ROTATED.search(case.told["rotate"].text)[1])
            require(moved >= self.wraps_least or case.server.plan.fired, "broken", moved)
        # A rotation may be over before one question is answered.
        during = worker.asking or worker.answers > before
        # A child that was killed comes back, and the work goes on before anybody stops the server.
        if case.fault.startswith("kill") and self._serves(case):
            worker.pass_rounds(1, CLEAN_S)
        if case.fault == "none":
            require(worker.borne == 0, "broken", f"{worker.borne} rounds failed without a fault")
            require(during, "broken", "nobody worked during the rotation")

    def after(self, case: Case) -> None:
        worker = case.more.pop("worker")
        case.more["revoked"] = worker.revoked
        worker.finish()

    def end(self, case: Case) -> None:
        if worker := case.more.pop("worker", None):
            worker.stop()

    def check(self, case: Case) -> None:
        # Begun, it is ended by the start; not begun, it is begun now.
        self._is_over(case)
        if not case.was_told("rotate"):
            case.server.command("keyring", "rotate", "--data", str(case.server.data), self.option)
            self._is_over(case)
        require(not (case.server.data / "root.key.next").exists(), "lost", "root.key.next")
        self.check_kept(case)
        desk, prepared = case.desk, case.prepared
        for thread in prepared.more["threads"]:
            message = desk.thread(thread)["messages"][0]
            require(message["text"].strip() == "what was said", "lost", message)
        desk.unlock(prepared.connected).expect(200)
        seen = desk.api.get(f"/v1/integrations/{prepared.connected.id}").expect(200)["grants"]
        grants = {grant["id"] for grant in seen}
        require(prepared.more["grant"] in grants, "lost", grants)
        require(not grants & case.more["revoked"], "lost", "a grant that was taken back")
        still_sends(case)

    @staticmethod
    def _serves(case: Case) -> bool:
        return case.server.running and not case.over

    @staticmethod
    def _is_over(case: Case) -> None:
        """Nothing is left under a key of before, and nothing is under way."""

        def proof() -> dict | None:
            told = case.server.command(
                "trust", "check", "--data", str(case.server.data), "--json",
                "--claim", "P7.rotated",
            )
            found = json.loads(told.splitlines()[0])
            require(found["verdict"] == "proven", "lost", found)
            rotating = any(line.startswith("a rotation is under") for line in found["evidence"])
            return None if rotating else found

        try:
            eventually(proof, "the rotation's end", CLEAN_S, interval_s=0.2)
        except TimedOut as late:
            require(False, "lost", late)


class RotateRoot(Rotate):
    name, option = "rotate_root", "--root"

    def check(self, case: Case) -> None:
        before = (case.prepared.data / "root.key").read_bytes()
        now = (case.server.data / "root.key").read_bytes()
        require(not case.was_told("rotate") or now != before, "lost", "the root key is the old one")
        super().check(case)
        require((case.server.data / "root.key").read_bytes() != before, "lost", "the new root key")
        # Its kit restores the new one.
        case.server.stop()
        restore(case, case.prepared.more["share"])


class RotateKeyring(Rotate):
    name, option, wraps_least = "rotate_keyring", "--keyring", WORKSPACES


class RotateWorkspaces(Rotate):
    name, option, wraps_least = "rotate_workspaces", "--workspaces", CROWD


class Kit(Step):
    """A new recovery kit, which makes the one before void; it is written to a file, for which room
    is made beforehand."""

    name = "kit"

    def act(self, case: Case) -> None:
        output = case.server.folder / "kit.txt"
        case.server.prefix = ["sh", "-c", f'exec "$@" > {output}', "sh"]
        case.command("kit", "keyring", "recovery-kit")
        case.server.prefix = []
        case.more["kit_text"] = output.read_text()

    def check(self, case: Case) -> None:
        self.check_kept(case)
        case.server.stop()
        old = case.prepared.more["share"]
        if case.was_told("kit"):
            refused = recovered(case, old)
            require(refused is not None and "[no_recovery_kit]" in refused, "lost", refused)
            restore(case, SHARE.search(case.more["kit_text"])[0])
        elif (refused := recovered(case, old)) is not None:
            # Made, and its shares were not heard of: another one is made.
            require("[no_recovery_kit]" in refused, "lost", refused)
            told = case.server.command("keyring", "recovery-kit", "--data", str(case.server.data))
            restore(case, SHARE.search(told)[0])


class Passphrase(Step):
    """The root key is put under a passphrase beside a running server."""

    name = "passphrase"

    def act(self, case: Case) -> None:
        self._change(case)

    def repair(self, case: Case) -> None:
        """Whoever starts it has the passphrase, where a file is under it."""
        if any(path.stat().st_size == SEALED_KEY_BYTES
               for path in case.server.data.glob("root.key*")):
            case.server.passphrase = PASSPHRASE

    def check(self, case: Case) -> None:
        key = case.server.data / "root.key"
        require(not (case.server.data / "root.key.next").exists(), "lost", "root.key.next")
        size = key.stat().st_size
        require(size in (PLAIN_KEY_BYTES, SEALED_KEY_BYTES), "lost", size)
        require(size == SEALED_KEY_BYTES or not case.was_told("passphrase"), "lost", size)
        self.check_kept(case)
        if size == PLAIN_KEY_BYTES:
            case.server.passphrase = ""
            self._change(case)
            require(key.stat().st_size == SEALED_KEY_BYTES, "lost", key.stat().st_size)
        case.server.stop()
        case.server.passphrase = PASSPHRASE
        case.server.start()
        self.check_kept(case)

    @staticmethod
    def _change(case: Case) -> None:
        with passed_line(PASSPHRASE) as descriptor:
            case.server.passed = (descriptor,)
            case.command(
                "passphrase", "keyring", "passphrase", "--new-passphrase-fd", str(descriptor)
            )
            case.server.passed = ()


class Recover(Offline):
    """The shares on paper restore the root key."""

    name, template = "recover", "lost"

    def act(self, case: Case) -> None:
        case.command("recover", "recover", stdin=case.prepared.more["share"])

    def repair(self, case: Case) -> None:
        key = case.server.data / "root.key"
        require(key.exists() or not case.was_told("recover"), "lost", "the recovered root key")
        if not key.exists():
            case.server.command(
                "recover", "--data", str(case.server.data), stdin=case.prepared.more["share"]
            )

    def check(self, case: Case) -> None:
        key = case.server.data / "root.key"
        require(key.read_bytes() == case.prepared.more["root_key"], "lost", "another root key")
        require(key.stat().st_mode & 0o777 == 0o400, "lost", "the key's mode")
        case.desk.api.get("/v1/me").expect(200)


def recovered(case: Case, share: str) -> str | None:
    """Nothing where the share restores the very root key, which was taken away; else what was said
    to it, and the key is back in its place."""
    key, away = case.server.data / "root.key", case.server.data.parent / "root.key.away"
    key.rename(away)
    done = case.server.run("recover", "--data", str(case.server.data), stdin=share)
    if done.returncode != 0:
        require(not key.exists(), "lost", "a root key without a kit")
        away.rename(key)
        return done.stderr or "without a word"
    require(key.read_bytes() == away.read_bytes(), "lost", "another root key")
    return None


def restore(case: Case, share: str) -> None:
    refused = recovered(case, share)
    require(refused is None, "lost", refused)
