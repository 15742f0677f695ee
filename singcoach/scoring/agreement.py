"""How well scores agree with human ratings: order of pairs, correlation, cover, with ranges."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from singcoach.core.arrays import RealArray

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
    low, high = np.quantile(ratings, [1 / 3, 2 / 3])
    tier = (ratings > low).astype(int) + (ratings > high)
    better, worse = np.nonzero(tier[:, None] > tier[None, :])
    if not len(better):
        return math.nan
    difference = scores[better] - scores[worse]
    return float(np.mean(np.where(difference > 0, 1.0, np.where(difference < 0, 0.0, 0.5))))


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


def single_judges(ratings: RealArray) -> RealArray:
    """Accuracy of each judge against the mean of the others, ``(n_items, n_judges)`` in."""
    n_judges = ratings.shape[1]
    others = (ratings.sum(axis=1, keepdims=True) - ratings) / (n_judges - 1)
    # Sums of the same grades in another order must be equal, or ties would be broken by rounding.
    others = others.round(9)
    return np.array([tier_pair_accuracy(ratings[:, j], others[:, j]) for j in range(n_judges)])


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
    generator = np.random.default_rng(seed)
    draws = np.array(
        [
            statistic(*(column[rows] for column in columns))
            for rows in generator.integers(0, n, size=(n_draws, n))
        ]
    )
    low, high = np.percentile(draws[np.isfinite(draws)], [10.0, 90.0])
    return Estimate(value=value, low=float(low), high=float(high))
