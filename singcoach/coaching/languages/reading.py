"""Strict reading of a language's files."""

from __future__ import annotations

import string
from collections.abc import Mapping
from functools import cache

from singcoach.coaching.languages.catalogue import (
    AMOUNT_MESSAGES,
    MESSAGES,
    SIDED_MESSAGES,
    TOPIC_MESSAGES,
    Catalogue,
    ExerciseWords,
)
from singcoach.coaching.languages.reasons import REASON_FIELDS, recognise
from singcoach.coaching.numbers import AMOUNT_KEYS
from singcoach.coaching.toml_tables import Table, read_toml
from singcoach.coaching.topics import ALL_TOPICS, Topic
from singcoach.core.languages import LANGUAGES
from singcoach.core.scores import DIMENSIONS
from singcoach.errors import SingCoachError

_N_POINTS = 9


@cache
def catalogue_of(language: str) -> Catalogue:
    """Return all words of a language.

    Raises
    ------
    SingCoachError
        When the coach does not speak it.
    ValueError
        When a file of the package breaks its own rules.
    """
    if language not in LANGUAGES:
        raise SingCoachError(
            f"The coach does not speak {language!r}",
            hint=f"Choose one of: {', '.join(LANGUAGES)}",
        )
    table = read_toml(f"languages/{language}/messages.toml").only(
        ("language", "name", "format", "dimensions", "messages", "topics", "reasons", "measures")
    )
    if table.text("language") != language:
        raise ValueError(f"{table.where}: language has to be {language!r}")
    form = table.table("format").only(
        ("decimal", "percent", "plural", "minutes", "points", "amounts", "spaced")
    )
    points = form.texts("points")
    if len(points) != _N_POINTS:
        raise ValueError(f"{form.where}: points has to have {_N_POINTS} words")
    plural = form.text("plural")
    if plural not in ("one", "zero_one", "none"):
        raise ValueError(f"{form.where}: plural has to be one, zero_one or none")
    amounts = form.table("amounts").only(AMOUNT_KEYS)
    minutes = form.table("minutes").only(("one", "other"))
    names = {d: table.table("dimensions").table(d).only(("name", "subject")) for d in DIMENSIONS}
    table.table("dimensions").only(DIMENSIONS)
    measures = table.table("measures")
    return Catalogue(
        language=language,
        name=table.text("name"),
        messages=_messages(table),
        dimension_names={d: names[d].text("name") for d in DIMENSIONS},
        dimension_subjects={d: names[d].text("subject") for d in DIMENSIONS},
        measure_names={name: measures.text(name) for name in measures.names},
        exercises=_exercises(language),
        amounts={key: amounts.text(key) for key in AMOUNT_KEYS},
        points=points,
        minutes={name: _filled(minutes, name, frozenset({"n"})) for name in ("one", "other")},
        plural=plural,
        decimal=form.text("decimal"),
        percent=_filled(form, "percent", frozenset({"number"})),
        between_sentences=" " if form.flag("spaced") else "",
    )


def _messages(table: Table) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    plain = table.table("messages").only(MESSAGES)
    for name, fields in MESSAGES.items():
        found[name] = _wordings(plain, name, fields)
    topics = table.table("topics").only([topic.id for topic in ALL_TOPICS])
    for topic in ALL_TOPICS:
        wanted = topic_messages(topic)
        words = topics.table(topic.id).only(wanted)
        for name, fields in wanted.items():
            found[f"topic.{topic.id}.{name}"] = _wordings(words, name, fields)
    reasons = table.table("reasons").only(REASON_FIELDS)
    for name, fields in REASON_FIELDS.items():
        found[f"reason.{name}"] = (_filled(reasons, name, fields),)
    return found


def topic_messages(topic: Topic) -> Mapping[str, frozenset[str]]:
    """Every message that a language has to have for a topic."""
    wanted = dict(TOPIC_MESSAGES)
    if topic.in_semitones:
        wanted |= AMOUNT_MESSAGES
    if topic.sided:
        wanted |= SIDED_MESSAGES
    return wanted


def _wordings(table: Table, name: str, fields: frozenset[str]) -> tuple[str, ...]:
    wordings = table.texts(name)
    if not wordings:
        raise ValueError(f"{table.where}: {name} has no wording")
    for wording in wordings:
        _check_fields(f"{table.where}: {name}", wording, fields)
    return wordings


def _filled(table: Table, name: str, fields: frozenset[str]) -> str:
    wording = table.text(name)
    _check_fields(f"{table.where}: {name}", wording, fields)
    return wording


def _check_fields(where: str, wording: str, fields: frozenset[str]) -> None:
    try:
        parts = list(string.Formatter().parse(wording))
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    used = [name for _, name, _, _ in parts if name is not None]
    if sorted(used) != sorted(fields) or any(spec or kind for _, _, spec, kind in parts):
        raise ValueError(f"{where}: the fields have to be {sorted(fields)}, each once")


def _exercises(language: str) -> dict[str, ExerciseWords]:
    table = read_toml(f"languages/{language}/exercises.toml")
    found = {}
    for name in table.names:
        words = table.table(name).only(("title", "purpose", "steps", "works", "care"))
        found[name] = ExerciseWords(
            title=words.text("title"),
            purpose=words.text("purpose"),
            steps=words.texts("steps"),
            works=words.text("works"),
            care=words.text("care"),
        )
    titles = [words.title for words in found.values()]
    if len(set(titles)) != len(titles):
        raise ValueError(f"{table.where}: two exercises have the same title")
    return found


def localised(reason: str, language: str) -> str:
    """Say a reason or warning of the screening or the scoring in a language.

    One that no language knows is quoted in English.
    """
    key, fields = recognise(reason)
    return catalogue_of(language).render(f"reason.{key}", fields)
