"""Pitch accuracy against the take's own scale, or against the accompaniment's.

Both ask the same of every sung moment: how far is the pitch from the nearest note of the scale?
Vibrato is replaced by its middle line first, so it costs nothing; octaves are folded; level plays
no part. Moments are counted, not notes, because
scoops and slides between the notes belong to what listeners hear as out of tune.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from singcoach.core.arrays import BoolArray, RealArray
from singcoach.core.music import Key, PitchTrack, Region
from singcoach.core.take import Backing
from singcoach.dsp.runs import runs_of
from singcoach.pitch.contour import without_vibrato
from singcoach.pitch.frames import hz_to_cents
from singcoach.screening.chroma import BINS_PER_SEMITONE, N_BINS, tuning_of
from singcoach.screening.tonality import (
    follow_scale,
    key_of,
    scale_credit,
    scale_root,
)

SMOOTHING_S = 0.144
SHORTEST_VOICED_S = 3.0
"""Less sung pitch than this shows neither scale nor tuning."""

# Where the accuracy is 0 and 1, in mean credit (see tonality.KERNEL_CENTS). A voice that is
# everywhere 58 cents off earns 0.35, one that is 23 cents off 0.85.
BACKING_FIT_AT_0 = 0.35
BACKING_FIT_AT_1 = 0.85
# The own scale is chosen to fit, so a voice of random pitches earns 0.61 to 0.68; the four clips of
# the professional in pesnq_edelweiss earn 0.86 to 0.93 (set there and on nycu_first).
SELF_FIT_AT_0 = 0.60
SELF_FIT_AT_1 = 0.90

DRIFT_WINDOW_S = 10.0
LARGEST_DRIFT_CENTS = 15.0
"""The tuning may move this much from one window to the next; singers without accompaniment drift
by a few cents a phrase, and more than that is singing out of tune."""

LOCAL_SCALE_S = 30.0
MODULATION_MARGIN = 0.08
"""Share of the accompaniment's energy that another scale must explain beyond the whole piece's
scale, over 30 s, before the song counts as having modulated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleFit:
    """How well the sung pitch keeps to a scale.

    Attributes
    ----------
    accuracy
        0..1, see the constants of this module for what 0 and 1 mean.
    fit
        Mean credit before that mapping, 0..1.
    reference
        Whose scale: the take's own or the backing's.
    key
        The scale's key and tuning.
    tuning_cents
        Tuning of the singing itself from A4 = 440 Hz, -50..50.
    tuning_gap_cents
        Singing minus backing in -50..50, None without backing.
    drift_cents
        How far the singer's own scale moved from start to end; 0 with backing.
    voiced_s
        Sung seconds that were judged.
    """

    accuracy: float
    fit: float
    reference: Literal["self", "backing"]
    key: Key | None
    tuning_cents: float
    tuning_gap_cents: float | None
    drift_cents: float
    voiced_s: float


