"""./dev fuzz TARGET SECONDS: builds src/**/TARGET_fuzz.cpp with libFuzzer and runs it.

The target is compiled with the sources of its module and of all modules below it, under
AddressSanitizer and UndefinedBehaviorSanitizer. Its corpus is tests/data/fuzz/TARGET; findings stay
in build/fuzz/TARGET. Without arguments it lists the targets; `--replay` runs each one over its
corpus and some thousand more inputs with a fixed seed, as the test suite does.
"""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/lint"))

import modules  # noqa: E402
import tree  # noqa: E402

FLAGS = ["-std=c++23", "-O1", "-g1", "-fno-omit-frame-pointer", "-fno-sanitize-recover=all",
         "-ftrivial-auto-var-init=pattern", "-D_GLIBCXX_ASSERTIONS", f"-I{ROOT}/src",
         f"-I{ROOT}/build/asan/generated", "-fsanitize=fuzzer-no-link,address,undefined"]
INPUT_BYTES_MAX = 65536
REPLAY_RUNS = 5000
# The names of CMake's targets, and those of pkg-config.
PACKAGES = {"openssl::crypto": "libcrypto", "openssl::ssl": "libssl", "sodium": "libsodium",
            "zstd": "libzstd", "gmime": "gmime-3.0", "libxml2": "libxml-2.0"}


def targets() -> dict[str, Path]:
    found = (ROOT / "src").glob("**/*_fuzz.cpp")
    return {path.name.removesuffix("_fuzz.cpp"): path for path in sorted(found)}


def below(all_modules: dict[str, modules.Module], name: str) -> list[modules.Module]:
    """The module and everything it depends on."""
    seen, todo = {}, [name]
    while todo:
        module = all_modules[todo.pop()]
        if module.name not in seen:
            seen[module.name] = module
            todo += module.list_of("DEPENDS")
    return list(seen.values())


def libraries(used: list[modules.Module]) -> list[str]:
    names = {link.removeprefix("PkgConfig::").lower()
             for module in used for link in module.list_of("LINKS")}
    flags = []
    for name in sorted(names - {"boost::headers", "threads::threads"}):
        if boost := re.fullmatch(r"boost::(\w+)", name):
            flags.append(f"-lboost_{boost[1]}")
            continue
        asked = subprocess.run(["pkg-config", "--cflags", "--libs", PACKAGES.get(name, name)],
                               capture_output=True, text=True)
        flags += asked.stdout.split()
    return flags


def compile_one(job: tuple[Path, Path, list[str]]) -> Path:
    source, made, flags = job
    made.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["ccache", "clang++-19", *FLAGS, *flags, "-c", str(source), "-o", str(made)],
                   check=True)
    return made


def build(name: str, source: Path) -> Path:
    all_modules = {module.name: module for module in modules.load(ROOT) if not module.process}
    own = modules.owner_of(list(all_modules.values()), tree.relative(ROOT / "src", source))
    used = below(all_modules, own.name)
    folder = ROOT / "build/fuzz" / name
    folder.mkdir(parents=True, exist_ok=True)
    sources = [source] + [ROOT / "src" / module.folder / file
                          for module in used for file in module.list_of("SOURCES")
                          if not file.startswith("$")]
    flags = libraries(used)
    headers = [flag for flag in flags if flag.startswith("-I")]
    objects_of = ROOT / "build/fuzz/objects"
    jobs = [(path, objects_of / f"{tree.relative(ROOT / 'src', path)}.o", headers)
            for path in sources]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = [str(made) for made in pool.map(compile_one, jobs)]
    program = folder / f"{name}_fuzz"
    subprocess.run(["clang++-19", "-fuse-ld=lld-19", "-fsanitize=fuzzer,address,undefined",
                    *objects, *flags, "-o", str(program)], check=True)
    return program


def command_of(name: str, source: Path, *bounds: str) -> list[str]:
    program = build(name, source)
    found, corpus = program.parent / "corpus", ROOT / "tests/data/fuzz" / name
    found.mkdir(exist_ok=True)
    dictionary = source.with_name(f"{name}_fuzz.dict")
    more = [f"-dict={dictionary}"] if dictionary.exists() else []
    folders = [str(folder) for folder in (found, corpus) if folder.exists()]
    return [str(program), *folders, f"-max_len={INPUT_BYTES_MAX}", "-timeout=10",
            "-rss_limit_mb=2048", f"-artifact_prefix={program.parent}/", *more, *bounds]


def replay(known: dict[str, Path]) -> int:
    failed = 0
    for name, source in known.items():
        try:
            command = command_of(name, source, f"-runs={REPLAY_RUNS}", "-seed=1")
            done = subprocess.run(command, capture_output=True, text=True)
            good, told = done.returncode == 0, done.stderr[-4000:]
        except subprocess.CalledProcessError as problem:
            good, told = False, str(problem)[:300]
        failed += not good
        print(f"fuzz {name}: {'ok' if good else told}", flush=True)
    print(f"{len(known) - failed} passed, {failed} failed")
    return 1 if failed else 0


def main() -> int:
    known = targets()
    if sys.argv[1:] == ["--replay"]:
        return replay(known)
    if len(sys.argv) < 2:
        print("\n".join(known) or "no fuzz targets yet (src/**/*_fuzz.cpp)")
        return 0
    name, seconds = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "60"
    if name not in known:
        print(f"no target {name}; there are: {', '.join(known)}", file=sys.stderr)
        return 1
    bounds = (f"-max_total_time={int(seconds)}", "-print_final_stats=1")
    return subprocess.run(command_of(name, known[name], *bounds)).returncode


if __name__ == "__main__":
    sys.exit(main())
