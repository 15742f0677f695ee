"""The level of the sounding part of a signal."""

from __future__ import annotations

from singcoach.core.arrays import RealArray

SILENT = 1e-5
"""Parts 50 dB below the loudest are silence: how much of it there is must not matter."""
GATE = 0.1
"""10 dB below the mean of the rest, the relative gate of ITU-R BS.1770."""


def gated_mean(power: RealArray) -> float:
    """Return the mean of the powers within 10 dB of the mean of what is not silence, or louder.

    The two gates of ITU-R BS.1770 without its frequency weighting. The first one follows the
    loudest part, not full scale, so that the gain plays no part; rests, breaths and silence of any
    length do not lower the level of the singing.

    Parameters
    ----------
    power
        Mean squares of short stretches, not negative, shape ``(n,)``; 0 is returned for silence.
    """
    if power.size == 0:
        return 0.0
    loudest = float(power.max())
    if loudest <= 0.0:
        return 0.0
    sounding = power[power >= SILENT * loudest]
    return float(sounding[sounding >= GATE * sounding.mean()].mean())
