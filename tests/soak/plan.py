"""The page that the sweep shares with the processes it breaks; fault_plan.h has the same layout."""

from __future__ import annotations

import mmap
import os
import pathlib
import struct

ROLES = ("supervisor", "front", "keeper", "courier", "reader", "other")
FAULTS = ("none", "kill", "cut", "eio", "full", "short_write", "drop")
CALLS = ("none", "open", "make", "write", "sync", "resize", "allocate", "rename", "link",
         "unlink", "mkdir", "own", "read")

TRACE_CALLS = 8192
_PLACE_BYTES = 256
_NAME_BYTES = 64
_ARMED, _FAULT, _PLACE, _DEVICE = 4, 8, 28, 288
_FIRED, _ROLE_CALLS = 296, 384
_ROLE_BYTES = 16 + TRACE_CALLS
SIZE = _ROLE_CALLS + len(ROLES) * _ROLE_BYTES


class Plan:
    """One fault for the processes that have this file mapped."""

    def __init__(self, file: pathlib.Path, place: pathlib.Path) -> None:
        """`place` is the data directory, which need not be there yet; its parent is."""
        self._device = os.stat(place.parent).st_dev
        self._place = str(place).encode()
        if len(self._place) >= _PLACE_BYTES:
            raise ValueError(f"too long: {place}")
        file.write_bytes(bytes(SIZE))
        file.chmod(0o666)
        with open(file, "r+b") as opened:
            self._page = mmap.mmap(opened.fileno(), SIZE)

    def close(self) -> None:
        self._page.close()

    def arm(
        self, role: str = "other", fault: str = "none", at: int = 0, reads: bool = False,
        kinds: tuple[str, ...] = (),
    ) -> None:
        """Counts from now on, and breaks the `at`-th call of `role`: of `kinds` alone where some
        are given. Processes that are there already follow it, too."""
        self.disarm()
        # A process that starts at this moment compares the size.
        struct.pack_into("=I", self._page, 0, SIZE)
        self._page[4:] = bytes(SIZE - 4)
        self._page[_PLACE : _PLACE + len(self._place)] = self._place
        struct.pack_into("=Q", self._page, _DEVICE, self._device)
        chosen = sum(1 << CALLS.index(kind) for kind in kinds)
        words = (ROLES.index(role), FAULTS.index(fault), at, int(reads), chosen)
        struct.pack_into("=5I", self._page, _FAULT, *words)
        struct.pack_into("=I", self._page, _ARMED, 1)

    def disarm(self) -> None:
        struct.pack_into("=I", self._page, _ARMED, 0)

    @property
    def fired(self) -> str:
        """What was broken, such as "write store.db-wal"; empty while nothing was."""
        if not struct.unpack_from("=I", self._page, _FIRED)[0]:
            return ""
        call = CALLS[self._page[_FIRED + 4]]
        name = self._page[_FIRED + 5 : _FIRED + 5 + _NAME_BYTES].split(b"\0")[0]
        return f"{call} {os.path.basename(name.decode(errors='replace')) or '?'}"

    def chosen(self, role: str) -> int:
        """How many calls of the plan's kinds a role has made."""
        at = _ROLE_CALLS + ROLES.index(role) * _ROLE_BYTES + 8
        return struct.unpack_from("=I", self._page, at)[0]

    def counts(self) -> dict[str, tuple[list[str], int]]:
        """role -> (the kinds of its changing calls, how many reads it made)."""
        found = {}
        for index, role in enumerate(ROLES):
            at = _ROLE_CALLS + index * _ROLE_BYTES
            changes, reads = struct.unpack_from("=2I", self._page, at)
            if changes > TRACE_CALLS:
                raise AssertionError(f"{role}: {changes} calls do not fit the trace")
            kinds = [CALLS[kind] for kind in self._page[at + 16 : at + 16 + changes]]
            found[role] = (kinds, reads)
        return found
