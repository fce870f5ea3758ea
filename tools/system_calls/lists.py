"""The allow-lists of system calls: src/app/fence/system_calls/ROLE.txt, one call a line.

    NAME [N=CONSTANT[|CONSTANT...]]... [N!CONSTANT]... [-> ERRNO]   # why

`0=AF_INET` the first argument is that; `2!PROT_EXEC` the third has none of those bits; `-> ENOSYS`
the call is answered so instead of made. A call may have several lines. What no traced run makes
has a reason that starts with "unseen:". `every.txt` goes for every role,
`postgresql*.txt` for those with stores where these lie on servers.
"""

import dataclasses
import re
from pathlib import Path

ROLES = ("front", "keeper", "courier", "reader")
EVERY = "every"
POSTGRESQL = ("postgresql_by_name", "postgresql_by_socket", "postgresql_no_socket", "postgresql")
NAMES = (EVERY, *ROLES, *POSTGRESQL)
# A name of its own for a role whose stores lie on servers -> its lists besides `every`; the last
# one is where a call is added that none has.
ON_POSTGRESQL = {f"{role}_on_postgresql": (role, *POSTGRESQL) for role in ("front", "keeper")}
LISTS_OF = {**{role: (role,) for role in ROLES}, **ON_POSTGRESQL}
UNSEEN = "unseen:"
FOLDER = Path("src/app/fence/system_calls")
_TEST = re.compile(r"(\d)([=!])([A-Z0-9_]+(?:\|[A-Z0-9_]+)*)", re.ASCII)


@dataclasses.dataclass(frozen=True, order=True)
class Call:
    """One allowed form of a call."""

    name: str
    tests: tuple[str, ...] = ()
    refused_with: str = ""

    def __str__(self) -> str:
        answer = [f"-> {self.refused_with}"] if self.refused_with else []
        return " ".join([self.name, *self.tests, *answer])


def parse_line(line: str) -> tuple[Call, str] | None:
    """The call and its reason; nothing for an empty line or a comment."""
    text, _, why = line.partition("#")
    words = text.split()
    if not words:
        return None
    refused_with = ""
    if len(words) > 2 and words[-2] == "->":
        refused_with = words[-1]
        words = words[:-2]
    tests = tuple(words[1:])
    bad = [test for test in tests if not _TEST.fullmatch(test)]
    if bad or not re.fullmatch(r"[a-z0-9_]+", words[0], re.ASCII):
        raise ValueError(f"not a line of an allow-list: {line.rstrip()}")
    return Call(words[0], tests, refused_with), why.strip()


def read(root: Path, name: str) -> dict[Call, str]:
    """call -> reason of one list. Errors: ValueError."""
    found: dict[Call, str] = {}
    for line in (root / FOLDER / f"{name}.txt").read_text().splitlines():
        parsed = parse_line(line)
        if parsed is None:
            continue
        if parsed[0] in found:
            raise ValueError(f"{name}.txt: {parsed[0]} stands there twice")
        found[parsed[0]] = parsed[1]
    return found


def of_role(root: Path, role: str) -> dict[Call, str]:
    """call -> reason of all that a role may call with any settings. Errors: ValueError."""
    found = read(root, EVERY)
    for name in LISTS_OF[role]:
        found.update(read(root, name))
    return found


def test_parts(test: str) -> tuple[int, str, list[str]]:
    """(argument, "=" or "!", constants) of one test of a call."""
    match = _TEST.fullmatch(test)
    if not match:
        raise ValueError(test)
    return int(match[1]), match[2], match[3].split("|")
