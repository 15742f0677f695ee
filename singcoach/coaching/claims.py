"""What a clause claims: times, amounts, scores, directions, dimensions and topics."""

from __future__ import annotations

import re
from dataclasses import dataclass

from singcoach.coaching import catalogue
from singcoach.coaching.catalogue import GENERAL, TOPICS
from singcoach.core.scores import Dimension

_CLOCK = re.compile(r"(?<![\d:.])(?:(\d+):)?(\d{1,3}):([0-5]\d)(?![\d:])")
_WORD_NUMBER = "|".join(catalogue.NUMBER_WORDS)
_NUMBER = rf"(?:\d+(?:\.\d+)?|(?:{_WORD_NUMBER})(?: {catalogue.AND_A_HALF})?)"
_SCORE = re.compile(rf"\b({_NUMBER})\s*(?:out of|of|/)\s*(?:5|five)\b(?!\.\d)")
_RANGE = re.compile(rf"\bbetween ({_NUMBER}) and ({_NUMBER})\b")
_PERCENT = re.compile(rf"\b({_NUMBER})\s*(?:%|percent\b)")
_QUANTITY = re.compile(
    rf"\b({_NUMBER})\s*"
    r"(cents?|semitones?|hz|hertz|times a second|decibels?|db|seconds?|s|minutes?)\b"
)
_LEFT_OVER = re.compile(rf"\d|\b(?:{_WORD_NUMBER})\b")
_DIMENSIONS = {
    name: re.compile(rf"\b(?:{pattern})\b")
    for name, pattern in catalogue.DIMENSION_PATTERNS.items()
}
_TOPICS = {topic.id: re.compile(topic.pattern) for topic in (*TOPICS, GENERAL)}
_GOOD = re.compile(rf"\b(?:{catalogue.GOOD_WORDS})\b")
_BAD = re.compile(rf"\b(?:{catalogue.BAD_WORDS})\b")
_NEGATED = re.compile(rf"\b(?:{catalogue.NEGATIONS})(?: \w+){{0,4}} $")
_FLAT = re.compile(r"\b(?:flat|too low)\b")
_SHARP = re.compile(r"\b(?:sharp|too high)\b")
_BEST = re.compile(r"\b(?:strongest|best|highest)\b")
_WORST = re.compile(r"\b(?:weakest|lowest)\b")
_DIRECTIVE = re.compile(catalogue.DIRECTIVES)
_ACCURACY = re.compile(r"\b(pitch|rhythm) accuracy\b")
_UNITS = {
    "cent": "cents",
    "semitone": "semitones",
    "hertz": "hz",
    "times a second": "hz",
    "decibel": "db",
    "second": "s",
    "minute": "minutes",
}

# Amounts of a semitone as the range in cents for which the words are true, longest words first.
_PARTS = sorted(
    [
        (catalogue.SEMITONE_SMALL[1], 0.0, catalogue.SEMITONE_SMALL[0]),
        (catalogue.SEMITONE_LARGE, catalogue.SEMITONE_PARTS[-1][0], float("inf")),
        *(
            (words.removeprefix("about "), low, high)
            for (low, _), (high, words) in zip(
                (catalogue.SEMITONE_SMALL, *catalogue.SEMITONE_PARTS),
                catalogue.SEMITONE_PARTS,
                strict=False,
            )
        ),
    ],
    key=lambda part: -len(part[0]),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Everything that one clause claims.

    ``amounts`` are ranges of cents, ``quantities`` pairs of value and unit, ``scores`` in points,
    ``ranges`` pairs of points, ``percents`` in percent, ``clocks_s`` whole seconds.
    """

    clocks_s: tuple[int, ...]
    scores: tuple[float, ...]
    ranges: tuple[tuple[float, float], ...]
    percents: tuple[float, ...]
    amounts: tuple[tuple[float, float], ...]
    quantities: tuple[tuple[float, str], ...]
    dimensions: tuple[Dimension, ...]
    topics: tuple[str, ...]
    accuracies: tuple[str, ...]
    good: bool
    bad: bool
    flat: bool
    sharp: bool
    best: bool
    worst: bool
    directive: bool
    overall: bool
    unscored: bool
    stray_number: bool


def claims_of(clause: str) -> Claims:
    """Read the claims of one clause (lower case, without the final stop)."""
    rest = clause
    clocks_s = tuple(int(h or 0) * 3600 + int(m) * 60 + int(s) for h, m, s in _CLOCK.findall(rest))
    rest = _CLOCK.sub(" ", rest)
    scores = tuple(_value(n) for n in _SCORE.findall(rest))
    rest = _SCORE.sub(" ", rest)
    ranges = tuple((_value(a), _value(b)) for a, b in _RANGE.findall(rest))
    rest = _RANGE.sub(" ", rest)
    percents = tuple(_value(n) for n in _PERCENT.findall(rest))
    rest = _PERCENT.sub(" ", rest)
    amounts = []
    for words, low, high in _PARTS:
        if re.search(rf"\b{words}\b", rest):
            amounts.append((low, high))
            rest = re.sub(rf"\b{words}\b", " ", rest)
    quantities = tuple((_value(n), _unit(u)) for n, u in _QUANTITY.findall(rest))
    rest = _QUANTITY.sub(" ", rest)
    for idiom in ("one note", "one breath", "one moment"):
        rest = rest.replace(idiom, idiom.split()[1])
    good, bad = _polarity(clause)
    return Claims(
        clocks_s=clocks_s,
        scores=scores,
        ranges=ranges,
        percents=percents,
        amounts=tuple(amounts),
        quantities=quantities,
        dimensions=tuple(name for name, found in _DIMENSIONS.items() if found.search(clause)),
        topics=tuple(name for name, found in _TOPICS.items() if found.search(clause)),
        accuracies=tuple(_ACCURACY.findall(clause)),
        good=good,
        bad=bad,
        flat=bool(_FLAT.search(clause)),
        sharp=bool(_SHARP.search(clause)),
        best=bool(_BEST.search(clause)),
        worst=bool(_WORST.search(clause)),
        directive=bool(_DIRECTIVE.search(clause)),
        overall=bool(re.search(r"\b(?:overall|this take)\b", clause)),
        unscored=bool(re.search(catalogue.UNSCORED, clause)),
        stray_number=bool(_LEFT_OVER.search(rest)),
    )


def _polarity(clause: str) -> tuple[bool, bool]:
    """Whether something is praised and whether something is faulted; "not clear" is a fault."""
    good = bad = False
    for match in _GOOD.finditer(clause):
        if _NEGATED.search(clause[: match.start()]):
            bad = True
        else:
            good = True
    for match in _BAD.finditer(clause):
        if _NEGATED.search(clause[: match.start()]):
            good = True
        else:
            bad = True
    return good, bad


def _value(number: str) -> float:
    if number[0].isdigit():
        return float(number)
    word, _, half = number.partition(" ")
    return catalogue.NUMBER_WORDS.index(word) + (0.5 if half else 0.0)


def _unit(word: str) -> str:
    for singular, unit in _UNITS.items():
        if word.startswith(singular):
            return unit
    return word
