"""A seeded sample of the fault sweep (the whole: ./dev soak faults), and the control that the sweep
finds what it is there for."""

from __future__ import annotations

import random
import unittest

from lab.shim import seed_of_today
from sweep import GOOD, NOT_REACHED, STEPS, Sweep, cases_of

SEED = seed_of_today()
FAULTS = ("kill", "cut", "eio", "eio_read", "full", "short_write")
# Of each step; two or more of each kind of fault in every one would take minutes.
FAULTS_OF_A_STEP = 3
DRAWS = 4
WITHOUT_FRONT = ("recover", "kit")


class FaultsTest(unittest.TestCase):
    sweep: Sweep

    @classmethod
    def setUpClass(cls) -> None:
        cls.sweep = Sweep()
        cls.addClassCleanup(cls.sweep.close)
        cls.calls = {step.name: cls.sweep.calls(step.name) for step in STEPS}

    def test_a_sample_of_every_step(self):
        print(f"seed {SEED}")
        draw = random.Random(SEED)
        for step in STEPS:
            every = cases_of(step.name, self.calls[step.name])
            for fault in draw.sample(FAULTS, FAULTS_OF_A_STEP):
                cases = [case for case in every if f"/{fault}/" in case]
                # Threads run otherwise than when they were counted: one missed has a next.
                drawn = draw.sample(cases, min(len(cases), DRAWS))
                with self.subTest(f"{step.name} {fault}", seed=SEED):
                    self._run_first_reached(drawn, step.breaks_start)

    def _run_first_reached(self, cases: list[str], may_refuse: bool) -> None:
        outcome, detail = NOT_REACHED, ""
        for case in cases:
            outcome, detail = self.sweep.run(case)
            if outcome != NOT_REACHED:
                break
        self.assertIn(outcome, GOOD, f"{case}: {detail}")
        self.assertTrue(may_refuse or outcome != "refused", f"{case}: no start was broken")

    def test_every_role_that_stores_is_counted_and_no_other(self):
        for step in STEPS:
            roles = ("keeper", "supervisor", *([] if step.name in WITHOUT_FRONT else ["front"]))
            for role in roles:
                kinds, _ = self.calls[step.name][role]
                self.assertTrue(kinds, f"{step.name}: {role} called nothing")
            self.assertIn("sync", self.calls[step.name]["keeper"][0])

    def test_the_kinds_of_calls_are_told_apart(self):
        """Each kind where the program is known to make such a call."""
        for step, role, kinds in (
            ("init", "supervisor", {"mkdir", "make", "own", "sync", "link", "unlink", "open"}),
            ("start", "supervisor", {"unlink", "link", "own"}),
            ("rotate_root", "supervisor", {"make", "sync", "link", "unlink", "rename"}),
            ("kit", "supervisor", {"allocate"}),
            ("migrate_store", "supervisor", {"rename", "unlink"}),
            ("delete", "keeper", {"open", "write", "sync", "resize"}),
        ):
            with self.subTest(step):
                self.assertLessEqual(kinds, set(self.calls[step][role][0]))

    def test_a_step_s_own_calls_are_what_is_counted(self):
        """Those of a start are in the steps that are about it."""
        start = self.calls["start"]["supervisor"][0]
        self.assertIn("link", start)
        for name in ("send", "cut_off", "revoke"):
            self.assertNotIn("link", self.calls[name]["supervisor"][0])

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
