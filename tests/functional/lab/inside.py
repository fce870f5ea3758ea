"""Makes a live process do something: gdb calls a function of the C library in it. What the fence
says to that is what it would say to somebody's code in that process."""

from __future__ import annotations

import os
import re
import resource
import subprocess

from .process import alive

# What a call came to: a number, or that the process ended by a signal.
Outcome = int | str


def call(pid: int, expression: str) -> Outcome:
    """The value of a C expression as the process computes it (errno negated where it is -1), or
    "SIGSYS" and the like where the process did not survive it."""
    done = subprocess.run(
        [
            "gdb", "-nx", "-batch", "-p", str(pid), "-ex", "set confirm off",
            "-ex", f"print (long) ({expression})",
            "-ex", "print *((int *(*)(void)) __errno_location)()",
        ],
        capture_output=True, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL,
        env={**os.environ, "DEBUGINFOD_URLS": ""}, preexec_fn=_no_core,
    )
    told = done.stdout + done.stderr
    if ended := re.search(r"[Tt]erminated with signal (SIG\w+)", told):
        return ended[1]
    if not alive(pid):
        return "ended"
    found = re.findall(r"^\$\d+ = (-?\d+)", done.stdout, re.MULTILINE)
    if not found:
        raise AssertionError(f"gdb could not call {expression} in {pid}:\n{told[-2000:]}")
    value = int(found[0])
    return -int(found[1]) if value == -1 and len(found) > 1 else value


def _no_core() -> None:
    # gdb itself may fall when the process ends in the middle of its call.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def system_call(pid: int, number: int, *arguments: int | str) -> Outcome:
    """One system call by number; a text becomes a pointer to it in that process."""
    words = [f'"{word}"' if isinstance(word, str) else str(word) for word in arguments]
    return call(pid, f"((long (*)(long, ...)) syscall)({', '.join([str(number), *words])})")
