"""A seeded sample of the fault sweep (the whole: ./dev soak faults), and the control that the sweep
finds what it is there for."""

from __future__ import annotations

import os
import pathlib
import random
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "soak"))

from sweep import GOOD, STEPS, Sweep, cases_of

SEED = int(os.environ.get("POSTERN_FAULT_SEED", "1"))
# Two of each step and kind of fault would take a minute: a fault of each kind in every step.
FAULTS = ("kill", "cut", "eio", "eio_read", "full", "short_write")


class FaultsTest(unittest.TestCase):
    sweep: Sweep

    @classmethod
    def setUpClass(cls) -> None:
        cls.sweep = Sweep()
        cls.addClassCleanup(cls.sweep.close)
        cls.calls = {step.name: cls.sweep.calls(step.name) for step in STEPS}

    def test_a_sample_of_every_step_and_fault(self):
        draw = random.Random(SEED)
        for step in STEPS:
            every = cases_of(step.name, self.calls[step.name])
            for fault in FAULTS:
                case = draw.choice([case for case in every if f"/{fault}/" in case])
                with self.subTest(case, seed=SEED):
                    outcome, detail = self.sweep.run(case)
                    self.assertIn(outcome, GOOD, detail)

    def test_every_role_that_stores_is_counted_and_no_other(self):
        for step in STEPS:
            for role in ("front", "keeper", "supervisor"):
                kinds, _ = self.calls[step.name][role]
                self.assertTrue(kinds, f"{step.name}: {role} called nothing")
            self.assertIn("sync", self.calls[step.name]["keeper"][0])

    def test_a_grant_asked_for_again_after_a_crash_is_one_grant(self):
        kinds, _ = self.calls["connect"]["front"]
        commits = [number for number, kind in enumerate(kinds, 1) if kind == "sync"]
        for number in commits[-7:-1]:
            case = f"connect/front/kill/{number + 1}"
            with self.subTest(case):
                self.assertIn(self.sweep.run(case)[0], GOOD)

    def test_writes_that_never_happened_are_found(self):
        """The control: a disk that lies in the middle of a checkpoint leaves a damaged store."""
        kinds, _ = self.calls["delete"]["front"]
        last_sync = len(kinds) - kinds[::-1].index("sync")
        outcomes = {
            self.sweep.run(f"delete/front/drop/{number}")[0]
            for number in range(last_sync - 8, last_sync)
        }
        self.assertTrue(outcomes - set(GOOD), "dropped writes went unnoticed")


if __name__ == "__main__":
    unittest.main()
