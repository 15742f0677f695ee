"""The radar chart as plain numbers: where every score, range and earlier take lies.

No Qt. The middle is 1, the lowest score; the rim is 5. A score that is not there has no place: it
is shown as missing and never as a low one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from singcoach.core.scores import DIMENSIONS, Dimension, DimensionScore

LOWEST: Final = 1.0
HIGHEST: Final = 5.0
INNER: Final = 0.12
"""Share of the radius where the score 1 lies, so that a take of ones is still a shape."""

Place = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class RadarShape:
    """One take on the chart.

    Attributes
    ----------
    values, lows, highs
        Place of each dimension in units of the radius (x to the right, y down), None where there
        is no score.
    """

    values: tuple[Place | None, ...]
    lows: tuple[Place | None, ...]
    highs: tuple[Place | None, ...]

    @property
    def complete(self) -> bool:
        """Whether every dimension has a score."""
        return all(value is not None for value in self.values)


def radar_shape(dimensions: Mapping[Dimension, DimensionScore]) -> RadarShape:
    """Place the scores of one take."""
    scores = [dimensions[name] for name in DIMENSIONS]
    return RadarShape(
        values=tuple(_place(i, s.score) for i, s in enumerate(scores)),
        lows=tuple(_place(i, s.low) for i, s in enumerate(scores)),
        highs=tuple(_place(i, s.high) for i, s in enumerate(scores)),
    )


def direction(index: int) -> Place:
    """Return the unit vector of an axis: breath up, then clockwise."""
    angle = 2.0 * math.pi * index / len(DIMENSIONS) - math.pi / 2.0
    return (math.cos(angle), math.sin(angle))


def ring(score: float) -> float:
    """Return how far from the middle a score lies, in units of the radius."""
    share = (min(HIGHEST, max(LOWEST, score)) - LOWEST) / (HIGHEST - LOWEST)
    return INNER + (1.0 - INNER) * share


def axis_at(x: float, y: float, *, reach: float = 1.5) -> Dimension | None:
    """Return the dimension whose axis is nearest to a place in units of the radius."""
    away = math.hypot(x, y)
    if away < INNER or away > reach:
        return None
    best = max(range(len(DIMENSIONS)), key=lambda i: _dot(direction(i), (x, y)))
    return DIMENSIONS[best]


def earlier_mean(takes: Sequence[Mapping[Dimension, float]]) -> dict[Dimension, float]:
    """Return the mean score of earlier takes per dimension; dimensions never scored are left out.

    Parameters
    ----------
    takes
        For each take the scores that it has.
    """
    mean = {}
    for name in DIMENSIONS:
        known = [scores[name] for scores in takes if name in scores]
        if known:
            mean[name] = math.fsum(known) / len(known)
    return mean


def _place(index: int, score: float | None) -> Place | None:
    if score is None:
        return None
    x, y = direction(index)
    away = ring(score)
    return (x * away, y * away)


def _dot(a: Place, b: Place) -> float:
    return a[0] * b[0] + a[1] * b[1]
