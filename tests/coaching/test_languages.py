"""Every language says everything, in its own numbers, and proves it from the facts."""

from __future__ import annotations

import ast
import dataclasses
import re
from pathlib import Path

import pytest
from claim_facts import FACTS
from coaching_samples import NOTES, make_scores, make_screening

import singcoach
from singcoach.coaching import write_feedback
from singcoach.coaching.exercises import load_library
from singcoach.coaching.facts import gather_facts
from singcoach.coaching.feedback import checker_for
from singcoach.coaching.languages import LANGUAGES, catalogue_of, localised
from singcoach.coaching.languages.catalogue import MESSAGES
from singcoach.coaching.languages.reading import topic_messages
from singcoach.coaching.languages.reasons import REASON_FIELDS, recognise
from singcoach.coaching.numbers import AMOUNT_KEYS
from singcoach.coaching.proof import Proof
from singcoach.coaching.statements import all_true
from singcoach.coaching.topics import ALL_TOPICS
from singcoach.core.scores import DIMENSIONS
from singcoach.scoring.measures import UNITS
from singcoach.scoring.specs import load_heads

OTHERS = [language for language in LANGUAGES if language != "en"]
_ENDS = {"ja": "。", "zh": "。"}


def sentences_of(language: str) -> dict[str, tuple[str, ...]]:
    """Every message of a language, except those that are parts of a block."""
    messages = catalogue_of(language).messages
    return {name: said for name, said in messages.items() if not name.startswith("exercise_")}


def test_the_six_languages() -> None:
    assert LANGUAGES == ("en", "es", "de", "fr", "ja", "zh")


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_missing(language: str) -> None:
    words = catalogue_of(language)
    wanted = set(MESSAGES) | {f"reason.{name}" for name in REASON_FIELDS}
    for topic in ALL_TOPICS:
        wanted |= {f"topic.{topic.id}.{name}" for name in topic_messages(topic)}
    assert set(words.messages) == wanted
    assert set(words.dimension_names) == set(words.dimension_subjects) == set(DIMENSIONS)
    assert set(words.measure_names) == set(catalogue_of("en").measure_names)
    assert set(words.amounts) == set(AMOUNT_KEYS)
    assert len(set(words.amounts.values())) == len(AMOUNT_KEYS)
    assert set(words.exercises) == set(load_library().exercises)


def test_every_measure_has_a_name() -> None:
    """New measures belong into the messages.toml of every language."""
    assert set(UNITS) <= set(catalogue_of("en").measure_names)
    assert catalogue_of("en").measure_name("new_thing") == "New thing"


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_are_whole(language: str) -> None:
    end = _ENDS.get(language, ".")
    for name, said in sentences_of(language).items():
        for sentence in said:
            assert sentence.endswith(end), (name, sentence)
            assert "  " not in sentence
    for words in catalogue_of(language).exercises.values():
        for sentence in (words.purpose, *words.steps, words.works, words.care):
            assert sentence.endswith((end, "?", "？")), sentence


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_was_left_in_english(language: str) -> None:
    english, words = catalogue_of("en"), catalogue_of(language)
    for name, said in words.messages.items():
        if name != "exercise_title":
            assert not set(said) & set(english.messages[name]), name
    for name, exercise in words.exercises.items():
        other = english.exercises[name]
        assert exercise.title != other.title
        assert exercise.purpose != other.purpose
        assert not set(exercise.steps) & set(other.steps)
        assert len(exercise.steps) == len(other.steps), name
    script = {"ja": r"[\u3040-\u30ff\u4e00-\u9fff]", "zh": r"[\u4e00-\u9fff]"}.get(language)
    if script is not None:
        texts = [s for said in words.messages.values() for s in said]
        texts += [e.purpose for e in words.exercises.values()]
        for text in (*texts, *words.dimension_names.values()):
            bare = re.sub(r"\{\w+\}", "", text)
            assert re.search(script, bare) or not re.search(r"\w", bare), text
            assert not re.search(r"[A-Za-z]{3,}", bare), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_different_statements_read_differently(language: str) -> None:
    """Praise and fault, flat and sharp, each amount and each dimension have their own words."""
    words = catalogue_of(language)
    for topic in ALL_TOPICS:
        said = [
            words.render(f"topic.{topic.id}.{name}", {"clock": 42.0, "amount": 33.0}, wording=n)
            for name in topic_messages(topic)
            for n in range(words.wordings(f"topic.{topic.id}.{name}"))
        ]
        assert len(set(said)) == len(said), topic.id
    amounts = {
        words.render("topic.intonation.bad_flat", {"clock": 1.0, "amount": cents})
        for cents in (5, 10, 20, 25, 33, 50, 66, 75, 100, 150, 200, 300)
    }
    assert len(amounts) == 12


@pytest.mark.parametrize(
    ("language", "score", "percent", "one", "five"),
    [
        ("en", "3.5", "85 %", "1 minute", "5 minutes"),
        ("es", "3,5", "85 %", "1 minuto", "5 minutos"),
        ("de", "3,5", "85 %", "1 Minute", "5 Minuten"),
        ("fr", "3,5", "85\u00a0%", "1 minute", "5 minutes"),
        ("ja", "3.5", "85%", "1分", "5分"),
        ("zh", "3.5", "85%", "1 分钟", "5 分钟"),
    ],
)
def test_numbers_are_written_as_the_language_does(
    language: str, score: str, percent: str, one: str, five: str
) -> None:
    words = catalogue_of(language)
    assert words.number(3.5) == score
    assert words.number(4.0) == "4"
    assert words.percent_text(85) == percent
    assert words.minutes_text(1) == one
    assert words.minutes_text(5) == five
    sentence = words.render("dimension_about", {"subject": "breath", "score": 3.5})
    assert score in sentence
    assert "1:07:05" in words.render("topic.general.good", {"clock": 4025.0})


