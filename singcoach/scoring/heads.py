"""From measures to scores: standardise, clip softly, add with fixed signs, map to 1..5."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.core.scores import DIMENSIONS, Dimension
from singcoach.scoring.specs import Head, Heads, Norm

SOFT_LIMIT = 2.5
"""A standardised measure cannot count for more than this, but always still for a little more."""

SLOPE = 1.1
"""Slope of the map: one spread above the norms' middle is 4.0, two are 4.6."""

LEAST_SHARE = 0.5
"""Share of a head's weight (measures that every take has) that must be measured."""

_OPTIONAL = frozenset(
    {"backing_key_deviation", "pitch_accuracy", "rhythm_accuracy", "vibrato_regularity"}
)
"""Measures that a take without backing, song or vibrato rightly lacks."""


def standardise(values: RealArray, norm: Norm) -> RealArray:
    """Return measures in units of the norm's scale, limited softly to -2.5..2.5 (monotone)."""
    return np.asarray(SOFT_LIMIT * np.tanh((values - norm.median) / norm.scale / SOFT_LIMIT))


def head_position(
    values: Mapping[str, RealArray], *, head: Head, norms: Mapping[str, Norm]
) -> RealArray:
    """Position on the norms' scale (0 = middle, 1 = one spread above), NaN where not measurable.

    Parameters
    ----------
    values
        Measures by name, each of shape ``(n,)``; NaN where a measure is missing. A missing measure
        leaves the weighted mean to the others.
    """
    n = len(next(iter(values.values())))
    total, weight = np.zeros(n), np.zeros(n)
    needed, found = 0.0, np.zeros(n)
    for name, signed in head.weights.items():
        x = standardise(values[name], norms[name])
        ok = np.isfinite(x)
        total += np.where(ok, signed * np.where(ok, x, 0.0), 0.0)
        weight += abs(signed) * ok
        if name not in _OPTIONAL:
            needed += abs(signed)
            found += abs(signed) * ok
    enough = (found >= LEAST_SHARE * needed) & (weight > 0.0)
    mean = total / np.where(weight > 0.0, weight, 1.0)
    return np.where(enough, (mean - head.centre) / head.spread, np.nan)


def all_positions(values: Mapping[str, RealArray], heads: Heads) -> dict[Dimension, RealArray]:
    """Positions of the four dimensions, each of shape ``(n,)``."""
    return {d: head_position(values, head=heads.heads[d], norms=heads.norms) for d in DIMENSIONS}


def overall_position(positions: Mapping[Dimension, RealArray], heads: Heads) -> RealArray:
    """Weighted mean of the dimensions; NaN where technique is missing (it carries the most)."""
    n = len(positions["technique"])
    total, weight = np.zeros(n), np.zeros(n)
    for dimension, share in heads.overall_weights.items():
        ok = np.isfinite(positions[dimension])
        total += np.where(ok, share * np.where(ok, positions[dimension], 0.0), 0.0)
        weight += share * ok
    enough = np.isfinite(positions["technique"]) & (weight > 0.0)
    return np.where(enough, total / np.where(weight > 0.0, weight, 1.0), np.nan)


def to_score(position: float) -> float:
    """Map a position to 1..5, strictly monotone: 0 -> 3, +1 -> 4.0, -1 -> 2.0."""
    return 1.0 + 4.0 / (1.0 + float(np.exp(-SLOPE * np.clip(position, -30.0, 30.0))))


def percentile_of(value: float, norm: Norm, levels: tuple[float, ...]) -> float:
    """Percentile 0..100 of a value among the recordings of the norms (not better, only more)."""
    quantiles = np.asarray(norm.quantiles)
    if value < quantiles[0]:
        return levels[0] / 2.0
    if value > quantiles[-1]:
        return (levels[-1] + 100.0) / 2.0
    # Equal quantiles (many takes with exactly 0) share the middle of their levels.
    low = int(np.searchsorted(quantiles, value, side="left"))
    high = int(np.searchsorted(quantiles, value, side="right"))
    if high > low:
        return (levels[low] + levels[high - 1]) / 2.0
    return float(np.interp(value, quantiles, levels))
