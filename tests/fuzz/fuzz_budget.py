"""How many inputs the fuzzing tries.

``SINGCOACH_FUZZ=10000 pytest tests/fuzz`` runs at least that many inputs in total, new ones every
time. Without it a smaller set runs, the same every time.
"""

from __future__ import annotations

import math
import os

from hypothesis import HealthCheck, Phase, settings

_WANTED = os.environ.get("SINGCOACH_FUZZ")
_TOTAL = int(_WANTED or 1_000)


def budget(share: float) -> settings:
    """Settings of a test that gets ``share`` (0..1) of all inputs."""
    return settings(
        max_examples=math.ceil(_TOTAL * share),
        deadline=None,
        derandomize=_WANTED is None,
        database=None,
        # No shrinking: a crash costs a new child every time, and the input is kept as a file.
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
