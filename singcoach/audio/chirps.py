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
_NOISE_AROUND_S = 0.003
_CLEAR_RATIO = 12.0
_FOUND_RATIO = 6.0
_FIRST_ARRIVAL = 0.5
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

    Each chirp is searched by its matched filter. The middle of the single delays counts, and only
    those within a millisecond of it; the first arrival is taken, not a louder echo.

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
    finds = [
        find
        for when_s in times_s
        if (find := _find(recorded, when_s, chirp, sample_rate, longest_s)) is not None
    ]
    if not finds:
        return _NOTHING
    delays_s: RealArray = np.array([find.delay_s for find in finds])
    middle_s = float(np.median(delays_s))
    alike = np.abs(delays_s - middle_s) <= _ALIKE_S
    if np.count_nonzero(alike) * 2 <= len(times_s):
        return _NOTHING
    middle_s = float(np.median(delays_s[alike]))
    clear = float(np.median([find.ratio for find in finds]))
    clarity = min(1.0, max(0.0, (clear - _FOUND_RATIO / 2) / (_CLEAR_RATIO - _FOUND_RATIO / 2)))
    spread_s = float(np.median(np.abs(delays_s[alike] - middle_s)))
    steady = math.exp(-spread_s / _ALIKE_S)
    repeats = int(np.count_nonzero(alike))
    return Delay(
        delay_s=middle_s,
        quality=clarity * steady * repeats / len(times_s),
        repeats=repeats,
        spread_s=spread_s,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Find:
    delay_s: float
    ratio: float
    """Height of the peak over the highest value elsewhere that is not its surroundings."""


def _find(
    recorded: FloatArray, when_s: float, chirp: FloatArray, sample_rate: int, longest_s: float
) -> _Find | None:
    start = round((when_s - 0.02) * sample_rate)
    stop = round((when_s + longest_s) * sample_rate) + chirp.shape[0]
    lead = max(0, -start)
    part = np.zeros(stop - start, np.float64)
    piece = recorded[max(0, start) : max(0, stop)]
    part[lead : lead + piece.shape[0]] = np.nan_to_num(piece)
    match = _envelope(part, chirp)
    peak = int(np.argmax(match))
    around = round(_NOISE_AROUND_S * sample_rate)
    # Echoes follow; what comes before is noise.
    elsewhere = np.concatenate((match[: max(0, peak - 10 * around)], match[peak + 40 * around :]))
    noise = float(np.sqrt(np.mean(np.square(elsewhere)))) if elsewhere.size else 0.0
    if match[peak] <= 0.0 or match[peak] < _FOUND_RATIO * noise:
        return None
    first = peak
    for index in range(max(1, peak - 2 * around), peak):
        rising = match[index] >= match[index - 1] and match[index] >= match[index + 1]
        if rising and match[index] >= _FIRST_ARRIVAL * match[peak] and peak - index > around // 4:
            first = index
            break
    ratio = float(match[peak] / noise) if noise > 0.0 else _CLEAR_RATIO
    position = first + _between(match, first)
    return _Find(delay_s=(position + start) / sample_rate - when_s, ratio=ratio)


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
