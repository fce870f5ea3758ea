"""The allow-lists of system calls against traced runs of the functional tests.

    run.py check                        the lists against the committed record; what ctest runs
    run.py trace BUILD_FOLDER...        traces the tests with each build's programs, and writes
                                        the record
        --tests WORD --tests WORD...    only these, added to the record that is there
        --adopt                         adds to the lists what they lack: review the diff

A call that a run made and no list has, or that a list has and no run made, is a finding.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import lists
import strace_log

ROOT = Path(__file__).resolve().parents[2]
RECORD = lists.FOLDER / "traced.json"
# Those that attach strace or gdb themselves cannot be traced.
TESTS = ("example", "story", "cutoff", "api", "discover", "hostile_mail", "commands", "proxy",
         "migration", "bad_input", "keys_rotation", "keys_holders", "keys_passphrase",
         "keys_recovery", "trust")
# Those whose stores lie on servers.
ON_POSTGRESQL = ("postgres_whole", "postgres_away", "postgres_tls")

Record = dict[str, dict[str, list[str]]]


def trace(builds: list[Path], tests: list[str], known: Record) -> Record:
    """role -> call -> the builds whose programs made it, added to what is known."""
    found: Record = {role: dict(known.get(role, {})) for role in lists.LISTS_OF}
    on_servers = [test for test in tests if test in ON_POSTGRESQL]
    for build in builds:
        for group in ([test for test in tests if test not in on_servers], on_servers):
            for role, calls in _traced(build, group).items() if group else ():
                name = f"{role}_on_postgresql" if group is on_servers else role
                name = name if name in found else role
                for call in map(str, sorted(calls)):
                    made_by = {*found[name].get(call, []), build.name}
                    found[name][call] = sorted(made_by)
    return {role: dict(sorted(calls.items())) for role, calls in found.items()}


def _traced(build: Path, tests: list[str]) -> dict[str, set[lists.Call]]:
    runner = ROOT / "tests/functional/lab/runner.py"
    with tempfile.TemporaryDirectory(prefix="postern-trace-") as folder:
        environment = {
            **os.environ, "POSTERN_TRACE": folder, "POSTERN_BIN": str(build.resolve() / "postern"),
        }
        command = [sys.executable, str(runner), "--deadline", "3000", *tests]
        if subprocess.run(command, env=environment, check=False).returncode != 0:
            print("some tests failed: what they would have called may be missing", file=sys.stderr)
        return strace_log.calls_of(Path(folder))


def findings(root: Path, record: Record) -> list[str]:
    """What lists and record do not agree on."""
    found = []
    every = lists.read(root, lists.EVERY)
    made = {role: {_parsed(text) for text in record.get(role, {})} for role in lists.LISTS_OF}
    for role, names in lists.LISTS_OF.items():
        allowed = set(lists.of_role(root, role))
        for call in sorted(made[role]):
            if not _covered(call, allowed):
                found.append(f"{names[-1]}.txt lacks {call}")
    for name in (*lists.ROLES, *lists.POSTGRESQL):
        own = lists.read(root, name)
        users = [role for role, names in lists.LISTS_OF.items() if name in names]
        found += _unused(name, own, set().union(*(made[role] for role in users)))
        found += [f"{name}.txt has {call}, and so has every.txt" for call in own if call in every]
    return found + _unused(lists.EVERY, every, set().union(*made.values()))


def _parsed(text: str) -> lists.Call:
    parsed = lists.parse_line(text)
    assert parsed, text
    return parsed[0]


def _covered(call: lists.Call, allowed: set[lists.Call]) -> bool:
    """Whether a list has the call in this form, in a wider one, or as one that is refused."""
    return any(call.name == one.name and set(one.tests) <= set(call.tests) for one in allowed)


def _unused(name: str, calls: dict[lists.Call, str], made: set[lists.Call]) -> list[str]:
    used = {call for call in calls if any(_covered(one, {call}) for one in made)}
    found = []
    for call, why in sorted(calls.items()):
        unseen = why.startswith(lists.UNSEEN)
        if call not in used and not unseen:
            found.append(f"{name}.txt has {call}, which no run made")
        if call in used and unseen:
            found.append(f"{name}.txt: {call} is not unseen, a run made it")
    return found


def adopt(root: Path, record: Record) -> None:
    """Adds to each list what its runs made and it lacks."""
    for role, names in lists.LISTS_OF.items():
        allowed = set(lists.of_role(root, role))
        own = lists.read(root, names[-1])
        lacks = {call: "" for call in map(_parsed, record.get(role, {}))
                 if not _covered(call, allowed)}
        if not lacks:
            continue
        own.update(lacks)
        width = max((len(str(call)) for call, why in own.items() if why and len(str(call)) < 60),
                    default=0)
        lines = [f"{str(call):<{width}}  # {why}" if why else str(call)
                 for call, why in sorted(own.items())]
        file = root / lists.FOLDER / f"{names[-1]}.txt"
        head = file.read_text().partition("\n")[0]
        file.write_text("\n".join([head, *lines]) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("check", "trace"))
    parser.add_argument("--adopt", action="store_true")
    parser.add_argument("--tests", action="append", default=[])
    parser.add_argument("builds", nargs="*", type=Path)
    options = parser.parse_intermixed_args()
    if options.what == "trace":
        known = json.loads((ROOT / RECORD).read_text()) if options.tests else {}
        record = trace(options.builds, options.tests or [*TESTS, *ON_POSTGRESQL], known)
        (ROOT / RECORD).write_text(json.dumps(record, indent=1) + "\n")
        if options.adopt:
            adopt(ROOT, record)
    record = json.loads((ROOT / RECORD).read_text())
    found = findings(ROOT, record)
    print("\n".join(found) or "lists and traced runs agree")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
