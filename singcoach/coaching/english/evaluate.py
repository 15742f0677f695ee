"""Whether the facts of a take bear out one claim."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from singcoach.coaching.english.clauses import Claim
from singcoach.coaching.english.tokens import Times, Tokens
from singcoach.coaching.facts import Fact
from singcoach.coaching.numbers import half_above, half_below, half_points
from singcoach.coaching.statements import certainty
from singcoach.coaching.topics import topic_named
from singcoach.core.scores import Dimension

MIDDLE = 3.0
"""A dimension is called strong or weak only when its whole interval lies on one side of this."""

_CENTS_SLACK: Final = 1.0
_SLACK: Final = {"hz": 0.5, "db": 0.75}
_PERCENT_SLACK: Final = 2.6
_TOKEN: Final = re.compile(r"\b([TCSRPAUDQE])(\d+)\b")
_REFERENCES: Final = {
    "the written song": "song",
    "the music": "backing",
    "your own scale": "self",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """The numbers and names of one clause, and its words with bare letters in their places."""

    residue: str
    times: Times = ()
    scores: tuple[float, ...] = ()
    ranges: tuple[tuple[float, float], ...] = ()
    percents: tuple[float, ...] = ()
    amounts: tuple[tuple[float, float], ...] = ()
    quantities: tuple[tuple[float, str], ...] = ()
    dimensions: tuple[Dimension, ...] = ()
    quotes: tuple[str, ...] = ()
    exists: bool = False

    @classmethod
    def of(cls, tokens: Tokens, text: str) -> Clause:
        """Look up the tokens of a clause; phrases of time may stand anywhere and are taken out."""
        found: dict[str, list[int]] = {}
        for letter, number in _TOKEN.findall(text):
            found.setdefault(letter, []).append(int(number))
        times = [
            span for n in (*found.get("T", ()), *found.get("C", ())) for span in tokens.times[n]
        ]
        residue = _TOKEN.sub(lambda m: " " if m[1] == "T" else m[1], text)
        residue = re.sub(r"\s+", " ", residue)
        residue = re.sub(r"\s*,(?:\s*,)*", ",", residue).strip(" ,")
        return cls(
            residue=residue,
            times=tuple(times),
            scores=tuple(tokens.scores[n] for n in found.get("S", ())),
            ranges=tuple(tokens.ranges[n] for n in found.get("R", ())),
            percents=tuple(tokens.percents[n] for n in found.get("P", ())),
            amounts=tuple(tokens.amounts[n] for n in found.get("A", ())),
            quantities=tuple(tokens.quantities[n] for n in found.get("U", ())),
            dimensions=tuple(tokens.dimensions[n] for n in found.get("D", ())),
            quotes=tuple(tokens.quotes[n] for n in found.get("Q", ())),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the clauses before have set: a later clause without its own takes these over.

    ``explained``: the clause before is one for which a reason may be given (advice, doubt). What
    causes a moment was never measured. ``waiting``: a time or a subject was named on its own, and
    the next clause has to be about it. ``because``: the clause gives the reason for advice, which
    has to be of the same topic.
    """

    dimension: Dimension | None = None
    overall: bool = False
    times: Times = ()
    topic: str = ""
    exists: bool = False
    neutral: bool = False
    explained: bool = False
    waiting: bool = False
    because: bool = False


Verdict = tuple[tuple[str, ...], Context] | None


def judge(claim: Claim, clause: Clause, context: Context, facts: Sequence[Fact]) -> Verdict:
    """Return the ids behind a claim and the context after it; None when nothing bears it out."""
    if len(set(clause.dimensions)) > 1:
        return None
    if context.waiting and (clause.times if context.times else clause.dimensions):
        return None
    dimension = clause.dimensions[0] if clause.dimensions else context.dimension
    if context.because and _topic(claim) != context.topic:
        return None
    if claim.pronoun and claim.topic != context.topic:
        return None
    if claim.overall:
        dimension = None
    after = replace(
        context,
        dimension=dimension,
        overall=claim.overall or (context.overall and not clause.dimensions),
        times=clause.times or context.times,
        topic=claim.topic or context.topic,
        exists=clause.exists or context.exists,
        waiting=claim.kind == "subject",
        because=False,
    )
    known = {f.id: f for f in facts}
    unscored = dimension is not None and known[f"score.{dimension}"].kind == "unscored"
    if unscored and claim.kind not in ("unscored", "reason", "subject"):
        return None
    ids = _JUDGES[claim.kind](claim, clause, after, facts)
    if ids is None:
        return None
    if claim.kind in ("neutral", "listen", "exercise"):
        after = replace(after, neutral=True)
    return ids, replace(after, explained=claim.kind in ("neutral", "unscored", "work"))


def _topic(claim: Claim) -> str:
    return claim.topic or {"note": "intonation", "drift": "drift"}.get(claim.kind, "")


def timed(facts: Iterable[Fact], times: Times) -> bool:
    """Whether some evidence holds each of the times."""
    moments = [f for f in facts if f.kind == "evidence"]
    return all(any(_holds(f, span) for f in moments) for span in times)


