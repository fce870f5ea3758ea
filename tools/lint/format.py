"""Format: clang-format-19 has nothing to change in our C++ (`--fix` formats)."""

import re
import subprocess
from pathlib import Path

import tree

NAME = "format"
TOOL = "clang-format-19"
_MESSAGE = re.compile(r"^(.+?):(\d+):\d+: error: code should be clang-formatted", re.MULTILINE)


def _sources(root: Path) -> list[str]:
    return [str(path) for path in tree.files(root, ".cpp", ".h")]


def check(root: Path) -> list[tree.Finding]:
    sources = _sources(root)
    if not sources:
        return []
    done = subprocess.run([TOOL, "--dry-run", "--Werror", *sources], capture_output=True, text=True)
    first: dict[str, int] = {}
    for path, line in _MESSAGE.findall(done.stderr):
        first.setdefault(path, int(line))
    found = [tree.Finding(tree.relative(root, Path(path)), line, "run ./dev tidy --fix")
             for path, line in first.items()]
    if done.returncode != 0 and not found:
        found.append(tree.Finding(TOOL, done.returncode, done.stderr.strip()[:300]))
    return found


def fix(root: Path) -> None:
    subprocess.run([TOOL, "-i", *_sources(root)], check=True)
