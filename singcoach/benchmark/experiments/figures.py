"""The statistics of the experiments, each with an interval over drawn takes, singers or pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from singcoach.benchmark.experiments.takes import Judged
from singcoach.benchmark.htpr.bootstrap import Bootstrap, Figure, Statistic, to_figure
from singcoach.benchmark.htpr.order import Order, mean_absolute_error, spearman, tier_pairs
from singcoach.core.arrays import RealArray
from singcoach.scoring.heads import all_positions, overall_position, to_score
from singcoach.scoring.specs import Heads
from singcoach.training.examples import MEASURE_NAMES, Example

OVERALL = "overall"
_ALIKE = "the ratings do not differ, or nothing was scored"


def column(judged: Sequence[Judged], name: str, part: str = "value") -> RealArray:
    """Scores (or ``low``, ``high``) of takes by dimension or overall; NaN where there is none."""
    return np.array([getattr(take.ranges[name], part) for take in judged], dtype=np.float64)


def labels(examples: Sequence[Example], *names: str) -> RealArray:
    """Mean of the named ratings of each take, rounded so that equal means are equal."""
    return np.array([np.mean([e.labels[name] for name in names]) for e in examples]).round(9)


def rule_positions(examples: Sequence[Example], heads: Heads) -> dict[str, RealArray]:
    """What the shipped sign-constrained heads say of measures, by dimension and overall."""
    table = np.array([e.measures for e in examples], dtype=np.float64)
    values = {
        name: table[:, place] for place, name in enumerate(MEASURE_NAMES) if name in heads.norms
    }
    positions = all_positions(values, heads)
    found: dict[str, RealArray] = {OVERALL: overall_position(positions, heads)}
    found.update({str(dimension): position for dimension, position in positions.items()})
    return found


def free_scores(examples: Sequence[Example], heads: Heads, name: str) -> RealArray:
    """Scores on 1..5 by the rules without the limits of use: phrases of a few seconds get one."""
    return np.array([to_score(position) for position in rule_positions(examples, heads)[name]])


class Ranked:
    """How well several sets of scores order one set of ratings, on the same draws.

    Parameters
    ----------
    ratings
        Shape ``(n_items,)``, finite.
    groups
        Whole groups are drawn (takes of one singer); None draws takes.
    """

    def __init__(self, ratings: RealArray, groups: Sequence[str] | None = None) -> None:
        self.ratings = ratings
        self.bootstrap = Bootstrap(len(ratings), groups=groups)

    def draws(self, scores: RealArray, order: Order = tier_pairs) -> RealArray:
        """Return a statistic of all takes and of every draw (see :meth:`Bootstrap.draws`)."""
        known = np.isfinite(scores)
        if len(scores) < 3 or not known.any():
            return np.full(self.bootstrap.n_values, np.nan)
        kept = np.ones_like(known) if order is tier_pairs else known
        values = np.where(known, scores, np.nan)
        return self.bootstrap.draws(
            lambda weights: order(values[kept], self.ratings[kept], weights[:, kept])
        )

    def figure(self, draws: RealArray) -> Figure:
        """Turn draws, or differences of draws, into a figure."""
        return to_figure(draws, n_units=self.bootstrap.n_units, undefined=_ALIKE)

    def accuracy(self, scores: RealArray) -> Figure:
        """Tier-pair accuracy; a missing score is half a tie."""
        return self.figure(self.draws(scores))

    def spearman(self, scores: RealArray) -> Figure:
        """Rank correlation over the takes with a score."""
        return self.figure(self.draws(scores, spearman))

    def error(self, scores: RealArray) -> Figure:
        """Mean distance between scores and ratings, both on 1..5."""
        return self.figure(self.draws(scores, mean_absolute_error))

    def gain(self, scores: RealArray, peer: RealArray, order: Order = tier_pairs) -> Figure:
        """How much a statistic of ``scores`` exceeds that of ``peer``, on the same draws."""
        return self.figure(self.draws(scores, order) - self.draws(peer, order))


def mean_figure(values: RealArray, groups: Sequence[str] | None = None) -> Figure:
    """Mean of some values with its interval; missing ones stay out."""
    bootstrap = Bootstrap(len(values), groups=groups)
    return bootstrap.figure(mean_statistic(values), undefined="nothing was measured")


def mean_statistic(values: RealArray) -> Statistic:
    """Weighted mean over the finite values."""
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)

    def statistic(weights: RealArray) -> RealArray:
        count = weights @ known
        return np.where(count > 0, weights @ filled / np.maximum(count, 1.0), np.nan)

    return statistic


def raised(differences: RealArray) -> RealArray:
    """1 where a pair's second take scores higher, 0.5 for a tie, 0 lower; NaN stays."""
    return np.asarray(0.5 + 0.5 * np.sign(differences))


def pairs_of(examples: Sequence[Example]) -> list[tuple[int, int]]:
    """Places of the plain take of a group and of each changed one."""
    plain = {e.group: place for place, e in enumerate(examples) if not e.edit}
    return [
        (plain[e.group], place) for place, e in enumerate(examples) if e.edit and e.group in plain
    ]


def area_under_curve(scores: RealArray, passed: RealArray, weights: RealArray) -> RealArray:
    """Chance that a take that passed scores above one that failed, ties half; per draw.

    Parameters
    ----------
    scores, passed
        Shape ``(n_items,)``; ``passed`` is 0 or 1.
    weights
        How often each take was drawn, shape ``(n_draws, n_items)``.
    """
    order = np.argsort(scores, kind="stable")
    values, good = scores[order], passed[order] > 0.5
    w_good = np.where(good, weights[:, order], 0.0)
    w_bad = np.where(good, 0.0, weights[:, order])
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    good_at = np.add.reduceat(w_good, starts, axis=1)
    bad_at = np.add.reduceat(w_bad, starts, axis=1)
    below = np.cumsum(bad_at, axis=1) - bad_at
    right = (good_at * (below + 0.5 * bad_at)).sum(axis=1)
    total = good_at.sum(axis=1) * bad_at.sum(axis=1)
    return np.where(total > 0, right / np.where(total > 0, total, 1.0), np.nan)


def above_zero(figure: Figure) -> bool:
    """Whether the 95 % interval of a difference lies above 0."""
    return figure.low95 is not None and figure.low95 > 0.0
