"""The log: docs/log.md has a row for every event that the server writes, and for no other; and one
for every action of the audit record.

An event is a call `log(LogLevel::LEVEL, "NAME", {FIELDS})`: nothing else writes a line. A row is
`| name | level | processes | fields | what it means | what to do |`. Name, level and fields, in
their order, are those of the calls: one name with two levels or two lists of fields has two rows.
The processes are some of those that may contain the module (RUNS); `postern`, a command that runs
without a server, is where the supervisor is. A call that cannot be read is a finding, too.

An action is a text `thing.done` in a statement that makes an act; its row is `| name | meaning |`.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import cpp_text
import modules
import tree

NAME = "log"
PAGE = "docs/log.md"
PROCESSES = ("supervisor", "front", "keeper", "courier", "reader", "postern")
# The function itself.
LOGGER = ("src/foundation/base/log.h", "src/foundation/base/log.cpp")
HEAD = ["event", "level", "written by", "fields", "meaning", "what to do"]
ACTIONS_HEAD = ["action", "what was done"]
_ACTION = re.compile(r"[a-z_]+\.[a-z_]+")
_MAKES_ACT = re.compile(r"\b(?:Act|act_of|[a-z]+_act|Told|opening|PublicText|HostAct)\b|\brecord\(")
_CALL = re.compile(r"(?<![\w.>])(?<!std::)log\s*\(")
_EVENT = re.compile(r'(?:[^?"]*\?\s*(?P<one>"\s*")\s*:\s*)?(?P<other>"\s*")')
_FIELD = re.compile(r'(?:LogField(?:::sanitised)?\s*\(|\{)\s*(?=")')
_CODE = re.compile(r"`(\w+)`")


@dataclass(frozen=True)
class Event:
    name: str
    level: str
    fields: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} ({self.level}; {', '.join(self.fields) or 'no fields'})"


@dataclass(frozen=True)
class Call:
    event: Event | None  # None: it could not be read
    path: str
    line: int


@dataclass(frozen=True)
class Row:
    event: Event
    processes: tuple[str, ...]
    line: int
    is_whole: bool  # it says what the event means and what to do


def _arguments(code: str, opened: int) -> list[tuple[int, str]]:
    """(offset, text) of what stands between the commas inside the bracket at `opened`."""
    found, depth, start = [], 0, opened + 1
    for at in range(opened, len(code)):
        if code[at] in "([{":
            depth += 1
        elif code[at] in ")]}":
            depth -= 1
        if depth == 0 or (depth == 1 and code[at] == ","):
            if code[start:at].strip():
                found.append((start, code[start:at]))
            start = at + 1
        if depth == 0:
            return found
    return found


def _fields(code: str, texts: dict[int, str], start: int, argument: str) -> tuple | None:
    opened = start + len(argument) - len(argument.lstrip())
    if code[opened] != "{":
        return None
    names = []
    for offset, item in _arguments(code, opened):
        at = offset + len(item) - len(item.lstrip())
        match = _FIELD.match(code, at)
        if not match:
            return None
        names.append(texts[match.end()])
    return tuple(names)


def _events(code: str, texts: dict[int, str], opened: int) -> list[Event | None]:
    arguments = _arguments(code, opened)
    if not 2 <= len(arguments) <= 3:
        return [None]
    level = re.fullmatch(r"\s*LogLevel::(\w+)\s*", arguments[0][1])
    offset, text = arguments[1]
    event = _EVENT.fullmatch(text.rstrip(), len(text) - len(text.lstrip()))
    fields = _fields(code, texts, *arguments[2]) if len(arguments) == 3 else ()
    if not level or not event or fields is None:
        return [None]
    names = [texts[offset + event.start(part)] for part in ("one", "other") if event[part]]
    return [Event(name, level[1], fields) for name in names]


def calls(root: Path) -> list[Call]:
    found = []
    for path in tree.files(root, ".cpp", ".h", under="src"):
        name = tree.relative(root, path)
        if tree.is_test(name) or name in LOGGER:
            continue
        text = tree.read(path)
        parts = cpp_text.split(text)
        texts = {piece.offset: piece.text for piece in parts.strings}
        for match in _CALL.finditer(parts.code):
            line = tree.line_of(text, match.start())
            found += [Call(event, name, line)
                      for event in _events(parts.code, texts, match.end() - 1)]
    return found


def actions(root: Path) -> dict[str, tuple[str, int]]:
    """name -> where it is written first."""
    found: dict[str, tuple[str, int]] = {}
    for path in tree.files(root, ".cpp", under="src"):
        name = tree.relative(root, path)
        text = tree.read(path) if not tree.is_test(name) else ""
        parts = cpp_text.split(text)
        for piece in parts.strings:
            statement = parts.code[parts.code.rfind(";", 0, piece.offset) + 1 : piece.offset]
            if _ACTION.fullmatch(piece.text) and _MAKES_ACT.search(statement):
                found.setdefault(piece.text, (name, tree.line_of(text, piece.offset)))
    return found


def _cells(page: str, head: list[str]) -> list[tuple[int, list[str]]]:
    """(line, cells) of each row of the tables with this head."""
    found, is_ours = [], False
    for number, line in enumerate(page.splitlines(), 1):
        cells = [cell.strip() for cell in line.split("|")][1:-1]
        if len(cells) != len(head):
            is_ours = False
        elif cells == head:
            is_ours = True
        elif is_ours and not set(cells[0]) <= set("-: "):
            found.append((number, cells))
    return found


def rows(page: str) -> list[Row]:
    found = []
    for number, cells in _cells(page, HEAD):
        event = Event(cells[0].strip("`"), cells[1], tuple(_CODE.findall(cells[3])))
        processes = tuple(word.strip() for word in cells[2].split(","))
        found.append(Row(event, processes, number, bool(cells[4] and cells[5])))
    return found


def _may_contain(known: list[modules.Module], path: str) -> set[str]:
    owner = modules.owner_of(known, path.removeprefix("src/"))
    runs = set(owner.list_of("RUNS")) if owner else set()
    if not runs or "all" in runs:
        return set(PROCESSES)
    return runs | ({"postern"} if "supervisor" in runs else set())


def _check_calls(written: list[Call], told: list[Row]) -> list[tree.Finding]:
    found = [tree.Finding(call.path, call.line, "a log line that cannot be read: write "
                          'log(LogLevel::LEVEL, "NAME", {FIELDS})')
             for call in written if not call.event]
    in_page = {row.event for row in told}
    return found + [tree.Finding(call.path, call.line, f"{call.event} has no row in {PAGE}")
                    for call in written if call.event and call.event not in in_page]


def _check_rows(root: Path, written: list[Call], told: list[Row]) -> list[tree.Finding]:
    known = modules.load(root)
    found, seen = [], set()
    for row in told:
        allowed = set()
        for call in written:
            if call.event == row.event:
                allowed |= _may_contain(known, call.path)
        why = ""
        if not allowed:
            why = f"nothing writes {row.event}"
        elif not set(row.processes) <= allowed:
            why = f"{row.event.name} is written in {', '.join(sorted(allowed))}"
        elif row.event in seen:
            why = f"{row.event} has two rows"
        elif not row.is_whole:
            why = f"{row.event.name}: say what it means and what to do"
        if why:
            found.append(tree.Finding(PAGE, row.line, why))
        seen.add(row.event)
    return found


def _check_actions(root: Path, page: str) -> list[tree.Finding]:
    written, told, found = actions(root), set(), []
    for line, cells in _cells(page, ACTIONS_HEAD):
        name = cells[0].strip("`")
        if name not in written:
            found.append(tree.Finding(PAGE, line, f"nothing makes the action {name}"))
        elif name in told or not cells[1]:
            found.append(tree.Finding(PAGE, line, f"{name}: one row, which says what was done"))
        told.add(name)
    return found + [tree.Finding(*place, f"the action {name} has no row in {PAGE}")
                    for name, place in written.items() if name not in told]


def check(root: Path) -> list[tree.Finding]:
    page = tree.read(root / PAGE) if (root / PAGE).exists() else ""
    written, told = calls(root), rows(page)
    return (_check_calls(written, told) + _check_rows(root, written, told)
            + _check_actions(root, page))
