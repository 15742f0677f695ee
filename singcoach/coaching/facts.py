"""What the coach may speak of: one fact for everything that was measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from singcoach.coaching.topics import topic_of
from singcoach.core.music import Note
from singcoach.core.scores import DIMENSIONS, Dimension, DimensionScore, Evidence, Scores
from singcoach.core.take import Screening

Subject = Dimension | Literal["overall", "pitch", "rhythm", "take"]
FactKind = Literal["score", "unscored", "evidence", "note", "accuracy", "duration", "reason"]
Direction = Literal["good", "bad", "flat", "sharp", "none"]

AUDIBLE_CENTS = 20.0
"""Deviation from which a single note is worth naming; smaller ones few people hear."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One measured thing.

    Attributes
    ----------
    id
        Unique; that of the evidence where the fact is one.
    value, low, high
        In ``unit``; scores have a range. None where the fact is that something is unknown.
    direction
        ``good`` / ``bad``: raised / lowered a score. ``flat`` / ``sharp``: a note's side.
    start_s, end_s
        Where in the take; None for the take as a whole.
    weight
        0..1, how much it moved its score.
    relative
        The moment stands out only beside the rest of this take.
    reason
        Why something is unknown, or what the screening remarked; without its full stop.
    """

    id: str
    kind: FactKind
    subject: Subject
    value: float | None
    unit: str
    topic: str = ""
    measure: str = ""
    direction: Direction = "none"
    low: float | None = None
    high: float | None = None
    start_s: float | None = None
    end_s: float | None = None
    weight: float = 0.0
    relative: bool = False
    reason: str = ""


RELATIVE_MARK = "moments of the take"
"""How the sentence of a piece of evidence says that it stands out only in this take."""


def gather_facts(
    *, scores: Scores, screening: Screening, duration_s: float, notes: Sequence[Note] = ()
) -> tuple[Fact, ...]:
    """List the facts of one take in a fixed order."""
    facts = [_score_fact(name, scores.dimensions[name]) for name in DIMENSIONS]
    facts.append(_score_fact("overall", scores.overall))
    for name in DIMENSIONS:
        for item in scores.dimensions[name].evidence:
            if not math.isfinite(item.value):
                continue
            facts.append(_evidence_fact(name, item))
            note_fact = _note_fact(name, item, notes)
            if note_fact is not None:
                facts.append(note_fact)
    accuracies: tuple[tuple[Subject, float | None, str | None], ...] = (
        ("pitch", screening.pitch_accuracy, screening.pitch_reference),
        ("rhythm", screening.rhythm_accuracy, screening.rhythm_reference),
    )
    for subject, value, reference in accuracies:
        if value is not None and reference is not None:
            facts.append(
                Fact(
                    id=f"accuracy.{subject}",
                    kind="accuracy",
                    subject=subject,
                    value=value,
                    unit="share",
                    measure=reference,
                )
            )
    facts.append(Fact(id="duration", kind="duration", subject="take", value=duration_s, unit="s"))
    facts.append(
        Fact(id="voiced", kind="duration", subject="take", value=screening.voiced_s, unit="s")
    )
    reasons = dict.fromkeys(
        reason.strip().rstrip(".")
        for reason in (
            *screening.reasons,
            scores.overall.reason or "",
            *(scores.dimensions[name].reason or "" for name in DIMENSIONS),
        )
        if reason.strip()
    )
    facts += [
        Fact(id=f"reason.{n}", kind="reason", subject="take", value=None, unit="", reason=reason)
        for n, reason in enumerate(reasons, start=1)
    ]
    return tuple(facts)


def _score_fact(name: Subject, score: DimensionScore) -> Fact:
    if score.score is None:
        return Fact(
            id=f"score.{name}",
            kind="unscored",
            subject=name,
            value=None,
            unit="",
            reason=(score.reason or "").strip().rstrip("."),
        )
    return Fact(
        id=f"score.{name}",
        kind="score",
        subject=name,
        value=score.score,
        unit="",
        low=score.low,
        high=score.high,
    )


def _evidence_fact(name: Dimension, item: Evidence) -> Fact:
    return Fact(
        id=item.id,
        kind="evidence",
        subject=name,
        value=item.value,
        unit=item.unit.lower(),
        topic=topic_of(item.measure).id,
        measure=item.measure,
        direction="good" if item.effect > 0 else "bad" if item.effect < 0 else "none",
        start_s=item.start_s,
        end_s=item.end_s,
        weight=abs(item.effect),
        relative=RELATIVE_MARK in item.text,
    )


def _note_fact(name: Dimension, item: Evidence, notes: Sequence[Note]) -> Fact | None:
    """The note that lies furthest off within evidence against the tuning, with its side."""
    if item.effect >= 0 or topic_of(item.measure).id != "intonation":
        return None
    inside = [
        note
        for note in notes
        if note.onset_s >= item.start_s - 0.05
        and note.offset_s <= item.end_s + 0.05
        and note.duration_s >= 0.15
        and abs(note.cents_deviation) >= AUDIBLE_CENTS
    ]
    if not inside:
        return None
    note = max(inside, key=lambda n: (abs(n.cents_deviation), -n.onset_s))
    return Fact(
        id=f"{item.id}.note",
        kind="note",
        subject=name,
        value=note.cents_deviation,
        unit="cents",
        topic="intonation",
        measure=item.measure,
        direction="flat" if note.cents_deviation < 0 else "sharp",
        start_s=item.start_s,
        end_s=item.end_s,
        weight=abs(item.effect),
    )
