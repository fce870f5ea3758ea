"""Runs the functional tests: each *_test.py in a process of its own, one or more at a time.

    python3 tests/functional/lab/runner.py [--jobs 2] [--deadline 900] [-k WORD] [FILE...]

Prints the time of each suite and every failure, then one last line `N passed, N failed`.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import importlib.util
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

SLOW_S = 2.0
# First, so that at the end nothing waits for one of them.
LONGEST = ("chaos_test", "mailboxes_test", "trust_test", "postgres_keys_test")
FOLDER = pathlib.Path(__file__).resolve().parents[1]
FOLDERS = (FOLDER, FOLDER.with_name("security"))


class _Counting(unittest.TextTestResult):
    """Remembers what passed, which unittest itself does not. A failing sub-test is one failure."""

    def __init__(self, *arguments, **more) -> None:
        super().__init__(*arguments, **more)
        self.passed = 0
        self.failed_ids: set[str] = set()

    def startTest(self, test):
        self._began = time.monotonic()
        super().startTest(test)

    def stopTest(self, test):
        super().stopTest(test)
        took = time.monotonic() - self._began
        if took > SLOW_S:
            self.stream.writeln(f"    took {took:.1f} s")

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.failed_ids.add(test.id())

    def addError(self, test, err):
        super().addError(test, err)
        self.failed_ids.add(test.id())

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.failed_ids.add(test.id())

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.failed_ids.add(test.id())


def run_one(path: pathlib.Path, word: str, report: pathlib.Path) -> int:
    """In the child: runs one file and writes its figures to `report`."""
    sys.path.insert(0, str(FOLDER))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{word}*"] if word else None
    suite = loader.loadTestsFromModule(module)
    runner = unittest.TextTestRunner(
        stream=sys.stdout, verbosity=2, resultclass=_Counting, tb_locals=False
    )
    result = runner.run(suite)
    figures = {
        "passed": result.passed,
        "failed": sorted(result.failed_ids),
        "skipped": [f"{test.id()}: {reason}" for test, reason in result.skipped],
    }
    report.write_text(json.dumps(figures))
    return 0


def run_child(path: pathlib.Path, word: str, deadline_s: float) -> dict:
    """In the parent: one file, with a deadline for the whole of it."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "figures.json"
        output = pathlib.Path(folder) / "output.txt"
        command = [sys.executable, __file__, "--one", str(path), "--report", str(report)]
        command += ["-k", word] if word else []
        with open(output, "wb") as out:
            child = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
            try:
                child.wait(deadline_s)
                trouble = f"ended with {child.returncode} before its tests did"
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
                trouble = f"not done within {deadline_s:g} s"
        figures = {"passed": 0, "failed": [f"{path.stem}: {trouble}"], "skipped": []}
        with contextlib.suppress(OSError, ValueError):
            figures = json.loads(report.read_text())
        figures.update(
            name=path.stem, seconds=time.monotonic() - began,
            output=output.read_text(errors="replace"),
        )
        return figures


def show(figures: dict, *, verbose: bool) -> None:
    skipped = f", {len(figures['skipped'])} skipped" if figures["skipped"] else ""
    print(
        f"{figures['name']:24} {figures['passed']} passed, {len(figures['failed'])} failed"
        f"{skipped}  ({figures['seconds']:.1f} s)", flush=True,
    )
    if figures["failed"] or verbose:
        print(figures["output"].rstrip())
    for name in figures["failed"]:
        print(f"  FAILED  {name}")
    for reason in figures["skipped"]:
        print(f"  skipped {reason}")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", help="test files or words of their names; default all")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--deadline", type=float, default=900.0, help="seconds for one file")
    parser.add_argument("-k", dest="word", default="", help="only tests whose name holds this")
    parser.add_argument("-v", dest="verbose", action="store_true")
    parser.add_argument("--one", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--report", type=pathlib.Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    # As a script, Python looks into lab/ first, where names are ours: `import lab` only.
    sys.path[:] = [place for place in sys.path if place != str(FOLDER / "lab")]
    if options.one:
        return run_one(options.one, options.word, options.report)

    wanted = [pathlib.Path(name).stem for name in options.files]
    found = [path for folder in FOLDERS for path in folder.glob("*_test.py")]
    found = sorted(found, key=lambda path: (path.stem not in LONGEST, path.stem))
    chosen = [path for path in found if not wanted or any(word in path.stem for word in wanted)]
    passed, failed, skipped = 0, 0, 0
    with concurrent.futures.ThreadPoolExecutor(max(1, options.jobs)) as pool:
        runs = [pool.submit(run_child, path, options.word, options.deadline) for path in chosen]
        for run in concurrent.futures.as_completed(runs):
            figures = run.result()
            show(figures, verbose=options.verbose)
            passed += figures["passed"]
            failed += len(figures["failed"])
            skipped += len(figures["skipped"])
    if not passed + failed + skipped:
        print(f"no test matches {' '.join([*options.files, options.word or ''])}".rstrip())
        failed = 1
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
