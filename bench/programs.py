"""Programs of others that measures need."""

from __future__ import annotations

import shutil

from figures import NotMeasured


def needed(*names: str) -> None:
    missing = [name for name in names if not shutil.which(name)]
    if missing:
        raise NotMeasured(f"not installed: {', '.join(missing)}")
