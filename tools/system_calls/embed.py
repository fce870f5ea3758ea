"""Turns the allow-lists of system calls into C++; the compiler resolves the constants.

usage: embed.py PROJECT OUT.cpp
"""

import sys
from pathlib import Path

import lists

HEADERS = ("fcntl.h", "linux/futex.h", "netinet/in.h", "netinet/tcp.h", "sched.h", "signal.h",
           "sys/ioctl.h", "sys/mman.h", "sys/prctl.h", "sys/resource.h", "sys/socket.h",
           "sys/wait.h")
# An int argument: the kernel looks at the lower half only.
INT = "0xffffffffU"
# socket(2): the lowest bits of the type say what it is, higher ones how it is opened.
SOCKET_TYPE = "0xfU"


def _test(call: lists.Call, text: str) -> str:
    argument, relation, constants = lists.test_parts(text)
    value = " | ".join(f"std::uint64_t{{{name}}}" for name in constants)
    if relation == "!":
        return f"{{{argument}, {value}, 0}}"
    mask = SOCKET_TYPE if (call.name, argument) == ("socket", 1) else INT
    return f"{{{argument}, {mask}, {value}}}"


def _array(name_of_list: str, calls: list[lists.Call]) -> list[str]:
    out, rows = [], []
    for number, call in enumerate(calls):
        tests = "{}"
        if call.tests:
            name = f"k_{name_of_list}_{number}"
            inner = ", ".join(_test(call, test) for test in call.tests)
            out.append(f"constexpr Test {name}[] = {{{inner}}};")
            tests = name
        rows.append(f'    {{"{call.name}", {call.refused_with or 0}, {tests}}},')
    return [*out, f"constexpr os::SystemCallRule k_{name_of_list}[] = {{", *rows, "};", ""]


def source_of(root: Path) -> str:
    out = ["// Generated from system_calls/*.txt.", '#include "app/fence/system_calls.h"', ""]
    out += [f"#include <{header}>" for header in HEADERS]
    out += ["#include <cerrno>", "#include <cstdint>", "", "namespace postern::app::fence {",
            "namespace {", "", "using Test = os::SystemCallRule::Test;", ""]
    for name in lists.NAMES:
        out += _array(name, sorted(lists.read(root, name)))
    out += ["}  // namespace", ""]
    for name in lists.NAMES:
        head = f"std::span<const os::SystemCallRule> {name}_calls()"
        out += [f"{head} {{ return k_{name}; }}"]
    return "\n".join([*out, "", "}  // namespace postern::app::fence", ""])


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        text = source_of(Path(sys.argv[1]))
    except ValueError as error:
        sys.exit(f"embed.py: {error}")
    out = Path(sys.argv[2])
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
