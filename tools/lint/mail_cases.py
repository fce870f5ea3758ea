"""Mail cases: docs/mail-cases.md names a test for every case, and every such test has its row.

A row is `| case | expected | tests |`; tests are `FILE::NAME` in backticks, or "later" with a link
to the roadmap. Each `test_a_...` to `test_e_...` of tests/functional/mail_case_*.py stands in it.
"""

import re
from pathlib import Path

import tree

NAME = "mail-cases"
TABLE = "docs/mail-cases.md"
_ROW = re.compile(r"^\| (?!case |---)(.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
_REFERENCE = re.compile(r"`([\w./-]+)::([\w.]+)`")
_LATER = re.compile(r"^later \(\[[^\]]+\]\(roadmap\.md\)\)$")
_CASE_TEST = re.compile(r"^    def (test_[a-e]_\w+)\(", re.MULTILINE)
_SHORT = {"": "src/features/mail/", "imap/": "src/foundation/codec/imap/",
          "codec/": "src/foundation/codec/mail/"}


def _path(name: str) -> str:
    """Functional files by their name; unit tests by what follows src/features/mail/."""
    if name.endswith(".py"):
        return f"tests/functional/{name}"
    for prefix in ("imap/", "codec/"):
        if name.startswith(prefix):
            return _SHORT[prefix] + name.removeprefix(prefix)
    return _SHORT[""] + name


def _has(root: Path, path: str, test: str) -> bool:
    file = root / path
    if not file.is_file():
        return False
    text = tree.read(file)
    if path.endswith(".py"):
        return re.search(rf"^    def {test}\(", text, re.MULTILINE) is not None
    suite, _, case = test.partition(".")
    return re.search(rf"\bTEST(?:_[FP])?\(\s*{suite},\s*{case}\)", text) is not None


def check(root: Path) -> list[tree.Finding]:
    table = root / TABLE
    if not table.is_file():
        return []
    found = []
    text = tree.read(table)
    named = set()
    for row in _ROW.finditer(text):
        line = tree.line_of(text, row.start())
        references = _REFERENCE.findall(row[3])
        if not references and not _LATER.match(row[3]):
            found.append(tree.Finding(TABLE, line, f"{row[1]}: no test"))
        for name, test in references:
            path = _path(name)
            named.add((path, test))
            if not _has(root, path, test):
                found.append(tree.Finding(TABLE, line, f"{row[1]}: no {test} in {path}"))
    for file in sorted((root / "tests/functional").glob("mail_case_*.py")):
        path = tree.relative(root, file)
        code = tree.read(file)
        for match in _CASE_TEST.finditer(code):
            if (path, match[1]) not in named:
                line = tree.line_of(code, match.start())
                found.append(tree.Finding(path, line, f"{match[1]} has no row in {TABLE}"))
    return found
