"""The small networks that the tests of other trainings and of language models made."""

from __future__ import annotations

import sys
from pathlib import Path

_TESTS = Path(__file__).resolve().parents[2]
for folder in (_TESTS / "training" / "feedback", _TESTS / "models" / "language"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
