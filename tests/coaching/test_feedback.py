"""Feedback: every sentence has a fact, the wording is repeatable, nothing unmeasured is named."""

from __future__ import annotations

import dataclasses
import itertools
import re

import pytest
from coaching_samples import EVIDENCE, NOTES, evidence, make_scores, make_screening
from hypothesis import given, settings
from hypothesis import strategies as st

from singcoach.coaching import write_feedback
from singcoach.coaching.check import ClaimChecker
from singcoach.coaching.exercises import load_library
from singcoach.coaching.facts import RELATIVE_MARK, gather_facts
from singcoach.coaching.languages import LANGUAGES, catalogue_of
from singcoach.coaching.numbers import amount_key, half_points
from singcoach.coaching.topics import ALL_TOPICS, TOPICS, Topic, topic_of
from singcoach.core.scores import DIMENSIONS, DimensionScore, Scores
from singcoach.core.take import Screening
from singcoach.core.wording import split_sentences
from singcoach.errors import SingCoachError
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
    for name in catalogue_of("en").dimension_names.values():
        assert name.lower() in feedback.critique.lower()
    assert feedback.generator == "template"
    assert feedback.language == "en"
    assert feedback.claims_rejected == 0
    assert feedback.claims_checked == len(feedback.sentences) >= 20
    assert 2 <= len(split_sentences(feedback.summary)) <= 6
    assert 5 <= len(split_sentences(feedback.critique)) <= 14
    assert 1 <= len(feedback.suggestions) <= 3
    ids = {item.id for items in EVIDENCE.values() for item in items}
    words = catalogue_of("en")
    practices = {
        words.exercise_text(name, minutes=exercise.minutes)
        for name, exercise in load_library().exercises.items()
    }
    for suggestion in feedback.suggestions:
        assert suggestion.evidence
        assert set(suggestion.evidence) <= ids
        assert suggestion.exercise in practices
    beginnings = [suggestion.text.split()[0] for suggestion in feedback.suggestions]
    assert all(a != b for a, b in itertools.pairwise(beginnings))


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_are_the_words_one_by_one_with_their_facts(
    scores: Scores, screening: Screening, language: str
) -> None:
    feedback = write_feedback(
        scores=scores, screening=screening, duration_s=120.0, notes=NOTES, language=language
    )
    facts = {
        f.id: f
        for f in gather_facts(scores=scores, screening=screening, duration_s=120.0, notes=NOTES)
    }
    between = catalogue_of(language).between_sentences
    parts: dict[tuple[str, int], list[str]] = {}
    for said in feedback.sentences:
        parts.setdefault((said.part, said.place), []).append(said.text)
        assert set(said.facts) <= set(facts)
        if clocks := re.findall(r"\d+:\d\d", said.text):
            starts = {int(facts[i].start_s or -1) for i in said.facts}
            assert starts == {int(m) * 60 + int(s) for m, s in (c.split(":") for c in clocks)}
    assert between.join(parts["summary", 0]) == feedback.summary
    assert between.join(parts["critique", 0]) == feedback.critique
    assert between.join(parts["spoken", 0]) == feedback.spoken
    for place, suggestion in enumerate(feedback.suggestions):
        assert between.join(parts["suggestion", place]) == suggestion.text
    assert feedback.claims_rejected == 0


def test_a_language_that_nobody_speaks_is_refused(scores: Scores, screening: Screening) -> None:
    with pytest.raises(SingCoachError, match="does not speak"):
        write_feedback(scores=scores, screening=screening, duration_s=9.0, language="tlh")


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
    assert "too high" not in feedback.critique


def test_spoken_is_short_and_without_symbols(scores: Scores, screening: Screening) -> None:
    spoken = write_feedback(scores=scores, screening=screening, duration_s=120.0).spoken
    assert 0 < len(spoken.split()) <= 60
    assert re.fullmatch(r"[A-Za-z ,.'“”-]+", spoken)


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
    assert "Only 3 s of singing were found; at least 10 s are needed." in feedback.summary
    assert feedback.critique == ""
    assert len(feedback.suggestions) == 1
    assert "headphones" in feedback.suggestions[0].exercise
    assert feedback.spoken
    assert feedback.claims_rejected == 0


def test_weak_verdict_is_said_first_of_all() -> None:
    feedback = write_feedback(
        scores=make_scores(), screening=make_screening("weak"), duration_s=20.0
    )
    assert "first impression. There are only 11 s of singing." in feedback.summary


def test_unscored_dimension_is_neither_praised_nor_blamed() -> None:
    feedback = write_feedback(
        scores=make_scores(without=("timbre",)), screening=make_screening(), duration_s=120.0
    )
    about = [s for s in split_sentences(feedback.critique) if "imbre" in s]
    assert about == ["Your timbre quality could not be scored."]
    assert "There are less than 10 s of singing." in feedback.critique


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
    named = [measure for topic in TOPICS for measure in topic.measures]
    assert len(named) == len(set(named))
    assert set(named) <= set(UNITS)


@pytest.mark.parametrize("topic", ALL_TOPICS, ids=lambda t: t.id)
@pytest.mark.parametrize("effect", [-0.4, 0.4])
@pytest.mark.parametrize("relative", [False, True])
def test_every_wording_of_every_topic_passes_the_check(
    topic: Topic, effect: float, relative: bool
) -> None:
    measure = next(iter((*topic.measures, *topic.words, "nameless")))
    text = "x; this is one of the better moments of the take." if relative else "x"
    item = evidence("x1", measure, 34.0, "cents", effect, 42.0, 44.0, text)
    plain = DimensionScore(score=3.0, low=2.5, high=3.5, head="h", encoder=None)
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
    words = catalogue_of("en")
    right = ("better" if relative else "good") if effect > 0 else ("weaker" if relative else "bad")
    for name in ("good", "bad", "better", "weaker"):
        message = f"topic.{topic.id}.{name}"
        for wording in range(words.wordings(message)):
            said = words.render(message, {"clock": 42.0}, wording=wording)
            assert not checker.accepts(said.replace("0:42", "0:47")), said
            if name == right:
                assert checker.accepts(said), said
            elif (name in ("good", "better")) != (effect > 0) or (
                # Standing out in this take does not make it good or bad.
                relative and topic.id != "general"
            ):
                assert not checker.accepts(said), said
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
    for language in LANGUAGES:
        feedback = write_feedback(
            scores=scores, screening=make_screening(), duration_s=7200.0, language=language
        )
        assert feedback.claims_rejected == 0, feedback
        assert len(feedback.suggestions) <= 3
        assert len(feedback.spoken.split()) <= 60


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
    assert catalogue_of("en").amounts[amount_key(cents)] == words


def test_scores_in_half_points() -> None:
    assert [half_points(s) for s in (1.0, 3.24, 3.25, 3.74, 3.75, 5.0)] == [1, 3, 3.5, 3.5, 4, 5]
    words = catalogue_of("en")
    assert words.render("spoken_about", {"points": 3.4}).startswith(
        "Overall you are at about three and a half"
    )
    assert "five out of five" in words.render("spoken_about", {"points": 5.0})
