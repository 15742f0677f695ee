"""The tuning of a take: how far its scale lies from A4 = 440 Hz, and how that drifts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from singcoach.core.arrays import FloatArray, RealArray, read_only
from singcoach.core.music import PitchTrack
from singcoach.dsp.runs import runs_of
from singcoach.pitch.contour import without_vibrato
from singcoach.pitch.frames import hz_to_cents

STEADY_CENTS_PER_S = 300.0
"""Frames that move faster than this (a semitone in a third of a second) are on their way."""
DRIFT_WINDOW_S = 6.0
"""Follows a semitone in half a minute; a shorter window would follow single wrong notes too."""
DRIFT_MIN_VOICED_S = 2.0
DRIFT_MIN_CONCENTRATION = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """Offset of the sung scale.

    ``cents`` is in -50..50 from A4 = 440 Hz. ``concentration`` is the length of the mean vector,
    0 (no scale at all) to 1 (every frame exactly on one equal-tempered scale).
    """

    cents: float
    concentration: float


def estimate_tuning(pitch: PitchTrack) -> Tuning | None:
    """Return the offset that the sung pitches share, in cents; None when nothing is sung.

    Circular mean of the height within the semitone, where each steady voiced frame counts by its
    confidence, so that long sure notes weigh most and glides, which pass every height, hardly at
    all. Vibrato counts by its middle line.
    """
    phasor = _phasors(pitch)[pitch.voiced]
    weight = float(np.abs(phasor).sum())
    if weight <= 0.0:
        return None
    mean = complex(phasor.sum()) / weight
    return Tuning(cents=_as_cents(float(np.angle(mean))), concentration=abs(mean))


def tuning_drift(pitch: PitchTrack) -> RealArray:
    """Return the tuning at every frame in cents from A4 = 440 Hz, unwrapped, ``(n_frames,)``.

    The circular mean of :func:`estimate_tuning` under a Gaussian window with a standard deviation
    of 6 s. It starts from the global tuning at the best-tuned moment and follows from there
    without jumps, so a take that sinks by a whole tone returns a curve that falls by 200 cents.
    Where less than 2 s of steady singing or no common scale is near, the curve is interpolated.
    All NaN when nothing is sung.
    """
    overall = estimate_tuning(pitch)
    n_frames = pitch.f0_hz.size
    if overall is None:
        return read_only(np.full(n_frames, np.nan))
    phasor = _phasors(pitch)
    step = max(1, round(0.5 / pitch.hop_s))
    n_blocks = -(-n_frames // step)
    starts = np.arange(0, n_frames, step)
    block = np.add.reduceat(phasor, starts)
    weight = np.add.reduceat(np.abs(phasor), starts)
    block_s = step * pitch.hop_s
    reach = min(n_blocks, int(np.ceil(3.0 * DRIFT_WINDOW_S / block_s)))
    window = np.exp(-0.5 * (np.arange(-reach, reach + 1) * block_s / DRIFT_WINDOW_S) ** 2)
    near = np.convolve(block, window)[reach : reach + n_blocks]
    total = np.convolve(weight, window)[reach : reach + n_blocks]
    concentration = np.abs(near) / np.maximum(total, 1e-9)
    enough_frames = DRIFT_MIN_VOICED_S / pitch.hop_s
    trusted = (total >= enough_frames) & (concentration >= DRIFT_MIN_CONCENTRATION)
    if not trusted.any():
        return read_only(np.full(n_frames, overall.cents))
    angle = np.unwrap(np.angle(near[trusted]))
    cents = angle / (2.0 * np.pi) * 100.0
    best = int(np.argmax((concentration * np.sqrt(total))[trusted]))
    cents += 100.0 * np.round((overall.cents - cents[best]) / 100.0)
    centres = (starts + 0.5 * (step - 1))[trusted]
    return read_only(np.asarray(np.interp(np.arange(n_frames), centres, cents), dtype=np.float64))


def tuning_of_cents(cents: RealArray, weights: RealArray | FloatArray) -> float:
    """Return the weighted circular mean of heights within the semitone, in -50..50 cents."""
    vector = complex((weights * np.exp(2j * np.pi * cents / 100.0)).sum())
    return _as_cents(float(np.angle(vector)))


def _phasors(pitch: PitchTrack) -> np.ndarray[tuple[int], np.dtype[np.complex128]]:
    """Return one complex number per frame: angle = height within the semitone, length = weight."""
    phasor = np.zeros(pitch.f0_hz.size, dtype=np.complex128)
    cents = hz_to_cents(pitch.f0_hz)
    for start, end in runs_of(pitch.voiced):
        if end - start < 3:
            continue
        line = without_vibrato(cents[start:end], hop_s=pitch.hop_s)
        slope = np.abs(np.gradient(line, pitch.hop_s))
        weight = pitch.confidence[start:end] * (slope < STEADY_CENTS_PER_S)
        phasor[start:end] = weight * np.exp(2j * np.pi * line / 100.0)
    return phasor


def _as_cents(angle: float) -> float:
    cents = angle / (2.0 * np.pi) * 100.0
    return -50.0 if cents >= 50.0 else cents
