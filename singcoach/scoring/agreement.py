"""How well scores agree with human ratings: order of pairs, correlation, cover, with ranges."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from singcoach.core.arrays import BoolArray, RealArray

SEED = 0
N_DRAWS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure and the middle 80 % of its bootstrap; NaN where it is not defined."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if not math.isfinite(self.value):
            return "none"
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


def tier_pair_accuracy(scores: RealArray, ratings: RealArray) -> float:
    """Share of pairs from different terciles of the rating that the score orders rightly.

    Ties, and pairs in which a score is missing (NaN), count half. NaN where no two ratings lie in
    different terciles. Both arrays are of shape ``(n_items,)``.
    """
    return float(tier_pair_accuracies(scores, ratings, np.ones((1, len(ratings))))[0])


def tier_pair_accuracies(
    scores: RealArray,
    ratings: RealArray,
    weights: RealArray,
    comparable: BoolArray | None = None,
) -> RealArray:
    """Give :func:`tier_pair_accuracy` of many draws of the items at once.

    Parameters
    ----------
    scores, ratings
        Shape ``(n_items,)``; a score may be NaN.
    weights
        How often each item was drawn, shape ``(n_draws, n_items)``.
    comparable
        Which pairs count, shape ``(n_items, n_items)``; None for all.

    Returns
    -------
    Shape ``(n_draws,)``. Cost: some products of ``n_draws x n_items x n_items``.
    """
    tier = tiers(ratings, weights)
    difference = scores[:, None] - scores[None, :]
    right = np.where(difference > 0, 1.0, np.where(difference < 0, 0.0, 0.5))
    counted = np.ones_like(right) if comparable is None else comparable.astype(np.float64)
    low, middle, high = (weights * (tier == index) for index in range(3))

    def total(pairs: RealArray) -> RealArray:
        found: RealArray = ((middle @ pairs) * low).sum(1) + ((high @ pairs) * (low + middle)).sum(
            1
        )
        return found

    n_pairs = total(counted)
    with np.errstate(invalid="ignore"):
        return np.where(
            n_pairs > 0, total(right * counted) / np.where(n_pairs > 0, n_pairs, 1), np.nan
        )


def tiers(ratings: RealArray, weights: RealArray | None = None) -> NDArray[np.int64]:
    """Tercile of each rating: 0 low, 1 middle, 2 high; equal ratings share a tier.

    The bounds are the ratings at positions ``(n - 1) // 3`` and ``2 (n - 1) // 3`` of the sorted
    ones; what is above a bound belongs to the tier above it. (Interpolated terciles part the same
    ratings, but a rounding error could move one.) So many equal ratings can leave a tier empty.

    Parameters
    ----------
    ratings
        Shape ``(n_items,)``, finite.
    weights
        How often each item counts, whole numbers of shape ``(n_draws, n_items)``; None for once.

    Returns
    -------
    Shape ``(n_items,)``, or that of the weights.
    """
    counts = np.ones((1, len(ratings))) if weights is None else weights
    if not len(ratings):
        return np.zeros(len(ratings) if weights is None else counts.shape, dtype=np.int64)
    order = np.argsort(ratings, kind="stable")
    ascending = ratings[order]
    reached = np.cumsum(counts[:, order], axis=1)
    last = reached[:, -1:] - 1
    tier = np.zeros(counts.shape, dtype=np.int64)
    for third in (1, 2):
        position = (reached <= third * last // 3).sum(axis=1)
        bound = ascending[np.minimum(position, len(ratings) - 1)]
        tier += ratings[None, :] > bound[:, None]
    return tier[0] if weights is None else tier


def correlation(scores: RealArray, ratings: RealArray) -> float:
    """Pearson correlation over the items with a score; NaN below three or when all are equal."""
    ok = np.isfinite(scores)
    x, y = scores[ok], ratings[ok]
    if len(x) < 3 or np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
        return math.nan
    return float(np.corrcoef(x, y)[0, 1])


def share_inside(low: RealArray, high: RealArray, ratings: RealArray) -> float:
    """Share of ratings within the intervals, over the items with one; NaN without any."""
    ok = np.isfinite(low) & np.isfinite(high)
    if not ok.any():
        return math.nan
    return float(np.mean((low[ok] <= ratings[ok]) & (ratings[ok] <= high[ok])))


def others_mean(ratings: RealArray) -> RealArray:
    """Mean of the other judges for each rating, ``(n_items, n_judges)`` in and out.

    NaN, which stands for a missing rating, stays out of the means; NaN where nobody else judged.
    """
    given = np.isfinite(ratings)
    filled = np.where(given, ratings, 0.0)
    n_others = given.sum(axis=1, keepdims=True) - given
    total = filled.sum(axis=1, keepdims=True) - filled
    # Sums of the same grades in another order must be equal, or ties would be broken by rounding.
    return np.where(n_others > 0, total / np.maximum(n_others, 1), np.nan).round(9)


def single_judges(ratings: RealArray) -> RealArray:
    """Accuracy of each judge against the mean of the others, ``(n_items, n_judges)`` in.

    Over the items that this judge and somebody else rated; NaN is a missing rating.
    """
    others = others_mean(ratings)
    both = np.isfinite(ratings) & np.isfinite(others)
    return np.array(
        [
            tier_pair_accuracy(ratings[both[:, j], j], others[both[:, j], j])
            for j in range(ratings.shape[1])
        ]
    )


def draw_items(n_items: int, *, seed: int = SEED, n_draws: int = N_DRAWS) -> NDArray[np.int64]:
    """Draw items with replacement, as many as there are: ``(n_draws, n_items)`` of their numbers.

    The seed makes it repeatable.
    """
    return np.random.default_rng(seed).integers(0, n_items, size=(n_draws, n_items))


def estimate(
    statistic: Callable[..., float], *columns: RealArray, seed: int = SEED, n_draws: int = N_DRAWS
) -> Estimate:
    """Give a statistic with the middle 80 % of its bootstrap over the items.

    Items (rows of every column) are drawn together with replacement, as many as there are. Draws
    for which the statistic is not defined are left out. The seed makes it repeatable.

    Raises
    ------
    ValueError
        Without columns, or when their lengths differ.
    """
    if len({len(column) for column in columns}) != 1:
        raise ValueError("give columns of one length")
    value, n = statistic(*columns), len(columns[0])
    if not n or not math.isfinite(value):
        return Estimate(value=math.nan, low=math.nan, high=math.nan)
    draws = np.array(
        [
            statistic(*(column[rows] for column in columns))
            for rows in draw_items(n, seed=seed, n_draws=n_draws)
        ]
    )
    low, high = np.percentile(draws[np.isfinite(draws)], [10.0, 90.0])
    return Estimate(value=value, low=float(low), high=float(high))
