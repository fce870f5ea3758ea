"""A clean development build without ccache, and one edited file up to its finished unit test.

Works on a copy of the tree, so that neither time stamps nor build folders of the checkout change.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import time

from bed import Bed
from figures import Figure, NotMeasured
from programs import needed

PROJECT = pathlib.Path(__file__).resolve().parents[1]
CLEAN_GOAL_S = 300
EDIT_GOAL_S = 15
GIVE_UP_S = 1800
EDITS = (
    ("src/features/mail/judge.cpp", "features_mail"),
    ("src/features/vault/leases.cpp", "features_vault"),
    ("src/features/mail/reader/sanitise_html.cpp", "features_mail_reader"),
)
_LEFT_OUT = ("build", ".git", "__pycache__")


def measure(bed: Bed) -> list[Figure]:
    needed("cmake", "ninja", "g++")
    tree = bed.scratch / "tree"
    shutil.copytree(PROJECT, tree, symlinks=True, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    programs = _run(tree, "cmake", "--preset", "dev") + _run(
        tree, "ninja", "-C", "build/dev", "all"
    )
    clean = programs + _run(tree, "ninja", "-C", "build/dev", "unit_tests")
    steps = _steps(tree / "build" / "dev" / ".ninja_log")
    work = sum(seconds for seconds, _ in steps)
    cores = os.cpu_count() or 1
    slowest = ", ".join(f"{name} {seconds:.1f} s" for seconds, name in steps[:5])
    figures = [
        Figure(
            "build.clean", programs, "s", CLEAN_GOAL_S,
            detail="what ./dev build makes, without the tests",
        ),
        Figure(
            "build.clean_with_tests", clean, "s", CLEAN_GOAL_S,
            detail=f"{len(steps)} steps, {cores} cores busy {work / clean / cores:.0%}",
            bound=f"{work:.0f} s of work on {cores} cores; slowest: {slowest}",
        )
    ]
    return figures + _edits(tree)


def _edits(tree: pathlib.Path) -> list[Figure]:
    """The slowest of a few one-file edits, each from the touch to its passed unit test."""
    times = {}
    for name, module in EDITS:
        source = tree / name
        if source.exists():
            source.touch()
            build = _run(tree, "ninja", "-C", "build/dev", f"{module}_test")
            test = _run(
                tree, "ctest", "--test-dir", "build/dev", "-R", f"^{module}$",
                "--no-tests=error", "--output-on-failure",
            )
            times[name] = (build + test, test)
    if not times:
        raise NotMeasured("none of the files to edit is there: see EDITS")
    name, (whole, test) = max(times.items(), key=lambda pair: pair[1][0])
    return [
        Figure(
            "build.one_edit", whole, "s", EDIT_GOAL_S, detail=f"slowest of {len(times)}: {name}",
            bound=f"compile and link {whole - test:.1f} s, test {test:.1f} s",
        )
    ]


def _run(tree: pathlib.Path, *command: str) -> float:
    """Seconds that a command took, which must succeed."""
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=tree, env={**os.environ, "CCACHE_DISABLE": "1"}, capture_output=True,
        text=True, check=False, timeout=GIVE_UP_S,
    )
    if done.returncode != 0:
        raise NotMeasured(f"{' '.join(command)}: {(done.stdout + done.stderr)[-1500:]}")
    return time.monotonic() - began


def _steps(log: pathlib.Path) -> list[tuple[float, str]]:
    """(seconds, output) of every build step, slowest first."""
    found = []
    for line in log.read_text().splitlines():
        fields = line.split("\t")
        if len(fields) >= 4:
            seconds = (int(fields[1]) - int(fields[0])) / 1000
            name = re.sub(r"CMakeFiles/[^/]+/", "", fields[3].removesuffix(".o"))
            found.append((seconds, name))
    return sorted(found, reverse=True)
