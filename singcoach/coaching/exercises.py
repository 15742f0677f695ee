"""The exercises: what each is for, how hard it is and where it comes from, without its words.

Kept as data in ``library/exercises.toml``; the words stand in ``languages``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from singcoach.coaching.toml_tables import read_toml
from singcoach.coaching.topics import ALL_TOPICS, topic_of
from singcoach.scoring.measures import UNITS

_SCHEMA = "singcoach.exercises/1"
LEVELS: Final = (1, 2, 3)
"""For everybody; with some practice; for singers whose basics are settled."""

RECORD_AGAIN: Final = "record_again"
"""For takes that cannot be judged; no topic asks for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """One exercise.

    Attributes
    ----------
    minutes
        How long one round takes.
    level
        1, 2 or 3, see :data:`LEVELS`.
    topics
        What it helps with, the main thing first.
    measures
        Measures that it is chosen for beside those of its topics.
    sources
        Publications in which the exercise or its kind is described.
    """

    id: str
    minutes: int
    level: int
    topics: tuple[str, ...]
    measures: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """All exercises by their id, in the order in which they are tried, and their sources."""

    exercises: Mapping[str, Exercise]
    sources: Mapping[str, str]

    def serving(self, topic: str, measure: str = "") -> tuple[Exercise, ...]:
        """Exercises for a topic or a measure; those made for the topic first."""
        found = [
            exercise
            for exercise in self.exercises.values()
            if topic in exercise.topics or (measure and measure in exercise.measures)
        ]
        return tuple(sorted(found, key=lambda e: _place(e, topic)))

    def for_measure(self, measure: str) -> tuple[Exercise, ...]:
        """Exercises for a measure of scoring."""
        return self.serving(topic_of(measure).id, measure)


def _place(exercise: Exercise, topic: str) -> int:
    return exercise.topics.index(topic) if topic in exercise.topics else len(exercise.topics)


@cache
def load_library() -> Library:
    """Read the exercises.

    Raises
    ------
    ValueError
        When the file breaks its own rules; that is a fault of the package.
    """
    table = read_toml("library/exercises.toml").only(("schema", "sources", "exercises"))
    if table.text("schema") != _SCHEMA:
        raise ValueError(f"{table.where}: schema has to be {_SCHEMA!r}")
    listed = table.table("sources")
    sources = {name: listed.text(name) for name in listed.names}
    topics = {topic.id for topic in ALL_TOPICS}
    exercises = {}
    entries = table.table("exercises")
    for name in entries.names:
        entry = entries.table(name)
        optional = {"measures"} & set(entry.names)
        entry.only({"minutes", "level", "topics", "sources"} | optional)
        exercise = Exercise(
            id=name,
            minutes=entry.whole("minutes", least=1, most=15),
            level=entry.whole("level", least=LEVELS[0], most=LEVELS[-1]),
            topics=entry.texts("topics"),
            measures=entry.texts("measures") if optional else (),
            sources=entry.texts("sources"),
        )
        for known, used, what in (
            (topics, exercise.topics, "topic"),
            (set(UNITS), exercise.measures, "measure"),
            (set(sources), exercise.sources, "source"),
        ):
            if strange := sorted(set(used) - known):
                raise ValueError(f"{entry.where}: no {what} is called {strange[0]!r}")
        if not exercise.sources:
            raise ValueError(f"{entry.where}: no source is named")
        exercises[name] = exercise
    unused = set(sources) - {s for e in exercises.values() for s in e.sources}
    if unused:
        raise ValueError(f"{table.where}: no exercise comes from {sorted(unused)[0]!r}")
    if RECORD_AGAIN not in exercises:
        raise ValueError(f"{table.where}: {RECORD_AGAIN!r} is missing")
    return Library(exercises=exercises, sources=sources)
