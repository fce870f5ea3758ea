"""Keys, crashes and restarts once more, with the stores on two clusters of PostgreSQL.

Left out are the sweeps over syncs, which are those of files (postgres_away_test cuts commits), and
bad input, which is refused before a store is asked.
"""

from __future__ import annotations

import crash_test
import keys_holders_test
import keys_rotation_test
import restart_test
from lab.postgres import OnPostgres

_CASES = (
    crash_test.FinalDotTest,
    crash_test.KillTest,
    keys_holders_test.SealAllTest,
    keys_holders_test.SharesTest,
    keys_holders_test.TwoHoldersTest,
    keys_rotation_test.InterruptedTest,
    keys_rotation_test.UnderLoadTest,
    restart_test.RestartTest,
)

for _case in _CASES:
    globals()[f"{_case.__name__}OnPostgres"] = type(
        f"{_case.__name__}OnPostgres", (OnPostgres, _case), {}
    )
del _case
