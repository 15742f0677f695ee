"""Figures with bootstrap intervals (BCa) over items, or over whole groups of items."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeAlias

import numpy as np

from singcoach.core.arrays import RealArray, read_only
from singcoach.jobs import NO_JOB, Job
from singcoach.scoring.agreement import N_DRAWS, SEED, draw_items

Statistic: TypeAlias = Callable[[RealArray], RealArray]
"""Takes how often each item was drawn, ``(n_draws, n_items)``; gives ``(n_draws,)``."""

_BATCH_WORK = 2e9
"""Most products of one batch of draws, so that a stop is heard within a second."""
_FEWEST_DEFINED = 0.5
"""Share of draws that must define a statistic before its interval is shown."""
_FARTHEST = 0.01
"""Share of draws beyond the value below which the correction is no longer trusted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure with its 80 % and 95 % intervals; None with the reason where not defined."""

    value: float | None
    low80: float | None = None
    high80: float | None = None
    low95: float | None = None
    high95: float | None = None
    reason: str | None = None

    def __str__(self) -> str:
        if self.value is None:
            return "none"
        if self.low80 is None or self.high80 is None:
            return f"{self.value:.2f}"
        return f"{self.value:.2f} ({self.low80:.2f} to {self.high80:.2f})"


class Bootstrap:
    """Repeated draws of the items, the same for every figure of one comparison.

    Parameters
    ----------
    n_items
        Items that may be drawn.
    groups
        Group of each item; whole groups are drawn then, which allows for items that resemble each
        other (takes of one singer). None draws items. The seed decides every draw.
    """

    def __init__(
        self,
        n_items: int,
        *,
        groups: Sequence[str] | None = None,
        seed: int = SEED,
        n_draws: int = N_DRAWS,
    ) -> None:
        self.n_draws = n_draws
        member = np.arange(n_items)
        self.n_units = n_items
        if groups is not None:
            numbers = {name: number for number, name in enumerate(dict.fromkeys(groups))}
            member = np.array([numbers[name] for name in groups], dtype=np.int64)
            self.n_units = len(numbers)
        self.weights: RealArray = np.zeros((n_draws, n_items))
        if n_items:
            rows = draw_items(self.n_units, seed=seed, n_draws=n_draws)
            flat = rows + self.n_units * np.arange(n_draws)[:, None]
            counts = np.bincount(flat.ravel(), minlength=n_draws * self.n_units)
            self.weights = counts.reshape(n_draws, self.n_units)[:, member].astype(np.float64)
        read_only(self.weights)
        self._without_one = (member[None, :] != np.arange(self.n_units)[:, None]).astype(np.float64)

    @property
    def n_values(self) -> int:
        """Length of what :meth:`draws` gives."""
        return 1 + self.n_units + self.n_draws

    def draws(self, statistic: Statistic, job: Job = NO_JOB) -> RealArray:
        """Return the statistic of all items, of all but each unit, and of every draw.

        A unit is an item or a group. Shape ``(1 + n_units + n_draws,)``. What is computed from such
        arrays element by element (a mean over raters, a difference) can be given to
        :func:`to_figure` like a statistic itself.
        """
        n_items = self.weights.shape[1]
        weights = (np.ones((1, n_items)), self._without_one, self.weights)
        step = max(1, int(_BATCH_WORK / max(1, n_items) ** 2))
        found = []
        for rows in weights:
            for start in range(0, len(rows), step):
                job.report(start / len(rows), "intervals")
                found.append(statistic(rows[start : start + step]))
        return np.concatenate(found)

    def figure(self, statistic: Statistic, *, undefined: str, job: Job = NO_JOB) -> Figure:
        """Return a statistic of all items with its intervals.

        Parameters
        ----------
        undefined
            Why the statistic may be NaN, for the reader.
        """
        return to_figure(self.draws(statistic, job), n_units=self.n_units, undefined=undefined)


def to_figure(draws: RealArray, *, n_units: int, undefined: str) -> Figure:
    """Turn a statistic and its draws (see :meth:`Bootstrap.draws`) into a figure.

    The intervals are bias-corrected and accelerated (BCa; Efron 1987, doi
    10.1080/01621459.1987.10478410): drawing items twice makes ties, which shifts every statistic of
    tiers, and the correction takes that back. Where it cannot be told how far (the value lies
    beyond 99 % of its draws), they are plain percentiles.
    """
    draws = draws.round(12)  # the same figure from other sums must count as the same
    value, without_one, drawn = float(draws[0]), draws[1 : 1 + n_units], draws[1 + n_units :]
    known = drawn[np.isfinite(drawn)]
    if not math.isfinite(value):
        return Figure(value=None, reason=undefined)
    if n_units < 3 or len(known) < max(2, _FEWEST_DEFINED * len(drawn)):
        return Figure(value=value, reason="too little to draw an interval from")
    levels = np.array([0.025, 0.1, 0.9, 0.975])
    below = float(np.mean(known < value) + 0.5 * np.mean(known == value))
    if _FARTHEST < below < 1.0 - _FARTHEST:
        levels = _corrected(levels, below, without_one[np.isfinite(without_one)])
    low95, low80, high80, high95 = (float(x) for x in np.quantile(known, levels))
    return Figure(value=value, low80=low80, high80=high80, low95=low95, high95=high95)


def _corrected(levels: RealArray, below: float, without_one: RealArray) -> RealArray:
    """Shift quantile levels by the bias and the skewness of a statistic."""
    normal = NormalDist()
    bias = normal.inv_cdf(below)
    pull = without_one.mean() - without_one if len(without_one) else np.zeros(1)
    size = float((pull**2).sum()) ** 1.5
    skewness = float((pull**3).sum()) / (6.0 * size) if size > 0.0 else 0.0
    shifted = []
    for level in levels:
        z = bias + normal.inv_cdf(float(level))
        shifted.append(normal.cdf(bias + z / max(1.0 - skewness * z, 0.1)))
    return np.array(shifted)
