"""How well scores order what people rated: correlations, tiers, distance; for many draws at once.

Every function takes scores and ratings of shape ``(n_items,)`` without NaN (a missing score is
allowed for the tier pairs only) and the weights ``(n_draws, n_items)`` that say how often each item
was drawn. It gives shape ``(n_draws,)``, with NaN for draws in which the statistic is not defined.
A drawn item counts as often as it was drawn, so that the weights give exactly what repeating
the rows would. Cost: products of ``n_draws x n_items x n_items``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from singcoach.core.arrays import BoolArray, RealArray
from singcoach.scoring.agreement import tier_pair_accuracies, tiers

_TINY = 1e-12


def pearson(scores: RealArray, ratings: RealArray, weights: RealArray) -> RealArray:
    """Product-moment correlation."""
    return _weighted_pearson(
        np.broadcast_to(scores, weights.shape), np.broadcast_to(ratings, weights.shape), weights
    )


def spearman(scores: RealArray, ratings: RealArray, weights: RealArray) -> RealArray:
    """Rank correlation (Spearman 1904): Pearson's of the mid-ranks."""
    return _weighted_pearson(_mid_ranks(scores, weights), _mid_ranks(ratings, weights), weights)


def kendall(scores: RealArray, ratings: RealArray, weights: RealArray) -> RealArray:
    """Kendall's tau-b (1945): agreeing less disagreeing pairs, ties taken out of both sides."""
    x = np.sign(scores[:, None] - scores[None, :])
    y = np.sign(ratings[:, None] - ratings[None, :])
    agreeing, x_apart, y_apart = (
        ((weights @ pairs) * weights).sum(axis=1) for pairs in (x * y, np.abs(x), np.abs(y))
    )
    return _ratio(agreeing, np.sqrt(x_apart * y_apart))


def three_tier_accuracy(scores: RealArray, ratings: RealArray, weights: RealArray) -> RealArray:
    """Share of items whose scores lie in the same tercile among the scores as their ratings do.

    1/3 by chance where the tiers are of one size. Not defined unless both fill two tiers or more.
    """
    mine, theirs = tiers(scores, weights), tiers(ratings, weights)
    same = _ratio((weights * (mine == theirs)).sum(axis=1), weights.sum(axis=1))
    drawn = weights > 0
    parted = [(np.where(drawn, t, 0).max(1) > np.where(drawn, t, 2).min(1)) for t in (mine, theirs)]
    return np.where(parted[0] & parted[1], same, np.nan)


def mean_absolute_error(scores: RealArray, ratings: RealArray, weights: RealArray) -> RealArray:
    """Mean distance between score and rating, in the unit that both have."""
    return _ratio(weights @ np.abs(scores - ratings), weights.sum(axis=1))


def tier_pairs(
    scores: RealArray,
    ratings: RealArray,
    weights: RealArray,
    comparable: BoolArray | None = None,
) -> RealArray:
    """Tier-pair accuracy, see :func:`singcoach.scoring.agreement.tier_pair_accuracies`."""
    return tier_pair_accuracies(scores, ratings, weights, comparable)


Order = Callable[[RealArray, RealArray, RealArray], RealArray]
ORDERS: Mapping[str, Order] = {
    "tier_pair_accuracy": tier_pairs,
    "spearman": spearman,
    "kendall": kendall,
    "three_tier_accuracy": three_tier_accuracy,
    "pearson": pearson,
    "mae": mean_absolute_error,
}
"""Every statistic of a comparison by its name in the document."""


def _mid_ranks(values: RealArray, weights: RealArray) -> RealArray:
    """Rank of each item among the drawn, equal ones sharing the mean of theirs."""
    below = (values[None, :] < values[:, None]).astype(np.float64)
    alike = (values[None, :] == values[:, None]).astype(np.float64)
    ranks: RealArray = weights @ (below + 0.5 * alike).T
    return ranks


def _weighted_pearson(x: RealArray, y: RealArray, weights: RealArray) -> RealArray:
    total = np.maximum(weights.sum(axis=1, keepdims=True), 1.0)
    dx = x - (weights * x).sum(axis=1, keepdims=True) / total
    dy = y - (weights * y).sum(axis=1, keepdims=True) / total
    covariance = (weights * dx * dy).sum(axis=1)
    x_power, y_power = (weights * dx * dx).sum(axis=1), (weights * dy * dy).sum(axis=1)
    # What rounding leaves of equal values is no spread.
    size = np.maximum(np.abs(x).max(initial=0.0), np.abs(y).max(initial=0.0)) ** 2
    spread = (x_power > _TINY * size) & (y_power > _TINY * size)
    return np.where(spread, _ratio(covariance, np.sqrt(x_power * y_power)), np.nan)


def _ratio(numerator: RealArray, denominator: RealArray) -> RealArray:
    return np.where(
        denominator > 0, numerator / np.where(denominator > 0, denominator, 1.0), np.nan
    )
