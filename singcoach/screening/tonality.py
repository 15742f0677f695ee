"""Keys, scales, and how well a distribution of pitches fits them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.core.music import Key
from singcoach.pitch.key import key_of_histogram
from singcoach.screening.chroma import BINS_PER_SEMITONE, N_BINS

DIATONIC = (0, 2, 4, 5, 7, 9, 11)

LEAST_STRENGTH = 0.5
"""Correlation with the profile below which no key is named: noise and drums reach 0.4, the
accompaniments of nycu_first 0.83 to 0.98; set there."""

KERNEL_CENTS = 40.0
"""Width (standard deviation) of the credit around a scale note: about what listeners let pass in
a melody. 20 to 50 rank the nycu_first clips alike (tier-pair 0.80 to 0.83)."""


def key_of(pitch_classes: RealArray, *, tuning_cents: float) -> Key | None:
    """Return the key whose profile correlates best with 12 pitch class weights.

    Returns None where there is nothing tonal: fewer than three pitch classes, or weights that are
    like no profile.
    """
    key = key_of_histogram(pitch_classes, tuning_cents=tuning_cents)
    return key if key is not None and key.strength >= LEAST_STRENGTH else None


def scale_root(key: Key) -> int:
    """Return the tonic 0..11 of the major scale with the key's notes (its relative major)."""
    return key.tonic if key.mode == "major" else (key.tonic + 3) % 12


def scale_kernel(root_semitones: float = 0.0) -> RealArray:
    """Return the credit 0..1 of each 5-cent pitch for a major scale, shape ``(240,)``.

    1 on a scale note, falling as a Gaussian of 40 cents with the distance to the nearest one.
    """
    position = np.arange(N_BINS) / BINS_PER_SEMITONE
    return scale_credit(position, root_semitones)


def scale_credit(semitones: RealArray, root_semitones: float | RealArray = 0.0) -> RealArray:
    """Return the credit 0..1 of pitches in semitones (octaves folded), same shape."""
    above = np.asarray(semitones - root_semitones, dtype=np.float64)[..., np.newaxis]
    distance = np.abs((above - np.array(DIATONIC) + 6.0) % 12.0 - 6.0).min(axis=-1)
    return np.asarray(np.exp(-0.5 * (100.0 * distance / KERNEL_CENTS) ** 2), dtype=np.float64)


DRIFT_PRICE = 0.01
"""Credit, as a share of a window's, that a step of 5 cents of drift costs, so that a scale which
moves must explain the take better than one that stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleTrack:
    """The scale that fits best over time: its share of credit, and where its root lies.

    ``root_cents`` (per window) is the root of the major scale above C, 0..1200, unwrapped so that
    a slow drift shows as a slope. ``fit`` is the mean credit of all frames, 0..1.
    """

    fit: float
    root_cents: RealArray


def follow_scale(histograms: RealArray, *, largest_step_cents: float) -> ScaleTrack:
    """Find the major scale, tuning free, that a take keeps to while its tuning drifts slowly.

    The best path over windows (Viterbi): each window scores every root in steps of 5 cents, and
    the root may move by at most ``largest_step_cents`` from one window to the next.

    Parameters
    ----------
    histograms
        Pitch histograms of successive windows (weights in frames), shape ``(n_windows, 240)``.

    Raises
    ------
    ValueError
        When there is no window or nothing in them.
    """
    total = float(histograms.sum())
    if histograms.shape[0] == 0 or total <= 0.0:
        raise ValueError("no pitch to find a scale in")
    kernel = np.conj(np.fft.rfft(scale_kernel()))
    scores = np.fft.irfft(np.fft.rfft(histograms, axis=1) * kernel, n=N_BINS, axis=1)
    reach = round(largest_step_cents / 100.0 * BINS_PER_SEMITONE)
    steps = np.arange(-reach, reach + 1)
    price = DRIFT_PRICE * total / histograms.shape[0]
    best = scores[0].copy()
    came_from: list[RealArray] = []
    for row in scores[1:]:
        moved = np.stack([np.roll(best, step) - price * abs(step) for step in steps])
        choice = np.argmax(moved, axis=0)
        came_from.append(steps[choice].astype(np.float64))
        best = moved[choice, np.arange(N_BINS)] + row
    position = int(np.argmax(best))
    path = [float(position)]
    for step in reversed(came_from):
        path.append(path[-1] - step[int(path[-1]) % N_BINS])
    unwrapped = np.array(path[::-1])
    rows = np.arange(unwrapped.size)
    credit = scores[rows, unwrapped.astype(int) % N_BINS].sum()
    return ScaleTrack(fit=float(credit / total), root_cents=unwrapped * (100.0 / BINS_PER_SEMITONE))
