"""Sizes: file <= 600 lines (tests 900), function <= 70, line <= 100; a word from 400 lines on."""

import ast
from pathlib import Path

import cpp_text
import tree

NAME = "sizes"
FILE_LINES_MAX = 600
TEST_LINES_MAX = 900
FILE_LINES_WARN = 400
FUNCTION_LINES_MAX = 70
LINE_MAX = 100
SUFFIXES = (".cpp", ".h", ".py", ".sh", ".sql", ".cmake", "CMakeLists.txt", "/dev")


def _cpp_functions(text: str) -> list[tuple[int, int]]:
    code = cpp_text.split(text).code
    lines = [(tree.line_of(text, a), tree.line_of(text, b)) for a, b in cpp_text.functions(code)]
    return [(first, last - first + 1) for first, last in lines]


def _python_functions(text: str) -> list[tuple[int, int]]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, kinds)]
    return [(node.lineno, node.end_lineno - node.lineno + 1) for node in nodes]


def _long_lines(name: str, text: str) -> list[tree.Finding]:
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        # One unbreakable word (an URL, a vector in hex) may be longer.
        if len(line) > LINE_MAX and " " in line.strip():
            found.append(tree.Finding(name, number, f"{len(line)} columns, at most {LINE_MAX}"))
    return found


def _sources(root: Path) -> list[tuple[Path, str, str]]:
    paths = [path for path in tree.files(root) if f"/{path.name}".endswith(SUFFIXES)]
    return [(path, tree.relative(root, path), tree.read(path)) for path in paths]


def check(root: Path) -> list[tree.Finding]:
    found = []
    for path, name, text in _sources(root):
        limit = TEST_LINES_MAX if tree.is_test(name) else FILE_LINES_MAX
        count = len(text.splitlines())
        if count > limit:
            found.append(tree.Finding(name, count, f"{count} lines, at most {limit}: split it"))
        bodies = []
        if path.suffix in (".cpp", ".h"):
            bodies = _cpp_functions(text)
        elif path.suffix == ".py":
            bodies = _python_functions(text)
        for line, length in bodies:
            if length > FUNCTION_LINES_MAX:
                words = f"function of {length} lines, at most {FUNCTION_LINES_MAX}"
                found.append(tree.Finding(name, line, words))
        found += _long_lines(name, text)
    return found


def warnings(root: Path) -> list[str]:
    grown = []
    for _, name, text in _sources(root):
        count = len(text.splitlines())
        if not tree.is_test(name) and FILE_LINES_WARN < count <= FILE_LINES_MAX:
            grown.append(f"{name}: {count} lines, think of splitting it at {FILE_LINES_WARN}")
    return grown
