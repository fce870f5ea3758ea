"""Keys are rotated while somebody works, and keeper, front or the command is killed at a sync,
link, rename or removal of a file: what was begun is ended, nothing is lost, and nothing is left
under a key of before (the `rotate_*` steps of the fault sweep say what is looked at).

Every such call of the command and the supervisor; of keeper and front, under load, a sample drawn
anew each day (POSTERN_FAULT_SEED draws one again). Every call of every kind: ./dev soak faults.
"""

from __future__ import annotations

import random
import unittest

from lab.shim import seed_of_today
from sweep import DURABLE, GOOD, Sweep, durable

STEPS = ("rotate_root", "rotate_keyring", "rotate_workspaces")
SAMPLE = {"keeper": 8, "front": 3}
SEED = seed_of_today()


class KilledRotationTest(unittest.TestCase):
    sweep: Sweep

    @classmethod
    def setUpClass(cls) -> None:
        cls.sweep = Sweep()
        cls.addClassCleanup(cls.sweep.close)
        cls.calls = {step: cls.sweep.calls(step) for step in STEPS}

    def test_the_command_killed_at_every_durable_call(self):
        for step in STEPS:
            every = range(1, durable(self.calls[step]["supervisor"]) + 1)
            self.assertGreater(len(every), 0)
            self.assertEqual(self._kill(step, "supervisor", every), list(every))

    def test_keeper_and_front_killed_at_a_sample_of_them(self):
        print(f"seed {SEED}")
        draw = random.Random(SEED)
        for step in STEPS:
            for role, size in SAMPLE.items():
                every = range(1, durable(self.calls[step][role]) + 1)
                self.assertGreater(len(every), size, f"{step}: {role}")
                hit = self._kill(step, role, sorted(draw.sample(every, size)))
                # How often somebody came round, and so how many calls there are, differs.
                self.assertGreater(len(hit), size // 2, f"{step}: {role}")

    def _kill(self, step: str, role: str, points) -> list[int]:
        """Those of the calls at which it was killed."""
        hit = []
        for point in points:
            with self.subTest(step=step, role=role, point=point, seed=SEED):
                outcome, detail = self.sweep.run(f"{step}/{role}/kill_sync/{point}")
                if outcome == "not_reached":
                    continue
                hit.append(point)
                self.assertIn(outcome, GOOD, detail)
                self.assertIn(detail.split()[0], DURABLE)
        return hit
