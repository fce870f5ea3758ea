"""Fuzzing: each target is short, has a corpus and a line in docs/fuzzing.md; so has each parser."""

import re
from pathlib import Path

import cpp_text
import tree

NAME = "fuzzing"
LINES_MAX = 80
TABLE = "docs/fuzzing.md"
CORPORA = "tests/corpora"
# What a header declares that reads foreign bytes, by the names that we give such functions.
PARSER = re.compile(
    r"\b(parse|parse_\w+|decode_\w+|decompress|from_wire|from_modified_utf7|crockford_bytes"
    r"|root_key_from|hash_of_bearer|split_content|resolve_origin"
    r"|read_(?:head|receipt|candidate|mail|connect|reconnect|grant))\("
)
# Calls of a parser, not declarations of one.
CALL = re.compile(r"(?:return|=|\*|!|\()\s*[\w:>.\-]*$")


def declares_parser(text: str) -> bool:
    code = cpp_text.split(text).code
    return any(not CALL.search(code[: match.start()].rsplit("\n", 1)[-1])
               for match in PARSER.finditer(code))


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


def check(root: Path) -> list[tree.Finding]:
    table = tree.read(root / TABLE) if (root / TABLE).exists() else ""
    targets = tree.files(root, "_fuzz.cpp", under="src")
    found = [finding for path in targets for finding in _check_target(root, path, table)]
    known = {path.name.removesuffix("_fuzz.cpp") for path in targets}
    corpora = root / CORPORA
    for folder in sorted(corpora.iterdir()) if corpora.is_dir() else []:
        if folder.is_dir() and folder.name not in known and not folder.name.startswith("__"):
            found.append(tree.Finding(tree.relative(root, folder), 1, "a corpus without a target"))
    for path in tree.files(root, ".h", under="src"):
        name = tree.relative(root, path)
        if name.endswith(("_test.h", "_fake.h", "_fuzz.h")) or "/test_" in name:
            continue
        if declares_parser(tree.read(path)) and name.removeprefix("src/") not in table:
            found.append(tree.Finding(name, 1, f"declares a parser: name it in a row of {TABLE}, "
                                               "or at its end with the reason why not"))
    return found
