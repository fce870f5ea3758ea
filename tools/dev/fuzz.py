"""./dev fuzz TARGET SECONDS: builds src/**/TARGET_fuzz.cpp with libFuzzer and runs it.

It runs under AddressSanitizer and UndefinedBehaviorSanitizer. Its corpus is tests/data/fuzz/TARGET;
findings stay in build/fuzz/found/TARGET. Without arguments it lists the targets; `--replay` runs
each one over its corpus and some thousand more inputs with a fixed seed, as the test suite does,
with the programs of the preset `asan`.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INPUT_BYTES_MAX = 65536
REPLAY_RUNS = 5000


def targets() -> dict[str, Path]:
    found = (ROOT / "src").glob("**/*_fuzz.cpp")
    return {path.name.removesuffix("_fuzz.cpp"): path for path in sorted(found)}


def build(preset: str, ninja_target: str) -> bool:
    return subprocess.run(["./dev", "build", preset, ninja_target], cwd=ROOT).returncode == 0


def command_of(preset: str, name: str, source: Path, *bounds: str) -> list[str]:
    found, corpus = ROOT / "build/fuzz/found" / name, ROOT / "tests/data/fuzz" / name
    found.mkdir(parents=True, exist_ok=True)
    dictionary = source.with_name(f"{name}_fuzz.dict")
    more = [f"-dict={dictionary}"] if dictionary.exists() else []
    folders = [str(folder) for folder in (found, corpus) if folder.exists()]
    return [str(ROOT / "build" / preset / "fuzz" / f"{name}_fuzz"), *folders,
            f"-max_len={INPUT_BYTES_MAX}", "-timeout=10", "-rss_limit_mb=2048",
            f"-artifact_prefix={found}/", *more, *bounds]


def replay(known: dict[str, Path]) -> int:
    if not build("asan", "fuzz_targets"):
        print("0 passed, 1 failed")
        return 1
    failed = 0
    for name, source in known.items():
        command = command_of("asan", name, source, f"-runs={REPLAY_RUNS}", "-seed=1")
        done = subprocess.run(command, capture_output=True, text=True)
        failed += done.returncode != 0
        print(f"fuzz {name}: {'ok' if done.returncode == 0 else done.stderr[-4000:]}", flush=True)
    print(f"{len(known) - failed} passed, {failed} failed")
    return 1 if failed else 0


def main() -> int:
    known = targets()
    if sys.argv[1:] == ["--replay"]:
        return replay(known)
    if len(sys.argv) < 2:
        print("\n".join(known))
        return 0
    name, seconds = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "60"
    if name not in known:
        print(f"no target {name}; there are: {', '.join(known)}", file=sys.stderr)
        return 1
    if not build("fuzz", f"{name}_fuzz"):
        return 1
    bounds = (f"-max_total_time={int(seconds)}", "-print_final_stats=1")
    return subprocess.run(command_of("fuzz", name, known[name], *bounds)).returncode


if __name__ == "__main__":
    sys.exit(main())
