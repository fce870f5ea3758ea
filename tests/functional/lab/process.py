"""Small process and waiting tools that every part of the lab shares."""

from __future__ import annotations

import os
import pathlib
import signal
import socket
import subprocess
import time
from typing import Callable, TypeVar

T = TypeVar("T")
DEADLINE_S = 30.0


class TimedOut(AssertionError):
    """What was waited for did not come before its deadline."""


def eventually(
    probe: Callable[[], T], what: str, deadline_s: float = DEADLINE_S, interval_s: float = 0.05
) -> T:
    """The first truthy answer of `probe`. The only place in the lab that polls."""
    end = time.monotonic() + deadline_s
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() >= end:
            raise TimedOut(f"not within {deadline_s:g} s: {what} (last answer: {answer!r})")
        time.sleep(interval_s)


def free_port(host: str = "127.0.0.1") -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def accepts(port: int, host: str = "127.0.0.1") -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def spawn_child(
    arguments: list[str], log: pathlib.Path, *, parent_death: str = "TERM", **more
) -> subprocess.Popen:
    """Starts a long-running child that dies with the test: no server outlives a killed run."""
    with open(log, "ab") as out:
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", parent_death, "--", *arguments],
            stdin=more.pop("stdin", subprocess.DEVNULL),
            stdout=more.pop("stdout", out),
            stderr=more.pop("stderr", out),
            **more,
        )


class Guard:
    """Ends a process when this one dies, for servers that change their uid and so lose the signal
    that `spawn_child` asks for: a shell waits for the end of a pipe that only we hold open."""

    def __init__(self, pid: int) -> None:
        self._shell = subprocess.Popen(
            ["sh", "-c", f"read _; kill {pid}"], stdin=subprocess.PIPE, start_new_session=True
        )

    def release(self) -> None:
        self._shell.kill()
        self._shell.communicate()


def stop_child(child: subprocess.Popen, deadline_s: float = 15.0) -> int | None:
    """SIGTERM by pid, SIGKILL after the deadline; the exit status."""
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(deadline_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait(deadline_s)
    return child.returncode


def alive(pid: int) -> bool:
    """A zombie counts as dead: it holds nothing any more."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def parents() -> dict[int, int]:
    """pid -> parent pid of every process, from one walk over /proc."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = pathlib.Path(f"/proc/{entry}/stat").read_text()
            except OSError:
                continue
            found[int(entry)] = int(stat.rpartition(")")[2].split()[1])
    return found


def descendants(pid: int) -> list[int]:
    """All living processes below `pid`, parents before children, without `pid` itself."""
    family = parents()
    found = [pid]
    for known in found:
        found.extend(child for child, parent in family.items() if parent == known)
    return [child for child in found[1:] if alive(child)]


def kill_tree(pid: int) -> list[int]:
    """SIGKILLs `pid` first, so that it cannot restart anybody, then all below it."""
    below = descendants(pid)
    for target in [pid, *below]:
        try:
            os.kill(target, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return below
