"""What may be said about a take: statements, each made from facts and free of any language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from singcoach.coaching.facts import Fact
from singcoach.coaching.languages import Catalogue
from singcoach.coaching.languages.reasons import recognise
from singcoach.coaching.numbers import five_percent, half_above, half_below, half_points, pick
from singcoach.coaching.topics import topic_named

ROUGH_WIDTH = 0.75
"""Width of an 80 % interval in points from which a score is only "roughly" known."""
OPEN_WIDTH = 2.0
"""Width from which it is said that other scores are possible: half of the whole scale."""
UNKNOWN_WIDTH = 3.25
"""Width from which no score is told: nearly the whole scale is possible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One sentence to be said: its message, what is filled in, the facts it rests on."""

    message: str
    fields: Mapping[str, object] = field(default_factory=dict)
    facts: tuple[str, ...] = ()

    def render(self, words: Catalogue, *, wording: int = 0) -> str:
        """Write the statement in a language."""
        return words.render(self.message, self.fields, wording=wording)

    def chosen(self, words: Catalogue, seed: str) -> str:
        """Write it in one of the language's wordings, chosen by ``seed`` and the facts."""
        return self.render(
            words, wording=pick(words.wordings(self.message), seed, self.message, *self.facts)
        )


def plain(message: str, *facts: str) -> Statement:
    """Make a statement without fields."""
    return Statement(message=message, facts=facts)


def certainty(fact: Fact) -> str:
    """How closely a score is known: ``"about"``, ``"roughly"``, ``"open"`` or ``"unknown"``."""
    width = (5.0 if fact.high is None else fact.high) - (1.0 if fact.low is None else fact.low)
    for bound, name in (
        (UNKNOWN_WIDTH, "unknown"),
        (OPEN_WIDTH, "open"),
        (ROUGH_WIDTH, "roughly"),
    ):
        if width >= bound:
            return name
    return "about"


def score(fact: Fact) -> Statement:
    """The score of a dimension or of the whole, with its range where that belongs to it."""
    sure = certainty(fact)
    fields: dict[str, object] = {}
    if sure != "unknown":
        fields["score"] = half_points(fact.value or 0.0)
    if sure == "open" or (fact.subject == "overall" and sure != "unknown"):
        fields["low"] = half_below(1.0 if fact.low is None else fact.low)
        fields["high"] = half_above(5.0 if fact.high is None else fact.high)
    if fact.subject == "overall":
        return Statement(message=f"overall_{sure}", fields=fields, facts=(fact.id,))
    fields["subject"] = fact.subject
    return Statement(message=f"dimension_{sure}", fields=fields, facts=(fact.id,))


def spoken_score(fact: Fact) -> Statement:
    """The overall score for the ear."""
    sure = certainty(fact)
    fields: dict[str, object] = {}
    if sure in ("about", "roughly"):
        fields["points"] = fact.value or 0.0
    elif sure == "open":
        fields = {
            "low_points": half_below(1.0 if fact.low is None else fact.low),
            "high_points": half_above(5.0 if fact.high is None else fact.high),
        }
    return Statement(message=f"spoken_{sure}", fields=fields, facts=(fact.id,))


def unscored(fact: Fact) -> Statement:
    """That a dimension has no score."""
    return Statement(
        message="dimension_unscored", fields={"subject": fact.subject}, facts=(fact.id,)
    )


def no_moment(fact: Fact) -> Statement:
    """That no evidence was found for a dimension."""
    return Statement(message="no_moment", fields={"subject": fact.subject}, facts=(fact.id,))


def reason(fact: Fact) -> Statement:
    """A reason of the screening or the scoring, as a sentence of its own."""
    key, fields = recognise(fact.reason)
    return Statement(message=f"reason.{key}", fields=fields, facts=(fact.id,))


def accuracy(fact: Fact) -> Statement:
    """Pitch or rhythm accuracy with what it was measured against."""
    return Statement(
        message=f"accuracy_{fact.subject}_{fact.measure}",
        fields={"percent": five_percent(fact.value or 0.0)},
        facts=(fact.id,),
    )


def moment(fact: Fact, facts: Sequence[Fact]) -> Statement:
    """What a piece of evidence says, as exactly as it may be said."""
    topic = topic_named(fact.topic)
    good = fact.direction == "good"
    start = f"topic.{topic.id}"
    fields: dict[str, object] = {"clock": fact.start_s or 0.0}
    ids: tuple[str, ...] = (fact.id,)
    if fact.relative:
        name = "better" if good else "weaker"
    elif good:
        name = "good"
    else:
        name = "bad"
        note = next((f for f in facts if f.id == f"{fact.id}.note"), None)
        if note is not None and topic.sided:
            name = "bad_flat" if note.direction == "flat" else "bad_sharp"
            fields["amount"] = note.value
            ids = (fact.id, note.id)
        elif fact.unit == "cents" and topic.in_semitones:
            name = "bad_amount"
            fields["amount"] = fact.value
    return Statement(message=f"{start}.{name}", fields=fields, facts=ids)


def about_topic(fact: Fact, message: str) -> Statement:
    """Advice, explanation or spoken sentence of the topic that a piece of evidence is about."""
    return Statement(message=f"topic.{fact.topic}.{message}", facts=(fact.id,))


def exercise(exercise_id: str, *facts: str) -> Statement:
    """The name of an exercise."""
    return Statement(message="spoken_exercise", fields={"title": exercise_id}, facts=facts)


NEUTRAL = ("not_about_you", "one_more_take", "record_again", "no_task", "careful")
"""Messages that claim nothing about the singing."""


def all_true(facts: Sequence[Fact], exercises: Sequence[str]) -> tuple[Statement, ...]:
    """Every statement that the facts allow."""
    said = [plain(name) for name in NEUTRAL]
    said += [exercise(name) for name in exercises]
    spoken_of = {fact.subject for fact in facts if fact.kind == "evidence"}
    for fact in facts:
        if fact.kind == "score":
            said.append(score(fact))
            if fact.subject == "overall":
                said.append(spoken_score(fact))
            elif fact.subject not in spoken_of:
                said.append(no_moment(fact))
        elif fact.kind == "unscored":
            said.append(
                plain("insufficient", fact.id) if fact.subject == "overall" else unscored(fact)
            )
        elif fact.kind == "reason":
            said += [reason(fact), plain("weak", fact.id)]
        elif fact.kind == "accuracy":
            said.append(accuracy(fact))
        elif fact.kind == "evidence" and fact.direction != "none":
            said.append(moment(fact, facts))
            if fact.direction == "bad" and topic_named(fact.topic).advice:
                said += [about_topic(fact, "work"), about_topic(fact, "gloss")]
            elif fact.direction == "good" and not fact.relative:
                said.append(about_topic(fact, "spoken"))
    return tuple(said)
