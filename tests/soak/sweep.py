"""./dev soak faults: breaks every storage call of the story, one a run, and looks what is left.

    sweep.py [--seed 1] [--limit N | --minutes M] [--steps send,cut_off] [--roles front] [--fresh]
    sweep.py --case send/front/kill/17     one case, told in full
    sweep.py --report                      the counts of what is done, as the result file has them

Each case is (step, role, fault, number): the step runs with the fault at that role's call of that
number, everything is stopped, started without a fault, and judged. Cases that are done with these
very programs are not done again: build/soak/faults.jsonl has one line for each.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import json
import pathlib
import random
import subprocess
import sys
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/functional"), str(ROOT / "tests/soak")]

import oracle
from installation import CHILDREN
from lab.postern import binary
from plan import ROLES
from step import Step
from steps import STEPS
from world import Broken, Case, World, require

STATE = ROOT / "build/soak/faults.jsonl"
RESULT = ROOT / "tests/soak/faults-result.txt"
SWEPT_ROLES = ("supervisor", "front", "keeper")
# What a fault can be at: every kind of call, or only those that write.
WRITES = ("write",)
TAKES_ROOM = ("write", "make", "mkdir", "allocate", "resize")
# After which a crash finds something else on the disk.
DURABLE = ("sync", "rename", "link", "unlink")
GOOD = ("good", "refused")
# With which a start goes on: the rest is written by another call.
GOES_ON = ("short_write",)
# Threads run otherwise than when the calls were counted: one in so many may stay out of reach.
NOT_REACHED, NOT_REACHED_ONE_IN = "not_reached", 25
ATTEMPTS = 3
COUNTED_RUNS = 3
PORT_TAKEN = "[address_in_use]"
STOP_S = 20.0


def durable(counts: tuple[list[str], int]) -> int:
    """How many of a role's calls make something last."""
    return sum(kind in DURABLE for kind in counts[0])


def cases_of(step: str, counts: dict[str, tuple[list[str], int]]) -> list[str]:
    """Every case of a step, from what it called when nothing was broken."""
    found = []
    for role in SWEPT_ROLES:
        kinds, reads = counts[role]
        for number, kind in enumerate(kinds, 1):
            faults = ["kill", "eio"]
            faults += ["cut", "short_write"] if kind in WRITES else []
            faults += ["full"] if kind in TAKES_ROOM else []
            found += [f"{step}/{role}/{fault}/{number}" for fault in faults]
        found += [f"{step}/{role}/eio_read/{number}" for number in range(1, reads + 1)]
    return found


