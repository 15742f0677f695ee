"""The exercises: enough of them, each sourced and careful, some for whatever can be graded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from singcoach.coaching.exercise_table import BEGIN, END, main, table, with_table
from singcoach.coaching.exercises import LEVELS, RECORD_AGAIN, load_library
from singcoach.coaching.languages import LANGUAGES, catalogue_of
from singcoach.coaching.toml_tables import Table
from singcoach.coaching.topics import ALL_TOPICS
from singcoach.scoring.specs import load_heads
from singcoach.scoring.wording import PHRASINGS


def test_there_are_enough_exercises_with_sources() -> None:
    library = load_library()
    assert len(library.exercises) >= 40
    for exercise in library.exercises.values():
        assert exercise.topics or exercise.id == RECORD_AGAIN
        assert 2 <= exercise.minutes <= 10
    for source in library.sources.values():
        assert re.search(r"\((?:18|19|20)\d\d\)|op\. 9", source), source


def test_every_topic_has_exercises_for_beginners() -> None:
    for topic in ALL_TOPICS:
        serving = load_library().serving(topic.id)
        assert len(serving) >= 3, topic.id
        assert any(exercise.level == LEVELS[0] for exercise in serving), topic.id


def test_every_graded_measure_has_at_least_two_exercises() -> None:
    graded = {name for head in load_heads().heads.values() for name in head.weights}
    assert len(graded) >= 15
    for measure in graded | set(PHRASINGS):
        assert len(load_library().for_measure(measure)) >= 2, measure


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_exercise_is_complete_and_careful(language: str) -> None:
    words = catalogue_of(language)
    assert set(words.exercises) == set(load_library().exercises)
    for name, exercise in load_library().exercises.items():
        said = words.exercises[name]
        assert 3 <= len(said.steps) <= 5, name
        lines = words.exercise_text(name, minutes=exercise.minutes).splitlines()
        assert len(lines) == 4 + len(said.steps)
        assert str(exercise.minutes) in lines[0]
        assert said.works in lines[-2]
        assert said.care in lines[-1]
        assert lines[2].startswith("1. ")


def test_the_first_steps_differ() -> None:
    words = catalogue_of("en").exercises.values()
    assert len({said.steps[0] for said in words}) == len(words)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"a": 3}, "'b' is missing"),
        ({"a": 3, "b": 1, "c": 2}, "'c' is not known"),
    ],
)
def test_tables_refuse_wrong_keys(values: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Table(values, where="x").only(("a", "b"))


@pytest.mark.parametrize(
    ("value", "reader"),
    [
        (" a", "text"),
        ("", "text"),
        (1, "text"),
        ("a\nb", "text"),
        ("a", "texts"),
        (["a", "a"], "texts"),
        ([1], "texts"),
        (1, "flag"),
        ("a", "table"),
    ],
)
def test_tables_refuse_wrong_values(value: object, reader: str) -> None:
    with pytest.raises(ValueError, match="has to be"):
        getattr(Table({"a": value}, where="x"), reader)("a")


@pytest.mark.parametrize("value", [0, 16, 1.0, True, "3"])
def test_tables_refuse_wrong_numbers(value: object) -> None:
    with pytest.raises(ValueError, match="from 1 to 15"):
        Table({"a": value}, where="x").whole("a", least=1, most=15)


def test_the_document_lists_the_exercises(tmp_path: Path) -> None:
    document = Path(__file__).resolve().parents[2] / "docs" / "coaching.md"
    text = document.read_text(encoding="utf-8")
    assert with_table(text) == text
    copy = tmp_path / "coaching.md"
    copy.write_text(f"a\n{BEGIN}old\n{END}b\n", encoding="utf-8")
    main(["--out", str(copy)])
    assert copy.read_text(encoding="utf-8") == f"a\n{BEGIN}{table()}{END}b\n"
    with pytest.raises(ValueError, match="no place"):
        with_table("a")
