"""Rhythm accuracy against the written song or against the beat of the accompaniment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.core.music import Note, Song
from singcoach.core.take import Backing
from singcoach.screening.song_fit import LARGEST_LATENCY_S, pitched_notes

FAR_S = 0.35
"""A sung onset further than this from the written one belongs to another note."""
KERNEL_S = 0.1
"""Width of the credit around a written onset. Sung onsets are soft: annotators of the same take
differ by some 50 ms."""
LEAST_ONSETS = 8
REST_S = 0.1
LARGEST_STRETCH = 0.03

DIVISIONS = (1, 2, 3, 4)
"""Parts of a beat that the singer may be singing in: beats, halves, triplets, quarters."""

TIGHTEST_CONCENTRATION = 0.6
"""What singers in time reach: sung onsets are soft, and syncopation spreads them. The tightest of
the 51 clips of nycu_first has 0.61, their median 0.35; set there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RhythmFit:
    """How well sung onsets keep to where they belong.

    Attributes
    ----------
    accuracy
        0..1. Against a song: mean credit of the written onsets, a Gaussian of 100 ms; onsets
        never sung earn nothing. Against a backing: concentration of the onsets on the beat's
        subdivision, 0 = anywhere, 1 = as tight as singers get.
    latency_s
        Constant delay that was removed; None against a backing (only its phase is known).
    spread_ms
        Root mean square of the remaining deviations (of those near a written onset).
    n_onsets
        Onsets that were compared.
    """

    accuracy: float
    reference: Literal["song", "backing"]
    latency_s: float | None
    spread_ms: float
    n_onsets: int


def rhythm_to_song(
    notes: Sequence[Note], *, song: Song, latency_s: float = 0.0
) -> RhythmFit | None:
    """Compare sung onsets with the written ones that can be heard.

    A written onset can be heard after a rest or where the pitch changes; a new syllable on the
    same pitch often has none. Written and sung onsets are paired in order (dynamic programming);
    a straight line, the tempo and delay of the singer, is fitted to the pairs and only what
    deviates from the line counts (Molina et al. 2013, doi:10.1109/ICASSP.2013.6637747, whose line
    is fitted to an alignment path; the slope here stays within 3 % of 1).

    Parameters
    ----------
    notes
        Sung notes in order.
    latency_s
        First guess of the delay, from :func:`singcoach.screening.song_fit.fit_to_song`.

    Returns
    -------
    RhythmFit or None
        None when the song has fewer than eight such onsets or nothing was sung.
    """
    written = _audible_onsets(song)
    sung = np.array(sorted(note.onset_s for note in notes))
    if written.size < LEAST_ONSETS or sung.size == 0:
        return None
    pairs = _paired(written + latency_s, sung)
    if pairs.shape[0] < 3:
        return RhythmFit(
            accuracy=0.0,
            reference="song",
            latency_s=latency_s,
            spread_ms=float("nan"),
            n_onsets=int(written.size),
        )
    expected = written[pairs[:, 0]]
    heard = sung[pairs[:, 1]]
    slope, delay_s = _robust_line(expected, heard)
    rest_s = heard - (slope * expected + delay_s)
    credit = float(np.exp(-0.5 * (rest_s / KERNEL_S) ** 2).sum()) / written.size
    middle_delay_s = float(np.mean(slope * expected + delay_s - expected))
    return RhythmFit(
        accuracy=credit,
        reference="song",
        latency_s=float(np.clip(middle_delay_s, -LARGEST_LATENCY_S, LARGEST_LATENCY_S)),
        spread_ms=float(1000.0 * np.sqrt(np.mean(rest_s**2))),
        n_onsets=int(written.size),
    )


