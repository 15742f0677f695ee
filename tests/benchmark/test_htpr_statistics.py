"""The statistics of the benchmark on published examples and against independent referees."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from singcoach.benchmark.htpr.bootstrap import Bootstrap, to_figure
from singcoach.benchmark.htpr.order import ORDERS, kendall, spearman, three_tier_accuracy
from singcoach.benchmark.htpr.raters import RATER_STATISTICS, Level, alpha, icc, pair_agreement
from singcoach.benchmark.htpr.signatures import find_crop_spread, find_spread
from singcoach.core.arrays import RealArray
from singcoach.scoring.agreement import single_judges, tier_pair_accuracies, tiers

# Shrout & Fleiss (1979), table 2: 6 targets, 4 judges. Table 4 gives the correlations below.
SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]],
    dtype=np.float64,
)
_ = math.nan
# Krippendorff (2011), section E: 12 units, 4 observers, values 1..5, with missing cells.
KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
        [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
    ]
).T


def once(values: RealArray) -> RealArray:
    return np.ones((1, len(values)))


@pytest.mark.parametrize(("kind", "published"), [("1,1", 0.17), ("2,1", 0.29), ("2,k", 0.62)])
def test_the_correlations_of_shrout_and_fleiss(kind: str, published: float) -> None:
    found = icc(SHROUT_FLEISS, once(SHROUT_FLEISS), kind=kind)[0]
    assert round(found, 2) == published


@pytest.mark.parametrize(
    ("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_the_alphas_of_krippendorff(level: Level, published: float) -> None:
    assert round(alpha(KRIPPENDORFF, once(KRIPPENDORFF), level=level)[0], 3) == published


def test_a_second_example_of_krippendorff_two_observers() -> None:
    # Krippendorff (2011), sections A and C: binary data 0.095; nominal data of letters a..e 0.692.
    binary = np.array([[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]]).T * 1.0
    letters = np.array([[0, 0, 1, 1, 3, 2, 2, 2, 4, 3, 3, 0], [1, 0, 1, 1, 1, 2, 2, 2, 4, 3, 3, 3]])
    assert round(alpha(binary, once(binary), level="nominal")[0], 3) == 0.095
    assert round(alpha(letters.T * 1.0, once(letters.T), level="nominal")[0], 3) == 0.692


def coincidence_alpha(ratings: RealArray, level: Level) -> float:
    """Alpha by its definition, value by value: the referee."""
    units = [row[np.isfinite(row)] for row in ratings]
    units = [unit for unit in units if len(unit) > 1]
    values = sorted({v for unit in units for v in unit})
    together = dict.fromkeys(itertools.product(values, values), 0.0)
    for unit in units:
        for i, j in itertools.permutations(range(len(unit)), 2):
            together[unit[i], unit[j]] += 1.0 / (len(unit) - 1)
    totals = {c: sum(together[c, k] for k in values) for c in values}
    n = sum(totals.values())

    def distance(c: float, k: float) -> float:
        if level == "nominal":
            return float(c != k)
        if level == "interval":
            return (c - k) ** 2
        low, high = min(c, k), max(c, k)
        between = sum(totals[g] for g in values if low <= g <= high)
        return (between - (totals[c] + totals[k]) / 2) ** 2

    observed = sum(together[c, k] * distance(c, k) for c, k in together) / n
    expected = sum(totals[c] * totals[k] * distance(c, k) for c, k in together) / (n * (n - 1))
    return 1.0 - observed / expected if expected else math.nan


ratings_with_gaps = st.integers(0, 2**32 - 1).map(
    lambda seed: _make_ratings(np.random.default_rng(seed))
)


def _make_ratings(generator: np.random.Generator) -> RealArray:
    shape = (int(generator.integers(3, 12)), int(generator.integers(2, 6)))
    ratings = generator.integers(1, 6, shape) / generator.integers(1, 3)
    ratings[generator.random(shape) < generator.random() * 0.5] = np.nan
    return ratings


@settings(deadline=None, max_examples=60)
@given(ratings_with_gaps)
def test_alpha_is_what_its_definition_says(ratings: RealArray) -> None:
    if not (np.isfinite(ratings).sum(axis=1) > 1).any():
        return
    for level in ("nominal", "ordinal", "interval"):
        expected = coincidence_alpha(ratings, level)
        found = alpha(ratings, once(ratings), level=level)[0]
        assert found == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_alpha_and_icc_do_not_depend_on_the_scale_of_the_grades() -> None:
    for level in ("ordinal", "interval"):
        stretched = alpha(30.0 * KRIPPENDORFF - 7.0, once(KRIPPENDORFF), level=level)
        assert stretched == pytest.approx(alpha(KRIPPENDORFF, once(KRIPPENDORFF), level=level))
    for kind in ("1,1", "2,1", "2,k"):
        stretched = icc(30.0 * SHROUT_FLEISS + 1e6, once(SHROUT_FLEISS), kind=kind)
        assert stretched == pytest.approx(icc(SHROUT_FLEISS, once(SHROUT_FLEISS), kind=kind))


def test_icc_with_gaps_finds_the_variances_that_made_the_table() -> None:
    generator = np.random.default_rng(5)
    n, k = 1500, 12
    table = (
        generator.normal(0, 2.0, (n, 1))
        + generator.normal(0, 1.0, (1, k))
        + generator.normal(0, 1.5, (n, k))
    )
    raters_sd2 = table.mean(axis=0).var(ddof=1)  # of the twelve raters that were drawn
    table[generator.random(table.shape) < 0.6] = np.nan
    expected = 4.0 / (4.0 + raters_sd2 + 2.25)
    assert icc(table, once(table), kind="2,1")[0] == pytest.approx(expected, abs=0.02)
    complete = np.isfinite(table).sum(axis=1)
    k0 = (complete > 0).sum() / (1.0 / complete[complete > 0]).sum()
    expected = 4.0 / (4.0 + (raters_sd2 + 2.25) / k0)
    assert icc(table, once(table), kind="2,k")[0] == pytest.approx(expected, abs=0.02)


def test_a_few_gaps_move_icc_little_and_an_unrated_item_not_at_all() -> None:
    generator = np.random.default_rng(1)
    table = generator.normal(0, 1, (40, 1)) + generator.normal(0, 0.7, (40, 5))
    full = {k: icc(table, once(table), kind=k)[0] for k in ("1,1", "2,1", "2,k")}
    gaps = table.copy()
    gaps[::8, 2] = np.nan
    unrated = np.vstack([table, np.full((1, 5), np.nan)])
    for kind, value in full.items():
        assert icc(gaps, once(gaps), kind=kind)[0] == pytest.approx(value, abs=0.03)
        assert icc(unrated, once(unrated), kind=kind)[0] == pytest.approx(value)


def test_agreement_counts_every_pair_of_ratings_once() -> None:
    table = np.array([[1.0, 1.0, 2.0], [3.0, _, 3.0], [4.0, _, _], [1.0, 3.0, 2.0]])
    assert pair_agreement(table, once(table))[0] == pytest.approx(2 / 7)
    assert pair_agreement(table, once(table), within=1.0)[0] == pytest.approx(6 / 7)
    alone = np.array([[1.0, _], [_, 2.0]])
    assert math.isnan(pair_agreement(alone, once(alone))[0])


def test_grades_all_alike_or_a_single_rater_give_nothing() -> None:
    same, single = np.full((5, 3), 2.0), np.arange(5.0)[:, None]
    for name in ("icc_1_1", "icc_2_1", "icc_2_k", "alpha_nominal", "alpha_ordinal"):
        assert math.isnan(RATER_STATISTICS[name](same, once(same))[0]), name
        assert math.isnan(RATER_STATISTICS[name](single, once(single))[0]), name


REFEREES = {
    "spearman": lambda x, y: stats.spearmanr(x, y).statistic,
    "kendall": lambda x, y: stats.kendalltau(x, y).statistic,
    "pearson": lambda x, y: stats.pearsonr(x, y).statistic,
    "mae": lambda x, y: float(np.abs(x - y).mean()),
}


@pytest.mark.parametrize("name", REFEREES)
def test_orders_agree_with_scipy_on_every_draw(name: str) -> None:
    generator = np.random.default_rng(0)
    x = generator.integers(0, 9, 30) / 2.0
    y = x + generator.normal(0, 2, 30).round()
    bootstrap = Bootstrap(30, n_draws=60)
    found = bootstrap.draws(lambda w: ORDERS[name](x, y, w))
    rows = [np.arange(30)]
    rows += [np.delete(np.arange(30), left_out) for left_out in range(30)]
    rows += [np.repeat(np.arange(30), w.astype(int)) for w in bootstrap.weights]
    expected = [REFEREES[name](x[row], y[row]) for row in rows]
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", [*ORDERS, *RATER_STATISTICS])
def test_weights_give_what_repeated_rows_give(name: str) -> None:
    generator = np.random.default_rng(2)
    x = generator.integers(1, 9, 14) / 2.0
    table = generator.integers(1, 5, (14, 4)).astype(np.float64)
    table[generator.random(table.shape) < 0.2] = np.nan
    for weights in Bootstrap(14, n_draws=25).weights:
        row = np.repeat(np.arange(14), weights.astype(int))
        if name in ORDERS:
            y = np.nanmean(table, axis=1)
            weighted = ORDERS[name](x, y, weights[None])
            repeated = ORDERS[name](x[row], y[row], once(row))
        else:
            weighted = RATER_STATISTICS[name](table, weights[None])
            repeated = RATER_STATISTICS[name](table[row], once(row))
        assert weighted == pytest.approx(repeated, nan_ok=True)


def test_equal_scores_have_no_correlation_and_no_tiers() -> None:
    x, y = np.full(6, 3.3), np.arange(6.0)
    for order in (spearman, kendall, ORDERS["pearson"], three_tier_accuracy):
        assert math.isnan(order(x, y, once(x))[0])
        assert math.isnan(order(y, x, once(x))[0])
    assert tier_pair_accuracies(x, y, once(x))[0] == 0.5


def test_three_tiers_are_right_upside_down_and_shared() -> None:
    y = np.arange(9.0)
    assert three_tier_accuracy(y, y, once(y))[0] == 1.0
    assert three_tier_accuracy(-y, y, once(y))[0] == pytest.approx(3 / 9)
    swapped = y[[0, 1, 3, 2, 4, 5, 6, 7, 8]]
    assert three_tier_accuracy(swapped, y, once(y))[0] == pytest.approx(7 / 9)


def test_tiers_are_terciles_and_equal_ratings_share_one() -> None:
    assert tiers(np.array([5.0, 1.0, 3.0])).tolist() == [2, 0, 1]
    assert tiers(np.arange(7.0)).tolist() == [0, 0, 0, 1, 1, 2, 2]
    assert tiers(np.array([1.0, 1.0, 1.0, 1.0, 2.0, 3.0])).tolist() == [0, 0, 0, 0, 2, 2]
    assert tiers(np.array([1.0, 1.0, 1.0])).tolist() == [0, 0, 0]
    assert tiers(np.zeros(0)).tolist() == []
    # Where interpolated terciles would be rounded to the wrong side of a rating.
    for n in range(3, 200):
        sizes = np.bincount(tiers(np.arange(float(n))), minlength=3)
        assert sizes.sum() == n
        assert sizes.max() - sizes.min() <= 2


def test_only_comparable_pairs_count() -> None:
    ratings = np.array([1.0, 2.0, 3.0, 1.0, 2.0, 3.0])
    scores = np.array([1.0, 2.0, 3.0, 9.0, 8.0, 7.0])
    song = np.array([0, 0, 0, 1, 1, 1])
    within = song[:, None] == song[None, :]
    assert tier_pair_accuracies(scores, ratings, once(scores), within)[0] == 0.5
    first = within & (song[:, None] == 0)
    assert tier_pair_accuracies(scores, ratings, once(scores), first)[0] == 1.0
    none = np.eye(6, dtype=bool)
    assert math.isnan(tier_pair_accuracies(scores, ratings, once(scores), none)[0])


def test_judges_with_gaps_are_held_against_those_who_judged_the_same() -> None:
    good = np.arange(9.0)
    table = np.stack([good, good, good], axis=1)
    table[:3, 0] = np.nan
    table[4, 1:] = np.nan  # nobody else judged this one
    assert single_judges(table).tolist() == [1.0, 1.0, 1.0]


def test_bootstrap_draws_whole_groups_and_repeats() -> None:
    groups = ["a", "a", "b", "c", "c", "c"]
    first, second = (Bootstrap(6, groups=groups, n_draws=200) for _ in range(2))
    assert np.array_equal(first.weights, second.weights)
    assert (first.weights[:, 0] == first.weights[:, 1]).all()
    assert (first.weights[:, 3] == first.weights[:, 5]).all()
    assert (first.weights[:, [0, 2, 3]].sum(axis=1) == 3).all()
    assert not np.array_equal(
        first.weights, Bootstrap(6, groups=groups, n_draws=200, seed=1).weights
    )


def test_an_interval_has_the_width_of_theory_and_a_reason_where_there_is_none() -> None:
    column = np.random.default_rng(3).standard_normal(400)
    figure = Bootstrap(400).figure(lambda w: w @ column / w.sum(axis=1), undefined="no")
    se = column.std() / 20.0
    assert figure.low80 is not None
    assert figure.low95 is not None
    assert figure.value is not None
    assert figure.value - figure.low80 == pytest.approx(1.28 * se, rel=0.12)
    assert figure.value - figure.low95 == pytest.approx(1.96 * se, rel=0.12)
    unknown = to_figure(np.full(12, np.nan), n_units=9, undefined="not rated")
    assert (unknown.value, unknown.reason) == (None, "not rated")
    tiny = to_figure(np.array([1.0, 1.0, 2.0, 1.0, 2.0]), n_units=2, undefined="no")
    assert (tiny.value, tiny.low80) == (1.0, None)
    assert tiny.reason


@pytest.mark.parametrize("name", ["tier_pair_accuracy", "spearman"])
def test_intervals_hold_the_truth_as_often_as_they_say(name: str) -> None:
    # The truth is the mean over many large sets from the same singers. 150 sets: 3 sd are 0.10.
    generator = np.random.default_rng(0)
    statistic = ORDERS[name]

    def make(n: int) -> tuple[RealArray, RealArray]:
        ratings = generator.normal(size=n)
        return ratings + 0.9 * generator.normal(size=n), ratings

    truth = float(np.mean([statistic(*make(1000), np.ones((1, 1000)))[0] for _ in range(10)]))
    inside = 0
    for seed in range(150):
        scores, ratings = make(30)
        figure = Bootstrap(30, seed=seed, n_draws=400).figure(
            lambda w, s=scores, r=ratings: statistic(s, r, w), undefined="no"
        )
        assert figure.low80 is not None
        assert figure.high80 is not None
        inside += figure.low80 <= truth <= figure.high80
    assert 0.70 <= inside / 150 <= 0.90


def test_an_interval_takes_back_the_shift_of_its_draws() -> None:
    # The draws lie half a deviation above the value: the corrected interval lies half a deviation
    # below it. Where nearly all draws lie on one side it is left as it is.
    generator = np.random.default_rng(1)
    column = generator.normal(0, 1, 2000)
    plain = to_figure(np.concatenate([[0.0], np.zeros(9), column]), n_units=9, undefined="no")
    moved = to_figure(np.concatenate([[0.0], np.zeros(9), column + 0.5]), n_units=9, undefined="no")
    far = to_figure(np.concatenate([[0.0], np.zeros(9), column + 9]), n_units=9, undefined="no")
    assert plain.low80 == pytest.approx(-1.28, abs=0.1)
    assert moved.low80 == pytest.approx(-0.5 - 1.28, abs=0.15)
    assert far.low80 == pytest.approx(9 - 1.28, abs=0.1)


def test_spread_tells_a_cluster_from_the_whole_scale() -> None:
    spread = find_spread(np.array([1.0, 2.0, 3.0, 4.0, 5.0, np.nan]))
    assert spread is not None
    assert spread.n == 5
    assert spread.share_in_middle == pytest.approx(0.6)
    assert spread.sd == pytest.approx(math.sqrt(2.5))
    assert spread.histogram == (1, 0, 1, 0, 1, 0, 1, 1)
    assert find_spread(np.array([np.nan])) is None


def test_crops_that_scatter_are_told_from_crops_that_agree() -> None:
    whole = {"a": 1.0, "b": 3.0, "c": 5.0, "short": 2.0}
    ratings = {"a": 1.0, "b": 2.0, "c": 3.0}
    steady = find_crop_spread(whole, {k: [v, v] for k, v in whole.items() if k in ratings}, ratings)
    assert (steady.sd_within, steady.variance_ratio, steady.mean_absolute_change) == (0.0, 0.0, 0.0)
    assert (steady.accuracy_whole, steady.accuracy_crop) == (1.0, 1.0)
    wild = find_crop_spread(whole, {"a": [5.0, 1.0], "b": [3.0, 3.0], "c": [1.0, 5.0]}, ratings)
    assert wild.variance_ratio == pytest.approx((8 + 0 + 8) / 3 / 4.0)
    assert (wild.accuracy_whole, wild.accuracy_crop) == (1.0, 0.5)
    assert wild.mean_absolute_change == pytest.approx(8 / 6)
    gone = find_crop_spread(whole, {"a": [1.0, math.nan]}, ratings)
    assert (gone.n_recordings, gone.n_crops_without_score, gone.sd_within) == (0, 1, None)
