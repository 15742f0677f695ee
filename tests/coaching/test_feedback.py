"""Feedback: every sentence has a fact, the wording is repeatable, nothing unmeasured is named."""

from __future__ import annotations

import dataclasses
import re

import pytest
from coaching_samples import EVIDENCE, NOTES, evidence, make_scores, make_screening
from hypothesis import given, settings
from hypothesis import strategies as st

from singcoach.coaching import catalogue, write_feedback
from singcoach.coaching.check import ClaimChecker, split_sentences
from singcoach.coaching.exercises import LIBRARY
from singcoach.coaching.facts import RELATIVE_MARK, gather_facts, topic_of
from singcoach.coaching.numbers import half_points, score_words, semitone_words
from singcoach.coaching.plan import make_plan
from singcoach.core.scores import DIMENSIONS, DimensionScore, Scores
from singcoach.core.take import Screening
from singcoach.scoring.measures import UNITS
from singcoach.scoring.wording import PHRASINGS, sentence


@pytest.fixture
def scores() -> Scores:
    return make_scores()


@pytest.fixture
def screening() -> Screening:
    return make_screening()


def test_names_each_dimension_and_checks_every_sentence(
    scores: Scores, screening: Screening
) -> None:
    feedback = write_feedback(scores=scores, screening=screening, duration_s=120.0, notes=NOTES)
    for name in catalogue.DIMENSION_NAMES.values():
        assert name in feedback.critique.lower()
    assert feedback.generator == "template"
    assert feedback.claims_rejected == 0
    assert feedback.claims_checked >= 12
    assert 2 <= len(split_sentences(feedback.summary)) <= 4
    assert 5 <= len(split_sentences(feedback.critique)) <= 8
    assert 1 <= len(feedback.suggestions) <= 3
    ids = {item.id for items in EVIDENCE.values() for item in items}
    for suggestion in feedback.suggestions:
        assert suggestion.evidence
        assert set(suggestion.evidence) <= ids
        assert suggestion.exercise in {exercise.text for exercise in LIBRARY.values()}
    beginnings = {suggestion.text.split()[0] for suggestion in feedback.suggestions}
    assert len(beginnings) == len(feedback.suggestions)


def test_tells_the_side_of_a_note_that_is_off(scores: Scores, screening: Screening) -> None:
    feedback = write_feedback(scores=scores, screening=screening, duration_s=120.0, notes=NOTES)
    assert "about a third of a semitone too low" in feedback.critique
    sharp = tuple(dataclasses.replace(n, cents_deviation=-n.cents_deviation) for n in NOTES)
    feedback = write_feedback(scores=scores, screening=screening, duration_s=120.0, notes=sharp)
    assert "about a third of a semitone too high" in feedback.critique


def test_without_notes_no_side_is_claimed(scores: Scores, screening: Screening) -> None:
    feedback = write_feedback(scores=scores, screening=screening, duration_s=120.0)
    assert "too low" not in feedback.critique
    assert "off by about a third of a semitone" in feedback.critique


def test_spoken_is_short_and_without_symbols(scores: Scores, screening: Screening) -> None:
    spoken = write_feedback(scores=scores, screening=screening, duration_s=120.0).spoken
    assert 0 < len(spoken.split()) <= 60
    assert re.fullmatch(r"[A-Za-z ,.'-]+", spoken)


def test_is_repeatable(scores: Scores, screening: Screening) -> None:
    first = write_feedback(scores=scores, screening=screening, duration_s=120.0, notes=NOTES)
    again = write_feedback(scores=scores, screening=screening, duration_s=120.0, notes=NOTES)
    assert first == again


def test_wording_varies_with_the_content(screening: Screening) -> None:
    summaries = set()
    for step in range(12):
        scores = make_scores()
        overall = dataclasses.replace(scores.overall, score=3.0 + step / 100)
        scores = dataclasses.replace(scores, overall=overall)
        feedback = write_feedback(scores=scores, screening=screening, duration_s=120.0)
        summaries.add(feedback.summary)
    assert len(summaries) >= 4