def rhythm_to_backing(notes: Sequence[Note], *, backing: Backing) -> RhythmFit | None:
    """Compare sung onsets with the beat's subdivisions, a constant delay allowed.

    Each onset has a phase within the beat. For halves, triplets and quarters of the beat the mean
    resultant length of the phases tells how tightly the onsets sit at one place of that
    subdivision; chance is removed (the expected square is 1/n) and the best subdivision counts.
    Free phrasing is legitimate style, so a low value is a hint and never a fault by itself.

    Returns
    -------
    RhythmFit or None
        None when there are no beats or fewer than eight onsets between them.
    """
    beats = backing.beats_s
    onsets = np.array(sorted(note.onset_s for note in notes))
    if beats.size < 4 or onsets.size < LEAST_ONSETS:
        return None
    inside = onsets[(onsets >= beats[0]) & (onsets < beats[-1])]
    if inside.size < LEAST_ONSETS:
        return None
    position = np.interp(inside, beats, np.arange(beats.size))
    beat_s = float(np.median(np.diff(beats)))
    best = (-1.0, 0.0)
    for division in DIVISIONS:
        resultant = np.mean(np.exp(2j * np.pi * division * position))
        squared = (inside.size * abs(resultant) ** 2 - 1.0) / (inside.size - 1.0)
        concentration = float(np.sqrt(max(0.0, squared)))
        if concentration > best[0]:
            off = np.angle(np.exp(2j * np.pi * division * position) / resultant)
            spread_s = float(np.sqrt(np.mean(off**2))) / (2.0 * np.pi * division) * beat_s
            best = (concentration, spread_s)
    return RhythmFit(
        accuracy=min(1.0, best[0] / TIGHTEST_CONCENTRATION),
        reference="backing",
        latency_s=None,
        spread_ms=1000.0 * best[1],
        n_onsets=int(inside.size),
    )


def _audible_onsets(song: Song) -> RealArray:
    notes = pitched_notes(song)
    onsets = [
        note.onset_s
        for before, note in zip((None, *notes[:-1]), notes, strict=True)
        if before is None or note.onset_s - before.offset_s >= REST_S or note.midi != before.midi
    ]
    return np.array(onsets)


def _paired(written: RealArray, sung: RealArray) -> RealArray:
    """Return index pairs (written, sung), ascending in both, with the least total distance."""
    n, m = written.size, sung.size
    cost = np.zeros((n + 1, m + 1))
    cost[:, 0] = np.arange(n + 1) * FAR_S
    move = np.zeros((n + 1, m + 1), dtype=np.int8)
    move[1:, 0] = 1
    for row in range(1, n + 1):
        distance = np.abs(sung - written[row - 1])
        skip_written = cost[row - 1, 1:] + FAR_S
        match = np.where(distance < FAR_S, cost[row - 1, :-1] + distance, np.inf)
        best = np.minimum(skip_written, match)
        # Leaving out a sung onset (an ornament) is free: a running minimum from the left.
        running = np.minimum.accumulate(np.concatenate(([cost[row, 0]], best)))
        cost[row] = running
        move[row, 1:] = np.where(match <= skip_written, 2, 1)
        move[row, 1:][running[1:] < best] = 3
    pairs = []
    row, column = n, m
    while row > 0:
        step = move[row, column] if column > 0 else 1
        if step == 2:
            pairs.append((row - 1, column - 1))
            row, column = row - 1, column - 1
        elif step == 3:
            column -= 1
        else:
            row -= 1
    return np.array(pairs[::-1], dtype=int).reshape(-1, 2)


def _robust_line(expected: RealArray, heard: RealArray) -> tuple[float, float]:
    """Return slope and delay; the slope only where the take is long enough to show one."""
    difference = heard - expected
    if np.ptp(expected) < 20.0 or expected.size < 2 * LEAST_ONSETS:
        return 1.0, float(np.median(difference))
    weight = np.ones(expected.size)
    slope, delay = 0.0, 0.0
    for _ in range(5):
        design = np.stack((expected * weight, weight), axis=1)
        slope, delay = (
            float(value) for value in np.linalg.lstsq(design, difference * weight, rcond=None)[0]
        )
        rest = np.abs(difference - slope * expected - delay)
        weight = np.sqrt(1.0 / np.maximum(rest, 0.02))
    if abs(slope) > LARGEST_STRETCH:
        return 1.0, float(np.median(difference))
    return 1.0 + slope, delay
