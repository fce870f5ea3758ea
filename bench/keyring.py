"""Keeper with 100,000 people in its keyring: opening in batches, and a rotation under load."""

from __future__ import annotations

from bed import Bed
from figures import Figure
from micro_programs import run_bench

OPENINGS_A_SECOND = 100_000
P99_RATIO = 2.0


def measure(_: Bed) -> list[Figure]:
    told = run_bench("keyring_bench")
    return [
        Figure(
            "keeper_opens", told["open_keys_per_s"], "keys/s", goal=OPENINGS_A_SECOND,
            at_least=True, detail="batches of 1,000 through keeper's router, coding included",
            bound="one AEAD opening a key, one core",
        ),
        Figure(
            "rotation_p99", told["p99_ratio"], "of the quiet one", goal=P99_RATIO,
            detail=f"live calls while keyring and workspace keys with 100,000 wraps are rotated, "
                   f"{told['rotation_s']:.0f} s",
            bound="one SQLite writer: a live write waits for the batch in hand",
        ),
    ]