def test_french_takes_the_singular_for_none() -> None:
    assert catalogue_of("fr").minutes_text(0) == "0 minute"
    assert catalogue_of("es").minutes_text(0) == "0 minutos"


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("name", FACTS)
def test_sentences_are_proved_from_the_facts(language: str, name: str) -> None:
    facts = FACTS[name]()
    words = catalogue_of(language)
    checker = checker_for(facts, language=language)
    assert isinstance(checker, Proof)
    n_checked = 0
    for statement in all_true(facts, tuple(load_library().exercises)):
        sentence = statement.render(words)
        behind = checker.support(sentence)
        assert behind is not None
        assert set(statement.facts) <= set(behind)
        for old, new in ((r"\d(?=\d*:)", "9"), (r"\d[.,]?5?(?= |点|。)", "1"), (r".$", "!")):
            spoilt = re.sub(old, new, sentence, count=1)
            if spoilt != sentence and statement.fields:
                n_checked += 1
                assert checker.support(spoilt) is None, spoilt
    assert n_checked > 10


@pytest.mark.parametrize("language", OTHERS)
def test_the_facts_of_one_take_prove_nothing_of_another(language: str) -> None:
    words = catalogue_of(language)
    other = checker_for(FACTS["second"](), language=language)
    for statement in all_true(FACTS["first"](), ()):
        if "clock" in statement.fields:
            assert other.support(statement.render(words)) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_whole_feedback(language: str) -> None:
    feedback = write_feedback(
        scores=make_scores(),
        screening=make_screening("weak"),
        duration_s=120.0,
        notes=NOTES,
        language=language,
    )
    assert feedback.language == language
    assert feedback.claims_rejected == 0
    assert len(feedback.suggestions) == 3
    assert "{" not in feedback.critique + feedback.summary + feedback.spoken
    same = write_feedback(
        scores=make_scores(), screening=make_screening("weak"), duration_s=120.0, notes=NOTES
    )
    assert [(s.part, s.place, s.facts) for s in feedback.sentences] == [
        (s.part, s.place, s.facts) for s in same.sentences
    ]
    assert re.search(r"\d", feedback.spoken) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_insufficient_in_every_language(language: str) -> None:
    feedback = write_feedback(
        scores=make_scores(without=DIMENSIONS, overall=False),
        screening=make_screening("insufficient", reasons=("only one note was sung",)),
        duration_s=5.0,
        language=language,
    )
    assert catalogue_of(language).messages["reason.one_note"][0] in feedback.summary
    assert feedback.claims_rejected == 0
    assert re.search(r"\d", feedback.spoken) is None


def _reasons_in(path: Path, functions: set[str]) -> list[str]:
    """The English sentences that functions of a module make; numbers in them become 10."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.FunctionDef) or node.name not in functions:
            continue
        inside = {id(v) for j in ast.walk(node) if isinstance(j, ast.JoinedStr) for v in j.values}
        docstring = ast.get_docstring(node, clean=False)
        for part in ast.walk(node):
            if isinstance(part, ast.JoinedStr):
                found.append(
                    "".join(v.value if isinstance(v, ast.Constant) else "10" for v in part.values)
                )
            elif (
                isinstance(part, ast.Constant)
                and isinstance(part.value, str)
                and id(part) not in inside
                and part.value != docstring
            ):
                found.append(part.value)
    return [text for text in found if len(text.split()) >= 3]


def test_what_the_earlier_stages_say_is_known() -> None:
    """New reasons and warnings belong into library/reasons.toml and every messages.toml."""
    package = Path(singcoach.__file__).parent
    said = _reasons_in(
        package / "screening" / "rules.py", {"_blocking_reasons", "_weak_reasons", "_remarks"}
    )
    said += _reasons_in(
        package / "scoring" / "score.py", {"_reasons", "_score_all", "_warnings", "_overall"}
    )
    said += load_heads().warnings.values()
    assert len(said) >= 18
    unknown = [text for text in said if recognise(text)[0] == "unknown"]
    assert not unknown


@pytest.mark.parametrize("language", LANGUAGES)
def test_reasons_are_said_in_the_language(language: str) -> None:
    said = localised("Less than 10 s of singing", language)
    assert "10" in said
    assert said == catalogue_of(language).messages["reason.short_singing"][0].format(seconds="10")
    strange = "the moon is {made} of cheese"
    assert "the moon is {made} of cheese" in localised(strange, language).replace("The", "the")


def test_unknown_reasons_are_quoted_in_the_feedback() -> None:
    screening = make_screening("weak", reasons=("something new was found",))
    scores = make_scores()
    for language in LANGUAGES:
        feedback = write_feedback(
            scores=scores, screening=screening, duration_s=120.0, language=language
        )
        assert "omething new was found" in feedback.summary


def test_facts_are_the_same_whatever_the_language() -> None:
    facts = gather_facts(scores=make_scores(), screening=make_screening(), duration_s=1.0)
    assert dataclasses.replace(facts[0]) == facts[0]
    assert {f.id for f in facts if f.kind == "score"} == {
        "score.breath", "score.timbre", "score.emotion", "score.technique", "score.overall"
    }  # fmt: skip
