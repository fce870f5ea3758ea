"""Reads .ninja_log: which translation units a build spent its time on."""

import sys
from pathlib import Path


def slowest(log: Path, count: int = 10) -> list[tuple[float, str]]:
    """(seconds, output) of the slowest object files, by their latest entry in the log."""
    latest: dict[str, float] = {}
    for line in log.read_text().splitlines() if log.exists() else []:
        fields = line.split("\t")
        if len(fields) < 4 or not fields[3].endswith(".o"):
            continue
        latest[fields[3]] = (int(fields[1]) - int(fields[0])) / 1000
    return sorted(((seconds, name) for name, seconds in latest.items()), reverse=True)[:count]


def report(log: Path) -> str:
    lines = [f"slowest translation units of {log.parent.name}:"]
    for seconds, name in slowest(log):
        folder, _, unit = name.partition("/CMakeFiles/")
        lines.append(f"  {seconds:6.1f} s  {folder}/{unit.rpartition('/')[2].removesuffix('.o')}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(report(Path(sys.argv[1])))