class Sweep:
    """Runs cases in one world of mail servers and prepared installations."""

    def __init__(self) -> None:
        self.world = World()
        self.steps = {step.name: step() for step in STEPS}

    def close(self) -> None:
        self.world.close()

    def calls(self, name: str) -> dict[str, tuple[list[str], int]]:
        """What the step calls without a fault, its stop included: of several runs that of the
        fewest calls, since what somebody does beside it is now more and now less."""
        runs = [self._calls_once(name) for _ in range(COUNTED_RUNS)]
        return {
            role: (min((run[role][0] for run in runs), key=len), min(run[role][1] for run in runs))
            for role in ROLES
        }

    def _calls_once(self, name: str) -> dict[str, tuple[list[str], int]]:
        step = self.steps[name]
        case = self._case(step, "none")
        try:
            require(self._act(step, case), "no_start", case.server.log()[-1500:])
            case.server.stop(STOP_S)
            counts = case.server.plan.counts()
            self._judge(step, case)
        except AssertionError as failed:
            logs = sorted(case.server.folder.glob("*.log"))
            failed.add_note("\n".join(f"--- {log.name}\n{log.read_text()[-3000:]}" for log in logs))
            raise
        finally:
            step.end(case)
            case.server.discard()
        for role in set(ROLES) - set(SWEPT_ROLES):
            if counts[role][0]:
                raise AssertionError(f"{name}: {role} changed files: {counts[role]}")
        return counts

    def run(self, key: str, tell: bool = False) -> tuple[str, str]:
        """(outcome, what was broken or what is wrong). A call that was not reached is tried for
        again: threads run otherwise each time. So is a case whose port somebody took meanwhile."""
        for _ in range(ATTEMPTS):
            outcome, detail = self._run_once(key, tell)
            if outcome != NOT_REACHED and PORT_TAKEN not in detail:
                break
        return outcome, detail

    def _run_once(self, key: str, tell: bool) -> tuple[str, str]:
        name, role, fault, number = key.split("/")
        step = self.steps[name]
        case = self._case(step, fault)
        try:
            acted = self._act(step, case, role, int(number))
            self._stop(case)
            fired = case.server.plan.fired
            case.server.plan.disarm()
            self._judge(step, case)
            if not fired:
                return NOT_REACHED, ""
            require(acted or fault not in GOES_ON, "refused_needlessly", fired)
            return ("good" if acted else "refused"), fired
        except Broken as broken:
            return broken.outcome, f"{case.server.plan.fired}: {broken}"
        except subprocess.TimeoutExpired as late:
            return "hang", f"{case.server.plan.fired}: {late}"
        except (AssertionError, OSError, ValueError, KeyError) as other:
            return "broken", f"{case.server.plan.fired}: {other!r} {traceback.format_exc()[-800:]}"
        finally:
            step.end(case)
            for log in sorted(case.server.folder.glob("*.log")) if tell else ():
                print(f"--- {log.name}\n{log.read_text()}", file=sys.stderr)
            case.server.discard()

    def _act(self, step: Step, case: Case, role: str = "other", number: int = 0) -> bool:
        """The step under its fault, which begins with the step: its own calls are what is counted.
        False where the start itself was broken, and refused."""
        reads = case.fault == "eio_read"
        fault = {"eio_read": "eio", "kill_sync": "kill"}.get(case.fault, case.fault)
        kinds = DURABLE if case.fault == "kill_sync" else ()

        def arm() -> None:
            case.server.plan.arm(role, fault, number, reads, kinds)

        if step.breaks_start:
            arm()
        started = step.start(case)
        if not step.breaks_start:
            require(started, "no_start", case.server.log()[-1500:])
            step.ready(case)
            arm()
        if started:
            step.act(case)
        step.after(case)
        return started

    def _case(self, step: Step, fault: str) -> Case:
        prepared = self.world.prepared(step.template)
        return Case(self.world, self.world.installation(prepared), fault, prepared)

    def _stop(self, case: Case) -> None:
        server = case.server
        if case.over or not server.running:
            server.kill()
            return
        status = server.stop(STOP_S) if case.fault == "none" else server.end(STOP_S)
        require(status is not None, "hang", "serve did not end after SIGTERM")

    def _judge(self, step: Step, case: Case) -> None:
        step.repair(case)
        try:
            case.server.begin_clean()
        except AssertionError as failed:
            raise Broken("no_start", str(failed)[:1500]) from failed
        step.check(case)
        case.server.stop(STOP_S)
        log = case.server.log()
        require("process_ended" not in log, "crash", log[-1500:])
        wrong = oracle.damage(case.server.data)
        require(not wrong, "corrupt", wrong)


class Book:
    """The cases that are done with the programs at hand, in a file that only grows."""

    def __init__(self, fresh: bool) -> None:
        folder = binary().parent
        digest = hashlib.sha256()
        for name in ("postern", *(f"postern-{role}" for role in CHILDREN), "soak/libfault_shim.so"):
            digest.update((folder / name).read_bytes())
        self.programs = digest.hexdigest()[:16]
        STATE.parent.mkdir(parents=True, exist_ok=True)
        if fresh:
            STATE.unlink(missing_ok=True)
        self.done: dict[str, dict] = {}
        self.calls: dict[str, dict] = {}
        for line in STATE.read_text().splitlines() if STATE.exists() else ():
            entry = json.loads(line)
            if entry["programs"] == self.programs:
                (self.calls if "calls" in entry else self.done)[entry["case"]] = entry

    def note(self, case: str, **more: object) -> None:
        entry = {"case": case, "programs": self.programs, "revision": revision(), **more}
        (self.calls if "calls" in entry else self.done)[case] = entry
        with open(STATE, "a") as file:
            file.write(json.dumps(entry) + "\n")

    def report(self, seed: int) -> str:
        every = [
            case for step, entry in self.calls.items() for case in cases_of(step, entry["calls"])
        ]
        table = collections.Counter(
            (*case.split("/")[:3], entry["outcome"]) for case, entry in self.done.items()
        )
        revisions = sorted({entry["revision"] for entry in self.done.values()})
        total = collections.Counter(entry["outcome"] for entry in self.done.values())
        lines = [
            f"revision {', '.join(revisions)}, programs {self.programs}, seed {seed}",
            f"{len(self.done)} of {len(every)} cases done",
            verdict_of(total) + ("" if len(self.done) == len(every) else ", SO FAR"), "",
            f"{'step':18}{'role':12}{'fault':14}" + "outcomes",
        ]
        for step, role, fault in sorted({row[:3] for row in table}):
            outcomes = {row[3]: n for row, n in table.items() if row[:3] == (step, role, fault)}
            told = ", ".join(f"{name} {n}" for name, n in sorted(outcomes.items()))
            lines.append(f"{step:18}{role:12}{fault:14}{told}")
        lines += ["", "in all: " + ", ".join(f"{name} {n}" for name, n in sorted(total.items()))]
        bad = [entry for entry in self.done.values() if is_bad(entry["outcome"])]
        lines += [f"BAD {entry['case']}: {entry['outcome']}" for entry in bad]
        return "\n".join(lines) + "\n"


