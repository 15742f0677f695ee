"""A curve that only wavers is not called a change; one that rises is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from library_documents import document

from singcoach.library.store import Library
from singcoach.library.trend import FEWEST_SITTINGS, SITTING_S, Change, find_change
from singcoach.library.trend_table import HALF, called, draw, shares
from singcoach.library.trend_table import Singer as Made
from singcoach.library.values import Singer


def _found(scores: np.ndarray, *, half: float = HALF, step_s: float = 86_400.0) -> Change:
    times = np.arange(scores.size) * step_s
    return find_change(times, scores, scores - half, scores + half)


def _alarms(singer: Made, sittings: int) -> float:
    """Share of 200 curves that are called a change."""
    chance = np.random.default_rng(7)
    return sum(called(singer, draw(singer, sittings, chance)) for _ in range(200)) / 200


@pytest.mark.parametrize("sittings", [6, 12, 30])
@pytest.mark.parametrize("spread", [0.2, 0.5, 0.9])
def test_noise_alone_is_hardly_ever_a_change(spread: float, sittings: int) -> None:
    """Two of 100 at most; intervals as they are, or far too narrow (half a tenth of a point)."""
    assert _alarms(Made(spread=spread), sittings) <= 0.0125
    assert _alarms(Made(spread=spread, half=0.05), sittings) <= 0.02


def test_weeks_that_resemble_each_other_are_allowed_for() -> None:
    assert _alarms(Made(spread=0.9, resemblance=0.5), 20) <= 0.06


def test_looking_after_every_take_does_not_raise_false_alarms_much() -> None:
    found = shares(Made(spread=0.3), 16, n_curves=40)
    assert found["at any look"] <= 0.025
    assert found["at the end"] <= found["at any look"]
    assert shares(Made(spread=0.3, rise=3.0), 16, n_curves=20)["at the end"] >= 0.95


def test_a_rise_of_a_point_and_a_half_is_found() -> None:
    assert _alarms(Made(spread=0.3, rise=1.5), 30) >= 0.9
    assert _found(np.linspace(2.0, 4.0, 20)).trend == "up"
    assert _found(np.linspace(4.0, 2.0, 20)).trend == "down"


def test_a_rise_within_the_intervals_is_not_called_one() -> None:
    """Without scatter the ranks are perfect; the intervals still say that it may be nothing."""
    found = _found(np.linspace(3.0, 3.4, 12))
    assert found.trend == "steady"
    assert found.z is not None
    assert abs(found.z) > 2.5758
    assert found.change is not None
    assert found.margin is not None
    assert found.change < found.margin


def test_too_few_sittings_say_so() -> None:
    assert _found(np.linspace(1.0, 5.0, FEWEST_SITTINGS - 1)).trend == "not enough"
    assert find_change([], [], [], []) == Change(trend="not enough", sittings=0)
    assert _found(np.array([3.0])).sittings == 1


def test_one_evening_is_one_sitting() -> None:
    assert _found(np.linspace(1.0, 5.0, 30), step_s=600.0).trend == "not enough"
    assert _found(np.linspace(1.0, 5.0, 30), step_s=SITTING_S - 1).sittings == 1
    assert _found(np.linspace(1.0, 5.0, 30), step_s=SITTING_S).sittings == 30


@settings(max_examples=100, deadline=None)
@given(
    scores=st.lists(st.floats(1, 5), min_size=6, max_size=30),
    half=st.floats(0, 2),
    shift=st.floats(-3, 3),
)
def test_upside_down_and_shifted_curves_are_judged_alike(
    scores: list[float], half: float, shift: float
) -> None:
    values = np.round(np.array(scores), 2)
    found, mirrored = _found(values, half=half), _found(6.0 - values, half=half)
    opposite = {"up": "down", "down": "up"}
    assert mirrored.trend == opposite.get(found.trend, found.trend)
    assert _found(values + round(shift, 2), half=half).change == pytest.approx(found.change)


def test_equal_scores_are_steady() -> None:
    found = _found(np.full(10, 3.0), half=0.0)
    assert (found.trend, found.change, found.margin, found.z) == ("steady", 0.0, 0.0, 0.0)


def test_times_that_go_backwards_are_a_bug_of_ours() -> None:
    with pytest.raises(ValueError, match="backwards"):
        find_change([1.0, 0.0], [3, 3], [2, 2], [4, 4])


def test_curves_of_the_library(library: Library, singer: Singer, recording: Path) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    song = library.add_song("Song")
    other = library.add_singer("Bo")
    for number in range(8):
        take = library.add_take(
            recording,
            singer_id=singer.id,
            song_id=song.id if number % 2 else None,
            made_at=start + timedelta(days=7 - number),
            duration_s=1.0,
        )
        library.set_assessment(
            take.id,
            document({"breath": 4.6 - 0.4 * number}, half=0.3, overall=None),
        )
    gone = library.add_take(recording, singer_id=singer.id, made_at=start, duration_s=1.0)
    library.set_assessment(gone.id, document())
    library.delete_take(gone.id)
    library.add_take(recording, singer_id=other.id, duration_s=1.0)
    curve = library.progress(singer.id, "breath")
    assert [point.score for point in curve.points] == pytest.approx(1.8 + 0.4 * np.arange(8))
    assert [point.made_at for point in curve.points] == [
        start + timedelta(days=number) for number in range(8)
    ]
    assert (curve.trend, curve.sittings) == ("up", 8)
    assert library.progress(singer.id, "overall").points == ()
    assert library.progress(singer.id, "overall").trend == "not enough"
    assert len(library.progress(singer.id, "breath", song.id).points) == 4
    recent = library.progress(singer.id, "breath", since=start + timedelta(days=5))
    assert len(recent.points) == 3
    assert library.progress(other.id, "breath").points == ()


def test_a_list_is_one_question_whatever_its_length(library: Library) -> None:
    from singcoach.library.speed import fill

    fill(library, 60)
    singer_id = library.singers()[0].id
    for ask in (
        library.takes,
        lambda: library.takes("song 7", order="title"),
        lambda: library.progress(singer_id, "breath"),
        library.songs,
        library.singers,
        library.deleted_takes,
        library.queue,
        library.all_scores,
    ):
        before = library.queries
        ask()
        asked = library.queries - before
        assert asked == 1
