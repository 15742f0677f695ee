"""What was judged: measures, scores with intervals, the seconds that moved them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Dimension = Literal["breath", "timbre", "emotion", "technique"]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One measured number of a take.

    ``value`` is None when the take does not allow the measurement. ``percentile`` is 0..100 among
    the recordings that the norms were taken from (not "better", only "more"), None when unknown.
    """

    value: float | None
    unit: str
    percentile: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Seconds that moved a score.

    ``effect`` is in -1..1: the signed share of the dimension's score movement that these seconds
    caused (negative = lowered the score). ``text`` is one English sentence with the value.
    """

    id: str
    start_s: float
    end_s: float
    measure: str
    value: float
    unit: str
    effect: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionScore:
    """Score 1..5 with its 80 % interval, or None with the reason."""

    score: float | None
    low: float | None
    high: float | None
    head: str
    encoder: str | None
    evidence: tuple[Evidence, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhraseMeasures:
    """Measures of one phrase; a missing name means that the phrase does not allow it."""

    start_s: float
    end_s: float
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Everything that scoring says about one take."""

    dimensions: Mapping[Dimension, DimensionScore]
    overall: DimensionScore
    measures: Mapping[str, Measure]
    phrases: tuple[PhraseMeasures, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """One thing to practise, with the exercise and the evidence ids that ask for it."""

    text: str
    exercise: str
    evidence: tuple[str, ...]


FeedbackPart = Literal["summary", "critique", "suggestion", "spoken"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence of the feedback and what it rests on.

    ``facts`` are ids of evidence, or name a number of the whole take: ``score.<dimension>``,
    ``accuracy.pitch``, ``voiced``, ``reason.1``. ``place`` counts suggestions from 0, else it is 0.
    """

    part: FeedbackPart
    place: int
    text: str
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """The coach's words and how many of their claims were checked against measurements.

    ``sentences`` are the same words one by one, in the order of the parts.
    """

    summary: str
    critique: str
    suggestions: tuple[Suggestion, ...]
    spoken: str
    generator: str
    claims_checked: int
    claims_rejected: int
    sentences: tuple[Sentence, ...] = ()
    language: str = "en"