def is_bad(outcome: str) -> bool:
    return outcome not in GOOD and outcome != NOT_REACHED


def too_many_missed(total: dict[str, int]) -> bool:
    return total.get(NOT_REACHED, 0) * NOT_REACHED_ONE_IN > sum(total.values())


def verdict_of(total: dict[str, int]) -> str:
    bad = sum(count for outcome, count in total.items() if is_bad(outcome))
    missed = total.get(NOT_REACHED, 0)
    word = "RED" if bad or too_many_missed(total) else "GREEN"
    return f"{word}: {bad} bad, {missed} not reached (at most one in {NOT_REACHED_ONE_IN})"


def revision() -> str:
    done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, text=True,
                          capture_output=True, check=False)
    return done.stdout.strip() or "unknown"


def options_of(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev soak faults")
    parser.add_argument("--seed", type=int, default=1, help="the order, and the sample of --limit")
    parser.add_argument("--limit", type=int, help="so many cases, drawn with the seed")
    parser.add_argument("--minutes", type=float, help="stop after this time")
    parser.add_argument("--steps", default=",".join(step.name for step in STEPS))
    parser.add_argument("--roles", default=",".join(SWEPT_ROLES))
    parser.add_argument("--fresh", action="store_true", help="forget what is done")
    parser.add_argument("--case", help="STEP/ROLE/FAULT/NUMBER")
    parser.add_argument("--report", action="store_true", help=f"write {RESULT.name} and end")
    return parser.parse_args(arguments)


def count_calls(sweep: Sweep, book: Book, steps: list[str]) -> list[str]:
    """Notes what each step calls; the steps that fail without a fault."""
    failing = []
    for step in steps:
        if step in book.calls:
            continue
        try:
            book.note(step, calls=sweep.calls(step))
        except (AssertionError, OSError, ValueError, KeyError) as error:
            print(f"{step}: fails without a fault: {error!r}", flush=True)
            failing.append(step)
    return failing


def chosen(book: Book, options: argparse.Namespace) -> list[str]:
    every = []
    for step in options.steps.split(","):
        every += cases_of(step, book.calls[step]["calls"]) if step in book.calls else []
    roles = options.roles.split(",")
    every = [case for case in every if case.split("/")[1] in roles]
    random.Random(options.seed).shuffle(every)
    return every[: options.limit]


def sweep_all(book: Book, options: argparse.Namespace) -> int:
    sweep = Sweep()
    began, total, failing = time.monotonic(), collections.Counter(), []
    try:
        failing = count_calls(sweep, book, options.steps.split(","))
        for case in chosen(book, options):
            if case in book.done:
                continue
            if options.minutes and time.monotonic() - began > options.minutes * 60:
                break
            case_began = time.monotonic()
            outcome, detail = sweep.run(case)
            book.note(case, outcome=outcome, detail=detail)
            total[outcome] += 1
            took = time.monotonic() - case_began
            print(f"{case}: {outcome} ({detail[:1500]}) {took:.1f} s", flush=True)
    finally:
        sweep.close()
    failed = sum(count for outcome, count in total.items() if is_bad(outcome))
    failed += too_many_missed(total) + len(failing)
    print(f"{sum(total[outcome] for outcome in GOOD)} passed, {total[NOT_REACHED]} not reached, "
          f"{failed} failed")
    return 1 if failed else 0


def main() -> int:
    options = options_of(sys.argv[1:])
    if options.case:
        sweep = Sweep()
        try:
            print(*sweep.run(options.case, tell=True))
        finally:
            sweep.close()
        return 0
    book = Book(options.fresh)
    if options.report:
        RESULT.write_text(book.report(options.seed))
        print(RESULT.read_text(), end="")
        return 0
    return sweep_all(book, options)


if __name__ == "__main__":
    sys.exit(main())
