"""How closely sung onsets keep to the beats of the backing, in milliseconds.

Each onset has a phase within the subdivision of the beat that is sung in. The mean of the phases as
unit vectors points where the singer places the notes, and its length tells how tightly: this is the
circular standard deviation (Mardia and Jupp 2000, Directional Statistics, section 2.3), in which a
constant delay of singer or microphone plays no part. Chance is removed from the length.

What it is worth (nycu_first, 51 clips of 15 s, and three whole songs; it was set on them): see
``docs/not-fooled.md``. In short, it falls reliably when onsets slip by 60 ms and more, and hardly
tells whom listeners rate higher, so its weight belongs among the smallest.

As a measure of the scoring, the rows of :class:`BeatFit` go into a reading as they are::

    fit = fit_to_beats(take.notes, backing=take.backing)  # None: no measure
    make_reading("beat_deviation", spans_s=list(zip(fit.starts_s, fit.ends_s)), stats=fit.stats,
                 shown=fit.late_ms, finish=fit.deviations_ms)

Unit ms, lower is better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from singcoach.core.arrays import RealArray, read_only
from singcoach.core.music import Note
from singcoach.core.take import Backing

DIVISIONS = (1, 2, 4)
"""Parts of a beat that may be sung in."""
SHORTEST_SPACING_S = 0.15
LONGEST_SPACING_S = 0.5
"""Subdivisions outside are no help: the onsets of one note scatter by 30 to 60 ms even in good
singing, and with a very wide one everything seems to be in time."""
LEAST_ONSETS = 12
LEAST_BEATS = 8
LEAST_LEFT = 8
"""Onsets below which a part of a take has no deviation."""
UNEVEN_BEATS = 0.2
"""Median distance of neighbouring beat intervals, as a share, from which the beats are no grid."""
FINER_PRICE = 4.0
"""Rayleigh statistic (onsets times squared length) by which a finer subdivision must explain the
onsets better than a coarser one: 4 is exceeded by chance in 2 % of takes."""
LEAST_SQUARED = 0.02
"""Squared length of onsets that lie anywhere; caps the deviation at 0.31 of the subdivision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BeatFit:
    """Sung onsets against the beats of a backing, one row for each note.

    Attributes
    ----------
    starts_s, ends_s
        Spans of the notes whose onsets were compared, in order, shape ``(n_onsets,)``.
    stats
        What each onset adds: one, and cosine and sine of its phase, shape ``(n_onsets, 3)``.
    late_ms
        How much later (positive) or earlier than the singer's own usual place in the subdivision
        each onset is, shape ``(n_onsets,)``.
    spacing_s
        Length of the subdivision.
    division
        Subdivisions in a beat.
    deviation_ms
        Circular standard deviation of all onsets, 0 to 0.31 of the subdivision.
    concentration
        Length of the mean vector without chance, 0 (anywhere) to 1 (exactly in time).
    """

    starts_s: RealArray
    ends_s: RealArray
    stats: RealArray
    late_ms: RealArray
    spacing_s: float
    division: int
    deviation_ms: float
    concentration: float

    def deviations_ms(self, sums: RealArray) -> RealArray:
        """Return the deviation from summed ``stats``, NaN below eight onsets.

        Parameters
        ----------
        sums
            Shape ``(n_sums, 3)``.

        Returns
        -------
        RealArray
            In ms, shape ``(n_sums,)``.
        """
        squared = _squared_length(sums)
        angle = np.sqrt(-np.log(np.clip(squared, LEAST_SQUARED, 1.0)))
        deviation = 1000.0 * self.spacing_s * angle / (2.0 * np.pi)
        return np.where(sums[:, 0] >= LEAST_LEFT - 0.5, deviation, np.nan)


def fit_to_beats(notes: Sequence[Note], *, backing: Backing | None) -> BeatFit | None:
    """Compare sung onsets with the subdivision of the beat that explains them best.

    The coarsest subdivision is taken unless a finer one explains the onsets better by more than
    chance would let it.

    Parameters
    ----------
    notes
        Sung notes, in seconds of the backing.

    Returns
    -------
    BeatFit or None
        None without a backing, where its beats are few or uneven, or with fewer than 12 onsets
        between them.
    """
    beats = backing.beats_s if backing is not None else np.zeros(0)
    if beats.size < LEAST_BEATS or _unevenness(beats) > UNEVEN_BEATS:
        return None
    inside = sorted(
        (note for note in notes if beats[0] <= note.onset_s < beats[-1]),
        key=lambda note: note.onset_s,
    )
    if len(inside) < LEAST_ONSETS:
        return None
    onsets_s = np.array([note.onset_s for note in inside])
    position = np.interp(onsets_s, beats, np.arange(beats.size))
    beat_s = float(np.median(np.diff(beats)))
    divisions = [d for d in DIVISIONS if SHORTEST_SPACING_S <= beat_s / d <= LONGEST_SPACING_S]
    rows = [_rows(position, division) for division in divisions]
    evidence = [
        len(inside) * float(_squared_length(row.sum(axis=0, keepdims=True))[0])
        - FINER_PRICE * index
        for index, row in enumerate(rows)
    ]
    best = int(np.argmax(evidence))
    stats, spacing_s = rows[best], beat_s / divisions[best]
    sums = stats.sum(axis=0, keepdims=True)
    late = np.angle((stats[:, 1] + 1j * stats[:, 2]) * complex(sums[0, 1], -sums[0, 2]))
    fit = BeatFit(
        starts_s=read_only(onsets_s),
        ends_s=read_only(np.array([note.offset_s for note in inside])),
        stats=read_only(stats),
        late_ms=read_only(np.asarray(1000.0 * spacing_s * late / (2.0 * np.pi))),
        spacing_s=spacing_s,
        division=divisions[best],
        deviation_ms=0.0,
        concentration=float(np.sqrt(_squared_length(sums)[0])),
    )
    return replace(fit, deviation_ms=float(fit.deviations_ms(sums)[0]))


def _rows(position: RealArray, division: int) -> RealArray:
    angle = 2.0 * np.pi * division * position
    return np.stack((np.ones(position.size), np.cos(angle), np.sin(angle)), axis=1)


def _squared_length(sums: RealArray) -> RealArray:
    """Return the squared length of the mean vector; by chance it would be 1/n, which is removed."""
    n = np.maximum(sums[:, 0], 2.0)
    squared = (sums[:, 1] ** 2 + sums[:, 2] ** 2) / n**2
    return np.asarray(np.clip((n * squared - 1.0) / (n - 1.0), 0.0, 1.0), dtype=np.float64)


def _unevenness(beats_s: RealArray) -> float:
    intervals = np.diff(beats_s)
    return float(np.median(np.abs(np.diff(np.log(intervals)))))
