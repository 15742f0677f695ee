"""Runs of frames."""

from __future__ import annotations

import numpy as np

from singcoach.core.arrays import BoolArray


def runs_of(mask: BoolArray) -> list[tuple[int, int]]:
    """Return ``(start, end)`` of every run of True in ``mask`` ``(n_frames,)``, end exclusive."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