def fit_to_self(pitch: PitchTrack, *, regions: Sequence[Region]) -> ScaleFit | None:
    """Compare the singing with the major or minor scale, tuning free, that fits it best.

    A slow drift of the tuning is followed (and reported), not punished.

    Returns
    -------
    ScaleFit or None
        None when less than 3 s of pitch were sung, or all of it on one note: one note fits every
        scale and proves nothing.
    """
    sung = sung_frames(pitch, regions)
    if sung.sum() * pitch.hop_s < SHORTEST_VOICED_S:
        return None
    semitones = steady_semitones(pitch)
    times_s, heights = pitch.times_s[sung], semitones[sung]
    if spread_semitones(heights) < 1.0:
        return None
    window = ((times_s - times_s[0]) // DRIFT_WINDOW_S).astype(int)
    histograms = np.zeros((int(window[-1]) + 1, N_BINS))
    np.add.at(histograms, (window, _bins(heights)), 1.0)
    track = follow_scale(histograms, largest_step_cents=LARGEST_DRIFT_CENTS)
    root = np.interp(
        times_s,
        times_s[0] + (np.arange(track.root_cents.size) + 0.5) * DRIFT_WINDOW_S,
        track.root_cents,
    )
    middle_cents = float(np.median(root))
    # On the take's own scale, drift removed, the weights of the twelve notes tell the key.
    straight = heights - (root - middle_cents) / 100.0
    tuning_cents = (middle_cents + 50.0) % 100.0 - 50.0
    classes = np.round(straight - tuning_cents / 100.0).astype(int) % 12
    key = key_of(np.bincount(classes, minlength=12).astype(float), tuning_cents=tuning_cents)
    return ScaleFit(
        accuracy=_mapped(track.fit, SELF_FIT_AT_0, SELF_FIT_AT_1),
        fit=track.fit,
        reference="self",
        key=key,
        tuning_cents=tuning_cents,
        tuning_gap_cents=None,
        drift_cents=float(track.root_cents[-1] - track.root_cents[0]),
        voiced_s=float(sung.sum() * pitch.hop_s),
    )


def fit_to_backing(
    pitch: PitchTrack, *, regions: Sequence[Region], backing: Backing
) -> ScaleFit | None:
    """Compare the singing with the scale and the tuning of the accompaniment.

    The scale follows the accompaniment when it changes key for half a minute or more.

    Returns
    -------
    ScaleFit or None
        None when less than 3 s of pitch were sung or the backing has no key.
    """
    sung = sung_frames(pitch, regions)
    if backing.key is None or sung.sum() * pitch.hop_s < SHORTEST_VOICED_S:
        return None
    heights = steady_semitones(pitch)[sung]
    roots = _local_roots(backing)
    index = np.round(pitch.times_s[sung] / backing.frame_s).astype(int)
    root = roots[np.clip(index, 0, roots.size - 1)]
    credit = scale_credit(heights - backing.key.tuning_cents / 100.0, root)
    fit = float(credit.mean())
    tuning_cents = tuning_of(np.bincount(_bins(heights), minlength=N_BINS).astype(float))
    gap_cents = (tuning_cents - backing.key.tuning_cents + 50.0) % 100.0 - 50.0
    return ScaleFit(
        accuracy=_mapped(fit, BACKING_FIT_AT_0, BACKING_FIT_AT_1),
        fit=fit,
        reference="backing",
        key=backing.key,
        tuning_cents=tuning_cents,
        tuning_gap_cents=gap_cents,
        drift_cents=0.0,
        voiced_s=float(sung.sum() * pitch.hop_s),
    )


def sung_frames(pitch: PitchTrack, regions: Sequence[Region]) -> BoolArray:
    """Return which pitch frames are voiced and lie in a singing region, shape ``(n_frames,)``."""
    inside = np.zeros(pitch.times_s.size, dtype=np.bool_)
    for region in regions:
        if region.kind == "singing":
            first, last = np.searchsorted(pitch.times_s, (region.start_s, region.end_s))
            inside[first:last] = True
    return inside & pitch.voiced


def steady_semitones(pitch: PitchTrack) -> RealArray:
    """Return MIDI heights without vibrato, NaN where unvoiced, shape ``(n_frames,)``.

    Even oscillations give way to their middle line, then the median of the voiced frames within
    0.07 s to each side takes what is left of them.
    """
    semitones = np.full(pitch.f0_hz.size, np.nan)
    for start, end in runs_of(pitch.voiced):
        cents = hz_to_cents(pitch.f0_hz[start:end])
        semitones[start:end] = without_vibrato(cents, hop_s=pitch.hop_s) / 100.0
    if not pitch.voiced.any():
        return semitones
    half = max(1, round(SMOOTHING_S / 2.0 / pitch.hop_s))
    padded = np.pad(semitones, half, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    smooth = np.full(semitones.size, np.nan)
    index = np.flatnonzero(pitch.voiced)
    for first in range(0, index.size, 8192):
        part = index[first : first + 8192]
        smooth[part] = np.nanmedian(windows[part], axis=1)
    return smooth


def spread_semitones(heights: RealArray) -> float:
    """Return the distance between the 10th and the 90th percentile of the heights."""
    low, high = np.percentile(heights, (10, 90))
    return float(high - low)


def _bins(heights: RealArray) -> NDArray[np.int64]:
    return np.round(heights * BINS_PER_SEMITONE).astype(np.int64) % N_BINS


def _mapped(fit: float, at_0: float, at_1: float) -> float:
    return float(np.clip((fit - at_0) / (at_1 - at_0), 0.0, 1.0))


def _local_roots(backing: Backing) -> RealArray:
    """Return the root 0..11 of the major scale in force at every chroma frame."""
    if backing.key is None:
        raise ValueError("the backing has no key")
    whole = scale_root(backing.key)
    in_scale = np.zeros((12, 12))
    for root in range(12):
        in_scale[root, [(root + step) % 12 for step in (0, 2, 4, 5, 7, 9, 11)]] = 1.0
    width = max(1, round(LOCAL_SCALE_S / backing.frame_s))
    roots = np.full(backing.chroma.shape[0], float(whole))
    if roots.size < 2 * width:
        return roots
    sums = np.concatenate((np.zeros((1, 12)), np.cumsum(backing.chroma, axis=0, dtype=np.float64)))
    left = np.clip(np.arange(roots.size) - width // 2, 0, roots.size - width)
    share = (sums[left + width] - sums[left]) @ in_scale.T / width
    best = share.argmax(axis=1)
    clear = share.max(axis=1) > share[:, whole] + MODULATION_MARGIN
    roots[clear] = best[clear]
    return roots
