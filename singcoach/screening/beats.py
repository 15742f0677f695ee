"""Beats of an accompaniment: onset strength, local tempo, dynamic programming (Ellis 2007).

Where we differ from the paper: the period follows the tempo of overlapping windows instead of one
tempo for the piece, a period counts by how well its double, fourfold and eightfold repeat too (a
beat has a bar above it, three sixteenths have none), and a piece without a clear pulse gets no
beats.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from singcoach.core.arrays import ANALYSIS_RATE, FloatArray, RealArray
from singcoach.jobs import NO_JOB, Job

ONSET_HOP_SAMPLES = 160
ONSET_HOP_S = ONSET_HOP_SAMPLES / ANALYSIS_RATE
ONSET_WINDOW_SAMPLES = 512
_N_BANDS = 24

SLOWEST_BPM = 50.0
FASTEST_BPM = 200.0
PREFERRED_BPM = 115.0
PREFERENCE_OCTAVES = 0.9
TEMPO_WINDOW_S = 12.0
TIGHTNESS = 100.0
WEAKEST_ONSET = 0.2
"""Rise of the log energy that the strongest hundredth of the frames must reach: the beating of a
held chord stays at 0.1, accompaniments reach 0.8 and more (at a level of -20 dBFS)."""
CLEAREST_RANDOM = 0.13
"""Autocorrelation at the beat period that a signal without pulse reaches (20 s of noise: 0.11)."""

METRE = (1, 2, 4, 8)
"""Multiples of a beat at which the music repeats when it is the beat."""
LEAST_OVERLAP = 0.3
WEAKEST_OWN = 0.3
"""Share of its strongest multiple that a beat itself must repeat."""

_WINDOW = np.hanning(ONSET_WINDOW_SAMPLES).astype(np.float32)


def band_energies(frames: FloatArray) -> FloatArray:
    """Return compressed energies in 24 bands, 60 Hz-8 kHz, of ``(n_frames, 512)`` frames."""
    power = np.square(np.abs(np.fft.rfft(frames * _WINDOW, axis=1)))
    edges = _band_edges(power.shape[1])
    sums = np.add.reduceat(power, edges[:-1], axis=1)
    return np.asarray(np.log1p(1e4 * sums / ONSET_WINDOW_SAMPLES), dtype=np.float32)


def _band_edges(n_bins: int) -> list[int]:
    edges = np.round(np.geomspace(2, n_bins, _N_BANDS + 1)).astype(int)
    for index in range(1, edges.size):
        edges[index] = max(edges[index], edges[index - 1] + 1)
    return [int(edge) for edge in edges]


def onset_strength(bands: FloatArray) -> RealArray:
    """Return the rise of the bands without its slow trend, shape ``(n_frames,)``."""
    n_frames = bands.shape[0]
    if n_frames < 3:
        return np.zeros(n_frames)
    rise = np.maximum(bands[2:].astype(np.float64) - bands[:-2], 0.0).mean(axis=1)
    strength = np.concatenate(([0.0], rise, [0.0]))
    width = min(n_frames, round(1.0 / ONSET_HOP_S))
    trend = np.convolve(strength, np.ones(width) / width, mode="same")
    return np.asarray(np.maximum(strength - trend, 0.0), dtype=np.float64)


def find_beats(strength: RealArray, job: Job = NO_JOB) -> RealArray:
    """Return the beat times in seconds, empty when there is no clear pulse.

    Parameters
    ----------
    strength
        From :func:`onset_strength`, one value every 10 ms.
    """
    if strength.size * ONSET_HOP_S < 4.0 or np.quantile(strength, 0.99) < WEAKEST_ONSET:
        return np.zeros(0)
    strength = np.minimum(strength / float(strength.std()), 8.0)
    periods, clarity = _local_periods(strength)
    if clarity < CLEAREST_RANDOM:
        return np.zeros(0)
    score, previous = _best_chain(strength, periods, job)
    return _trace(score, previous, periods, strength)


def _local_periods(strength: RealArray) -> tuple[RealArray, float]:
    """Return the beat period in frames at every frame, and how clear the pulse is, 0..1."""
    longest = round(60.0 / SLOWEST_BPM / ONSET_HOP_S)
    shortest = round(60.0 / FASTEST_BPM / ONSET_HOP_S)
    width = min(round(TEMPO_WINDOW_S / ONSET_HOP_S), strength.size)
    starts = np.arange(0, max(1, strength.size - width // 2), width // 2)
    lags = np.arange(shortest, min(longest + 1, width))
    octaves = np.log2(60.0 / (lags * ONSET_HOP_S) / PREFERRED_BPM)
    preference = np.exp(-0.5 * (octaves / PREFERENCE_OCTAVES) ** 2)
    raw = np.array([_autocorrelation(strength[start : start + width], width) for start in starts])
    combs = np.array([_at_multiple(raw, lags, multiple) for multiple in METRE])
    scores = np.maximum(np.nanmean(combs, axis=0), 0.0) * preference
    # Half a beat in which nothing happens has the beat's multiples too, but does not repeat itself.
    weakest = np.maximum(WEAKEST_OWN * np.nanmax(combs, axis=0), 1e-6)
    scores *= np.clip(combs[0] / weakest, 0.0, 1.0)
    scores = 0.5 * scores + 0.5 * scores.mean(axis=0)
    # Tempo changes little from window to window: best path with a cost per octave moved.
    cost = 2.0 * np.abs(octaves[:, np.newaxis] - octaves[np.newaxis, :])
    best = scores[0]
    back = []
    for row in scores[1:]:
        moved = best[:, np.newaxis] - cost
        back.append(np.argmax(moved, axis=0))
        best = moved.max(axis=0) + row
    path = [int(np.argmax(best))]
    for choice in reversed(back):
        path.append(int(choice[path[-1]]))
    chosen = np.array(path[::-1])
    rows = np.arange(raw.shape[0])
    clarity = float(np.nanmax(combs[:2, rows, chosen].mean(axis=1)))
    centres = np.minimum(starts + width / 2, strength.size - 1)
    return np.interp(np.arange(strength.size), centres, lags[chosen].astype(float)), clarity


def _autocorrelation(piece: RealArray, n_lags: int) -> RealArray:
    """Return the autocorrelation by lag, 1 at lag 0, long lags not weakened by their overlap."""
    piece = piece - piece.mean()
    n_fft = 1 << int(2 * n_lags - 1).bit_length()
    spectrum = np.fft.rfft(piece, n_fft)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2, n_fft)[:n_lags]
    overlap = np.maximum(1.0 - np.arange(n_lags) / piece.size, LEAST_OVERLAP)
    return np.asarray(correlation / max(correlation[0], 1e-12) / overlap, dtype=np.float64)


def _at_multiple(raw: RealArray, lags: NDArray[np.int64], multiple: int) -> RealArray:
    """Return the autocorrelation near a multiple of every lag, NaN past the end.

    A period is no whole number of frames, so its multiple may lie up to half a multiple beside.
    """
    values = np.full((raw.shape[0], lags.size), np.nan)
    inside = lags * multiple + multiple // 2 < raw.shape[1]
    if inside.any():
        reach = np.arange(-(multiple // 2), multiple // 2 + 1)
        index = lags[inside, np.newaxis] * multiple + reach
        values[:, inside] = raw[:, index].max(axis=2)
    return values


def _best_chain(strength: RealArray, periods: RealArray, job: Job) -> tuple[RealArray, RealArray]:
    score = strength.copy()
    previous = np.full(strength.size, -1.0)
    for frame in range(strength.size):
        if frame % 4096 == 0:
            job.report(frame / strength.size, "beats")
        period = periods[frame]
        first = max(0, frame - round(2.0 * period))
        last = frame - round(0.5 * period)
        if last <= first:
            continue
        gaps = frame - np.arange(first, last)
        candidates = score[first:last] - TIGHTNESS * np.log(gaps / period) ** 2
        best = int(np.argmax(candidates))
        if candidates[best] > 0.0:
            score[frame] = strength[frame] + candidates[best]
            previous[frame] = first + best
    return score, previous


def _trace(
    score: RealArray, previous: RealArray, periods: RealArray, strength: RealArray
) -> RealArray:
    tail = max(0, score.size - round(1.5 * periods[-1]))
    frame = tail + int(np.argmax(score[tail:]))
    chain = []
    while frame >= 0:
        chain.append(frame)
        frame = int(previous[frame])
    beats = np.array(chain[::-1])
    # Beats that run on through silence before the music begins or after it ends are dropped.
    sounding = np.flatnonzero(strength > 0.1)
    half = periods[beats] / 2
    inside = (beats >= sounding[0] - half) & (beats <= sounding[-1] + half)
    return np.asarray(beats[inside] * ONSET_HOP_S, dtype=np.float64)
