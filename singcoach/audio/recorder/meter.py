"""How loud the microphone is right now, from every sample that comes in."""

from __future__ import annotations

import math

import numpy as np

from singcoach.core.arrays import FloatArray

SILENCE_DB = -120.0
FULL_SCALE = 0.999
"""A sample at or beyond this counts as clipped."""

_LEVEL_S = 0.1
_PEAK_S = 0.5


class Meter:
    """Level, peak, clipped samples and exact silence of a stream of one channel or more.

    Parameters
    ----------
    sample_rate
        In Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._power = 0.0
        self._peaks: list[tuple[float, float]] = []
        self._seen_s = 0.0
        self.clipped_samples = 0
        """Samples at full scale so far."""
        self.silent_s = 0.0
        """Seconds of exact zeros up to now."""

    @property
    def level_db(self) -> float:
        """Mean level of about the last tenth of a second; full scale = 0 dB."""
        return to_db(math.sqrt(self._power))

    @property
    def peak_db(self) -> float:
        """Highest sample of the last half second; full scale = 0 dB."""
        return to_db(max((peak for _, peak in self._peaks), default=0.0))

    def push(self, block: FloatArray) -> None:
        """Take in ``block`` of shape ``(n, channels)``."""
        if block.shape[0] == 0:
            return
        length_s = block.shape[0] / self._rate
        magnitude = np.abs(block)
        peak = float(np.max(magnitude))
        self._seen_s += length_s
        self._peaks = [
            (when, value) for when, value in self._peaks if when > self._seen_s - _PEAK_S
        ]
        self._peaks.append((self._seen_s, peak))
        keep = math.exp(-length_s / _LEVEL_S)
        power = float(np.mean(np.square(block, dtype=np.float64)))
        self._power = keep * self._power + (1.0 - keep) * power
        self.clipped_samples += int(np.count_nonzero(magnitude >= FULL_SCALE))
        self.silent_s = self.silent_s + length_s if peak == 0.0 else 0.0


class LossWatch:
    """Estimates from a clock how much of a stream is missing.

    The first second sets what is normal. Each later second is compared with the one before, so
    that a sound card whose clock is slightly off loses nothing.
    """

    def __init__(self) -> None:
        self._window_end_s = 0.0
        self._least_s = math.inf
        self._before_s = math.inf
        self.lost_s = 0.0

    def note(self, *, clock_s: float, captured_s: float) -> None:
        """Say how much was captured at a time of the clock, both from the stream's start."""
        self._least_s = min(self._least_s, clock_s - captured_s)
        if clock_s < self._window_end_s:
            return
        step_s = self._least_s - self._before_s
        if math.isfinite(step_s) and step_s > _LOSS_STEP_S:
            self.lost_s += step_s
        self._before_s = self._least_s
        self._least_s = math.inf
        self._window_end_s = clock_s + _LOSS_WINDOW_S


_LOSS_STEP_S = 0.06
_LOSS_WINDOW_S = 1.0


def to_db(amplitude: float) -> float:
    """Return an amplitude in dB under full scale, never below -120."""
    return max(SILENCE_DB, 20.0 * math.log10(amplitude)) if amplitude > 0.0 else SILENCE_DB
