"""A measure over one take as additive statistics, so that seconds can be left out or redrawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from singcoach.core.arrays import RealArray, read_only

Finish = Callable[[RealArray], RealArray]
"""Maps summed statistics ``(n_sums, n_stats)`` to values ``(n_sums,)``, NaN = not measurable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One measure, as what each item (note, phrase) adds to it.

    The value of the whole take is ``finish`` of the sum of all rows. Leaving an item out, or
    drawing phrases with replacement, is a sum over other rows: no audio is looked at again.

    Attributes
    ----------
    name
        Name of the measure.
    starts_s, ends_s
        Span of each item in seconds, ordered by their middles, shape ``(n_items,)``.
    stats
        What each item adds, shape ``(n_items, n_stats)``.
    shown
        The item's own value for people, in the measure's unit (may be signed where the measure
        itself is a size), shape ``(n_items,)``.
    finish
        From summed statistics to values.
    """

    name: str
    starts_s: RealArray
    ends_s: RealArray
    stats: RealArray
    shown: RealArray
    finish: Finish

    @property
    def middles_s(self) -> RealArray:
        """Middles of the items in seconds, ascending, shape ``(n_items,)``."""
        return np.asarray((self.starts_s + self.ends_s) / 2.0)

    def value(self) -> float:
        """Value over the whole take, NaN where it cannot be measured."""
        if not len(self.stats):
            return float("nan")
        return float(self.finish(self.stats.sum(axis=0, keepdims=True))[0])


def make_reading(
    name: str,
    *,
    spans_s: list[tuple[float, float]],
    stats: list[RealArray] | RealArray,
    shown: list[float] | RealArray,
    finish: Finish,
) -> Reading:
    """Return a reading with its items in the order of their middles.

    Parameters
    ----------
    spans_s
        Start and end of each item in seconds.
    stats, shown
        One row and one number for each item.
    """
    if not spans_s:
        empty = np.zeros(0)
        return Reading(
            name=name,
            starts_s=empty,
            ends_s=empty,
            stats=np.zeros((0, 1)),
            shown=empty,
            finish=finish,
        )
    spans = np.asarray(spans_s, dtype=np.float64)
    order = np.argsort(spans.mean(axis=1), kind="stable")
    return Reading(
        name=name,
        starts_s=read_only(spans[order, 0].copy()),
        ends_s=read_only(spans[order, 1].copy()),
        stats=read_only(np.asarray(stats, dtype=np.float64)[order].copy()),
        shown=read_only(np.asarray(shown, dtype=np.float64)[order].copy()),
        finish=finish,
    )


def weighted_mean(sums: RealArray) -> RealArray:
    """Finish for rows of ``(weight, weight * value)``; NaN where no weight is left."""
    weight = sums[:, 0]
    ok = weight > 1e-9
    return np.where(ok, sums[:, 1] / np.where(ok, weight, 1.0), np.nan)


def weighted_spread(sums: RealArray) -> RealArray:
    """Finish for rows of ``(weight, weight * value, weight * value^2, count)``.

    Weighted standard deviation over the items; NaN with fewer than three items.
    """
    weight = np.maximum(sums[:, 0], 1e-9)
    mean = sums[:, 1] / weight
    variance = np.maximum(sums[:, 2] / weight - mean * mean, 0.0)
    return np.where(sums[:, 3] > 2.5, np.sqrt(variance), np.nan)


def histogram_span(
    sums: RealArray, *, low: float, high: float, bin_width: float, least: float
) -> RealArray:
    """Finish for histograms: distance between two quantiles, in the unit of ``bin_width``.

    Parameters
    ----------
    sums
        Histograms, shape ``(n_sums, n_bins)``.
    low, high
        Quantiles in 0..1.
    bin_width
        Width of one bin.
    least
        Total weight below which the span is NaN.
    """
    cumulative = np.cumsum(sums, axis=1)
    total = cumulative[:, -1]
    out = np.full(len(sums), np.nan)
    edges = np.arange(sums.shape[1] + 1, dtype=np.float64)
    for row in np.flatnonzero(total > least):
        share = np.concatenate(([0.0], cumulative[row] / total[row]))
        # np.interp needs ascending x; equal steps are harmless for a distance of quantiles.
        out[row] = bin_width * (np.interp(high, share, edges) - np.interp(low, share, edges))
    return out
