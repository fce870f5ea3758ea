"""What whoever has the files could do to the store of an installation that stands still."""

from __future__ import annotations

import contextlib
import pathlib
import sqlite3

from .postern import Postern

DAY_MS = 86_400_000
STEP_MS = 30_000
# Of sign-in, with the columns that hold a time. The audit record's own times are under its MACs.
_TIMES = {
    "sessions": ("created_at_ms", "expires_at_ms", "password_at_ms", "factor_at_ms", "seen_at_ms"),
    "api_tokens": ("created_at_ms", "expires_at_ms", "used_at_ms"),
    "factors": ("created_at_ms", "confirmed_at_ms", "used_at_ms"),
    "sign_in_attempts": ("blocked_until_ms",),
    "people": ("created_at_ms", "signed_in_at_ms"),
    "memberships": ("created_at_ms", "since_ms"),
    "invitations": ("created_at_ms", "expires_at_ms"),
    "password_resets": ("expires_at_ms",),
    "passkey_challenges": ("expires_at_ms",),
    "known_clients": ("seen_at_ms",),
}


def rows_of(file: pathlib.Path) -> dict[str, list[tuple]]:
    """Every row of every table, the list of migrations apart: its times are of the making."""
    store = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    names = [row[0] for row in store.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
    rows = {
        name: sorted(store.execute(f"SELECT * FROM {name}").fetchall(), key=repr)
        for name in names if name != "schema_migrations"
    }
    store.close()
    return rows


def change(server: Postern, *statements: str) -> None:
    """Stops the server, carries them out, and starts it again."""
    server.stop()
    with contextlib.closing(sqlite3.connect(server.data / "store" / "store.db")) as store:
        for statement in statements:
            store.execute(statement)
        store.commit()
    server.start()


def move_clock(server: Postern, days: int) -> None:
    """To the server it is as if its clock had been set on by so many days (back, if less than
    none): each time that is stored of sign-in is so much further in the past."""
    by_ms = days * DAY_MS
    statements = [
        f"UPDATE {table} SET {name} = {name} - ({by_ms}) WHERE {name} <> 0"
        for table, names in _TIMES.items() for name in names
    ]
    change(server, *statements, f"UPDATE factors SET last_step = last_step - ({by_ms // STEP_MS})")
