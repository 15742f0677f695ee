"""From scores to the coach's words, with every claim checked."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from singcoach.coaching import catalogue
from singcoach.coaching.check import ClaimChecker
from singcoach.coaching.exercises import LIBRARY
from singcoach.coaching.facts import Fact, gather_facts
from singcoach.coaching.plan import make_plan
from singcoach.coaching.text import Writer, critique
from singcoach.core.music import Note
from singcoach.core.scores import Feedback, Scores, Suggestion
from singcoach.core.take import Screening
from singcoach.jobs import NO_JOB, Job

GENERATOR = "template"


def write_feedback(
    *,
    scores: Scores,
    screening: Screening,
    duration_s: float,
    notes: Sequence[Note] = (),
    job: Job = NO_JOB,
) -> Feedback:
    """Write the feedback on one take from templates.

    Parameters
    ----------
    scores
        Dimensions with their evidence; only these are spoken of.
    screening
        Verdict with its reasons, accuracies.
    duration_s
        Length of the take in seconds.
    notes
        The sung notes; they tell whether a note off the tuning is too low or too high.

    Returns
    -------
    Feedback
        ``claims_checked`` sentences were held against the facts, ``claims_rejected`` of them were
        dropped.
    """
    facts = gather_facts(scores=scores, screening=screening, duration_s=duration_s, notes=notes)
    reasons = (*screening.reasons, scores.overall.reason or "")
    checker = ClaimChecker(facts, reasons=reasons)
    writer = Writer(facts, seed=_seed(facts))
    job.report(0.0, "feedback")
    if scores.overall.score is None:
        return _not_judged(scores, screening, checker, writer)
    plan = make_plan(facts)
    summary = [] if plan.praise is None else [writer.praise(plan.praise)]
    summary.append(writer.overall())
    if screening.verdict == "weak" and screening.reasons:
        summary.append(_weak(screening))
    summary.append(writer.next_step(plan))
    suggestions = []
    for place, task in enumerate(plan.tasks):
        text = checker.keep(writer.task(task, place=place))
        if text:
            suggestions.append(
                Suggestion(text=text, exercise=task.exercise.text, evidence=task.evidence)
            )
    feedback = Feedback(
        summary=checker.keep(" ".join(summary)),
        critique=checker.keep(critique(writer)),
        suggestions=tuple(suggestions),
        spoken=checker.keep(writer.spoken(plan)),
        generator=GENERATOR,
        claims_checked=checker.checked,
        claims_rejected=checker.rejected,
    )
    job.report(1.0, "feedback")
    return feedback


def _not_judged(
    scores: Scores, screening: Screening, checker: ClaimChecker, writer: Writer
) -> Feedback:
    """Say why nothing was scored and how to record a take that can be."""
    reason = next(iter(screening.reasons), "") or scores.overall.reason or ""
    summary = " ".join(
        (
            catalogue.INSUFFICIENT.format(reason=_clause(reason)),
            "That says nothing about how well you sing.",
            "Please record one more take, a little longer and in a quiet room.",
        )
    )
    task = Suggestion(
        text=checker.keep(catalogue.RECORD_AGAIN_TEXT),
        exercise=LIBRARY["record_again"].text,
        evidence=(),
    )
    spoken = " ".join(
        (
            catalogue.SPOKEN_INSUFFICIENT,
            "That says nothing about how well you sing.",
            "Please record one more take, a little longer and in a quiet room.",
        )
    )
    partly = any(score.score is not None for score in scores.dimensions.values())
    return Feedback(
        summary=checker.keep(summary),
        critique=checker.keep(critique(writer)) if partly else "",
        suggestions=(task,),
        spoken=checker.keep(spoken),
        generator=GENERATOR,
        claims_checked=checker.checked,
        claims_rejected=checker.rejected,
    )


def _weak(screening: Screening) -> str:
    return catalogue.WEAK.format(reason=_clause(screening.reasons[0]))


def _clause(reason: str) -> str:
    reason = reason.strip().rstrip(".")
    return reason[:1].lower() + reason[1:] if reason[1:2].islower() else reason


def _seed(facts: Sequence[Fact]) -> str:
    content = "\n".join(
        f"{f.id}\t{f.kind}\t{f.direction}\t{f.value!r}\t{f.start_s!r}" for f in facts
    )
    return hashlib.sha256(content.encode("utf-8")).hexdigest()
