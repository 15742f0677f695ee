"""One dimension: the scores and every single rater against what people mean, side by side."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from singcoach.benchmark.htpr.bootstrap import Bootstrap, Figure, to_figure
from singcoach.benchmark.htpr.order import ORDERS, Order, tier_pairs
from singcoach.benchmark.htpr.raters import RATER_STATISTICS
from singcoach.benchmark.htpr.ratings import RatingTable
from singcoach.benchmark.htpr.signatures import Spread, find_spread
from singcoach.core.arrays import BoolArray, RealArray
from singcoach.jobs import NO_JOB, Job
from singcoach.scoring.agreement import others_mean, tiers

FEWEST_ITEMS = 3
FEWEST_PER_RATER = 5
"""Items that a rater must share with others to count in the ceiling."""

SCORE_LOW, SCORE_HIGH = 1.0, 5.0

_FEW = f"fewer than {FEWEST_ITEMS} items"
_ALIKE = "the ratings do not differ enough to part them into tiers"
_EQUAL = "all ratings or all scores are alike, or too few"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The ends of the rating scale, which are laid on 1 and 5."""

    low: float
    high: float

    def to_score(self, ratings: RealArray) -> RealArray:
        """Lay ratings on the scale of the scores; NaN when the scale has no extent."""
        if self.high <= self.low:
            return np.full_like(ratings, np.nan)
        share = (ratings - self.low) / (self.high - self.low)
        return SCORE_LOW + (SCORE_HIGH - SCORE_LOW) * share


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiers:
    """How many items each tercile of the mean rating holds, and the ratings that part them."""

    low: int
    middle: int
    high: int
    low_up_to: float
    middle_up_to: float
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """Single raters against the mean of the others: their mean, and what they are made of."""

    n_raters: int
    n_raters_left_out: int
    figures: Mapping[str, Figure]
    worst_tier_pair_accuracy: float | None
    best_tier_pair_accuracy: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WithinGroups:
    """Tier-pair accuracy over pairs within one group (song) only."""

    column: str
    n_groups: int
    model: Figure
    human: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Everything about one dimension of the ratings.

    Attributes
    ----------
    score
        The score that was held against the ratings; None when there is none of that name.
    model, human, difference
        By the names of :data:`singcoach.benchmark.htpr.order.ORDERS`; ``difference`` is the score
        less the mean single rater, on the same draws.
    coverage80
        Share of mean ratings (laid on 1..5) within the scores' own 80 % intervals.
    """

    dimension: str
    score: str | None
    reason: str | None
    n_items: int
    n_scored: int
    n_raters: int
    tiers: Tiers
    model: Mapping[str, Figure]
    human: Ceiling
    difference: Mapping[str, Figure]
    within: WithinGroups | None
    coverage80: Figure
    agreement: Mapping[str, Figure]
    spread_model: Spread | None
    spread_human: Spread | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One score of every item of a rating table; NaN where there is none."""

    name: str | None
    value: RealArray
    low: RealArray
    high: RealArray
    reason: str | None = None


