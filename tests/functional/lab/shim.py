"""The fault sweep's library (tests/soak/shim) in installations of a test: what is counted and
broken is the calls of a role, over all its threads and processes."""

from __future__ import annotations

import datetime
import os
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "soak"))

from installation import SWEPT_CONFIG, Programs, Swept

from .case import LabCase


def seed_of_today() -> int:
    """Another draw each day; POSTERN_FAULT_SEED repeats one."""
    return int(os.environ.get("POSTERN_FAULT_SEED") or f"{datetime.date.today():%Y%m%d}")


class ShimCase(LabCase):
    """Its installations have the library in them, with a plan each (`server.plan`)."""

    programs: Programs

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.programs = Programs()
        cls.addClassCleanup(cls.programs.close)

    def installation(self, *, config: str = SWEPT_CONFIG, name: str = "") -> Swept:
        return self._adopt_swept(name or f"postern{len(self._servers)}", config)

    def copy(self, server: Swept, name: str) -> Swept:
        twin = self._adopt_swept(name, server.config.read_text())
        twin.adopt_data(server.data)
        return twin

    def _adopt_swept(self, name: str, config: str) -> Swept:
        server = Swept(self.scratch / name, self.programs, config)
        server.plan.arm()
        return self.adopt(server)
