"""./dev fuzz TARGET SECONDS [SEED]: builds src/**/TARGET_fuzz.cpp with libFuzzer and runs it.

It runs under AddressSanitizer and UndefinedBehaviorSanitizer, from tests/corpora/TARGET and from
what it found before, which it keeps in build/fuzz/corpus/TARGET; inputs that break an oracle are in
build/fuzz/found/TARGET. Without a SEED the time is it; it is printed. `--all SECONDS` runs every
target. The figures go to tests/corpora/RESULTS.md, but for those of a tree that is no revision.
Without arguments it lists the targets. `--keep TARGET...` minimises what was found into
tests/corpora. `--replay` runs each target over each file of its corpus and 500 inputs more with a
fixed seed, as the tests do.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORPORA = ROOT / "tests/corpora"
RESULTS = CORPORA / "RESULTS.md"
INPUT_BYTES_MAX = 65536
MORE_RUNS = 500
REPLAY_SEED = 1
# What of a minimised corpus is committed.
KEPT_FILES_MAX = 30
KEPT_BYTES_MAX = 2048
RESULT_HEAD = """# What was fuzzed

The last run of each target by `./dev fuzz TARGET SECONDS`; edges and features are libFuzzer's.

| target | revision | seed | seconds | executions | edges | features | findings |
|---|---|---|---|---|---|---|---|
"""


def targets() -> dict[str, Path]:
    found = (ROOT / "src").glob("**/*_fuzz.cpp")
    return {path.name.removesuffix("_fuzz.cpp"): path for path in sorted(found)}


def build(preset: str, *ninja_targets: str) -> bool:
    return subprocess.run(["./dev", "build", preset, *ninja_targets], cwd=ROOT).returncode == 0


def folder(kind: str, name: str) -> Path:
    made = ROOT / "build/fuzz" / kind / name
    made.mkdir(parents=True, exist_ok=True)
    return made


def command_of(preset: str, name: str, source: Path, *more: str) -> list[str]:
    dictionary = source.with_name(f"{name}_fuzz.dict")
    words = [f"-dict={dictionary}"] if dictionary.exists() else []
    return [str(ROOT / "build" / preset / "fuzz" / f"{name}_fuzz"), *more,
            f"-max_len={INPUT_BYTES_MAX}", "-timeout=10", "-rss_limit_mb=2048",
            f"-artifact_prefix={folder('found', name)}/", *words]


def run_over(command: list[str]) -> str:
    """What it said when it failed; empty when it did not."""
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    return "" if done.returncode == 0 else done.stderr[-4000:] or f"exit {done.returncode}"


def replay(known: dict[str, Path]) -> int:
    """A corpus's files count as one test each; the inputs that follow as one more."""
    if not build("asan", "fuzz_targets"):
        print("0 passed, 1 failed")
        return 1
    passed = failed = 0
    for name, source in known.items():
        files = sorted(str(path) for path in (CORPORA / name).iterdir())
        broken = run_over(command_of("asan", name, source, *files))
        for path in files if broken else ():
            if run_over(command_of("asan", name, source, path)):
                failed += 1
                print(f"fuzz {name}: breaks at {path}")
        with tempfile.TemporaryDirectory() as news:
            # libFuzzer counts the corpus, and the empty input before it, as runs.
            runs = len(files) + 1 + MORE_RUNS
            # This build is not instrumented for guidance: without keep_seed it would keep none.
            more = run_over(command_of("asan", name, source, news, str(CORPORA / name),
                                       f"-runs={runs}", f"-seed={REPLAY_SEED}", "-keep_seed=1"))
        failed, passed = failed + bool(more), passed + (not more) + (0 if broken else len(files))
        said = broken or more or f"ok, {len(files)} files and {MORE_RUNS} inputs more"
        print(f"fuzz {name}: {said}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def keep(name: str, source: Path) -> None:
    """Some of the files that together cover what all found covers; none that is large."""
    kept = CORPORA / name
    with tempfile.TemporaryDirectory() as merged:
        subprocess.run(
            command_of("fuzz", name, source, merged, str(kept), str(folder("corpus", name)),
                       "-merge=1"), check=True, capture_output=True,
        )
        for path in kept.iterdir():
            if not path.name.startswith(("seed-", "finding-")):
                path.unlink()
        small = sorted(Path(merged).iterdir(), key=lambda path: path.stat().st_size)
        small = [path for path in small if path.stat().st_size <= KEPT_BYTES_MAX]
        # Of all sizes: the longer ones go deeper.
        for path in small[:: -(-len(small) // KEPT_FILES_MAX) or 1]:
            shutil.copyfile(path, kept / path.name[:16])
    print(f"{name}: {len(list(kept.iterdir()))} files")


def git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, text=True, capture_output=True, check=True)
    return done.stdout.strip()


def revision() -> str:
    """Empty where the tree is not that of its commit, but for the results of runs before."""
    changes = git("status", "--porcelain", "--", ".", f":!{RESULTS.relative_to(ROOT)}")
    return "" if changes else git("rev-parse", "--short", "HEAD")


def note_result(name: str, row: str) -> None:
    rows = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    rows = {line.split("|")[1].strip(): line for line in rows if line.startswith("| ")}
    rows[name] = row
    there = targets()
    RESULTS.write_text(RESULT_HEAD + "".join(f"{rows[key]}\n" for key in sorted(rows)
                                             if key in there))


def fuzz(name: str, source: Path, seconds: int, seed: int) -> int:
    built_from = revision()
    print(f"fuzz {name}: {seconds} s from seed {seed}", file=sys.stderr, flush=True)
    command = command_of("fuzz", name, source, str(folder("corpus", name)), str(CORPORA / name),
                         f"-max_total_time={seconds}", f"-seed={seed}", "-print_final_stats=1")
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace")
    executions, edges, features = "?", "?", "?"
    for line in process.stderr:
        print(line, end="", file=sys.stderr)
        if found := re.search(r"cov: (\d+) ft: (\d+)", line):
            edges, features = found.groups()
        if found := re.search(r"number_of_executed_units: (\d+)", line):
            executions = found[1]
    status = process.wait()
    if not built_from or revision() != built_from:
        print(f"fuzz {name}: the tree is not that of a commit: not noted in {RESULTS.name}",
              file=sys.stderr)
        return status
    findings = "none" if status == 0 else "one"
    note_result(name, f"| {name} | {built_from} | {seed} | {seconds} | {executions} | {edges} "
                      f"| {features} | {findings} |")
    return status


def main() -> int:
    known, words = targets(), sys.argv[1:]
    if words == ["--replay"]:
        return replay(known)
    if not words:
        print("\n".join(known))
        return 0
    is_all = words[0] == "--all"
    names = words[1:] or list(known) if words[0] == "--keep" else [words[0]]
    names = list(known) if is_all else names
    for name in names:
        if name not in known:
            print(f"no target {name}; there are: {', '.join(known)}", file=sys.stderr)
            return 1
    if not build("fuzz", *(f"{name}_fuzz" for name in names)):
        return 1
    if words[0] == "--keep":
        for name in names:
            keep(name, known[name])
        return 0
    seconds = int(words[1]) if len(words) > 1 else 60
    seed = int(words[2]) if len(words) > 2 else int(time.time())
    return int(any([fuzz(name, known[name], seconds, seed) != 0 for name in names]))


if __name__ == "__main__":
    sys.exit(main())
