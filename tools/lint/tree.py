"""What every lint shares: the files of the tree and a finding."""

import os
from dataclasses import dataclass
from pathlib import Path

SKIPPED_FOLDERS = {".git", "build", "__pycache__", "node_modules", ".cache"}
# Samples from outside: mails, pages, captured answers. They are data, not our text.
DATA_FOLDERS = ("tests/data/", "web/dist/")
TEXT_SUFFIXES = (".cpp", ".h", ".py", ".sh", ".sql", ".cmake", ".md", ".txt", ".yaml", ".json",
                 ".toml", ".dict")
TEXT_NAMES = ("dev", "run", "CMakeLists.txt", ".clang-tidy", ".clang-format", ".gitignore")


@dataclass(frozen=True)
class Finding:
    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


def files(root: Path, *suffixes: str, under: str = "") -> list[Path]:
    """Our text files with one of the suffixes (default: all), sorted, without data and builds."""
    found = []
    for folder, folders, names in os.walk(root / under):
        folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS)
        for name in sorted(names):
            path = Path(folder) / name
            if name.endswith(suffixes or TEXT_SUFFIXES) or (not suffixes and name in TEXT_NAMES):
                found.append(path)
    return [path for path in found if not relative(root, path).startswith(DATA_FOLDERS)]


def relative(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def is_test(path: str) -> bool:
    return path.startswith("tests/") or path.endswith("_test.cpp")