def compare(
    table: RatingTable,
    column: Column,
    *,
    scale: Scale,
    bootstrap: Bootstrap,
    within: tuple[str, Sequence[str]] | None = None,
    job: Job = NO_JOB,
) -> Comparison:
    """Compare one score, and every rater, with the mean ratings of one dimension.

    Parameters
    ----------
    column
        The scores in the order of the table's items.
    bootstrap
        Draws of the table's items.
    within
        Name of a grouping and the group of each item.
    """
    means = table.means
    model_draws = _model_draws(column, means, scale, bootstrap, job.part(0.0, 0.2))
    human_draws, single = _human_draws(table, scale, bootstrap, None, job.part(0.2, 0.7))
    units = bootstrap.n_units
    few = _few(table, column)
    no_judges = (
        "needs two raters or more"
        if table.scores.shape[1] < 2
        else f"no rater shares {FEWEST_PER_RATER} items with others, or their ratings are alike"
    )
    n_judging = int(np.isfinite(single).sum())
    return Comparison(
        dimension=table.dimension,
        score=column.name,
        reason=column.reason,
        n_items=len(table.items),
        n_scored=int(np.isfinite(column.value).sum()),
        n_raters=len(table.raters),
        tiers=_tiers(means),
        model={
            name: to_figure(draws, n_units=units, undefined=few or _undefined(name))
            for name, draws in model_draws.items()
        },
        human=Ceiling(
            n_raters=n_judging,
            n_raters_left_out=len(table.raters) - n_judging,
            figures={
                name: to_figure(draws, n_units=units, undefined=no_judges)
                for name, draws in human_draws.items()
            },
            worst_tier_pair_accuracy=float(np.nanmin(single)) if n_judging else None,
            best_tier_pair_accuracy=float(np.nanmax(single)) if n_judging else None,
        ),
        difference={
            name: to_figure(
                model_draws[name] - human_draws[name],
                n_units=units,
                undefined="one of the two is not known",
            )
            for name in ORDERS
        },
        within=None
        if within is None
        else _within(table, column, scale, bootstrap, within, job.part(0.7, 0.9)),
        coverage80=_coverage(column, scale.to_score(means), bootstrap),
        agreement=_agreement(table, bootstrap, job.part(0.9, 1.0)),
        spread_model=find_spread(column.value),
        spread_human=find_spread(scale.to_score(means)),
    )


def _few(table: RatingTable, column: Column) -> str | None:
    if column.name is None:
        return column.reason
    if len(table.items) < FEWEST_ITEMS:
        return _FEW
    if not np.isfinite(column.value).any():
        return "no item has a score"
    return None


def _undefined(name: str) -> str:
    if name == "tier_pair_accuracy":
        return _ALIKE
    return "the ratings have no extent" if name == "mae" else _EQUAL


