"""The modules and processes that the CMakeLists.txt files below src/ declare."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import tree

_CALL = re.compile(r"\bpostern_(module|process)\(([^()]*)\)")


@dataclass
class Module:
    name: str
    folder: str  # below src/
    process: bool = False
    values: dict[str, list[str]] = field(default_factory=dict)

    def list_of(self, *keywords: str) -> list[str]:
        return [word for keyword in keywords for word in self.values.get(keyword, [])]

    def listed_files(self) -> set[str]:
        names = self.list_of("SOURCES", "HEADERS", "TESTS", "FUZZ")
        return {f"{self.folder}/{name}" for name in names if not name.startswith("$")}


def _arguments(text: str) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    keyword = ""
    for word in text.split():
        if re.fullmatch(r"[A-Z_]+", word):
            keyword = word
            values.setdefault(keyword, [])
        else:
            values.setdefault(keyword, []).append(word)
    return values


def load(root: Path) -> list[Module]:
    found = []
    for path in tree.files(root, "CMakeLists.txt", under="src"):
        text = re.sub(r"#[^\n]*", "", tree.read(path))
        folder = tree.relative(root / "src", path.parent)
        for kind, body in _CALL.findall(text):
            values = _arguments(body)
            name = (values.get("NAME") or [folder])[0]
            found.append(Module(name, folder, kind == "process", values))
    return found


def owner_of(modules: list[Module], path: str) -> Module | None:
    """The module whose folder holds the file; the process that lists it where there is none."""
    holders = [m for m in modules if not m.process and path.startswith(m.folder + "/")]
    if holders:
        return max(holders, key=lambda module: len(module.folder))
    return next((m for m in modules if m.process and path in m.listed_files()), None)
