"""./dev test: runs the suites one after the other and ends with one line of counts.

A failure in one suite does not stop the others. The last line is `N passed, N failed` (with
`, N skipped` where there were any); the exit code is non-zero on any failure or when nothing ran.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
import zlib
from dataclasses import dataclass
from pathlib import Path

import ninja_log

ROOT = Path(__file__).resolve().parents[2]
COUNTS = re.compile(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$")
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1"
    ":allow_addr2line=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
}
# Where threads are: the pool for work that blocks, the store's writer and readers, name resolution,
# Argon2id, locked memory, the search of files. Everything else runs on the one thread of its
# process's loop: that of app/* is made by the processes themselves, whose tests are functional.
THREADED = ("foundation_base", "foundation_crypto", "platform_async", "platform_ipc",
            "platform_audit", "platform_store", "platform_net", "features_identity",
            "features_trust", "features_vault")
# libpq's connections go from thread to thread: the store's own suite goes over them, too.
THREADED_ON_POSTGRESQL = ("platform_store",)
# What a sanitizer stands in the way of, and what looks at the programs as they are shipped: the
# suite `fences`. All other unit tests a run of everything compiles once, for the suite `asan`.
UNSANITIZED = ("platform_os", "features_mail_reader", "app_fence", "linked_libraries",
               "system_calls", "system_calls_selftest")
# Of how many headers a run of everything compiles one by itself: others at the next revision.
HEADERS_ONE_OF = 4
# Twice the cores that a run is laid out for: half of the time a test of servers waits.
FUNCTIONAL_JOBS = "4"
TSAN_ENV = {"TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1"}


@dataclass
class Outcome:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other: "Outcome") -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self) -> str:
        tail = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{tail}"


def say(text: str) -> None:
    print(text, flush=True)


def build(preset: str, *ninja_args: str) -> bool:
    """False when something did not compile; what did is there nevertheless."""
    log = ROOT / "build" / preset / ".ninja_log"
    clean = not ninja_log.slowest(log)
    done = subprocess.run(["./dev", "build", preset, "-k", "0", *ninja_args], cwd=ROOT)
    if clean:
        say(ninja_log.report(log))
    return done.returncode == 0


def run_counted(command: list[str], env: dict[str, str] | None = None) -> Outcome:
    """Runs a suite that ends with a line of counts itself, passing its output on."""
    last = None
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **(env or {})}, stdout=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            last = COUNTS.match(line.strip()) or last
    if last is None:
        say(f"{command[1]}: no line of counts (exit {process.returncode})")
        return Outcome(failed=1)
    outcome = Outcome(*(int(count or 0) for count in last.groups()))
    if process.returncode != 0 and outcome.failed == 0:
        say(f"{command[1]}: exit {process.returncode} although nothing failed")
        outcome.failed = 1
    return outcome


def case_counts(report: Path, module_failed: bool) -> Outcome:
    """Counts the cases of one GoogleTest binary; a binary that broke off counts as one failure."""
    try:
        cases = ElementTree.parse(report).getroot().iter("testcase")
    except (OSError, ElementTree.ParseError):
        return Outcome(failed=1) if module_failed else Outcome(passed=1)
    outcome = Outcome()
    for case in cases:
        skipped = case.find("skipped")
        if case.get("status") != "run":
            continue
        if case.find("failure") is not None:
            outcome.failed += 1
        elif skipped is not None:
            outcome.skipped += 1
            reason = (skipped.get("message") or skipped.text or "").strip().splitlines()
            say(f"skipped {case.get('classname')}.{case.get('name')}: {' '.join(reason)}")
        else:
            outcome.passed += 1
    if module_failed and outcome.failed == 0:
        outcome.failed = 1
    return outcome


def module_names(build_dir: Path) -> list[str]:
    listed = subprocess.run(
        ["ctest", "--test-dir", build_dir, "--show-only=json-v1"], capture_output=True, text=True
    )
    return [test["name"] for test in json.loads(listed.stdout or "{}").get("tests", [])]


def run_ctest(preset: str, wanted: str | None, env: dict[str, str]) -> Outcome:
    build_dir = ROOT / "build" / preset
    reports = build_dir / "gtest"
    shutil.rmtree(reports, ignore_errors=True)
    junit = build_dir / "ctest.xml"
    junit.unlink(missing_ok=True)
    names = module_names(build_dir)
    command = ["ctest", "--test-dir", str(build_dir), "--output-on-failure", "--output-junit",
               str(junit), "--timeout", "600", "-j", str(os.cpu_count() or 1)]
    env = {**os.environ, **env}
    if wanted and any(re.search(wanted, name) for name in names):
        command += ["-R", wanted]
    elif wanted:
        env["GTEST_FILTER"] = f"*{wanted}*"
    subprocess.run(command, cwd=ROOT, env=env)
    if not junit.exists():
        return Outcome(failed=1)
    outcome = Outcome()
    for case in ElementTree.parse(junit).getroot().iter("testcase"):
        failed = case.get("status") != "run"
        outcome.add(case_counts(reports / f"{case.get('name')}.xml", failed))
    return outcome


def run_lint(wanted: str | None) -> Outcome:
    return run_counted([sys.executable, "tools/lint/run.py", *([wanted] if wanted else [])])


def test_targets(preset: str, wanted: str | None) -> list[str]:
    """The test binaries of the modules that the filter names; everything where it names none."""
    listed = subprocess.run(["ninja", "-C", ROOT / "build" / preset, "-t", "targets", "all"],
                            capture_output=True, text=True)
    every = re.findall(r"^(?!cmake_)(\w+_test): phony", listed.stdout, re.MULTILINE)
    named = [name for name in every if wanted and re.search(wanted, name.removesuffix("_test"))]
    return named or (every if wanted else ["all", "unit_tests"])


def run_tests_of(preset: str, wanted: str | None, env: dict[str, str]) -> Outcome:
    subprocess.run(["./dev", "configure", preset], cwd=ROOT)
    targets = test_targets(preset, wanted)
    built = build(preset, *targets)
    outcome = run_ctest(preset, wanted, env)
    outcome.add(Outcome() if built else Outcome(failed=1))
    return outcome


def run_unit(wanted: str | None) -> Outcome:
    return run_tests_of("dev", wanted, {})


def run_fences(_wanted: str | None) -> Outcome:
    """Unit tests that a build with a sanitizer has to skip."""
    subprocess.run(["./dev", "configure", "dev"], cwd=ROOT)
    wanted = f"^({'|'.join(UNSANITIZED)})$"
    built = build("dev", "all", *test_targets("dev", wanted))
    outcome = run_ctest("dev", wanted, {})
    outcome.add(Outcome() if built else Outcome(failed=1))
    return outcome


def compile_headers(one_of: int) -> Outcome:
    """Headers compile by themselves: an object file each. Which ones, the revision says."""
    subprocess.run(["./dev", "configure", "dev"], cwd=ROOT)
    listed = subprocess.run(["ninja", "-C", ROOT / "build/dev", "-t", "targets", "all"],
                            capture_output=True, text=True)
    objects = re.findall(r"^(\S+/alone/\S+\.cpp\.o): ", listed.stdout, re.MULTILINE)
    seed = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True,
                          text=True).stdout.strip()
    chosen = [name for name in objects if zlib.crc32(f"{seed} {name}".encode()) % one_of == 0]
    say(f"{len(chosen)} of {len(objects)} headers, seed {seed or 'none'}")
    good = build("dev", *chosen) if chosen else False
    made = sum((ROOT / "build/dev" / name).exists() for name in chosen)
    return Outcome(passed=made, failed=0 if good else max(len(chosen) - made, 1))


def run_headers(_wanted: str | None) -> Outcome:
    return compile_headers(1)


def run_some_headers(_wanted: str | None) -> Outcome:
    return compile_headers(HEADERS_ONE_OF)


def run_functional(wanted: str | None) -> Outcome:
    if not build("dev", "all", "soak_parts"):
        say("the build failed: running what is there")
    env = {"POSTERN_BIN": str(ROOT / "build/dev/postern")}
    command = [sys.executable, "tests/functional/lab/runner.py", "--jobs", FUNCTIONAL_JOBS]
    return run_counted(command + ([wanted] if wanted else []), env)


def run_asan(wanted: str | None) -> Outcome:
    """The unit tests under AddressSanitizer and UndefinedBehaviorSanitizer, on both engines."""
    return run_tests_of("asan", wanted, SANITIZER_ENV)


def run_tsan(wanted: str | None) -> Outcome:
    """The tests of the modules that have threads, under ThreadSanitizer: no suppressions."""
    subprocess.run(["./dev", "configure", "tsan"], cwd=ROOT)
    named = [name for name in THREADED if not wanted or wanted in name]
    built = build("tsan", *(f"{name}_test" for name in named)) if named else True
    suites = named + [f"{name}_on_postgresql" for name in THREADED_ON_POSTGRESQL if name in named]
    outcome = run_ctest("tsan", f"^({'|'.join(suites)})$", TSAN_ENV) if named else Outcome()
    outcome.add(Outcome() if built else Outcome(failed=1))
    return outcome


def run_fuzz(_wanted: str | None) -> Outcome:
    """Each fuzz target over its corpus and 500 inputs more: they must keep compiling."""
    return run_counted([sys.executable, "tools/dev/fuzz.py", "--replay"])


def run_tidy(wanted: str | None) -> Outcome:
    subprocess.run(["./dev", "configure", "tidy"], cwd=ROOT)
    return run_counted([sys.executable, "tools/dev/tidy.py", *([wanted] if wanted else [])])


SUITES = {
    "lint": run_lint,
    "unit": run_unit,
    "fences": run_fences,
    "headers": run_headers,
    "some-headers": run_some_headers,
    "functional": run_functional,
    "asan": run_asan,
    "tsan": run_tsan,
    "fuzz": run_fuzz,
    "tidy": run_tidy,
}
# By name only: `unit` is what `asan` runs, without its cost in daily work; `headers` is all of
# them; `tidy` looks at each file for seconds when nothing is remembered.
USUAL = [name for name in SUITES if name not in ("unit", "headers", "tidy")]


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev test")
    parser.add_argument("--only", choices=SUITES, action="append", help="this suite (repeatable)")
    parser.add_argument("filter", nargs="?", help="part of a lint's, module's or test's name")
    options = parser.parse_args()
    started = time.monotonic()
    total, lines = Outcome(), []
    for name in options.only or USUAL:
        say(f"\n== {name}")
        suite_started = time.monotonic()
        outcome = SUITES[name](options.filter)
        total.add(outcome)
        lines.append(f"{name:<11} {time.monotonic() - suite_started:7.1f} s   {outcome}")
        say(lines[-1])
    say("\n== all suites")
    for line in lines:
        say(line)
    say(f"{'total':<11} {time.monotonic() - started:7.1f} s")
    say(str(total))
    return 0 if total.failed == 0 and total.passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