Ids = tuple[str, ...] | None


def _score_of(after: Context, facts: Sequence[Fact]) -> Fact | None:
    if after.dimension is None and not after.overall:
        return None
    wanted = f"score.{after.dimension or 'overall'}"
    return next(f for f in facts if f.id == wanted)


def _score(_claim: Claim, clause: Clause, after: Context, facts: Sequence[Fact]) -> Ids:
    fact = _score_of(after, facts)
    if fact is None or fact.value is None or certainty(fact) == "unknown" or clause.times:
        return None
    right = all(value == half_points(fact.value) for value in clause.scores)
    return (fact.id,) if clause.scores and right else None


def _range(_claim: Claim, clause: Clause, after: Context, facts: Sequence[Fact]) -> Ids:
    fact = _score_of(after, facts)
    if fact is None or fact.low is None or fact.high is None or clause.times:
        return None
    wanted = (half_below(fact.low), half_above(fact.high))
    return (fact.id,) if clause.ranges and all(r == wanted for r in clause.ranges) else None


def _moment(claim: Claim, clause: Clause, after: Context, facts: Sequence[Fact]) -> Ids:
    return _at_all_times(
        after,
        [
            f
            for f in facts
            if f.kind == "evidence"
            and f.topic == claim.topic
            and f.direction == claim.sign
            and not f.relative
            and _sizes(f, clause, facts)
        ],
    )


def _relative(claim: Claim, _clause: Clause, after: Context, facts: Sequence[Fact]) -> Ids:
    found = [f for f in facts if f.kind == "evidence" and f.direction == claim.sign]
    if claim.topic:
        found = [f for f in found if f.topic == claim.topic]
    return _at_all_times(after, found)


def _note(claim: Claim, clause: Clause, after: Context, facts: Sequence[Fact]) -> Ids:
    return _at_all_times(
        after,
        [
            f
            for f in facts
            if f.kind == "note" and f.direction == claim.sign and _sizes(f, clause, ())
        ],
    )


def _drift(claim: Claim, clause: Clause, after: Context, facts: Sequence[Fact]) -> Ids:
    return _at_all_times(
        after,
        [
            f
            for f in facts
            if f.kind == "evidence"
            and f.measure == "note_drift"
            and f.direction == "bad"
            and not f.relative
            and ("flat" if (f.value or 0.0) < 0.0 else "sharp") == claim.sign
            and _sizes(f, clause, ())
        ],
    )


def _amount(_claim: Claim, clause: Clause, after: Context, facts: Sequence[Fact]) -> Ids:
    """An amount on its own belongs to what was spoken of before it."""
    if not after.topic:
        return None
    return _at_all_times(
        after,
        [
            f
            for f in facts
            if f.kind == "evidence" and f.topic == after.topic and _sizes(f, clause, facts)
        ],
    )


def _work(claim: Claim, clause: Clause, after: Context, facts: Sequence[Fact]) -> Ids:
    """Advice needs evidence that something in this topic lowered a score."""
    if not topic_named(claim.topic).advice:
        return None
    found = [
        f for f in facts if f.kind == "evidence" and f.topic == claim.topic and f.direction == "bad"
    ]
    if after.dimension is not None and clause.dimensions:
        found = [f for f in found if f.subject == after.dimension]
    if not found or not all(any(_holds(f, span) for f in found) for span in clause.times):
        return None
    return tuple(f.id for f in found if all(_holds(f, span) for span in clause.times))


def _effect(claim: Claim, clause: Clause, after: Context, facts: Sequence[Fact]) -> Ids:
    """That a moment moved a score: of the dimension named, or of the topic spoken of."""
    found = [f for f in facts if f.kind == "evidence" and f.direction == claim.sign]
    if after.topic:
        found = [f for f in found if f.topic == after.topic]
    if claim.overall or not (clause.times or after.times):
        return None
    return _at_all_times(after, found)


def _accuracy(claim: Claim, clause: Clause, _after: Context, facts: Sequence[Fact]) -> Ids:
    if len(clause.percents) != 1 or clause.times:
        return None
    for fact in facts:
        if fact.id == f"accuracy.{claim.subject}":
            close = abs(100.0 * (fact.value or 0.0) - clause.percents[0]) <= _PERCENT_SLACK
            named = _REFERENCES.get(claim.reference, fact.measure)
            return (fact.id,) if close and named == fact.measure else None
    return None


def _extreme(claim: Claim, clause: Clause, after: Context, facts: Sequence[Fact]) -> Ids:
    """The best or weakest dimension, by a clear half point; equal ones have no order."""
    fact = _score_of(after, facts)
    scores = [f for f in facts if f.kind == "score" and f.subject != "overall"]
    if fact is None or fact.value is None or len(scores) < 2 or clause.times:
        return None
    if any(certainty(f) == "unknown" for f in scores):
        return None
    if any(value != half_points(fact.value) for value in clause.scores):
        return None
    own = half_points(fact.value)
    others = [half_points(f.value or 0.0) for f in scores if f.id != fact.id]
    first = own > max(others) if claim.extreme == "best" else own < min(others)
    return tuple(f.id for f in scores) if first else None


