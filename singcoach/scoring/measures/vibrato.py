"""Vibrato on held notes: how often, how fast, how wide, how even."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from singcoach.core.music import Note
from singcoach.scoring.reading import Reading, make_reading, weighted_mean

HELD_S = 0.5
"""A note must be this long before vibrato is expected on it."""


def _with_vibrato(notes: Sequence[Note]) -> list[Note]:
    return [note for note in notes if note.vibrato is not None]


def vibrato_share(notes: Sequence[Note]) -> Reading:
    """Share of the time of held notes (0.5 s and longer) that carries vibrato, 0..1.

    Presence only: wider vibrato earns nothing more, since the preferred extent depends on genre
    (Nakano et al. 2006 use presence between 5 and 8 Hz as their measure).
    """
    held = [note for note in notes if note.duration_s >= HELD_S]
    present = [note.vibrato.presence if note.vibrato is not None else 0.0 for note in held]
    return make_reading(
        "vibrato_share",
        spans_s=[(n.onset_s, n.offset_s) for n in held],
        stats=[
            np.array([n.duration_s, n.duration_s * p]) for n, p in zip(held, present, strict=True)
        ],
        shown=present,
        finish=weighted_mean,
    )


def vibrato_regularity(notes: Sequence[Note]) -> Reading:
    """Mean regularity of the vibrato where there is some, 0..1; NaN without vibrato."""
    return _mean_over("vibrato_regularity", notes, lambda n: _vibrato(n)[2])


def vibrato_rate(notes: Sequence[Note]) -> Reading:
    """Mean rate in Hz where there is vibrato. Describes; listeners prefer about 5 to 7 Hz."""
    return _mean_over("vibrato_rate", notes, lambda n: _vibrato(n)[0])


def vibrato_extent(notes: Sequence[Note]) -> Reading:
    """Mean extent in cents (half peak-to-peak) where there is vibrato. Describes, never graded."""
    return _mean_over("vibrato_extent", notes, lambda n: _vibrato(n)[1])


def _vibrato(note: Note) -> tuple[float, float, float]:
    v = note.vibrato
    return (v.rate_hz, v.extent_cents, v.regularity) if v is not None else (0.0, 0.0, 0.0)


def _mean_over(name: str, notes: Sequence[Note], pick: Callable[[Note], float]) -> Reading:
    chosen = _with_vibrato(notes)
    values = [pick(note) for note in chosen]
    # A vibrato on the border to none counts little, so that a frame does not decide.
    weights = [n.duration_s * n.vibrato.presence for n in chosen if n.vibrato is not None]
    return make_reading(
        name,
        spans_s=[(n.onset_s, n.offset_s) for n in chosen],
        stats=[np.array([w, w * v]) for w, v in zip(weights, values, strict=True)],
        shown=values,
        finish=weighted_mean,
    )
