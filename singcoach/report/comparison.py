"""Which scores of two takes differ by more than their uncertainty."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from singcoach.core.scores import DIMENSIONS, Dimension, DimensionScore, Scores

LOWEST: Final = 1.0
HIGHEST: Final = 5.0
_AT_BOUND: Final = 0.01

Verdict = Literal["higher", "lower", "no_difference", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreDifference:
    """One score of a second take beside that of a first.

    Attributes
    ----------
    change
        Second minus first, in points; None where either has no score.
    margin
        What the change has to exceed to count, in points; None with the change.
    verdict
        ``higher`` / ``lower`` (the second) only where the change exceeds the margin.
    """

    subject: Dimension | Literal["overall"]
    first: DimensionScore
    second: DimensionScore
    change: float | None
    margin: float | None
    verdict: Verdict


def compare_scores(first: Scores, second: Scores) -> tuple[ScoreDifference, ...]:
    """Compare two takes, the whole first, then each dimension."""
    found = [_difference("overall", first.overall, second.overall)]
    found += [
        _difference(name, first.dimensions[name], second.dimensions[name]) for name in DIMENSIONS
    ]
    return tuple(found)


def certain(differences: Sequence[ScoreDifference]) -> tuple[ScoreDifference, ...]:
    """Return the differences that exceed their uncertainty."""
    return tuple(d for d in differences if d.verdict in ("higher", "lower"))


def margin_points(lower: DimensionScore, upper: DimensionScore) -> float:
    """Return by how many points two scores must differ for the difference to count.

    The errors of two takes are taken as independent, so their half intervals add in quadrature:
    upwards from the lower score, downwards from the upper one. (Errors that two takes of one
    singer share cancel in the difference; so this is on the safe side.) With 80 % intervals a
    margin is exceeded by chance in about one of five pairs that are truly alike, in either
    direction. Where an interval ends at 1 or 5 it is cut off by the scale, and the other half
    stands in for the one that is cut.
    """
    return math.hypot(_half(lower, upwards=True), _half(upper, upwards=False))


def _half(score: DimensionScore, *, upwards: bool) -> float:
    if score.score is None or score.low is None or score.high is None:
        raise ValueError("a margin needs scores with their intervals")
    below, above = score.score - score.low, score.high - score.score
    if upwards:
        return max(above, below) if score.high >= HIGHEST - _AT_BOUND else above
    return max(above, below) if score.low <= LOWEST + _AT_BOUND else below


def _difference(
    subject: Dimension | Literal["overall"], first: DimensionScore, second: DimensionScore
) -> ScoreDifference:
    if first.score is None or second.score is None:
        return ScoreDifference(
            subject=subject, first=first, second=second, change=None, margin=None, verdict="unknown"
        )
    change = second.score - first.score
    lower, upper = (first, second) if change >= 0 else (second, first)
    margin = margin_points(lower, upper)
    verdict: Verdict = "no_difference"
    if abs(change) > margin:
        verdict = "higher" if change > 0 else "lower"
    return ScoreDifference(
        subject=subject,
        first=first,
        second=second,
        change=change,
        margin=margin,
        verdict=verdict,
    )
