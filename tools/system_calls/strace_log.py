"""What each role calls once it is fenced, from strace's log of a whole server.

A server started with isolation.system_calls = "log" goes on at a call that is not on its list, so
that one run finds all of them. strace sees a call before the filter does.
"""

import re
from collections import defaultdict
from pathlib import Path

import lists

# The arguments that the lists look at. Numbers count from 0, as on strace's line.
WATCHED = {
    "clone": (1,), "fcntl": (1,), "ioctl": (1,), "madvise": (2,), "prctl": (0,),
    "socket": (0, 1, 2), "setsockopt": (1, 2), "getsockopt": (1, 2), "socketpair": (0,),
    "prlimit64": (0, 1),
}
# What strace calls an argument by name, and where the kernel has it.
CLONE_FLAGS = 0
# (argument, bit) that the lists want not to be there.
WITHOUT = {
    "mmap": (2, "PROT_EXEC"), "mprotect": (2, "PROT_EXEC"), "sendmsg": (2, "MSG_FASTOPEN"),
    "sendto": (3, "MSG_FASTOPEN"), "sendmmsg": (3, "MSG_FASTOPEN"),
}
# Bits that say how a socket is opened, not what it is.
SOCKET_OPTIONS = {"SOCK_CLOEXEC", "SOCK_NONBLOCK"}

_LINE = re.compile(r"^(\w+)\((.*?)(?:\)\s+=\s.*|\s*<unfinished \.\.\.>|)$", re.ASCII)
_NAME = re.compile(r'^execveat\(\d+, "", \["postern-(\w+)"|^prctl\(PR_SET_NAME, "postern-(\w+)"')
_FENCED = re.compile(r"^seccomp\(SECCOMP_SET_MODE_FILTER, .*\) = 0$")
_BORN = re.compile(r"^(?:clone3?|fork|vfork)\(.*\) = (\d+)$")


def arguments(text: str) -> list[str]:
    """The arguments of a call as strace prints them, cut at the commas between them."""
    found, depth, quoted, start = [], 0, False, 0
    for at, letter in enumerate(text):
        if letter == '"' and (at == 0 or text[at - 1] != "\\"):
            quoted = not quoted
        elif quoted:
            continue
        elif letter in "[{(":
            depth += 1
        elif letter in "]})":
            depth -= 1
        elif letter == "," and depth == 0:
            found.append(text[start:at].strip())
            start = at + 1
    return [*found, text[start:].strip()]


def _test(name: str, number: int, words: list[str]) -> str | None:
    if number >= len(words):
        return None
    value = words[number]
    if name == "clone":
        value, number = value.removeprefix("flags="), CLONE_FLAGS
    if name == "socket" and number == 1:
        value = "|".join(word for word in value.split("|") if word not in SOCKET_OPTIONS)
    return f"{number}={value}"


def call_of(line: str) -> lists.Call | None:
    """The call on a line of strace's log, with the arguments that the lists look at."""
    match = _LINE.match(line)
    if not match:
        return None
    name, words = match[1], arguments(match[2])
    if name in WITHOUT:
        number, bit = WITHOUT[name]
        has_it = number < len(words) and bit in words[number]
        return lists.Call(name, () if has_it else (f"{number}!{bit}",))
    tests = [_test(name, number, words) for number in WATCHED.get(name, ())]
    return lists.Call(name, tuple(test for test in tests if test))


class _Thread:
    def __init__(self, path: Path) -> None:
        self.lines = path.read_text(errors="replace").splitlines()
        self.role = ""
        self.fenced_at: int | None = None
        self.children: dict[int, int] = {}
        for number, line in enumerate(self.lines):
            if named := _NAME.match(line):
                self.role = self.role or named[1] or named[2]
            elif self.fenced_at is None and _FENCED.match(line):
                self.fenced_at = number
            elif born := _BORN.match(line):
                self.children[int(born[1])] = number

    def fenced_lines(self, whole: bool) -> list[str]:
        if whole:
            return self.lines
        return [] if self.fenced_at is None else self.lines[self.fenced_at + 1:]


def calls_of(folder: Path) -> dict[str, set[lists.Call]]:
    """role -> calls, from the folders of logs, one for each command that was run, in `folder`."""
    found: dict[str, set[lists.Call]] = defaultdict(set)
    for run in folder.iterdir():
        for role, calls in _calls_of_run(run).items():
            found[role] |= calls
    return found


def _calls_of_run(folder: Path) -> dict[str, set[lists.Call]]:
    """The same of one command: process numbers are of one run only."""
    found: dict[str, set[lists.Call]] = defaultdict(set)
    threads = {int(path.suffix[1:]): _Thread(path) for path in folder.glob("trace.*")}
    parent = {
        child: (pid, at) for pid, thread in threads.items() for child, at in thread.children.items()
    }
    for pid, thread in threads.items():
        role, whole = thread.role, False
        if not role and pid in parent:
            # A thread of a role's process; those are born within the fence.
            above = threads[parent[pid][0]]
            role, whole = above.role, above.fenced_at is not None
        if role in lists.ROLES:
            calls = map(call_of, thread.fenced_lines(whole))
            found[role] |= {call for call in calls if call}
    return found
