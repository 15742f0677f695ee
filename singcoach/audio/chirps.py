"""Sounds whose moment can be found again in a recording, and finding it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from singcoach.core.arrays import FloatArray, RealArray

CHIRP_S = 0.06
_LOWEST_HZ, _HIGHEST_HZ = 600.0, 9_000.0
_AMPLITUDE = 0.5
_LEAD_S = 0.3
_GAPS_S = (0.47, 0.59, 0.53, 0.61, 0.43, 0.57, 0.49)
"""Distances of the chirps; no two alike, so that one is never taken for its neighbour."""
_EARLIEST_S = 0.02
_AROUND_S = 0.001
_MEDIAN_OF_NOISE = 1.18
"""Of a Rayleigh distribution whose parameter is 1."""
_CLEAR_RATIO = 15.0
_FOUND_RATIO = 6.0
_FIRST_ARRIVAL = 0.5
_LOUD_ENOUGH = 0.3
"""Less than this share of the highest peak is a shoulder of something else."""
_ALIKE_S = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Chirps:
    """A row of chirps: ``audio`` of shape ``(n_samples,)``, the start of each in seconds."""

    audio: FloatArray
    times_s: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """How much later something was recorded than played.

    Attributes
    ----------
    delay_s
        In seconds, with a fraction of a sample; NaN when nothing was found.
    quality
        0 (nothing found) to 1 (every sound found at the same delay, far above the noise).
    repeats
        How many sounds were found at this delay.
    spread_s
        Median distance of the single delays from the middle one.
    """

    delay_s: float
    quality: float
    repeats: int
    spread_s: float


_NOTHING = Delay(delay_s=math.nan, quality=0.0, repeats=0, spread_s=math.nan)


def make_chirps(sample_rate: int, *, repeats: int = 6) -> Chirps:
    """Return rising chirps (600 Hz to 9 kHz or what the rate allows) in uneven distances."""
    chirp = _chirp(sample_rate)
    times_s = [_LEAD_S]
    for index in range(repeats - 1):
        times_s.append(times_s[-1] + _GAPS_S[index % len(_GAPS_S)])
    audio = np.zeros(round((times_s[-1] + _LEAD_S) * sample_rate) + chirp.shape[0], np.float32)
    for when_s in times_s:
        start = round(when_s * sample_rate)
        audio[start : start + chirp.shape[0]] = chirp
    return Chirps(audio=audio, times_s=tuple(times_s))


def estimate_delay(
    recorded: FloatArray, times_s: tuple[float, ...], sample_rate: int, *, longest_s: float = 0.8
) -> Delay:
    """Return how much later the chirps at ``times_s`` arrive in ``recorded``.

    The matched filters of all chirps are laid over each other, so that the one delay that all of
    them share stands out; then each chirp is looked for within a millisecond of it, to a fraction
    of a sample. The first arrival is taken, not a louder echo.

    Parameters
    ----------
    recorded
        Mono, shape ``(n_samples,)``; its first sample is second 0 of ``times_s``.
    times_s
        Where each chirp of :func:`make_chirps` was played.
    longest_s
        Longest delay that is looked for. Delays down to -0.02 s are found, too.
    """
    chirp = _chirp(sample_rate)
    curves = [_match(recorded, when_s, chirp, sample_rate, longest_s) for when_s in times_s]
    if not curves:
        return _NOTHING
    around = max(1, round(_AROUND_S * sample_rate))
    middle = _first_peak(np.sum(curves, axis=0), around)
    finds = [find for curve in curves if (find := _near(curve, middle, around)) is not None]
    if len(finds) * 2 <= len(times_s):
        return _NOTHING
    # The match of each chirp begins at its own start, rounded to a sample.
    delays_s: RealArray = np.array([find.position for find in finds]) / sample_rate - _EARLIEST_S
    middle_s = float(np.median(delays_s))
    clear = float(np.median([find.ratio for find in finds]))
    clarity = min(1.0, max(0.0, (clear - _FOUND_RATIO / 2) / (_CLEAR_RATIO - _FOUND_RATIO / 2)))
    spread_s = float(np.median(np.abs(delays_s - middle_s)))
    steady = math.exp(-spread_s / _ALIKE_S)
    return Delay(
        delay_s=middle_s,
        quality=clarity * steady * len(finds) / len(times_s),
        repeats=len(finds),
        spread_s=spread_s,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Find:
    position: float
    ratio: float
    """Height of the peak over the noise."""


def _match(
    recorded: FloatArray, when_s: float, chirp: FloatArray, sample_rate: int, longest_s: float
) -> RealArray:
    """Return how much each delay from ``-_EARLIEST_S`` to ``longest_s`` looks like the chirp."""
    n_delays = round((_EARLIEST_S + longest_s) * sample_rate)
    start = round(when_s * sample_rate) - round(_EARLIEST_S * sample_rate)
    part = np.zeros(n_delays + chirp.shape[0] - 1, np.float64)
    lead = min(part.shape[0], max(0, -start))
    piece = recorded[max(0, start) : max(0, start + part.shape[0])]
    part[lead : lead + piece.shape[0]] = np.nan_to_num(piece)
    return _envelope(part, chirp)


def _first_peak(total: RealArray, around: int) -> int:
    """Return the highest peak, or one just before it that is at least half as high."""
    peak = int(np.argmax(total))
    for index in range(max(1, peak - 3 * around), peak - around // 4):
        rising = total[index] >= total[index - 1] and total[index] >= total[index + 1]
        if rising and total[index] >= _FIRST_ARRIVAL * total[peak]:
            return index
    return peak


def _near(curve: RealArray, middle: int, around: int) -> _Find | None:
    """Return the peak within ``around`` of ``middle`` if it stands out of the noise."""
    start = max(0, middle - around)
    peak = start + int(np.argmax(curve[start : middle + around + 1]))
    # Echoes and neighbours are peaks; the median knows the noise.
    noise = float(np.median(curve)) / _MEDIAN_OF_NOISE
    height = float(curve[peak])
    if height <= 0.0 or height < max(_FOUND_RATIO * noise, _LOUD_ENOUGH * float(np.max(curve))):
        return None
    ratio = height / noise if noise > 0.0 else _CLEAR_RATIO
    return _Find(position=peak + _between(curve, peak), ratio=ratio)


def _envelope(part: RealArray, chirp: FloatArray) -> RealArray:
    """Return the envelope of the matched filter's output, one value per start."""
    n_fft = 1 << (part.shape[0] + chirp.shape[0]).bit_length()
    product = np.fft.fft(part, n_fft) * np.conj(np.fft.fft(chirp, n_fft))
    product[n_fft // 2 :] = 0.0
    match: RealArray = np.abs(np.fft.ifft(product)[: part.shape[0] - chirp.shape[0] + 1])
    return 2.0 * match


def _between(values: RealArray, peak: int) -> float:
    """Return how far from ``peak`` the top of the parabola through it lies, in -0.5..0.5."""
    if not 0 < peak < values.shape[0] - 1:
        return 0.0
    left, middle, right = (float(values[peak + step]) for step in (-1, 0, 1))
    bend = left - 2.0 * middle + right
    return 0.0 if bend >= 0.0 else min(0.5, max(-0.5, 0.5 * (left - right) / bend))


def _chirp(sample_rate: int) -> FloatArray:
    times_s = np.arange(round(CHIRP_S * sample_rate)) / sample_rate
    highest_hz = min(_HIGHEST_HZ, 0.4 * sample_rate)
    rate = (highest_hz - _LOWEST_HZ) / CHIRP_S
    phase = 2.0 * np.pi * (_LOWEST_HZ * times_s + 0.5 * rate * times_s**2)
    window = np.sin(np.pi * np.minimum(1.0, times_s / CHIRP_S)) ** 0.5
    return np.asarray(_AMPLITUDE * window * np.sin(phase), np.float32)
