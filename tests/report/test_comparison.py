"""Differences of scores against their intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from singcoach.core.scores import DIMENSIONS, DimensionScore, Scores
from singcoach.report.comparison import certain, compare_scores, margin_points


def score(value: float | None, low: float = 0.0, high: float = 0.0) -> DimensionScore:
    if value is None:
        return DimensionScore(
            score=None, low=None, high=None, head="", encoder=None, reason="too short"
        )
    return DimensionScore(score=value, low=low, high=high, head="", encoder=None)


def scores(overall: DimensionScore, **dimensions: DimensionScore) -> Scores:
    plain = score(3.0, 2.0, 4.0)
    return Scores(
        dimensions={name: dimensions.get(name, plain) for name in DIMENSIONS},
        overall=overall,
        measures={},
        phrases=(),
    )


def test_margin_adds_half_intervals_in_quadrature() -> None:
    margin = margin_points(score(2.0, 1.7, 2.3), score(4.0, 3.6, 4.8))
    assert margin == pytest.approx(math.hypot(0.3, 0.4))


def test_interval_cut_off_by_the_scale_counts_with_its_other_half() -> None:
    # 1.2 with an interval that reaches down to the end of the scale is not known to +-0.2.
    assert margin_points(score(1.1, 1.0, 1.2), score(1.2, 1.0, 2.4)) > 1.2


def test_difference_beyond_the_intervals_is_told_with_its_side() -> None:
    found = compare_scores(
        scores(score(2.0, 1.5, 2.5), breath=score(4.0, 3.8, 4.2)),
        scores(score(4.0, 3.5, 4.5), breath=score(2.0, 1.8, 2.2)),
    )
    assert [d.subject for d in found] == ["overall", *DIMENSIONS]
    by_name = {d.subject: d for d in found}
    assert by_name["overall"].verdict == "higher"
    assert by_name["breath"].verdict == "lower"
    assert by_name["timbre"].verdict == "no_difference"
    assert [d.subject for d in certain(found)] == ["overall", "breath"]


def test_difference_within_the_intervals_is_none() -> None:
    found = compare_scores(scores(score(2.0, 1.0, 3.5)), scores(score(3.0, 1.8, 4.4)))
    assert found[0].verdict == "no_difference"
    assert found[0].change == pytest.approx(1.0)


def test_missing_score_is_unknown_and_never_zero() -> None:
    found = compare_scores(scores(score(None)), scores(score(4.0, 3.5, 4.5)))
    assert found[0].verdict == "unknown"
    assert found[0].change is None
    assert found[0].margin is None


@given(st.floats(1.0, 5.0), st.floats(0.0, 2.0), st.floats(1.0, 5.0), st.floats(0.0, 2.0))
def test_the_verdict_turns_with_the_order(a: float, da: float, b: float, db: float) -> None:
    first = scores(score(a, max(1.0, a - da), min(5.0, a + da)))
    second = scores(score(b, max(1.0, b - db), min(5.0, b + db)))
    there, back = compare_scores(first, second)[0], compare_scores(second, first)[0]
    turned = {"higher": "lower", "lower": "higher"}
    assert turned.get(there.verdict, there.verdict) == back.verdict
    assert there.margin == pytest.approx(back.margin)


def test_chance_alone_exceeds_the_margin_in_about_a_fifth_of_pairs() -> None:
    # Gaussian errors with the half width of an 80 % interval, independent in both takes.
    generator = np.random.default_rng(1)
    half = 0.5
    sigma = half / 1.2816
    a, b = (3.0 + sigma * generator.standard_normal(4000) for _ in range(2))
    exceeded = 0
    for x, y in zip(a, b, strict=True):
        found = compare_scores(
            scores(score(x, x - half, x + half)), scores(score(y, y - half, y + half))
        )
        exceeded += found[0].verdict != "no_difference"
    assert exceeded / 4000 == pytest.approx(0.2, abs=0.03)
