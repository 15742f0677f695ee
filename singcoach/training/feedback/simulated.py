"""Assessments of takes that nobody sang: plausible scores, moments and doubts, drawn at random.

They serve only to make the coach speak; no number in them says anything about singing. Amounts in
cents, widths of intervals and lengths span what the assessment of real takes gives.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final, Literal

from singcoach.coaching.facts import RELATIVE_MARK
from singcoach.coaching.topics import TOPICS
from singcoach.core.music import Note
from singcoach.core.scores import DIMENSIONS, Dimension, DimensionScore, Evidence, Scores
from singcoach.core.take import Screening

_TOPICS_OF: Final[dict[Dimension, tuple[str, ...]]] = {
    "breath": ("phrase_end", "breath_noise", "phrase_breaks", "phrase_length", "steadiness"),
    "timbre": ("smoothness", "clarity", "ring"),
    "emotion": ("melody_dynamics", "dynamics", "range", "vibrato_use"),
    "technique": ("intonation", "vibrato", "scoop", "drift", "timing", "leaps", "phrase_end_pitch"),
}
_MEASURES: Final = {topic.id: topic.measures or topic.words for topic in TOPICS}
_IN_CENTS: Final = frozenset(topic.id for topic in TOPICS if topic.in_semitones)
_DOUBTS: Final = ("The recording is noisy", "The recording is clipped", "The pitch is often off")
_REFERENCES: Final[tuple[Literal["song", "backing"], ...]] = ("song", "backing")


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedTake:
    """What the coach's words are made from."""

    scores: Scores
    screening: Screening
    duration_s: float
    notes: tuple[Note, ...]


def simulate(draw: random.Random) -> SimulatedTake:
    """Draw one take; the same state of ``draw`` gives the same take."""
    duration_s = draw.choice((draw.uniform(11, 40), draw.uniform(40, 420)))
    notes: list[Note] = []
    dimensions = {name: _dimension(name, duration_s, notes, draw) for name in DIMENSIONS}
    weak = draw.random() < 0.25
    known = draw.choice(_REFERENCES) if draw.random() < 0.5 else None
    screening = Screening(
        verdict="weak" if weak else "pass",
        pitch_accuracy=draw.random(),
        rhythm_accuracy=draw.random() if known else None,
        pitch_reference=known or "self",
        rhythm_reference=known,
        key=None,
        tuning_cents=None,
        voiced_s=duration_s * draw.uniform(0.4, 0.9),
        recording_quality=None,
        reasons=(draw.choice(_DOUBTS),) if weak else (),
    )
    scores = Scores(dimensions=dimensions, overall=_score(draw, ()), measures={}, phrases=())
    return SimulatedTake(
        scores=scores, screening=screening, duration_s=duration_s, notes=tuple(notes)
    )


def _dimension(
    name: Dimension, duration_s: float, notes: list[Note], draw: random.Random
) -> DimensionScore:
    topics = draw.sample(_TOPICS_OF[name], min(draw.randint(0, 4), len(_TOPICS_OF[name])))
    found = []
    for number, topic in enumerate(topics, start=1):
        start_s = draw.uniform(0.0, duration_s - 4.0)
        end_s = start_s + draw.uniform(1.0, 4.0)
        good = draw.random() < 0.4
        if topic == "intonation" and not good:
            side = draw.choice((-1.0, 1.0))
            cents = side * draw.choice((draw.uniform(20.0, 90.0), draw.uniform(90.0, 260.0)))
            notes.append(
                Note(onset_s=start_s + 0.1, offset_s=start_s + 0.8, midi=60, cents_deviation=cents)
            )
        relative = draw.random() < 0.3
        in_cents = topic in _IN_CENTS
        found.append(
            Evidence(
                id=f"{name}-{number}",
                start_s=start_s,
                end_s=end_s,
                measure=draw.choice(_MEASURES[topic]),
                value=draw.uniform(5.0, 260.0) if in_cents else draw.uniform(0.0, 20.0),
                unit="cents" if in_cents else "dB",
                effect=draw.uniform(0.05, 0.5) * (1.0 if good else -1.0),
                text=RELATIVE_MARK if relative else "",
            )
        )
    return _score(draw, tuple(found))


def _score(draw: random.Random, found: tuple[Evidence, ...]) -> DimensionScore:
    score = draw.uniform(1.0, 5.0)
    half = draw.choice((draw.uniform(0.1, 0.4), draw.uniform(0.4, 1.0), draw.uniform(1.0, 2.0)))
    return DimensionScore(
        score=score,
        low=max(1.0, score - half),
        high=min(5.0, score + half),
        head="simulated",
        encoder=None,
        evidence=found,
    )
