"""The constant offset of a cheap converter, which no voice has."""

from __future__ import annotations

import numpy as np

from singcoach.core.arrays import FloatArray, read_only

LEAST_SHARE = 0.01
"""Share of the signal's own root mean square below which an offset is left alone: 40 dB below."""

_BLOCK_SAMPLES = 1 << 20


def without_offset(audio: FloatArray) -> FloatArray:
    """Return a signal about zero; the same array where it has no offset to speak of.

    The offset is the mean from the first sample that is not zero to the last, so that digital
    silence around a recording neither changes it nor ceases to be silence.

    Parameters
    ----------
    audio
        One finite channel, shape ``(n_samples,)``; may be empty or silent.

    Notes
    -----
    Memory: a quarter of the signal, and a copy of it where there is an offset.
    """
    there = audio != 0.0
    if not there.any():
        return audio
    first, last = int(there.argmax()), audio.size - int(there[::-1].argmax())
    piece = audio[first:last]
    offset = float(piece.mean(dtype=np.float64))
    power = sum(
        float(np.square(piece[start : start + _BLOCK_SAMPLES], dtype=np.float64).sum())
        for start in range(0, piece.size, _BLOCK_SAMPLES)
    )
    own_power = max(0.0, power / piece.size - offset * offset)
    if abs(offset) <= LEAST_SHARE * np.sqrt(own_power):
        return audio
    centred = audio.copy()
    centred[first:last] -= np.float32(offset)
    return read_only(centred)
