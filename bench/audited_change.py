"""Changes a second with their records in the audit, beside the same changes without, in one run."""

from __future__ import annotations

from bed import Bed
from figures import Figure, Peer
from micro_programs import run_bench

GOAL = 0.8


def measure(_: Bed) -> list[Figure]:
    told = run_bench("audited_change_bench")
    plain, audited = told["plain"], told["audited"]
    return [
        Figure(
            "audited_change", audited, "changes/s", goal=GOAL * plain, at_least=True,
            peers=(Peer("the same changes without a record", plain),),
            detail=f"goal = {GOAL}x; 64 at once, commits shared and synced, settings opened "
            "and sealed by keeper in another thread, median of 5",
            bound="a look-up, a MAC and a row more in each transaction, on the store's one writer",
        ),
    ]
