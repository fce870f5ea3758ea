"""The story and the cut-off once more, with the stores on two clusters of PostgreSQL."""

from __future__ import annotations

import cutoff_test
import story_test
from lab.case import LabCase
from lab.postgres import OnPostgres

# A copy of a data directory is not a copy of such an installation.
_FILES_ONLY = (LabCase, cutoff_test.StolenCopyTest)

for _module in (story_test, cutoff_test):
    for _name, _case in list(vars(_module).items()):
        if isinstance(_case, type) and issubclass(_case, LabCase) and _case not in _FILES_ONLY:
            globals()[f"{_name}OnPostgres"] = type(f"{_name}OnPostgres", (OnPostgres, _case), {})
del _case
