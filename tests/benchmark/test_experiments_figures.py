"""Statistics, splits and rules of the experiments, on values whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from singcoach.benchmark.experiments.ablation import passes
from singcoach.benchmark.experiments.corpus import choose
from singcoach.benchmark.experiments.edits import fallen, steps_of
from singcoach.benchmark.experiments.figures import (
    Ranked,
    area_under_curve,
    mean_figure,
    pairs_of,
    raised,
)
from singcoach.benchmark.experiments.groups import group_tunings, group_voices
from singcoach.benchmark.experiments.materials import loose_folds, strict_folds
from singcoach.benchmark.experiments.page import Section, Table, to_json, to_markdown
from singcoach.benchmark.experiments.trained import laid_on
from singcoach.benchmark.htpr.bootstrap import Figure
from singcoach.training.examples import MEASURE_NAMES, Example
from singcoach.training.listening import Labelled


def example(item: str, **values: object) -> Example:
    about: dict[str, object] = {"corpus": "set", "singer": "", "song": "", "labels": {}}
    about |= values
    return Example(
        item=item,
        measures=np.full(len(MEASURE_NAMES), np.nan),
        sequences={},
        **about,  # type: ignore[arg-type]
    )


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 3)), min_size=1, max_size=30
    )
)
def test_area_under_curve_is_the_share_of_pairs(rows: list[tuple[int, bool, int]]) -> None:
    scores = np.array([float(score) for score, _, _ in rows])
    passed = np.array([float(good) for _, good, _ in rows])
    weights = np.array([[float(weight) for _, _, weight in rows]])
    found = area_under_curve(scores, passed, weights)[0]
    right = total = 0.0
    for i in range(len(rows)):
        for j in range(len(rows)):
            if passed[i] and not passed[j]:
                weight = weights[0, i] * weights[0, j]
                total += weight
                right += weight * (0.5 + 0.5 * np.sign(scores[i] - scores[j]))
    if total == 0.0:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(right / total)


def test_gain_over_oneself_is_nothing_and_missing_scores_are_half_ties() -> None:
    ratings = np.arange(12.0)
    ranked = Ranked(ratings)
    assert ranked.gain(ratings, ratings).value == 0.0
    assert ranked.accuracy(ratings).value == 1.0
    assert ranked.accuracy(-ratings).value == 0.0
    assert ranked.accuracy(np.full(12, np.nan)).value is None
    half = np.where(np.arange(12) < 4, np.nan, ratings)
    # 4 low takes without a score: their 64 pairs with other tiers count half, 16 pairs are right.
    assert ranked.accuracy(half).value == pytest.approx((0.5 * 32 + 16) / 48)


def test_mean_figure_leaves_missing_values_out() -> None:
    assert mean_figure(np.array([1.0, np.nan, 3.0])).value == pytest.approx(2.0)
    assert mean_figure(np.array([np.nan, np.nan])).value is None
    assert list(raised(np.array([-2.0, 0.0, 0.1]))) == [0.0, 0.5, 1.0]


def test_pairs_are_changed_takes_with_the_plain_one_of_their_group() -> None:
    takes = [
        example("a", group="1"),
        example("b", group="1", edit="Vibrato"),
        example("c", group="2", edit="Vibrato"),
        example("d", group="1", edit="Breathy"),
    ]
    assert pairs_of(takes) == [(0, 1), (0, 3)]


def test_tunings_join_round_the_semitone() -> None:
    assert group_tunings(np.array([48.0, -49.0, 5.0, 4.0, -31.0])) == [1, 1, 2, 2, 3]
    assert len(set(group_tunings(np.array([np.nan, np.nan, 3.0])))) == 3


def test_voices_with_like_spectra_join() -> None:
    generator = np.random.default_rng(0)
    voices = generator.normal(0.0, 10.0, size=(4, 40))
    clips = np.repeat(voices, 3, axis=0) + generator.normal(0.0, 0.5, size=(12, 40))
    assert group_voices(clips) == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]
    assert group_voices(clips[:1]) == [1]


def test_strict_folds_share_neither_song_nor_singer_and_test_every_clip_once() -> None:
    clips = [
        example(f"{song}{singer}{n}", song=song, singer=singer)
        for song in ("x", "y")
        for singer in ("a", "b", "c", "d")
        for n in range(2)
    ]
    tested: list[int] = []
    for train, test in strict_folds(clips):
        assert train
        assert test
        assert not {clips[p].song for p in train} & {clips[p].song for p in test}
        assert not {clips[p].singer for p in train} & {clips[p].singer for p in test}
        tested += test
    assert sorted(tested) == list(range(len(clips)))
    loose = loose_folds(clips)
    assert sorted(place for _, test in loose for place in test) == list(range(len(clips)))
    assert all(not set(train) & set(test) for train, test in loose)


def test_scores_are_laid_on_ratings_without_turning_the_order() -> None:
    seen, ratings = np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0])
    assert laid_on(np.array([0.5, 3.0]), seen, ratings) == pytest.approx([2.0, 7.0])
    backwards = laid_on(np.array([0.0, 1.0]), seen, ratings[::-1])
    assert backwards[1] > backwards[0]
    assert laid_on(np.array([9.0]), np.full(3, 1.0), ratings) == pytest.approx([3.0])


def test_whole_groups_are_chosen_held_out_singers_first() -> None:
    from pathlib import Path

    rows = [
        Labelled(
            item=f"{singer}{group}{n}",
            file=Path("x"),
            labels={},
            singer=singer,
            group=f"{singer}{group}",
        )
        for singer in ("taught", "out")
        for group in range(2)
        for n in range(3)
    ]
    splits = {one.item: "held-out" if one.singer == "out" else "train" for one in rows}
    chosen = choose(rows, splits, most=5)
    assert [one.group for one in chosen] == ["out0"] * 3 + ["taught0"] * 3
    assert len(choose(rows, splits, most=100)) == 12


def figure(value: float, low: float) -> Figure:
    return Figure(value=value, low80=low, high80=1.0, low95=low, high95=1.0)


def test_a_head_passes_that_wins_somewhere_and_loses_nowhere() -> None:
    assert passes([figure(0.1, 0.02), figure(0.0, -0.2)])
    assert not passes([figure(0.1, 0.02), figure(-0.01, -0.2)])
    assert not passes([figure(0.1, -0.02)])
    assert not passes([Figure(value=None, reason="nothing")])


def test_edits_are_held_against_the_neutral_take_of_their_group() -> None:
    takes = [
        example("o", group="1", singer="s"),
        example("n", group="1", singer="s", edit="neutral"),
        example("e", group="1", singer="s", edit="breaks", severity=1.0),
        example("p", group="2", singer="t"),
        example("f", group="2", singer="t", edit="breaks", severity=0.5),
    ]
    steps = steps_of(takes)
    assert [(step.plain, step.edited) for step in steps] == [(1, 2), (3, 4)]
    assert fallen(np.array([9.0, 3.0, 2.0, 1.0, 1.0]), steps).value == pytest.approx(0.75)


def test_page_shows_figures_with_intervals_and_json_knows_no_nan() -> None:
    table = Table(title="T", head=("a", "b"), rows=((figure(0.5, 0.25), float("nan")),), note="N")
    section = Section(
        name="x",
        title="Title",
        question="Why?",
        tables=(table,),
        findings=("Found.",),
        limits=("Unknown.",),
    )
    page = to_markdown([section], command="do it")
    assert "| 0.50 (0.25 to 1.00) | none |" in page
    for said in ("- Found.", "- Unknown.", "`do it`"):
        assert said in page
    assert "NaN" not in to_json([section])
    with pytest.raises(ValueError, match="2 cells under 1 heads"):
        Table(title="T", head=("a",), rows=(("x", "y"),))
