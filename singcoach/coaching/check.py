"""The claim check: a sentence passes only when a measured fact stands behind each of its clauses.

It is strict on purpose. A sentence is cut into clauses; each must match one fact in everything it
claims at once (time, dimension, topic, good or bad, flat or sharp, amount). Words that the coach's
vocabulary does not hold are rejected too, because nobody can say what was measured for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache

from singcoach.coaching import catalogue
from singcoach.coaching.claims import Claims, claims_of
from singcoach.coaching.exercises import LIBRARY
from singcoach.coaching.facts import Fact
from singcoach.coaching.numbers import half_above, half_below, half_points
from singcoach.core.scores import Dimension

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"'(])")
_CLAUSE = re.compile(r";\s*|:\s+|,? while |,? but |,? where |,? although |,? because ")
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
_FORBIDDEN = re.compile("|".join(rf"\b(?:{pattern})\b" for pattern in catalogue.NEVER_MEASURED))

STRONG_SCORE = 3.5
WEAK_SCORE = 2.5
_CENTS_SLACK = 1.0
_HZ_SLACK = 0.5
_DB_SLACK = 0.75
_PERCENT_SLACK = 2.6


def split_sentences(text: str) -> list[str]:
    """Split running text into sentences; a decimal point or a clock time splits nothing."""
    return [part for part in _SENTENCE_END.split(" ".join(text.split())) if part]


class ClaimChecker:
    """Checks sentences against the facts of one take and counts what it saw.

    Parameters
    ----------
    facts
        Everything that was measured.
    reasons
        Sentences of the screening and of the scores that may be repeated word for word.
    """

    def __init__(self, facts: Sequence[Fact], *, reasons: Iterable[str] = ()) -> None:
        self._facts = tuple(facts)
        known = (*reasons, *(fact.reason for fact in facts))
        quotes = {_plain(reason) for reason in known if reason.strip()}
        self._reasons = sorted(quotes, key=lambda reason: (-len(reason), reason))
        self.checked = 0
        self.rejected = 0

    def keep(self, text: str) -> str:
        """Return ``text`` without the sentences that nothing measured stands behind."""
        kept = []
        for sentence in split_sentences(text):
            self.checked += 1
            if self.accepts(sentence):
                kept.append(sentence)
            else:
                self.rejected += 1
        return " ".join(kept)

    def accepts(self, sentence: str) -> bool:
        """Whether every clause of ``sentence`` is matched by a fact or claims nothing."""
        if sentence.strip() in _neutral_sentences():
            return True
        plain = _plain(sentence)
        matched = 0
        for reason in self._reasons:
            plain, n_quotes = re.subn(rf"(?<!\w){re.escape(reason)}(?!\w)", "", plain)
            matched += n_quotes
        if _FORBIDDEN.search(plain) or not set(_WORD.findall(plain)) <= _vocabulary():
            return False
        clauses = [part.strip(" ,.") for part in _CLAUSE.split(plain)]
        dimensions: tuple[Dimension, ...] = ()
        clocks_s: tuple[int, ...] = ()
        overall = False
        for clause in clauses:
            if not clause or clause in _neutral_clauses():
                continue
            claims = claims_of(clause)
            dimensions = claims.dimensions or dimensions
            clocks_s = claims.clocks_s or clocks_s
            overall = claims.overall or overall
            if not self._matches(clause, claims, dimensions, clocks_s, overall=overall):
                return False
            matched += 1
        return matched > 0

    def _matches(
        self,
        clause: str,
        claims: Claims,
        dimensions: tuple[Dimension, ...],
        clocks_s: tuple[int, ...],
        *,
        overall: bool,
    ) -> bool:
        if claims.stray_number or len(dimensions) > 1 or (claims.flat and claims.sharp):
            return False
        if claims.good and claims.bad and not claims.directive:
            return False
        subject = dimensions[0] if dimensions else "overall"
        score = next(f for f in self._facts if f.id == f"score.{subject}")
        if claims.unscored:
            return score.kind == "unscored" and not (claims.scores or claims.ranges or clocks_s)
        if dimensions and score.kind == "unscored":
            return False
        if clause == catalogue.NO_MOMENT:
            return not any(f.kind == "evidence" and f.subject == subject for f in self._facts)
        if claims.directive:
            return self._matches_directive(claims, clocks_s)
        if claims.accuracies:
            return self._matches_accuracy(clause, claims)
        if claims.percents:
            return False
        spoken = bool(claims.scores or claims.ranges)
        if spoken and not (_matches_score(claims, score) and (dimensions or overall)):
            return False
        if claims.best or claims.worst:
            return bool(dimensions) and self._is_extreme(score, best=claims.best)
        about_moment = bool(claims.clocks_s or claims.topics or claims.amounts or claims.quantities)
        about_moment = about_moment or bool(clocks_s and (claims.good or claims.bad))
        if about_moment:
            return self._matches_moment(claims, dimensions, clocks_s)
        if claims.good or claims.bad or claims.flat or claims.sharp:
            return _matches_judgement(claims, score) and bool(dimensions or overall)
        return spoken

    def _matches_directive(self, claims: Claims, clocks_s: tuple[int, ...]) -> bool:
        """Advice needs evidence that something in this topic lowered a score."""
        if claims.scores or claims.ranges or claims.percents or claims.amounts or claims.quantities:
            return False
        lowered = {f.topic for f in self._facts if f.kind == "evidence" and f.direction == "bad"}
        timed = not claims.clocks_s or any(_holds(f, clocks_s) for f in self._facts)
        return bool(claims.topics) and set(claims.topics) & lowered != set() and timed

    def _matches_accuracy(self, clause: str, claims: Claims) -> bool:
        if len(claims.accuracies) != 1 or len(claims.percents) != 1 or claims.clocks_s:
            return False
        for fact in self._facts:
            if fact.kind != "accuracy" or fact.subject != claims.accuracies[0]:
                continue
            named = [key for key, words in catalogue.REFERENCES.items() if words in clause]
            close = abs(100 * (fact.value or 0.0) - claims.percents[0]) <= _PERCENT_SLACK
            return close and all(key == fact.measure for key in named)
        return False

    def _matches_moment(
        self, claims: Claims, dimensions: tuple[Dimension, ...], clocks_s: tuple[int, ...]
    ) -> bool:
        durations = [f for f in self._facts if f.kind == "duration"]
        if claims.quantities and not (claims.clocks_s or claims.topics or claims.amounts):
            plain = not (claims.good or claims.bad or dimensions)
            if plain and all(_is_duration(quantity, durations) for quantity in claims.quantities):
                return True
        found = [f for f in self._facts if f.kind in {"evidence", "note"}]
        found = [f for f in found if not dimensions or f.subject in dimensions]
        return all(
            any(_fits(fact, claims, topic, second) for fact in found)
            for topic in (claims.topics or ("",))
            for second in (clocks_s or (None,))
        )

    def _is_extreme(self, score: Fact, *, best: bool) -> bool:
        known = [
            f.value
            for f in self._facts
            if f.kind == "score" and f.subject != "overall" and f.value is not None
        ]
        if score.value is None or len(known) < 2:
            return False
        return score.value == (max(known) if best else min(known))


def _fits(fact: Fact, claims: Claims, topic: str, second: int | None) -> bool:
    """Whether one fact says all of the clause at once."""
    if second is not None and not _holds(fact, (second,)):
        return False
    if topic and fact.topic != topic:
        return False
    if claims.flat and fact.direction != "flat":
        return False
    if claims.sharp and fact.direction != "sharp":
        return False
    if claims.good and fact.direction != "good":
        return False
    if claims.bad and fact.direction not in {"bad", "flat", "sharp"}:
        return False
    size = abs(fact.value or 0.0)
    for low, high in claims.amounts:
        if fact.unit != "cents" or not low - _CENTS_SLACK <= size <= high + _CENTS_SLACK:
            return False
    return all(_is_quantity(quantity, fact) for quantity in claims.quantities)


def _is_quantity(quantity: tuple[float, str], fact: Fact) -> bool:
    value, unit = quantity
    size = abs(fact.value or 0.0)
    if unit == "semitones":
        return fact.unit == "cents" and abs(size / 100 - value) <= 0.25
    if unit != fact.unit:
        return False
    slack = {"cents": max(2.5, 0.1 * size), "hz": _HZ_SLACK, "db": _DB_SLACK}.get(
        unit, max(0.5, 0.05 * size)
    )
    return abs(size - value) <= slack


def _is_duration(quantity: tuple[float, str], durations: Sequence[Fact]) -> bool:
    value, unit = quantity
    seconds = value * 60 if unit == "minutes" else value
    slack = 30.0 if unit == "minutes" else 0.6
    return unit in {"s", "minutes"} and any(
        abs((fact.value or 0.0) - seconds) <= slack for fact in durations
    )


def _matches_score(claims: Claims, score: Fact) -> bool:
    if score.value is None or score.low is None or score.high is None:
        return False
    exact = all(value == half_points(score.value) for value in claims.scores)
    return exact and all(
        low == half_below(score.low) and high == half_above(score.high)
        for low, high in claims.ranges
    )


def _matches_judgement(claims: Claims, score: Fact) -> bool:
    if score.value is None or claims.flat or claims.sharp:
        return False
    return score.value >= STRONG_SCORE if claims.good else score.value <= WEAK_SCORE


def _holds(fact: Fact, clocks_s: tuple[int, ...]) -> bool:
    if fact.start_s is None or fact.end_s is None:
        return False
    start_s, end_s = fact.start_s, fact.end_s
    return all(start_s - 1.0 < second <= end_s for second in clocks_s)


def _plain(text: str) -> str:
    return " ".join(text.replace("’", "'").split()).rstrip(".!? ").lower()


@cache
def _neutral_sentences() -> frozenset[str]:
    called = {
        template.format(exercise=exercise.name.lower())
        for template in catalogue.SPOKEN_EXERCISE
        for exercise in LIBRARY.values()
    }
    return frozenset((catalogue.NEUTRAL - {catalogue.SPOKEN_INSUFFICIENT}) | called)


@cache
def _neutral_clauses() -> frozenset[str]:
    glosses = {topic.gloss for topic in (*catalogue.TOPICS, catalogue.GENERAL)}
    return frozenset({*glosses, "take this as a first impression"})


@cache
def _vocabulary() -> frozenset[str]:
    words = set(catalogue.PLAIN_WORDS) | set(catalogue.NUMBER_WORDS)
    texts: list[str] = []
    for topic in (*catalogue.TOPICS, catalogue.GENERAL):
        texts += [*topic.good, *topic.bad, topic.noun, topic.focus, topic.gloss]
    for value in vars(catalogue).values():
        if isinstance(value, tuple) and value is not catalogue.NEVER_MEASURED:
            texts += [part for part in value if isinstance(part, str)]
        elif isinstance(value, dict):
            texts += [part for part in value.values() if isinstance(part, str)]
    texts += [words_ for _, words_ in catalogue.SEMITONE_PARTS]
    texts += [catalogue.WEAK, catalogue.INSUFFICIENT, catalogue.AMOUNT_SIGNED]
    texts += [catalogue.AMOUNT_CENTS, catalogue.SPOKEN_INSUFFICIENT, catalogue.SEMITONE_SMALL[1]]
    texts += [catalogue.SEMITONE_LARGE]
    for text in texts:
        words |= set(_WORD.findall(re.sub(r"\{\w+\}", " ", text.lower())))
    return frozenset(words)
