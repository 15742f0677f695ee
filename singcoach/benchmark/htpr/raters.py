"""How far raters agree with each other: exact and within one, ICC, Krippendorff's alpha.

Every statistic takes ratings of shape ``(n_items, n_raters)`` with NaN for missing cells, and the
weights ``(n_draws, n_items)`` of :mod:`singcoach.benchmark.htpr.bootstrap`; it gives
``(n_draws,)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np

from singcoach.core.arrays import RealArray

Level = Literal["nominal", "ordinal", "interval"]
IccKind = Literal["1,1", "2,1", "2,k"]

_EPSILON = 1e-9
_TINY = 1e-12


def pair_agreement(ratings: RealArray, weights: RealArray, *, within: float = 0.0) -> RealArray:
    """Share of pairs of ratings of one item that differ by no more than ``within``.

    Every pair of raters that rated the same item counts once. In a table without gaps this is the
    mean over the pairs of raters.
    """
    close = np.zeros(len(ratings))
    pairs = np.zeros(len(ratings))
    for first in range(ratings.shape[1] - 1):
        apart = np.abs(ratings[:, first + 1 :] - ratings[:, first : first + 1])
        pairs += np.isfinite(apart).sum(axis=1)
        close += (apart <= within + _EPSILON).sum(axis=1)
    return _ratio(weights @ close, weights @ pairs)


def icc(ratings: RealArray, weights: RealArray, *, kind: IccKind) -> RealArray:
    """Intraclass correlation of Shrout and Fleiss (1979, doi 10.1037/0033-2909.86.2.420).

    ``1,1``: one rating, each item rated by other raters. ``2,1``: one rating, raters drawn from
    many. ``2,k``: the mean of as many ratings as an item has (their harmonic mean where that
    differs).

    Missing cells: the variances of items, raters and error come from Henderson's first method
    (1953, doi 10.2307/3001853), which solves for them from uncorrected sums of squares. Without
    gaps it gives the mean squares of the analysis of variance and so exactly the published
    formulas.
    """
    if kind == "1,1":
        item, error = _one_way(ratings, weights)
        return _ratio(item, item + error)
    item, rater, error = _two_way(ratings, weights)
    given = np.isfinite(ratings).sum(axis=1)
    k = np.ones(len(weights))
    if kind == "2,k":
        counted = weights * (given > 0)
        k = _ratio(counted.sum(axis=1), counted @ (1.0 / np.maximum(given, 1)))
    return _ratio(item, item + (rater + error) / k)


def _one_way(ratings: RealArray, weights: RealArray) -> tuple[RealArray, RealArray]:
    """Variance of the items and of the error, from a one-way analysis of variance with gaps."""
    given = np.isfinite(ratings)
    filled = _centred(ratings)
    k = given.sum(axis=1)
    weights = weights * (k > 0)
    sums = filled.sum(axis=1)
    n_items, n_ratings = weights.sum(axis=1), weights @ k
    total = weights @ (filled**2).sum(axis=1)
    between = weights @ (sums**2 / np.maximum(k, 1))
    whole = _ratio((weights @ sums) ** 2, n_ratings)
    ms_within = _ratio(total - between, n_ratings - n_items)
    ms_between = _ratio(between - whole, n_items - 1)
    k0 = _ratio(n_ratings - _ratio(weights @ k**2, n_ratings), n_items - 1)
    return _ratio(ms_between - ms_within, k0), ms_within


def _two_way(ratings: RealArray, weights: RealArray) -> tuple[RealArray, RealArray, RealArray]:
    """Variances of items, raters and error of the model without interaction."""
    given = np.isfinite(ratings).astype(np.float64)
    filled = _centred(ratings)
    k = given.sum(axis=1)
    weights = weights * (k > 0)
    sums = filled.sum(axis=1)
    n = weights @ k  # ratings
    per_rater, rater_sums = weights @ given, weights @ filled
    rated = per_rater > 0
    items, raters = weights.sum(axis=1), rated.sum(axis=1).astype(np.float64)
    total = weights @ (filled**2).sum(axis=1)
    by_item = weights @ (sums**2 / np.maximum(k, 1))
    by_rater = np.where(rated, rater_sums**2 / np.where(rated, per_rater, 1), 0.0).sum(axis=1)
    whole = _ratio((weights @ sums) ** 2, n)
    # Expectation of each sum of squares less that of the whole, by (item, rater, error) variance.
    a = _ratio(weights @ k**2, n)
    b = _ratio((per_rater**2).sum(axis=1), n)
    system = np.stack(
        [
            np.stack([n - a, n - b, n - 1], axis=-1),
            np.stack([n - a, items - b, items - 1], axis=-1),
            np.stack([raters - a, n - b, raters - 1], axis=-1),
        ],
        axis=-2,
    )
    found = np.stack([total - whole, by_item - whole, by_rater - whole], axis=-1)
    scale = np.maximum(np.abs(system).max(axis=(-1, -2)), 1.0)
    with np.errstate(invalid="ignore"):
        solvable = np.abs(np.linalg.det(system / scale[:, None, None])) > _TINY
    system[~solvable] = np.eye(3)
    solved = np.linalg.solve(system, found[..., None])[..., 0]
    solved[~solvable] = np.nan
    return solved[:, 0], solved[:, 1], solved[:, 2]


def _centred(ratings: RealArray) -> RealArray:
    """Ratings less their mean (sums of squares lose no digits then), zero where missing."""
    given = np.isfinite(ratings)
    mean = ratings[given].mean() if given.any() else 0.0
    return np.where(given, ratings - mean, 0.0)


def alpha(ratings: RealArray, weights: RealArray, *, level: Level) -> RealArray:
    """Krippendorff's alpha: 1 less observed over expected disagreement.

    Items with one rating say nothing and are left out. The ordinal difference of two grades is the
    distance of their mid-ranks among all grades given, so the ordinal alpha is the interval alpha
    of the mid-ranks. NaN where all grades are alike.

    Source: Krippendorff (2011), Computing Krippendorff's Alpha-Reliability.
    """
    given = np.isfinite(ratings)
    m = given.sum(axis=1)
    kept = m > 1
    ratings, given, m, weights = ratings[kept], given[kept], m[kept], weights[:, kept]
    if not len(ratings):
        return np.full(len(weights), np.nan)
    grades, codes = np.unique(ratings[given], return_inverse=True)
    counts = np.zeros((len(ratings), len(grades)))
    np.add.at(counts, (np.nonzero(given)[0], codes), 1.0)
    per_item = weights / (m - 1)
    pooled = weights @ counts
    n = pooled.sum(axis=1)
    if level == "nominal":
        observed = (per_item * (m**2 - (counts**2).sum(axis=1))).sum(axis=1)
        expected = n**2 - (pooled**2).sum(axis=1)
    else:
        values = np.broadcast_to(grades - grades.mean(), pooled.shape)
        if level == "ordinal":
            values = np.cumsum(pooled, axis=1) - 0.5 * pooled
        # sum over ordered pairs of (x - y)^2 = 2 (m sum x^2 - (sum x)^2)
        squares, sums = (values**2) @ counts.T, values @ counts.T
        observed = (per_item * 2.0 * (m * squares - sums**2)).sum(axis=1)
        mean = _ratio((values * pooled).sum(axis=1), n)[:, None]
        expected = 2.0 * n * ((values - mean) ** 2 * pooled).sum(axis=1)
    disagreement = _ratio((n - 1) * observed, expected)
    return np.where(expected > _TINY * np.maximum(n, 1.0), 1.0 - disagreement, np.nan)


RaterStatistic = Callable[[RealArray, RealArray], RealArray]
RATER_STATISTICS: Mapping[str, RaterStatistic] = {
    "exact_agreement": pair_agreement,
    "within_one_agreement": lambda r, w: pair_agreement(r, w, within=1.0),
    "icc_1_1": lambda r, w: icc(r, w, kind="1,1"),
    "icc_2_1": lambda r, w: icc(r, w, kind="2,1"),
    "icc_2_k": lambda r, w: icc(r, w, kind="2,k"),
    "alpha_nominal": lambda r, w: alpha(r, w, level="nominal"),
    "alpha_ordinal": lambda r, w: alpha(r, w, level="ordinal"),
    "alpha_interval": lambda r, w: alpha(r, w, level="interval"),
}
"""Every statistic of the raters by its name in the document."""


def _ratio(numerator: RealArray, denominator: RealArray) -> RealArray:
    positive = denominator > _TINY
    return np.where(positive, numerator / np.where(positive, denominator, 1.0), np.nan)
