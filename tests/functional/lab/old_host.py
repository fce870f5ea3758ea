"""Plays a host that lacks something. For Popen's preexec_fn; what is started from there lacks it.

A kernel without what the fences are made of: a filter answers the calls for them as it would. A
system without certificate authorities: nothing is in their folder, for this process alone."""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

# Numbers are the same on x86-64 and arm64 for landlock_*; seccomp's is not.
_SECCOMP = {"x86_64": 317, "aarch64": 277}[platform.machine()]
_LANDLOCK_CREATE_RULESET = 444

# linux/filter.h, linux/seccomp.h, linux/prctl.h
_LOAD_WORD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


_CLONE_NEWNS = 0x00020000
_MS_REC, _MS_PRIVATE = 0x4000, 0x40000
_AUTHORITIES = b"/etc/ssl/certs"


def without_authorities() -> None:
    """Raises OSError where no mount namespace can be made."""
    libc = ctypes.CDLL(None, use_errno=True)
    steps = (
        lambda: libc.unshare(_CLONE_NEWNS),
        lambda: libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None),
        lambda: libc.mount(b"tmpfs", _AUTHORITIES, b"tmpfs", 0, None),
    )
    for step in steps:
        if step() != 0:
            raise OSError(ctypes.get_errno(), "mount namespace")


def without(*parts: str) -> None:
    """Takes "landlock", "filters" or both away from this process, as root may."""
    calls = {"landlock": _LANDLOCK_CREATE_RULESET, "filters": _SECCOMP}
    code = struct.pack("HBBI", _LOAD_WORD, 0, 0, 0)
    for part in parts:
        code += struct.pack("HBBI", _JUMP_IF_EQUAL, 0, 1, calls[part])
        code += struct.pack("HBBI", _RETURN, 0, 0, _ERRNO | errno.ENOSYS)
    code += struct.pack("HBBI", _RETURN, 0, 0, _ALLOW)
    libc = ctypes.CDLL(None, use_errno=True)
    program = _Program(len(code) // 8, code)
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_SECCOMP")
