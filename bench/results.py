"""RESULTS.md: the latest figures of each measure, with the run they come from.

`results.json` beside it holds the same, so that a run of one measure replaces only its own figures.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import pathlib
import re
import subprocess

from figures import Figure, Peer, number

HERE = pathlib.Path(__file__).resolve().parent
STORE = HERE / "results.json"
PAGE = HERE / "RESULTS.md"


@dataclasses.dataclass(frozen=True)
class Run:
    """When, what and where: the same for all measures of one run."""

    date: str
    revision: str
    build: str
    machine: str
    load: str


def this_run(binary: pathlib.Path | None) -> Run:
    now = datetime.datetime.now(datetime.timezone.utc)
    return Run(
        f"{now:%Y-%m-%d %H:%M} UTC", _revision(), binary.parent.name if binary else "none",
        _machine(), f"{os.getloadavg()[0]:.1f}",
    )


def record(run: Run, measured: dict[str, list[Figure]]) -> None:
    """Replaces the figures of the measures that were taken, and writes the page anew."""
    known = json.loads(STORE.read_text()) if STORE.exists() else {}
    for name, figures in measured.items():
        known[name] = {
            "run": dataclasses.asdict(run),
            "figures": [dataclasses.asdict(figure) for figure in figures],
        }
    STORE.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n")
    PAGE.write_text(page(known))


def page(known: dict) -> str:
    entries = [
        (Run(**entry["run"]), [_figure(row) for row in entry["figures"]])
        for entry in known.values()
    ]
    lines = ["# Results of ./dev bench", "", "Written by `bench/run.py`; do not edit.", ""]
    lines += _runs(known)
    lines += [
        "The machine is shared: absolute figures move by tens of per cent between runs, ratios to",
        "the peers of the same run less so.", "",
        "| measure | figure | goal | met | peers of the same run: figure and our multiple of it |",
        "|---|---|---|---|---|",
    ]
    missed = []
    for _, figures in entries:
        for figure in figures:
            lines.append(_row(figure))
            if not figure.met:
                missed.append(
                    f"* **{figure.name}**: {number(figure.value)} {figure.unit} "
                    f"({figure.goal_text}). {figure.bound[:1].upper()}{figure.bound[1:]}."
                )
    lines += ["", "## Missed", "", *(missed or ["Nothing."]), "", "## Particulars", ""]
    for _, figures in entries:
        lines += [f"* {figure.name}: {figure.detail}" for figure in figures if figure.detail]
    return "\n".join(lines) + "\n"


def _runs(known: dict) -> list[str]:
    """One line for each run that some of the figures come from."""
    by_run: dict[Run, list[str]] = {}
    for name, entry in known.items():
        by_run.setdefault(Run(**entry["run"]), []).append(name)
    return [
        line
        for run, names in by_run.items()
        for line in (
            f"* {', '.join(names)}: {run.date}, revision {run.revision}, {_named(run.build)}, "
            f"{run.machine}, load {run.load} at the start", "",
        )
    ]


def _named(build: str) -> str:
    # `bench` is the release build with the programs of bench/micro beside it.
    is_release = build in ("release", "bench")
    return "release build" if is_release else f"**{build} build, not a release**"


def _row(figure: Figure) -> str:
    goal = figure.goal_text.removeprefix("goal ")
    met = "" if figure.goal is None else "yes" if figure.met else "**no**"
    peers = "; ".join(
        f"{peer.name} {number(peer.value)}, {number(figure.value / peer.value)}x"
        for peer in figure.peers if peer.value
    )
    value = f"{number(figure.value)} {figure.unit}"
    return f"| {figure.name} | {value} | {goal} | {met} | {peers} |"


def _figure(row: dict) -> Figure:
    return Figure(**{**row, "peers": tuple(Peer(**peer) for peer in row["peers"])})


def _revision() -> str:
    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=HERE, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    changed = " with changes" if git("status", "--porcelain", "--", "../src") else ""
    return (git("rev-parse", "--short", "HEAD") or "unknown") + changed


def _machine() -> str:
    cpu = re.search(r"^model name\s*: (.*)$", _read("/proc/cpuinfo"), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s+(\d+)", _read("/proc/meminfo"), re.MULTILINE)
    gib = int(memory[1]) / 1024 / 1024 if memory else 0
    kernel = os.uname().release.split("-")[0]
    return f"{os.cpu_count()} cores {cpu[1] if cpu else '?'}, {gib:.0f} GiB, Linux {kernel}"


def _read(path: str) -> str:
    try:
        return pathlib.Path(path).read_text()
    except OSError:
        return ""
