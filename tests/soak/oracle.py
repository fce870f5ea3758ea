"""What must hold of a stopped installation, looked at from outside: every database is whole."""

from __future__ import annotations

import pathlib
import sqlite3


def damage(data: pathlib.Path) -> list[str]:
    """What SQLite finds wrong in each database below `data`; it may take their logs in."""
    found = []
    for path in sorted(data.rglob("*.db")):
        try:
            base = sqlite3.connect(path)
            try:
                said = [row[0] for row in base.execute("PRAGMA integrity_check")]
                orphans = base.execute("PRAGMA foreign_key_check").fetchall()
            finally:
                base.close()
        except sqlite3.Error as error:
            said, orphans = [str(error)], []
        if said != ["ok"] or orphans:
            found.append(f"{path.name}: {said[:3]} {orphans[:3]}")
    return found
