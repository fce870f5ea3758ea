"""Runs a program of micro/ and reads what it prints."""

from __future__ import annotations

import pathlib
import subprocess
import tempfile

from figures import NotMeasured
from lab.postern import binary


def run_bench(name: str, *arguments: str) -> dict[str, float]:
    """Each `name value` line, from a run in an empty folder on the disk that the stores use."""
    folder = binary().parent
    found = next(iter(sorted(folder.rglob(name))), None)
    if found is None:
        raise NotMeasured(
            f"no {name} below {folder}: build the preset bench"
        )
    with tempfile.TemporaryDirectory(prefix="postern-bench-", dir="/tmp") as scratch:
        done = subprocess.run(
            [str(pathlib.Path(found).resolve()), *arguments], cwd=scratch, capture_output=True,
            text=True, check=True, timeout=500,
        )
    lines = (line.split() for line in done.stdout.splitlines())
    return {words[0]: float(words[1]) for words in lines if len(words) == 2}