def test_insufficient_says_why_and_what_to_do() -> None:
    scores = make_scores(without=DIMENSIONS, overall=False)
    screening = make_screening("insufficient", pitch_accuracy=None, pitch_reference=None)
    feedback = write_feedback(scores=scores, screening=screening, duration_s=5.0)
    assert "only 3 s of singing were found" in feedback.summary
    assert feedback.critique == ""
    assert len(feedback.suggestions) == 1
    assert "headphones" in feedback.suggestions[0].exercise
    assert feedback.spoken
    assert feedback.claims_rejected == 0


def test_weak_verdict_is_said_first_of_all() -> None:
    feedback = write_feedback(
        scores=make_scores(), screening=make_screening("weak"), duration_s=20.0
    )
    assert "first impression, because there are only 11 s of singing" in feedback.summary


def test_unscored_dimension_is_neither_praised_nor_blamed() -> None:
    feedback = write_feedback(
        scores=make_scores(without=("timbre",)), screening=make_screening(), duration_s=120.0
    )
    about = [s for s in split_sentences(feedback.critique) if "imbre" in s]
    assert about == ["Timbre quality could not be scored: less than 10 s of singing."]


def test_moments_below_the_rest_of_the_take_are_not_called_bad() -> None:
    items = (
        evidence(
            "q1", "scale_deviation", 9.0, "cents", -0.3, 42.0, 44.0,
            "At 0:42 the note lay 9 cents off; this is one of the weaker moments of the take.",
        ),
    )  # fmt: skip
    scores = make_scores()
    technique = dataclasses.replace(scores.dimensions["technique"], evidence=items)
    scores = dataclasses.replace(scores, dimensions={**scores.dimensions, "technique": technique})
    feedback = write_feedback(
        scores=scores, screening=make_screening(), duration_s=120.0, notes=NOTES
    )
    assert "your tuning is a little weaker than in the rest of this take" in feedback.critique
    assert "not quite in tune" not in feedback.critique
    assert feedback.claims_rejected == 0


def test_scoring_marks_relative_moments_as_the_coach_expects() -> None:
    for measure in PHRASINGS:
        text = sentence(
            measure, start_s=1.0, value=1.0, unit="dB", helped=False, rising=True, plain=False
        )
        assert RELATIVE_MARK in text


def test_every_measure_with_evidence_has_a_topic_of_its_own() -> None:
    assert [name for name in PHRASINGS if topic_of(name).id == "general"] == []
    named = [measure for topic in catalogue.TOPICS for measure in topic.measures]
    assert len(named) == len(set(named))
    assert set(named) <= set(UNITS)


@pytest.mark.parametrize("topic", [*catalogue.TOPICS, catalogue.GENERAL], ids=lambda t: t.id)
@pytest.mark.parametrize("effect", [-0.4, 0.4])
@pytest.mark.parametrize("relative", [False, True])
def test_every_wording_of_every_topic_passes_the_check(
    topic: catalogue.Topic, effect: float, relative: bool
) -> None:
    measure = next(iter((*topic.measures, *topic.words, "nameless")))
    text = "x; this is one of the better moments of the take." if relative else "x"
    item = evidence("x1", measure, 34.0, "cents", effect, 42.0, 44.0, text)
    plain = DimensionScore(score=3.0, low=2.0, high=4.0, head="h", encoder=None)
    scores = Scores(
        dimensions={
            name: dataclasses.replace(plain, evidence=(item,)) if name == "breath" else plain
            for name in DIMENSIONS
        },
        overall=plain,
        measures={},
        phrases=(),
    )
    assert topic_of(measure) == topic
    facts = gather_facts(scores=scores, screening=make_screening(), duration_s=60.0)
    checker = ClaimChecker(facts)
    clauses = (topic.good if effect > 0 else topic.bad) if not relative else ()
    for clause in clauses:
        assert checker.accepts(f"At 0:42 {clause}."), clause
        assert not checker.accepts(f"At 0:47 {clause}."), clause
    for clause in topic.bad if effect > 0 else topic.good:
        assert not checker.accepts(f"At 0:42 {clause}."), clause
    feedback = write_feedback(scores=scores, screening=make_screening(), duration_s=60.0)
    assert feedback.claims_rejected == 0, feedback
    assert ("0:42" in feedback.critique) == (effect > 0 or topic.advice)


