"""Takes C++ text apart without a compiler: code, strings, comments, and where functions lie."""

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<comment>//(?:\\\n|[^\n])*|/\*.*?\*/)
      | (?P<raw>\bu?8?R"(?P<tag>[^()\\\s]{0,16})\((?P<body>.*?)\)(?P=tag)")
      | (?P<string>"(?:\\.|[^"\\\n])*")
      | (?P<char>(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+')""",
    re.DOTALL | re.VERBOSE,
)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.MULTILINE)
_ANGLES = re.compile(r"<[^<>]*>")
_INIT_LIST = re.compile(r"\)\s*(?:noexcept\s*)?:(?!:)")


@dataclass(frozen=True)
class Piece:
    offset: int
    text: str


@dataclass(frozen=True)
class CppText:
    code: str  # as long as the original; comments and what is inside quotes are blank
    strings: list[Piece]
    comments: list[Piece]


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def split(text: str) -> CppText:
    strings, comments, code, at = [], [], [], 0
    for match in _TOKEN.finditer(text):
        code.append(text[at : match.start()])
        at = match.end()
        whole = match.group()
        if match["comment"] is not None:
            comments.append(Piece(match.start(), whole))
            code.append(_blank(whole))
        else:
            inner = match["body"] if match["raw"] is not None else whole[1:-1]
            if match["char"] is None:
                strings.append(Piece(match.start(), inner))
            code.append('"' + _blank(whole[1:-1]) + '"')
    code.append(text[at:])
    return CppText("".join(code), strings, comments)


def _kind(head: str) -> str:
    """What a brace opens, judged by what stands before it since the last ; { or }."""
    plain = head
    while (shorter := _ANGLES.sub(" ", plain)) != plain:
        plain = shorter
    if re.search(r"\bnamespace\b|^\s*extern\b", plain):
        return "scope"
    if re.search(r"\b(class|struct|union|enum)\b", plain):
        return "scope"
    if "(" not in plain:
        return "other"
    before = plain.rstrip()[-1:]
    if _INIT_LIST.search(plain) and (before.isalnum() or before in "_>"):
        return "member"
    return "function"


def functions(code: str) -> list[tuple[int, int]]:
    """(offset of the opening brace, offset of the closing one) of each outermost body."""
    code = _DIRECTIVE.sub(lambda match: _blank(match.group()), code)
    found, stack, head_start = [], [], 0
    for match in re.finditer(r"[{};]", code):
        at, char = match.start(), match.group()
        inside = any(kind == "function" for kind, _ in stack)
        if char == "{":
            kind = "other" if inside else _kind(code[head_start:at])
            stack.append((kind, at))
            if kind == "member":
                continue
        elif char == "}" and stack:
            kind, opened = stack.pop()
            if kind == "function":
                found.append((opened, at))
            if kind == "member":
                continue
        if not stack or stack[-1][0] != "member":
            head_start = at + 1
    return found
