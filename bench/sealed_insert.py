"""Messages a second into SQLite: sealed, beside the same bytes as they are, in one run."""

from __future__ import annotations

from bed import Bed
from figures import Figure, Peer
from micro_programs import run_bench

GOAL = 0.5


def measure(_: Bed) -> list[Figure]:
    told = run_bench("sealed_insert_bench")
    plain, sealed, indexed = told["plain"], told["sealed"], told["indexed"]
    detail = "texts of 350 to 6,000 bytes, 100 in a transaction, synced at each commit, median of 5"
    return [
        Figure(
            "sealed_insert", sealed, "messages/s", goal=GOAL * plain, at_least=True,
            peers=(Peer("SQLite with the same bytes", plain),), detail=f"goal = {GOAL}x; {detail}",
            bound="a key made and wrapped by keeper for each message, and the sync of each commit",
        ),
        Figure(
            "sealed_insert_indexed", indexed, "messages/s",
            peers=(Peer("without the index", sealed),),
            detail="with the row by which a reply finds the message; there is no word index yet",
        ),
    ]
