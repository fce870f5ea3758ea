"""Stores as a whole: what an earlier release left, and a move to PostgreSQL and back."""

from __future__ import annotations

from installation import SWEPT_CONFIG
from lab.desk import Connected
from lab.postgres import shared_pair
from step import Offline, Step, still_sends
from world import Case, require


class Migrate(Step):
    """The first start on the stores of an earlier release."""

    name, template, breaks_start = "migrate", "old", True

    def act(self, case: Case) -> None:
        case.ask("me", lambda desk: desk.api.get("/v1/me"))

    def check(self, case: Case) -> None:
        desk, expected = case.desk, case.prepared.more["expected"]
        for subject, known in expected["threads"].items():
            thread = desk.thread(known["id"])
            require(thread["subject"] == subject, "lost", thread)
            texts = [message["text"] for message in thread["messages"]]
            wanted = [message["text"] for message in known["messages"]]
            require(texts == wanted, "lost", texts)
        nora = expected["integrations"]["nora"]
        desk.unlock(Connected(nora["id"], nora["secret"], {})).expect(200)


class MigrateStore(Offline):
    """`migrate-store` to PostgreSQL; begun again after a crash, and then back to files."""

    name = "migrate_store"

    def start(self, case: Case) -> bool:
        case.more["place"] = shared_pair().place()
        case.server.config.write_text(SWEPT_CONFIG + case.more["place"].config("sqlite"))
        return True

    def act(self, case: Case) -> None:
        case.command("move", "migrate-store", "--to", "postgresql")

    def repair(self, case: Case) -> None:
        if not case.was_told("move"):
            self._move(case, "postgresql")
        for name in ("store/store.db", "keyring/keyring.db"):
            require(not (case.server.data / name).exists(), "lost", f"{name} is left")
        self._move(case, "sqlite")
        schemas = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'postern%'"
        left = case.more["place"].keyring_sql(schemas).strip()
        require(left == "0", "lost", f"{left} schemas of the keyring are left")

    def check(self, case: Case) -> None:
        self.check_kept(case)
        case.desk.unlock(case.prepared.connected).expect(200)
        still_sends(case)

    def end(self, case: Case) -> None:
        place = case.more.pop("place")
        for cluster in (place.bulk, place.keyring):
            cluster.sql(f"DROP DATABASE {place.database} WITH (FORCE)")

    @staticmethod
    def _move(case: Case, to: str) -> None:
        case.server.command("migrate-store", "--data", str(case.server.data), "--to", to)
