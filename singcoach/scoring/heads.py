"""From measures to scores: standardise, clip softly, add with fixed signs, map to 1..5."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.core.scores import DIMENSIONS, Dimension
from singcoach.scoring.specs import Bounds, Head, Heads, Norm

SOFT_LIMIT = 2.5
"""A standardised measure cannot count for more than this, but always still for a little more."""

SLOPE = 1.1
"""Slope of the map: one spread above the norms' middle is 4.0, two are 4.6."""

LOWEST, HIGHEST = 1.0, 5.0
"""Ends of the scale of scores."""

LEAST_SHARE = 0.5
"""Share of a head's weight (measures that every take has) that must be measured."""

_OPTIONAL = frozenset(
    {
        "backing_key_deviation",
        "beat_deviation",
        "pitch_accuracy",
        "rhythm_accuracy",
        "vibrato_regularity",
    }
)
"""Measures that a take without backing, song or vibrato rightly lacks."""


_NO_BOUNDS: Bounds = (-math.inf, math.inf)
_UNBOUNDED: Mapping[str, Bounds] = MappingProxyType({})


def standardise(values: RealArray, norm: Norm, bounds: Bounds | None = None) -> RealArray:
    """Return measures in units of the norm's scale, limited softly to -2.5..2.5 (monotone).

    Parameters
    ----------
    bounds
        Range in which the result counts (:attr:`Head.bounds`): outside of it a head sees no
        difference. None: everywhere.
    """
    return _limited(values, norm.median, norm.scale, bounds or _NO_BOUNDS)


def _limited(
    values: RealArray, median: RealArray | float, scale: RealArray | float, bounds: Bounds
) -> RealArray:
    soft = SOFT_LIMIT * np.tanh((values - median) / scale / SOFT_LIMIT)
    return np.asarray(np.clip(soft, *bounds))


def signed_mean(
    values: Mapping[str, RealArray],
    weights: Mapping[str, RealArray | float],
    *,
    medians: Mapping[str, RealArray | float],
    scales: Mapping[str, RealArray | float],
    bounds: Mapping[str, Bounds] = _UNBOUNDED,
) -> RealArray:
    """Weighted mean of the standardised measures, NaN where too few could be measured.

    Parameters
    ----------
    values
        Measures by name, each of shape ``(n,)``; NaN or no entry where a measure is
        missing. A missing measure leaves the weighted mean to the others.
    weights, medians, scales
        By name; one number for all rows, or one for each row.
    bounds
        By name, of the measures that have a limit (:attr:`Head.bounds`).
    """
    n = len(next(iter(values.values())))
    nothing = np.full(n, np.nan)
    total, weight = np.zeros(n), np.zeros(n)
    needed, found = np.zeros(n), np.zeros(n)
    for name, signed in weights.items():
        x = _limited(
            values.get(name, nothing), medians[name], scales[name], bounds.get(name, _NO_BOUNDS)
        )
        ok = np.isfinite(x)
        total += np.where(ok, signed * np.where(ok, x, 0.0), 0.0)
        weight += np.abs(signed) * ok
        if name not in _OPTIONAL:
            needed += np.abs(signed)
            found += np.abs(signed) * ok
    enough = (found >= LEAST_SHARE * needed) & (weight > 0.0)
    return np.where(enough, total / np.where(weight > 0.0, weight, 1.0), np.nan)


def head_position(
    values: Mapping[str, RealArray], *, head: Head, norms: Mapping[str, Norm]
) -> RealArray:
    """Position on the norms' scale (0 = middle, 1 = one spread above), NaN where not measurable.

    ``values`` as in :func:`signed_mean`.
    """
    mean = signed_mean(
        values,
        head.weights,
        medians={name: norms[name].median for name in head.weights},
        scales={name: norms[name].scale for name in head.weights},
        bounds=head.bounds,
    )
    return np.asarray((mean - head.centre) / head.spread)


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


def to_position(score: float) -> float:
    """Position of a score or rating strictly between 1 and 5: the inverse of :func:`to_score`."""
    return math.log((score - 1.0) / (5.0 - score)) / SLOPE


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
