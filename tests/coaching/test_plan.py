"""The plan: praise, at most three tasks, exercises that fit, care where little is known."""

from __future__ import annotations

import dataclasses

import pytest
from claim_facts import FACTS
from coaching_samples import NOTES, evidence, make_scores, make_screening

from singcoach.coaching.exercises import load_library
from singcoach.coaching.facts import Fact, gather_facts
from singcoach.coaching.plan import MOST_TASKS, make_plan
from singcoach.coaching.statements import certainty
from singcoach.core.scores import DIMENSIONS, DimensionScore, Scores


def facts_with(
    *, low: float, high: float, effect: float = -0.5, relative: bool = False
) -> tuple[Fact, ...]:
    text = "x; this is one of the weaker moments of the take." if relative else "x"
    items = tuple(
        evidence(f"e{n}", measure, 30.0, "dB", effect, 10.0 * n, 10.0 * n + 2, text)
        for n, measure in enumerate(("cpp_low", "level_wobble", "phrase_breaks", "note_drift"))
    )
    score = DimensionScore(
        score=(low + high) / 2, low=low, high=high, head="h", encoder=None, evidence=items
    )
    bare = dataclasses.replace(score, evidence=())
    scores = Scores(
        dimensions={name: score if name == "breath" else bare for name in DIMENSIONS},
        overall=bare,
        measures={},
        phrases=(),
    )
    return gather_facts(scores=scores, screening=make_screening(), duration_s=60.0)


def test_never_works_on_what_helped() -> None:
    facts = gather_facts(
        scores=make_scores(), screening=make_screening(), duration_s=120.0, notes=NOTES
    )
    plan = make_plan(facts)
    assert plan.praise is not None
    assert plan.praise.direction == "good"
    assert [task.topic.id for task in plan.tasks] == ["intonation", "clarity", "phrase_end"]


@pytest.mark.parametrize("name", FACTS)
@pytest.mark.parametrize("level", [None, 1, 2, 3])
def test_at_most_three_tasks_with_different_exercises(name: str, level: int | None) -> None:
    plan = make_plan(FACTS[name](), level=level)
    assert len(plan.tasks) <= MOST_TASKS
    assert len({task.exercise.id for task in plan.tasks}) == len(plan.tasks)
    assert len({task.topic.id for task in plan.tasks}) == len(plan.tasks)
    for task in plan.tasks:
        assert task.evidence
        assert task.topic.id in task.exercise.topics
        assert level is None or task.exercise.level <= level


@pytest.mark.parametrize(("low", "high"), [(2.0, 3.5), (3.0, 3.5)])
def test_a_score_that_is_known_is_spoken_of_plainly(low: float, high: float) -> None:
    tasks = make_plan(facts_with(low=low, high=high)).tasks
    assert tasks
    assert not any(task.careful for task in tasks)


@pytest.mark.parametrize(("low", "high"), [(1.5, 4.0), (1.0, 5.0)])
def test_a_wide_interval_asks_for_care(low: float, high: float) -> None:
    tasks = make_plan(facts_with(low=low, high=high)).tasks
    assert tasks
    assert all(task.careful for task in tasks)


def test_what_only_stands_out_in_this_take_is_no_weakness_of_a_loose_score() -> None:
    assert make_plan(facts_with(low=1.5, high=4.0, relative=True)).tasks == ()
    assert make_plan(facts_with(low=2.5, high=3.5, relative=True)).tasks != ()


def test_a_large_weakness_gets_an_easier_exercise() -> None:
    large = make_plan(facts_with(low=3.0, high=3.5, effect=-0.5), level=2).tasks
    small = make_plan(facts_with(low=3.0, high=3.5, effect=-0.2), level=2).tasks
    assert [t.topic.id for t in large] == [t.topic.id for t in small]
    assert sum(t.exercise.level for t in large) < sum(t.exercise.level for t in small)


def test_the_level_follows_the_score() -> None:
    beginner = make_plan(facts_with(low=1.2, high=1.8, effect=-0.2)).tasks
    advanced = make_plan(facts_with(low=4.2, high=4.8, effect=-0.2)).tasks
    assert {t.exercise.level for t in beginner} == {1}
    assert max(t.exercise.level for t in advanced) >= 2


def test_plain_moments_are_praised_before_relative_ones() -> None:
    for make_facts in FACTS.values():
        praise = make_plan(make_facts()).praise
        assert praise is not None
        assert not praise.relative


@pytest.mark.parametrize(
    ("low", "high", "known"),
    [(3.0, 3.5, "about"), (2.5, 3.5, "roughly"), (1.5, 3.5, "open"), (1.0, 4.5, "unknown")],
)
def test_certainty_follows_the_width(low: float, high: float, known: str) -> None:
    score = next(f for f in facts_with(low=low, high=high) if f.id == "score.breath")
    assert certainty(score) == known


def test_library_is_given() -> None:
    library = load_library()
    few = dataclasses.replace(
        library,
        exercises={
            name: library.exercises[name] for name in ("straw", "warm_up", "listen_back", "hiss")
        },
    )
    tasks = make_plan(facts_with(low=2.5, high=3.5), library=few).tasks
    assert {task.exercise.id for task in tasks} <= set(few.exercises)
