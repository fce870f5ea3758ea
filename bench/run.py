"""./dev bench: speed and memory of the real binary beside peers of the same run.

    python3 bench/run.py                      all measures but the slow build
    python3 bench/run.py --build              the build, too
    python3 bench/run.py --only healthz start

Exit 0 when every measure was taken, whatever the goals say; 1 when one could not be.
"""

from __future__ import annotations

import argparse
import pathlib
import signal
import subprocess
import sys
import time
from typing import Callable

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests" / "functional")]

import build_time  # noqa: E402
import healthz  # noqa: E402
import keyring  # noqa: E402
import mailbox_bytes  # noqa: E402
import mailboxes  # noqa: E402
import memory  # noqa: E402
import reply_latency  # noqa: E402
import results  # noqa: E402
import audited_change  # noqa: E402
import sealed_insert  # noqa: E402
import start  # noqa: E402
import store_insert  # noqa: E402
import thread_open  # noqa: E402
from bed import Bed  # noqa: E402
from figures import Figure, NotMeasured  # noqa: E402
from lab.postern import binary  # noqa: E402

Measure = Callable[[Bed], list[Figure]]

MEASURES: dict[str, Measure] = {
    "start": start.measure,
    "memory": memory.measure,
    "healthz": healthz.measure,
    "thread_open": thread_open.measure,
    "mailbox_bytes": mailbox_bytes.measure,
    "reply_latency": reply_latency.measure,
    "mailboxes": mailboxes.measure,
    "store_insert": store_insert.measure,
    "audited_change": audited_change.measure,
    "sealed_insert": sealed_insert.measure,
    "keyring": keyring.measure,
    "build": build_time.measure,
}
SLOW = ("build",)
MEASURE_S = 600
BUILD_S = 3600
# What keeps one measure from being taken; anything else is a fault of the benchmark itself.
FAILURES = (AssertionError, NotMeasured, OSError, RuntimeError, subprocess.SubprocessError)


def take(name: str) -> list[Figure] | None:
    """One measure with servers of its own; None when it could not be taken."""
    began = time.monotonic()
    limit_s = BUILD_S if name in SLOW else MEASURE_S
    signal.alarm(limit_s)
    try:
        with Bed() as bed:
            try:
                figures = MEASURES[name](bed)
            except FAILURES:
                print(bed.logs(), file=sys.stderr)
                raise
            finally:
                signal.alarm(0)
    except FAILURES as problem:
        print(f"{name}: NOT MEASURED: {problem}", flush=True)
        return None
    for figure in figures:
        print(figure.line(), flush=True)
    for figure in figures:
        if not figure.met:
            print(f"  {figure.name} missed: {figure.bound}")
    print(f"  ({name} took {time.monotonic() - began:.0f} s)", flush=True)
    return figures


def too_long(*_: object) -> None:
    raise NotMeasured("took too long")


def ended(number: int, _: object) -> None:
    """A signal ends the run through the `with` blocks, which stop all servers."""
    sys.exit(128 + number)


def product() -> pathlib.Path | None:
    try:
        return binary()
    except AssertionError:
        return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=MEASURES, metavar="NAME",
                        help="only these: " + ", ".join(MEASURES))
    parser.add_argument("--build", action="store_true", help="measure the slow build, too")
    parser.add_argument("--dry", action="store_true", help="leave RESULTS.md as it is")
    options = parser.parse_args()
    chosen = options.only or [name for name in MEASURES if options.build or name not in SLOW]
    signal.signal(signal.SIGALRM, too_long)
    signal.signal(signal.SIGTERM, ended)
    run = results.this_run(product())
    print(f"{run.revision}, {run.build} build, {run.machine}, load {run.load}", flush=True)
    taken = {name: take(name) for name in chosen}
    measured = {name: figures for name, figures in taken.items() if figures}
    if measured and not options.dry:
        results.record(run, measured)
    missed = [figure.name for figures in measured.values() for figure in figures if not figure.met]
    failed = [name for name, figures in taken.items() if not figures]
    print(f"{len(measured)} measured, {len(failed)} not measured"
          + (f" ({', '.join(failed)})" if failed else "")
          + (f"; goals missed: {', '.join(missed)}" if missed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
