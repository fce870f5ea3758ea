"""The real programs with the shim in them, and the lab's server built from those."""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from lab.postern import CONFIG, Postern, binary, copy_owners
from lab.process import alive, descendants, eventually, kill_tree
from plan import Plan

# Cheap stretching: what is swept is storage.
SWEPT_CONFIG = CONFIG + """
[seal]
argon2_memory_kib = 19456
argon2_passes = 1
[sign_in]
argon2_memory_kib = 19456
argon2_passes = 2
"""
CHILDREN = ("front", "keeper", "courier", "reader")
MEMORY = pathlib.Path("/dev/shm")


class Programs:
    """A folder with the programs of one build, byte for byte, each of which loads the shim."""

    def __init__(self) -> None:
        built = binary().parent
        parts = built / "soak"
        if not (parts / "libfault_shim.so").exists():
            raise AssertionError(f"no {parts}: build the target soak_parts")
        # Programs and data apart: memory may be mounted without the right to execute.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pst-bin-", dir="/tmp"))
        self.folder.chmod(0o755)
        (self.folder / "real").mkdir(mode=0o755)
        shutil.copy2(built / "postern", self.folder / "postern")
        shutil.copy2(parts / "libfault_shim.so", self.folder)
        for role in CHILDREN:
            shutil.copy2(built / f"postern-{role}", self.folder / "real")
            shutil.copy2(parts / "role_launcher", self.folder / f"postern-{role}")
        self._before = os.environ.get("POSTERN_BIN")
        os.environ["POSTERN_BIN"] = str(self.folder / "postern")

    def close(self) -> None:
        os.environ.pop("POSTERN_BIN")
        if self._before:
            os.environ["POSTERN_BIN"] = self._before
        shutil.rmtree(self.folder, ignore_errors=True)


def scratch() -> pathlib.Path:
    """A folder in memory, where a sync costs nothing: no power is cut here, only processes."""
    place = MEMORY if os.access(MEMORY, os.W_OK) else pathlib.Path("/tmp")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pst-", dir=place))
    folder.chmod(0o755)
    return folder


class Swept(Postern):
    """An installation whose processes read `plan`."""

    def __init__(
        self, folder: pathlib.Path, programs: Programs, config: str = SWEPT_CONFIG
    ) -> None:
        folder.mkdir()
        super().__init__(folder, config=config)
        self._programs = programs
        self.plan = Plan(programs.folder / "plan", self.data)

    def adopt_data(self, template: pathlib.Path) -> None:
        """A copy of a stopped installation's files, owners and all."""
        shutil.copytree(template, self.data)
        copy_owners(template, self.data)

    def answers(self) -> bool:
        """Whether it is ready to serve; false also where nobody listens."""
        try:
            return self.api().get("/readyz").status == 200
        except OSError:
            return False

    def begin_clean(self) -> None:
        """Starts without a fault, with a log of its own."""
        self.log_path = self.folder / "clean.log"
        self.start()

    def end(self, deadline_s: float) -> int | None:
        """SIGTERM; the exit status, or nothing when that was not enough. How its processes ended
        is not looked at: one of them was broken."""
        child, self._child = self._child, None
        pids = descendants(child.pid)
        child.send_signal(signal.SIGTERM)
        try:
            status = child.wait(deadline_s)
        except subprocess.TimeoutExpired:
            status = None
            kill_tree(child.pid)
            child.wait()
        eventually(lambda: not [pid for pid in pids if alive(pid)], "children gone")
        return status

    @property
    def exit_status(self) -> int | None:
        return self._child.poll() if self._child else None

    def discard(self) -> None:
        self.close()
        self.plan.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _environment(self) -> dict[str, str]:
        return {
            **super()._environment(), "LD_PRELOAD": str(self._programs.folder / "libfault_shim.so"),
            "POSTERN_FAULT_PLAN": str(self._programs.folder / "plan"),
            "POSTERN_FAULT_ROLE": "supervisor",
        }