def _judgement(claim: Claim, clause: Clause, after: Context, facts: Sequence[Fact]) -> Ids:
    fact = _score_of(after, facts)
    if fact is None or fact.low is None or fact.high is None or clause.times:
        return None
    if any(value != half_points(fact.value or 0.0) for value in clause.scores):
        return None
    sure = fact.low > MIDDLE if claim.sign == "good" else fact.high < MIDDLE
    return (fact.id,) if sure else None


def _unscored(claim: Claim, clause: Clause, after: Context, facts: Sequence[Fact]) -> Ids:
    fact = _score_of(replace(after, overall=after.overall or claim.overall), facts)
    if fact is None or clause.times:
        return None
    return (fact.id,) if fact.kind == "unscored" else None


def _unsure(claim: Claim, clause: Clause, after: Context, facts: Sequence[Fact]) -> Ids:
    """That the interval is too wide for a score."""
    fact = _score_of(replace(after, overall=after.overall or claim.overall), facts)
    if fact is None or fact.kind != "score" or clause.times:
        return None
    return (fact.id,) if certainty(fact) == "unknown" else None


def _no_moment(_claim: Claim, clause: Clause, after: Context, facts: Sequence[Fact]) -> Ids:
    if after.dimension is None or clause.times:
        return None
    shown = any(f.kind == "evidence" and f.subject == after.dimension for f in facts)
    return None if shown else (f"score.{after.dimension}",)


def _duration(claim: Claim, clause: Clause, _after: Context, facts: Sequence[Fact]) -> Ids:
    wanted = "voiced" if claim.subject == "sung" else "duration"
    fact = next(f for f in facts if f.id == wanted)
    for value, unit in clause.quantities:
        seconds, slack = (value * 60.0, 30.0) if unit == "minutes" else (value, 0.6)
        if unit not in ("s", "minutes") or abs((fact.value or 0.0) - seconds) > slack:
            return None
    return (fact.id,)


def _reason(_claim: Claim, clause: Clause, _after: Context, _facts: Sequence[Fact]) -> Ids:
    return clause.quotes


def _listen(_claim: Claim, clause: Clause, _after: Context, facts: Sequence[Fact]) -> Ids:
    if not timed(facts, clause.times):
        return None
    moments = [f for f in facts if f.kind == "evidence"]
    return tuple(f.id for f in moments if any(_holds(f, span) for span in clause.times))


def _nothing(_claim: Claim, clause: Clause, _after: Context, facts: Sequence[Fact]) -> Ids:
    return () if timed(facts, clause.times) else None


_JUDGES: Final[dict[str, Callable[[Claim, Clause, Context, Sequence[Fact]], Ids]]] = {
    "score": _score,
    "range": _range,
    "moment": _moment,
    "relative": _relative,
    "note": _note,
    "drift": _drift,
    "amount": _amount,
    "work": _work,
    "effect": _effect,
    "accuracy": _accuracy,
    "extreme": _extreme,
    "judgement": _judgement,
    "unscored": _unscored,
    "unsure": _unsure,
    "no_moment": _no_moment,
    "duration": _duration,
    "reason": _reason,
    "exercise": _nothing,
    "listen": _listen,
    "neutral": _nothing,
    "subject": _nothing,
}


def _at_all_times(after: Context, found: Sequence[Fact]) -> Ids:
    """Facts that hold each time; without a time a claim is only that there is such a moment."""
    if after.dimension is not None:
        found = [f for f in found if f.subject == after.dimension]
    if not after.times:
        return tuple(f.id for f in found) if found and after.exists else None
    ids: list[str] = []
    for span in after.times:
        holding = [f.id for f in found if _holds(f, span)]
        if not holding:
            return None
        ids += holding
    return tuple(ids)


def _sizes(fact: Fact, clause: Clause, facts: Sequence[Fact]) -> bool:
    """Whether every amount of the clause is that of the fact, or of its note that is off."""
    sizes = [(abs(fact.value or 0.0), fact.unit)]
    sizes += [(abs(f.value or 0.0), f.unit) for f in facts if f.id == f"{fact.id}.note"]
    return all(
        any(
            unit == "cents" and low - _CENTS_SLACK <= size <= high + _CENTS_SLACK
            for size, unit in sizes
        )
        for low, high in clause.amounts
    ) and all(
        any(unit == known and abs(size - value) <= _slack(known, size) for size, known in sizes)
        for value, unit in clause.quantities
    )


def _slack(unit: str, size: float) -> float:
    return _SLACK.get(unit, max(0.5, 0.05 * size))


def _holds(fact: Fact, span: tuple[int, int]) -> bool:
    if fact.start_s is None or fact.end_s is None:
        return False
    begin, finish = span
    if begin == finish:
        return fact.start_s - 1.0 < begin <= fact.end_s
    return (
        begin < finish and fact.start_s - 1.0 < begin <= fact.end_s and finish <= fact.end_s + 1.0
    )