def _tiers(means: RealArray) -> Tiers:
    found = tiers(means)
    sizes = [int((found == tier).sum()) for tier in range(3)]
    ascending = np.sort(means)
    note = None
    if len(means) < FEWEST_ITEMS:
        note = _FEW
    elif sum(size > 0 for size in sizes) < 2:
        note = _ALIKE
    elif 0 in sizes:
        note = "so many equal ratings that one tier is empty"
    elif max(sizes) > 1.5 * min(sizes):
        note = "equal ratings share a tier, so the tiers differ in size"
    last = len(means) - 1
    return Tiers(
        low=sizes[0],
        middle=sizes[1],
        high=sizes[2],
        low_up_to=float(ascending[last // 3]),
        middle_up_to=float(ascending[2 * last // 3]),
        note=note,
    )


def _model_draws(
    column: Column, means: RealArray, scale: Scale, bootstrap: Bootstrap, job: Job
) -> dict[str, RealArray]:
    known = np.isfinite(column.value)
    draws = {}
    for index, (name, order) in enumerate(ORDERS.items()):
        if len(means) < FEWEST_ITEMS or not known.any():
            draws[name] = np.full(bootstrap.n_values, np.nan)
            continue
        # A missing score is half a tie in a pair; every other figure is over the scored items.
        kept = np.ones_like(known) if order is tier_pairs else known
        ratings = scale.to_score(means) if name == "mae" else means
        draws[name] = bootstrap.draws(
            _bound(order, column.value, ratings, kept),
            job.part(index / len(ORDERS), (index + 1) / len(ORDERS)),
        )
    return draws


def _bound(
    order: Order, scores: RealArray, ratings: RealArray, kept: BoolArray
) -> Callable[[RealArray], RealArray]:
    return lambda weights: order(scores[kept], ratings[kept], weights[:, kept])


def _human_draws(
    table: RatingTable,
    scale: Scale,
    bootstrap: Bootstrap,
    comparable: BoolArray | None,
    job: Job,
) -> tuple[dict[str, RealArray], RealArray]:
    """Draws of each figure averaged over the raters, and the accuracy of each rater (NaN: none)."""
    others = others_mean(table.scores)
    both = np.isfinite(table.scores) & np.isfinite(others)
    judges = np.flatnonzero(both.sum(axis=0) >= FEWEST_PER_RATER)
    single = np.full(len(table.raters), np.nan)
    orders = ORDERS if comparable is None else {"tier_pair_accuracy": tier_pairs}
    draws: dict[str, RealArray] = {}
    for index, (name, order) in enumerate(orders.items()):
        per_judge = []
        for number, judge in enumerate(judges):
            job.report((index + number / len(judges)) / len(orders), "single raters")
            kept = both[:, judge]
            own, rest = table.scores[:, judge], others[:, judge]
            if name == "mae":
                own, rest = scale.to_score(own), scale.to_score(rest)
            if comparable is not None:
                statistic = _bound_within(own, rest, kept, comparable)
            else:
                statistic = _bound(order, own, rest, kept)
            per_judge.append(bootstrap.draws(statistic, job.aside()))
            if order is tier_pairs:
                single[judge] = per_judge[-1][0]
        draws[name] = _mean_of_known(per_judge, bootstrap.n_values)
    return draws, single


def _bound_within(
    scores: RealArray, ratings: RealArray, kept: BoolArray, comparable: BoolArray
) -> Callable[[RealArray], RealArray]:
    pairs = comparable[np.ix_(kept, kept)]
    return lambda weights: tier_pairs(scores[kept], ratings[kept], weights[:, kept], pairs)


def _mean_of_known(rows: Sequence[RealArray], length: int) -> RealArray:
    if not rows:
        return np.full(length, np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a draw that no judge can be held against
        found: RealArray = np.nanmean(np.stack(rows), axis=0)
    return found


def _within(
    table: RatingTable,
    column: Column,
    scale: Scale,
    bootstrap: Bootstrap,
    within: tuple[str, Sequence[str]],
    job: Job,
) -> WithinGroups:
    name, groups = within
    codes = np.unique(np.array(groups), return_inverse=True)[1]
    comparable = codes[:, None] == codes[None, :]
    few = _few(table, column)
    alike = f"no two items of one {name} lie in different tiers"
    everything = np.ones(len(table.items), dtype=bool)
    if few is None:
        model = bootstrap.figure(
            _bound_within(column.value, table.means, everything, comparable), undefined=alike
        )
    else:
        model = Figure(value=None, reason=few)
    human, _ = _human_draws(table, scale, bootstrap, comparable, job)
    return WithinGroups(
        column=name,
        n_groups=len(set(groups)),
        model=model,
        human=to_figure(
            human["tier_pair_accuracy"],
            n_units=bootstrap.n_units,
            undefined="too few raters or pairs",
        ),
    )


def _coverage(column: Column, means: RealArray, bootstrap: Bootstrap) -> Figure:
    known = np.isfinite(column.low) & np.isfinite(column.high) & np.isfinite(means)
    if not known.any():
        return Figure(value=None, reason="the scores have no intervals, or the ratings no extent")
    inside = ((column.low <= means) & (means <= column.high) & known).astype(np.float64)

    def share(weights: RealArray) -> RealArray:
        n_known = weights @ known
        return np.where(n_known > 0, weights @ inside / np.maximum(n_known, 1.0), np.nan)

    return bootstrap.figure(share, undefined="no item has an interval")


def _agreement(table: RatingTable, bootstrap: Bootstrap, job: Job) -> dict[str, Figure]:
    several = len(table.raters) > 1
    alike = "no two raters rated the same item, or all ratings are alike"
    found = {}
    for index, (name, statistic) in enumerate(RATER_STATISTICS.items()):
        job.report(index / len(RATER_STATISTICS), "agreement of the raters")
        if several:
            found[name] = bootstrap.figure(
                lambda weights, statistic=statistic: statistic(table.scores, weights),  # type: ignore[misc]
                undefined=alike,
                job=job.aside(),
            )
        else:
            found[name] = Figure(value=None, reason="needs two raters or more")
    return found
