"""Includes: only what DEPENDS names, own header first, third-party headers only at their owner."""

import re
from pathlib import Path

import cpp_text
import modules
import tree

NAME = "includes"
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)

# Header pattern, the folders below src/ that may include it, what to use instead.
OWNERS = [
    (r"boost/beast", ("platform/net/",), "platform/net"),
    (r"boost/asio(?!/awaitable\.hpp$)", ("platform/",), "asio/awaitable.hpp or platform/async"),
    (r"sqlite3", ("platform/store/",), "platform/store"),
    (r"libpq|postgresql/", ("platform/store/postgres/",), "platform/store/postgres"),
    (r"qrencode", ("foundation/codec/",), "foundation/codec/qr.h"),
    (r"sodium", ("foundation/crypto/",), "foundation/crypto"),
    (r"openssl/", ("foundation/crypto/", "platform/net/"), "foundation/crypto or platform/net"),
    (r"gmime/|libxml/|glib", ("features/mail/reader/",), "features/mail/reader"),
    (r"curl/", ("platform/net/",), "platform/net"),
    (r"seccomp\.h|linux/(?:seccomp|landlock)",
     ("platform/os/", "features/mail/reader/fence_test.cpp"), "platform/os"),
    (r"toml\+\+|toml\.h", ("app/", "edge/cli/"), "the parsed Config"),
    (r"CLI/", ("app/", "edge/cli/"), "edge/cli"),
    (r"spdlog/|fmt/", ("foundation/base/",), "foundation/base/log.h"),
    (r"nlohmann/", (), "foundation/codec"),
]


def _own_header(path: str) -> str:
    return re.sub(r"(_test|_fuzz|_bench)?\.cpp$", ".h", path)


def _third_party(path: str, header: str) -> str | None:
    if re.match(r"gtest/|gmock/", header):
        test_only = re.search(r"_(test|suite|fake|matchers)\.(cpp|h)$", path)
        return None if test_only else f"<{header}> belongs in tests only"
    for pattern, allowed, instead in OWNERS:
        if re.match(pattern, header) and not path.startswith(allowed):
            return f"<{header}> is not for this module; use {instead}"
    return None


def _covered(all_modules: list[modules.Module], path: str, included: str) -> str | None:
    own = modules.owner_of(all_modules, path)
    if own is None:
        return "this file belongs to no module"
    if "/" not in included:
        return f'include "{included}" by its path from src/'
    other = modules.owner_of(all_modules, included)
    if other is None:
        return f'"{included}" belongs to no module'
    if other.name == own.name:
        return None
    allowed = own.list_of("DEPENDS")
    if path.endswith("_test.cpp") or path in {f"{own.folder}/{n}" for n in own.list_of("TESTS")}:
        allowed = allowed + own.list_of("TEST_DEPENDS")
    if other.name in allowed:
        return None
    return f'"{included}": DEPENDS of {own.name} does not name {other.name}'


def _check_file(root: Path, path: Path, all_modules: list[modules.Module]) -> list[tree.Finding]:
    name = tree.relative(root / "src", path)
    text = tree.read(path)
    code = cpp_text.split(text).code
    found = []
    seen: list[str] = []
    angled = False
    for match in _INCLUDE.finditer(text):
        if "#" not in code[match.start() : match.end()]:
            continue  # inside a comment
        ours, theirs = match.groups()
        line = tree.line_of(text, match.start(match.lastindex))
        problem = _covered(all_modules, name, ours) if ours else _third_party(name, theirs)
        if ours and angled:
            problem = problem or f'"{ours}" stands after a <...>: our headers come first'
        if problem:
            found.append(tree.Finding(f"src/{name}", line, problem))
        angled = angled or theirs is not None
        seen.append(ours or theirs)
    own = _own_header(name)
    if name.endswith(".cpp") and (root / "src" / own).exists() and seen[:1] != [own]:
        found.append(tree.Finding(f"src/{name}", 1, f'the first include must be "{own}"'))
    return found


def check(root: Path) -> list[tree.Finding]:
    all_modules = modules.load(root)
    listed = set().union(*(module.listed_files() for module in all_modules), set())
    found = []
    for path in tree.files(root, ".cpp", ".h", under="src"):
        found += _check_file(root, path, all_modules)
        name = tree.relative(root / "src", path)
        if name not in listed:
            found.append(tree.Finding(f"src/{name}", 1, "no CMakeLists.txt lists this file"))
    return found
