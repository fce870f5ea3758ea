"""Runs the lints and their self-tests: one line each, the counts at the end.

    python3 tools/lint/run.py [NAME] [--fix]
"""

import argparse
import sys
import time
from pathlib import Path

import banned
import format as format_lint
import fuzzing
import includes
import links
import log_page
import mail_cases
import readmes
import selftest
import sizes
import words

ROOT = Path(__file__).resolve().parents[2]
LINTS = [includes, sizes, readmes, banned, words, links, mail_cases,
         fuzzing, log_page, format_lint]
SHOWN_MAX = 200


def run_lint(lint) -> bool:
    started = time.monotonic()
    findings = lint.check(ROOT)
    for finding in findings[:SHOWN_MAX]:
        print(finding)
    if len(findings) > SHOWN_MAX:
        print(f"... and {len(findings) - SHOWN_MAX} more")
    verdict = f"{len(findings)} finding(s)" if findings else "ok"
    print(f"lint {lint.NAME:<10} {verdict}, {time.monotonic() - started:.1f} s", flush=True)
    return not findings


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("name", nargs="?", help="only lints whose name holds this text")
    parser.add_argument("--fix", action="store_true", help="format instead of complaining")
    options = parser.parse_args()
    chosen = [lint for lint in LINTS if not options.name or options.name in lint.NAME]
    if options.fix:
        format_lint.fix(ROOT)
    results = [run_lint(lint) for lint in chosen]
    for warning in sizes.warnings(ROOT) if sizes in chosen else []:
        print(f"warning: {warning}")
    results += selftest.run(chosen)
    failed = results.count(False)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