@given(
    values=st.lists(
        st.tuples(
            st.sampled_from(sorted(PHRASINGS)),
            st.floats(-300, 300),
            st.floats(-1, 1),
            st.floats(0, 7000),
            st.sampled_from(DIMENSIONS),
        ),
        max_size=12,
    ),
    score=st.floats(1, 5),
    width=st.floats(0, 2),
)
@settings(max_examples=60, deadline=None)
def test_any_evidence_gives_text_that_passes_the_check(
    values: list[tuple[str, float, float, float, str]], score: float, width: float
) -> None:
    low, high = max(1.0, score - width), min(5.0, score + width)
    found: dict[str, list[object]] = {name: [] for name in DIMENSIONS}
    for number, (measure, value, effect, start_s, name) in enumerate(values):
        unit = UNITS[measure]
        found[name].append(
            evidence(f"x{number}", measure, value, unit, effect, start_s, start_s + 2.0)
        )
    base = DimensionScore(score=score, low=low, high=high, head="h", encoder=None)
    scores = Scores(
        dimensions={
            name: dataclasses.replace(base, evidence=tuple(found[name]))  # type: ignore[arg-type]
            for name in DIMENSIONS
        },
        overall=base,
        measures={},
        phrases=(),
    )
    feedback = write_feedback(scores=scores, screening=make_screening(), duration_s=7200.0)
    assert feedback.claims_rejected == 0, feedback
    assert len(feedback.suggestions) <= 3
    assert len(feedback.spoken.split()) <= 60


def test_plan_never_works_on_what_helped() -> None:
    facts = gather_facts(
        scores=make_scores(), screening=make_screening(), duration_s=120.0, notes=NOTES
    )
    plan = make_plan(facts)
    assert plan.praise is not None
    assert plan.praise.direction == "good"
    assert [task.topic.id for task in plan.tasks] == ["intonation", "clarity", "phrase_end"]
    exercises = [task.exercise.id for task in plan.tasks]
    assert len(set(exercises)) == len(exercises)


def test_library_is_complete_and_careful() -> None:
    assert len(LIBRARY) >= 12
    for exercise in LIBRARY.values():
        assert 3 <= len(exercise.steps) <= 5
        assert exercise.caution
        assert 2 <= exercise.minutes <= 10
        assert exercise.text.splitlines()[-1].startswith("Take care:")
    for topic in (*catalogue.TOPICS, catalogue.GENERAL):
        assert set(topic.exercises) <= set(LIBRARY)


@pytest.mark.parametrize(
    ("cents", "words"),
    [
        (3, "less than a tenth of a semitone"),
        (-10, "about a tenth of a semitone"),
        (-33, "about a third of a semitone"),
        (50, "about half a semitone"),
        (100, "about a semitone"),
        (200, "about two semitones"),
        (900, "more than two semitones"),
    ],
)
def test_cents_in_words(cents: float, words: str) -> None:
    assert semitone_words(cents) == words


def test_scores_in_half_points() -> None:
    assert [half_points(s) for s in (1.0, 3.24, 3.25, 3.74, 3.75, 5.0)] == [1, 3, 3.5, 3.5, 4, 5]
    assert score_words(3.4) == "three and a half"
    assert score_words(5.0) == "five"
