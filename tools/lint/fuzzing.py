"""Fuzzing: each target is short, has a corpus and a line in docs/fuzzing.md; so has each parser.

A parser is found by its shape: a function of a header that takes bytes or text and gives something
that may not be there (Result, optional, expected) or many things; in the folders that face
outside, one that takes bytes or text at all. A header that declares one is named in a row of the
table, or at its end with the reason why it has no target.
"""

import re
from pathlib import Path

import cpp_text
import tree

NAME = "fuzzing"
LINES_MAX = 80
TABLE = "docs/fuzzing.md"
CORPORA = "tests/corpora"
RESULTS = "tests/corpora/RESULTS.md"
# Nearly everything that these take from a caller has come from somebody else.
FACING_OUTSIDE = ("edge/api/", "features/mail/courier/", "features/mail/reader/",
                  "foundation/codec/", "platform/net/", "platform/store/postgres/")
# A declaration in a header: what it returns, its name, what it takes.
FUNCTION = re.compile(
    r"(?P<gives>[\w:]+(?:<[^;{}()]*>)?(?:\s*[&*])?)\s+(?P<name>\w+)\s*\((?P<takes>[^;{}()]*)\)"
)
# Bytes or text, but not beside a transaction: those are rows of ours on their way into SQL.
VIEW = re.compile(r"\b(?:ByteView|std::string_view)\s+\w+")
MANY_OR_NONE = re.compile(r"^(?:async::Task|Result|std::(?:optional|expected|vector))<(?!>)")
READS = re.compile(r"^(?:parse|read|decode|decompress|unescape|from|split)(?:_|$)")
NO_DECLARATION = {"return", "co_return", "else", "new", "explicit", "co_await", "case"}
# Nothing is read of what these take: operators and comparisons, and what only puts it somewhere.
NO_PARSER = re.compile(r"^(?:append|equal|find|add)(?:_\w+)?$")


def declares_parser(text: str, faces_outside: bool) -> bool:
    for match in FUNCTION.finditer(cpp_text.split(text).code):
        gives, name, takes = match["gives"], match["name"], match["takes"]
        if gives in NO_DECLARATION or not VIEW.search(takes) or "Transaction&" in takes:
            continue
        if MANY_OR_NONE.match(gives) or READS.match(name):
            return True
        if faces_outside and not NO_PARSER.match(name):
            return True
    return False


def _check_target(root: Path, path: Path, table: str) -> list[tree.Finding]:
    name, target = tree.relative(root, path), path.name.removesuffix("_fuzz.cpp")
    found = []
    code = cpp_text.split(tree.read(path)).code.splitlines()
    lines = sum(bool(line.strip()) and not line.startswith("#include") for line in code)
    if lines > LINES_MAX:
        found.append(tree.Finding(name, 1, f"{lines} lines of code, at most {LINES_MAX}"))
    corpus = root / CORPORA / target
    if not corpus.is_dir() or not any(corpus.iterdir()):
        found.append(tree.Finding(name, 1, f"no corpus in {CORPORA}/{target}"))
    if f"`{target}`" not in table:
        found.append(tree.Finding(name, 1, f"`{target}` is not in {TABLE}"))
    return found


def _check_parsers(root: Path, table: str) -> list[tree.Finding]:
    found = []
    for path in tree.files(root, ".h", under="src"):
        name = tree.relative(root, path)
        if name.endswith(("_test.h", "_fake.h", "_fuzz.h")) or "/test_" in name:
            continue
        below = name.removeprefix("src/")
        if f"`{below}`" in table:
            continue
        if declares_parser(tree.read(path), below.startswith(FACING_OUTSIDE)):
            found.append(tree.Finding(name, 1, f"declares a parser: name it in a row of {TABLE}, "
                                               "or at its end with the reason why not"))
    return found


def _check_dictionaries(root: Path) -> list[tree.Finding]:
    return [tree.Finding(tree.relative(root, path), 1,
                         "a dictionary that no target takes: TARGET_fuzz.dict, beside its target")
            for path in tree.files(root, ".dict", under="src")
            if not path.name.endswith("_fuzz.dict") or not path.with_suffix(".cpp").exists()]


def _check_results(root: Path, known: set[str]) -> list[tree.Finding]:
    found = []
    path = root / RESULTS
    for number, line in enumerate(tree.read(path).splitlines() if path.exists() else [], 1):
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) < 4 or cells[1] == "target" or cells[1].startswith("-"):
            continue
        if cells[1] not in known:
            found.append(tree.Finding(RESULTS, number, f"there is no target {cells[1]}"))
        if not re.fullmatch(r"[0-9a-f]{7,40}", cells[2]):
            found.append(tree.Finding(RESULTS, number, f"{cells[2]} is not a commit's revision"))
    return found


def check(root: Path) -> list[tree.Finding]:
    table = tree.read(root / TABLE) if (root / TABLE).exists() else ""
    targets = tree.files(root, "_fuzz.cpp", under="src")
    found = [finding for path in targets for finding in _check_target(root, path, table)]
    known = {path.name.removesuffix("_fuzz.cpp") for path in targets}
    corpora = root / CORPORA
    for folder in sorted(corpora.iterdir()) if corpora.is_dir() else []:
        if folder.is_dir() and folder.name not in known and not folder.name.startswith("__"):
            found.append(tree.Finding(tree.relative(root, folder), 1, "a corpus without a target"))
    for name in re.findall(r"`([\w/]+\.h)`", table):
        if not (root / "src" / name).exists():
            found.append(tree.Finding(TABLE, 1, f"there is no src/{name}"))
    return (found + _check_parsers(root, table) + _check_dictionaries(root)
            + _check_results(root, known))
