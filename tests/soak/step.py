"""What a step of the sweep is.

A step acts as a patient client does: it asks again, with the same Idempotency-Key, while it gets no
answer or a 5xx. What it was answered is what must be there afterwards.
"""

from __future__ import annotations

import signal

from lab.api import Reply, new_key
from lab.desk import Desk
from lab.process import TimedOut, eventually
from world import CLEAN_S, NEW_SECRET, SECRET, Case, require

SECRETS = (SECRET, NEW_SECRET)


class Step:
    """`act` runs under the fault, `check` after a clean start."""

    name = ""
    template = "at_work"
    # Of these alone the start belongs to what is broken, and may be refused.
    breaks_start = False

    def start(self, case: Case) -> bool:
        """Serves; false when the server refused, which it may do with words."""
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

    def ready(self, case: Case) -> None:
        """What there must be before the step's own calls are counted."""

    def act(self, case: Case) -> None:
        raise NotImplementedError

    def after(self, case: Case) -> None:
        """Ends what the step has under way, before the server is stopped."""

    def repair(self, case: Case) -> None:
        """What a person would do before the clean start."""

    def check(self, case: Case) -> None:
        raise NotImplementedError

    def end(self, case: Case) -> None:
        """Gives back what the case holds, however it went."""

    def check_kept(self, case: Case) -> None:
        """What was acknowledged long before is there, and opens."""
        thread = case.desk.thread(case.prepared.kept)
        message = thread["messages"][0]
        require(thread["subject"].startswith("Kept"), "lost", thread)
        require((message["state"], message["text"].strip()) == ("sent", "what was said"), "lost",
                message)


class Offline(Step):
    """Commands alone: no server runs."""

    def start(self, case: Case) -> bool:
        return True


def receipt_holds(desk: Desk, told: Reply) -> None:
    receipt = desk.api.get(f"/v1/receipts/{told['id']}")
    require(receipt.status == 200, "lost", receipt)
    require(receipt["signature"] == told["signature"], "lost", receipt)


def exactly_one_opens(case: Case, told: str) -> None:
    """Of the two secrets; the new one where the change was acknowledged."""
    desk, integration = case.desk, case.prepared.connected
    answers = [desk.unlock(integration, secret) for secret in SECRETS]
    opens = [answer.status == 200 for answer in answers]
    require(sum(opens) == 1, "lost", [str(answer) for answer in answers])
    if case.was_told(told):
        require(opens[1], "lost", [str(answer) for answer in answers])


def still_sends(case: Case) -> None:
    desk = case.desk
    made = case.world.write(desk, case.prepared, case.subject, new_key()).expect(201)["id"]
    require(desk.settled(made, deadline_s=CLEAN_S)["state"] == "sent", "lost", case.subject)
