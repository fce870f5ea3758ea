"""Banned: calls and forms that clang-tidy does not see, each with what to use instead."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import cpp_text
import tree

NAME = "banned"


@dataclass(frozen=True)
class Rule:
    pattern: str
    instead: str
    allowed: str = r"(?!)"  # paths where it may stand
    where: str = ""  # paths where it may not


CALL = r"(?<![\w.>])(?:std::|::)?"

# They exist to say when memory is wiped and given back.
MEMORY_OWNERS = r"^src/foundation/base/(bytes|secret)\.cpp$"

# A private constructor rules make_unique out: the pointer may take what `new` made at once.
OWNED_AT_ONCE = re.compile(r"_ptr<[\w:<>, ]+>\s*\w*\s*[({]\s*new\b")

CPP_RULES = [
    Rule(CALL + r"(strcpy|strcat|strncpy|strncat|sprintf|vsprintf|gets|strtok)\s*\(",
         "std::string, or snprintf into an array"),
    Rule(CALL + r"(system|popen)\s*\(", "platform/os, which runs children without a shell"),
    Rule(CALL + r"(rand|srand|random|drand48)\s*\(|\bstd::(mt19937|minstd_rand|random_device)",
         "foundation/crypto's random bytes", r"_test\.cpp$|^tests/|^bench/"),
    Rule(r"\bstd::(cout|cerr|clog)\b|" + CALL + r"(printf|fprintf|puts|fputs|perror)\s*\(",
         "foundation/base/log.h", r"^src/edge/cli/|^src/foundation/base/check\.cpp$|^bench/",
         r"^src/"),
    Rule(r"\bsleep_(for|until)\b|" + CALL + r"(sleep|usleep|nanosleep)\s*\(",
         "a clock that is passed in, or a Deadline"),
    Rule(r"\bcatch\s*\(\s*\.\.\.\s*\)", "a Result at the wrapper, or a catch of a named type",
         r"^src/app/|^src/platform/(async|net)/"),
    Rule(r"\b(co_spawn|steady_timer|make_strand|system_timer)\b|\basio::(detached|strand)\b",
         "platform/async (TaskGroup, with_deadline)", r"^src/platform/async/"),
    Rule(r"\bstd::endl\b", "'\\n'"),
    Rule(r"(?<!\*)(?<!operator )\bnew\s+[A-Za-z_:(]",
         "std::make_unique (or `*new` for what is never destroyed)", MEMORY_OWNERS),
    Rule(r"(?<!operator )\bdelete\b(?:\[\])?\s+[A-Za-z_*(]", "std::unique_ptr", MEMORY_OWNERS,
         r"^src/"),
    Rule(r"^using namespace (?!std::(?:\w+_)?literals\b|std::literals)",
         "names one by one, or inside a function"),
    Rule(CALL + r"(isalpha|isalnum|isdigit|isspace|isupper|islower|isxdigit|isprint|ispunct|tolower"
         r"|toupper|strtod|strtof|strtol|strtoul|strtoll|strtoull|atoi|atol|atof|setlocale"
         r"|strcasecmp|strncasecmp|stoi|stol|stoul|stoll|stoull|stod|stof|strftime|strptime)\s*\("
         r"|\bstd::(locale|regex)\b",
         "std::from_chars and ASCII functions of our own: these depend on the locale"),
    Rule(CALL + r"(memcmp|strcmp|strncmp)\s*\(",
         "crypto's constant-time compare for secrets, == or std::ranges::equal for the rest",
         r"_test\.cpp$|^bench/"),
    Rule(r"(&&|\|\||\?)\s*\(?\s*co_await\b",
         "a statement of its own: GCC 12 works out the operands of what is not reached"),
    Rule(CALL + r"(alloca|setjmp|longjmp|tmpnam|mktemp|vfork)\s*\(", "a bounded buffer, mkostemp"),
]

SQL_RULE = Rule(r"\b(SELECT\b.*\bFROM|INSERT (OR \w+ )?INTO|UPDATE \w+\s+SET|DELETE FROM|CREATE "
                r"(TABLE|INDEX|UNIQUE)|DROP (TABLE|INDEX)|PRAGMA \w+)\b",
                "a named constant at the top of the module's *_sql.cpp",
                r"^src/platform/store/|_sql\.(?:cpp|h)$|_test\.cpp$", r"^src/")

MARK = re.compile(r"\b(FIXME|XXX)\b|\bTODO\b(?!\(#\d+\))")
SCRIPT_RULES = [
    Rule(r"\b(pkill|killall)\b", "kill by pid: a name may be somebody else's",
         r"^tools/lint/"),
    Rule(r"\bshell=True\b", "a list of arguments", r"^tools/lint/"),
]


def _applies(rule: Rule, name: str) -> bool:
    return re.search(rule.where, name) is not None and re.search(rule.allowed, name) is None


def _search(rule: Rule, name: str, text: str, base: str, offset: int = 0) -> list[tree.Finding]:
    found = []
    for match in re.finditer(rule.pattern, text, re.MULTILINE | re.DOTALL):
        shown = " ".join(match.group().split())[:40]
        line = tree.line_of(base, offset + match.start())
        found.append(tree.Finding(name, line, f"{shown}: use {rule.instead}"))
    return found


def _marks(name: str, text: str, base: str, offset: int = 0) -> list[tree.Finding]:
    return [tree.Finding(name, tree.line_of(base, offset + match.start()),
                         f"{match.group()}: write TODO(#issue), or do it")
            for match in MARK.finditer(text)]


def _check_cpp(name: str, text: str) -> list[tree.Finding]:
    parts = cpp_text.split(text)
    code = OWNED_AT_ONCE.sub(lambda match: match.group()[:-3] + "   ", parts.code)
    found = []
    for rule in CPP_RULES:
        if _applies(rule, name):
            found += _search(rule, name, code, text)
    for piece in parts.strings:
        if _applies(SQL_RULE, name):
            found += _search(SQL_RULE, name, piece.text, text, piece.offset)
    for piece in parts.comments:
        found += _marks(name, piece.text, text, piece.offset)
    return found


def _sleeps(text: str) -> list[int]:
    """Lines that call time.sleep outside a function named `eventually`, which polls for tests."""
    lines = []

    def visit(node: ast.AST, polling: bool) -> None:
        if isinstance(node, ast.FunctionDef):
            polling = polling or node.name == "eventually"
        called = isinstance(node, ast.Call) and ast.unparse(node.func)
        if called in ("time.sleep", "sleep", "asyncio.sleep") and not polling:
            lines.append(node.lineno)
        for child in ast.iter_child_nodes(node):
            visit(child, polling)

    visit(ast.parse(text), False)
    return lines


def _check_script(name: str, text: str) -> list[tree.Finding]:
    found = []
    for rule in SCRIPT_RULES:
        if _applies(rule, name):
            found += _search(rule, name, text, text)
    if name.endswith(".py"):
        found += [tree.Finding(name, line, "sleep: wait with the lab's eventually()")
                  for line in _sleeps(text)]
    if not name.startswith("tools/lint/"):
        comments = re.sub(r"^[^#\n]*", lambda match: " " * len(match.group()), text,
                          flags=re.MULTILINE)
        found += _marks(name, comments, text)
    return found


def check(root: Path) -> list[tree.Finding]:
    found = []
    for path in tree.files(root):
        name = tree.relative(root, path)
        if path.suffix in (".cpp", ".h"):
            found += _check_cpp(name, tree.read(path))
        elif path.suffix in (".py", ".sh", ".cmake") or path.name in ("dev", "CMakeLists.txt"):
            found += _check_script(name, tree.read(path))
    return found
