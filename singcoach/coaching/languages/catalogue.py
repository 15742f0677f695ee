"""All words of one language, and how numbers are written in it.

Sentences are whole: a fact goes into a sentence only as a number, a time, an amount, a name in
quotes or the subject at its head, so that no grammar is broken by putting parts together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from singcoach.coaching.numbers import amount_key, half_points
from singcoach.core.scores import Dimension
from singcoach.core.wording import clock

_SCORES: Final = frozenset({"score", "low", "high"})
_POINTS: Final = frozenset({"points", "low_points", "high_points"})

MESSAGES: Final[Mapping[str, frozenset[str]]] = {
    "overall_about": _SCORES,
    "overall_roughly": _SCORES,
    "overall_open": _SCORES,
    "overall_unknown": frozenset(),
    "dimension_about": frozenset({"subject", "score"}),
    "dimension_roughly": frozenset({"subject", "score"}),
    "dimension_open": frozenset({"subject"}) | _SCORES,
    "dimension_unknown": frozenset({"subject"}),
    "dimension_unscored": frozenset({"subject"}),
    "no_moment": frozenset({"subject"}),
    "accuracy_pitch_song": frozenset({"percent"}),
    "accuracy_pitch_backing": frozenset({"percent"}),
    "accuracy_pitch_self": frozenset({"percent"}),
    "accuracy_rhythm_song": frozenset({"percent"}),
    "accuracy_rhythm_backing": frozenset({"percent"}),
    "weak": frozenset(),
    "insufficient": frozenset(),
    "not_about_you": frozenset(),
    "one_more_take": frozenset(),
    "record_again": frozenset(),
    "no_task": frozenset(),
    "careful": frozenset(),
    "spoken_about": frozenset({"points"}),
    "spoken_roughly": frozenset({"points"}),
    "spoken_open": frozenset({"low_points", "high_points"}),
    "spoken_unknown": frozenset(),
    "spoken_exercise": frozenset({"title"}),
    "exercise_title": frozenset({"title", "minutes"}),
    "exercise_works": frozenset({"works"}),
    "exercise_care": frozenset({"care"}),
}
"""Every message with the fields that each of its wordings uses, no more and no fewer."""

TOPIC_MESSAGES: Final[Mapping[str, frozenset[str]]] = {
    "good": frozenset({"clock"}),
    "bad": frozenset({"clock"}),
    "better": frozenset({"clock"}),
    "weaker": frozenset({"clock"}),
    "work": frozenset(),
    "gloss": frozenset(),
    "spoken": frozenset(),
}
AMOUNT_MESSAGES: Final = {"bad_amount": frozenset({"clock", "amount"})}
"""For topics whose amounts are told in semitones."""
SIDED_MESSAGES: Final = {
    "bad_flat": frozenset({"clock", "amount"}),
    "bad_sharp": frozenset({"clock", "amount"}),
}
"""For topics of which a single note can be too low or too high."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExerciseWords:
    """The words of one exercise. ``works`` says how one knows that it works."""

    title: str
    purpose: str
    steps: tuple[str, ...]
    works: str
    care: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All words of one language.

    Attributes
    ----------
    messages
        Wordings by message; those of topics are named ``"topic.<id>.<message>"``, reasons
        ``"reason.<key>"``.
    points
        Half points from 1 to 5 in words.
    between_sentences
        What stands between two sentences: a space, or nothing.
    plural
        Which counts take the ``one`` form: ``"one"`` (1), ``"zero_one"`` (0 and 1), ``"none"``.
    """

    language: str
    name: str
    messages: Mapping[str, tuple[str, ...]]
    dimension_names: Mapping[Dimension, str]
    dimension_subjects: Mapping[Dimension, str]
    measure_names: Mapping[str, str]
    exercises: Mapping[str, ExerciseWords]
    amounts: Mapping[str, str]
    points: tuple[str, ...]
    minutes: Mapping[str, str]
    plural: str
    decimal: str
    percent: str
    between_sentences: str

    def render(self, message: str, fields: Mapping[str, object], *, wording: int = 0) -> str:
        """Write a message as a sentence; ``fields`` hold plain values (seconds, cents, points)."""
        choices = self.messages[message]
        written = {name: self._field(name, value) for name, value in fields.items()}
        sentence = choices[wording % len(choices)].format_map(written)
        return sentence[:1].upper() + sentence[1:]

    def wordings(self, message: str) -> int:
        """In how many ways a message can be said."""
        return len(self.messages[message])

    def number(self, value: float) -> str:
        """Write a number with at most one decimal."""
        return f"{round(value, 1):g}".replace(".", self.decimal)

    def measure_name(self, measure: str) -> str:
        """Name of a measure; one without a name, ``"new_thing"``, becomes "New thing"."""
        text = " ".join(measure.split("_"))
        return self.measure_names.get(measure, text[:1].upper() + text[1:])

    def percent_text(self, percent: float) -> str:
        """Write a whole percentage."""
        return self.percent.format(number=f"{percent:.0f}")

    def minutes_text(self, minutes: int) -> str:
        """Write a duration in minutes in the right plural form."""
        ones = {"one": (1,), "zero_one": (0, 1), "none": ()}[self.plural]
        return self.minutes["one" if minutes in ones else "other"].format(n=minutes)

    def exercise_text(self, exercise: str, *, minutes: int) -> str:
        """Write an exercise as lines: title, purpose, numbered steps, how it works, caution."""
        words = self.exercises[exercise]
        fill = {"title": words.title, "minutes": self.minutes_text(minutes)}
        return "\n".join(
            (
                self.messages["exercise_title"][0].format_map(fill),
                words.purpose,
                *(f"{number}. {step}" for number, step in enumerate(words.steps, start=1)),
                self.messages["exercise_works"][0].format(works=words.works),
                self.messages["exercise_care"][0].format(care=words.care),
            )
        )

    def _field(self, name: str, value: object) -> str:
        if name == "subject":
            return self.dimension_subjects[value]  # type: ignore[index]
        if name == "title":
            return self.exercises[str(value)].title
        if name == "dimension":
            names: Mapping[str, str] = {
                str(key): said for key, said in self.dimension_names.items()
            }
            return names.get(str(value), str(value))
        if not isinstance(value, int | float):
            return str(value)
        if name == "clock":
            return clock(value)
        if name == "amount":
            return self.amounts[amount_key(value)]
        if name == "percent":
            return self.percent_text(value)
        if name in _POINTS:
            return self.points[int(half_points(value) * 2) - 2]
        return self.number(value)
