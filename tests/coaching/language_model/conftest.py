"""Makes the samples of the coach's tests and the tiny language model findable from here."""

from __future__ import annotations

import sys
from pathlib import Path

_TESTS = Path(__file__).resolve().parents[2]
for folder in (_TESTS / "coaching", _TESTS / "models" / "language"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
