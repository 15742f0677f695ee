"""Small functions on frames that several modules of this package share."""

from __future__ import annotations

import numpy as np

from singcoach.core.arrays import RealArray

A4_HZ = 440.0
A4_MIDI = 69


def hz_to_cents(f0_hz: RealArray) -> RealArray:
    """Return the height above MIDI note 0 in cents (A4 = 6900); NaN stays NaN."""
    return np.asarray(1200.0 * np.log2(f0_hz / A4_HZ) + 100.0 * A4_MIDI, dtype=np.float64)


def cents_to_hz(cents: RealArray) -> RealArray:
    """Return the frequency in Hz of a height in cents above MIDI note 0."""
    return np.asarray(A4_HZ * 2.0 ** ((cents - 100.0 * A4_MIDI) / 1200.0), dtype=np.float64)
