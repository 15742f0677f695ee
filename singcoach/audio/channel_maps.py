"""From any loudspeaker layout to the channels that a stage wants."""

from __future__ import annotations

import math

import numpy as np

from singcoach.core.arrays import FloatArray

_HALF_POWER = math.sqrt(0.5)

# What each loudspeaker adds to the left and the right channel (ITU-R BS.775-3, annex 4, without
# the LFE; heights and wide channels by their side).
_LEFT_RIGHT: dict[str, tuple[float, float]] = {
    "FL": (1.0, 0.0),
    "FR": (0.0, 1.0),
    "FC": (_HALF_POWER, _HALF_POWER),
    "LFE": (0.0, 0.0),
    "LFE2": (0.0, 0.0),
    "BL": (_HALF_POWER, 0.0),
    "BR": (0.0, _HALF_POWER),
    "SL": (_HALF_POWER, 0.0),
    "SR": (0.0, _HALF_POWER),
    "BC": (0.5, 0.5),
    "FLC": (1.0, 0.5),
    "FRC": (0.5, 1.0),
    "DL": (1.0, 0.0),
    "DR": (0.0, 1.0),
    "WL": (1.0, 0.0),
    "WR": (0.0, 1.0),
}


def mix_matrix(layout: tuple[str, ...], source: int, target: int) -> FloatArray | None:
    """Return the matrix that maps ``source`` channels to ``target``, or None for "unchanged".

    No row adds up to more than 1, so a mix of channels within full scale stays within it, and the
    centre, where voices live, is never lost. Channels that the file does not name are averaged,
    because any of them may carry the voice.

    Parameters
    ----------
    layout
        Loudspeaker of each source channel; empty when unknown.
    source, target
        Numbers of channels, at least 1.

    Returns
    -------
    Array of shape ``(target, source)``, or None.
    """
    if source == target:
        return None
    if source == 1:
        return np.ones((target, 1), np.float32)
    if target > 2:
        raise ValueError(f"{source} channels cannot become {target}; ask for 1, 2 or {source}")
    known = len(layout) == source and all(name in _LEFT_RIGHT for name in layout)
    stereo = np.full((2, source), 1.0 / source)
    if source == 2:
        stereo = np.eye(2)
    elif known:
        stereo = np.array([_LEFT_RIGHT[name] for name in layout]).T
        loudest = float(stereo.sum(axis=1).max())
        stereo = stereo / loudest if loudest > 0 else np.full((2, source), 1.0 / source)
    matrix = stereo if target == 2 else stereo.mean(axis=0, keepdims=True)
    return np.ascontiguousarray(matrix, np.float32)
