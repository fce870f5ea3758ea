"""./dev tidy: clang-format and clang-tidy over everything, remembering what was clean.

A translation unit is checked again only when its own text, a header of ours that it includes, its
compile command or .clang-tidy has changed since it was found clean.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/tidy"
CLEAN = BUILD / "tidy-clean.json"
TIDY = "clang-tidy-19"
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
# A test may take a value without asking first: it fails where there is none. Its copies cost
# nobody anything; what its coroutines refer to is the fixture's, and ASan looks there.
TEST_CHECKS = ("-bugprone-unchecked-optional-access,-performance-*,-readability-function-size,"
               "-cppcoreguidelines-avoid-reference-coroutine-parameters,"
               "-cppcoreguidelines-avoid-capturing-lambda-coroutines")


def units(wanted: str | None) -> list[dict]:
    """Compile commands of our own files (not of the generated header checks)."""
    commands = json.loads((BUILD / "compile_commands.json").read_text())
    ours = [unit for unit in commands if Path(unit["file"]).is_relative_to(ROOT / "src")]
    unique = {unit["file"]: unit for unit in ours}
    return [unit for path, unit in sorted(unique.items()) if not wanted or wanted in path]


def own_headers(path: Path, seen: set[Path]) -> set[Path]:
    """The file and every header of ours below it, found by name: no compiler is asked."""
    todo = [path]
    while todo:
        current = todo.pop()
        if current in seen or not current.exists():
            continue
        seen.add(current)
        for name in INCLUDE.findall(current.read_text(errors="replace")):
            todo += [ROOT / "src" / name, BUILD / "generated" / name]
    return seen


def fingerprint(unit: dict) -> str:
    digest = hashlib.sha256((ROOT / ".clang-tidy").read_bytes())
    digest.update(Path(__file__).read_bytes())
    digest.update(unit["command"].encode())
    for path in sorted(own_headers(Path(unit["file"]), set())):
        digest.update(f"{path}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def check(unit: dict, fix: bool) -> tuple[bool, str, float]:
    started = time.monotonic()
    command = [TIDY, "-p", str(BUILD), "--quiet", unit["file"]]
    if unit["file"].endswith(("_test.cpp", "_fake.cpp")):
        command.append(f"--checks={TEST_CHECKS}")
    if fix:
        command.append("--fix")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    text = done.stdout + ("" if done.returncode == 0 else done.stderr)
    lines = [line for line in text.splitlines() if not re.match(r"\d+ warnings? ", line)]
    return done.returncode == 0, "\n".join(lines), time.monotonic() - started


def make_generated() -> None:
    """Headers that the build makes must exist before anything can be parsed."""
    listed = subprocess.run(["ninja", "-C", BUILD, "-t", "targets", "rule", "CUSTOM_COMMAND"],
                            capture_output=True, text=True)
    made = [name for name in listed.stdout.split() if "generated" in name]
    if made:
        subprocess.run(["ninja", "-C", BUILD, *made], check=True, stdout=subprocess.DEVNULL)


def run_tidy(todo: list[dict], fix: bool) -> tuple[list[str], list[str]]:
    """The files that are clean and those that are not; prints what is wrong as it is found."""
    clean, dirty = [], []
    # Fixes of two files at once could touch the same header.
    jobs = 1 if fix else os.cpu_count() or 1
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        pending = {pool.submit(check, unit, fix): unit["file"] for unit in todo}
        for done in concurrent.futures.as_completed(pending):
            good, text, seconds = done.result()
            name = Path(pending[done]).relative_to(ROOT)
            (clean if good else dirty).append(pending[done])
            if not good:
                print(f"{name}: {seconds:.1f} s\n{text}", flush=True)
    return clean, dirty


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev tidy")
    parser.add_argument("--fix", action="store_true", help="apply clang-tidy's fixes and format")
    parser.add_argument("--all", action="store_true", help="also what was clean the last time")
    parser.add_argument("filter", nargs="?", help="only files whose path holds this text")
    options = parser.parse_args()
    started = time.monotonic()
    make_generated()
    known = {}
    if CLEAN.exists() and not options.all:
        known = json.loads(CLEAN.read_text())
    wanted = units(options.filter)
    prints = {unit["file"]: fingerprint(unit) for unit in wanted}
    todo = [unit for unit in wanted if known.get(unit["file"]) != prints[unit["file"]]]
    clean, dirty = run_tidy(todo, options.fix)
    if not options.fix:
        known.update({file: prints[file] for file in clean})
        CLEAN.write_text(json.dumps(known))
    formatting = [sys.executable, "tools/lint/run.py", "format"] + ["--fix"] * options.fix
    formatted = subprocess.run(
        formatting, cwd=ROOT, stdout=subprocess.DEVNULL if options.fix else None)
    print(f"clang-tidy: {len(todo)} of {len(wanted)} files looked at, "
          f"{time.monotonic() - started:.1f} s")
    failed = len(dirty) + (formatted.returncode != 0)
    print(f"{len(wanted) + 1 - failed} passed, {failed} failed")
    return 1 if failed or not wanted else 0


if __name__ == "__main__":
    sys.exit(main())
