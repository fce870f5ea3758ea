"""Words: the glossary's in what the API says, telling folder names, no paths of one machine."""

import re
from pathlib import Path

import cpp_text
import tree

NAME = "words"
JUNK_FOLDERS = {"util", "utils", "common", "misc", "helper", "helpers", "stuff", "shared"}
# Written apart so that this file does not hold what it looks for.
MACHINE_PATHS = re.compile(r"(?<![\w./$-])/(?:" + "work" + r"/|tmp/" + r"w\b|home/\w+/)")
AVOIDED = re.compile(r"(?<![\w-])(removed|disabled)(?![\w-])", re.IGNORECASE)
API_TEXT = ("src/edge/", "src/features/", "api/")


def _api_strings(name: str, text: str) -> list[tuple[int, str]]:
    """(line, text) of what an API client may read."""
    if not name.startswith(API_TEXT) or tree.is_test(name):
        return []
    if name.endswith((".cpp", ".h")):
        pieces = cpp_text.split(text).strings
        return [(tree.line_of(text, piece.offset), piece.text) for piece in pieces]
    if name.endswith((".yaml", ".json")):
        return list(enumerate(text.splitlines(), 1))
    return []


def check(root: Path) -> list[tree.Finding]:
    found = []
    junk = set()
    for path in tree.files(root):
        name = tree.relative(root, path)
        text = tree.read(path)
        parts = name.split("/")[:-1]
        for depth, part in enumerate(parts):
            if part in JUNK_FOLDERS:
                junk.add("/".join(parts[: depth + 1]))
        for match in MACHINE_PATHS.finditer(text):
            line = tree.line_of(text, match.start())
            found.append(tree.Finding(name, line, f"path of one machine: {match.group()}"))
        for line, said in _api_strings(name, text):
            if match := AVOIDED.search(said):
                words = f'"{match.group()}": the glossary says sealed, cut off, erased or deleted'
                found.append(tree.Finding(name, line, words))
    return found + [tree.Finding(folder, 1, "name it for what it holds") for folder in sorted(junk)]
