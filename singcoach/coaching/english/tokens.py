"""Takes the numbers and names out of a sentence, so that the rest can be matched word for word.

Each is replaced by a capital letter and its place in the list: ``T`` times, ``S`` scores, ``R``
ranges of scores, ``P`` percentages, ``A`` amounts in cents, ``U`` quantities with another unit,
``D`` dimensions, ``Q`` reasons quoted word for word, ``E`` exercises.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from singcoach.coaching.numbers import AMOUNT_BOUNDS
from singcoach.core.scores import Dimension

NUMBER_WORDS: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
)  # fmt: skip
_WORDS: Final = "|".join(NUMBER_WORDS)
_N: Final = rf"(?:\d+(?:\.\d+)?|(?:{_WORDS})(?: and a half)?)"
_ABOUT: Final = r"(?:(?:about|around|roughly|approximately|some|close to) )?"

_X: Final = (
    r"(?:(?:\d{1,2}:)?\d{1,3}:[0-5]\d(?![\d:])|second \d{1,4}\b|the \d{1,4}(?:-| )second mark"
    r"|\d{1,3} minutes?(?: and)? \d{1,2} seconds? in\b|\d{1,4} seconds in\b)"
    r"(?: ?to the (?:take|song|recording))?"
)
_WHERE: Final = (
    r"(?:(?:in|on|during) (?:the|this|that) "
    r"(?:phrase|note|passage|line|moment|part|spot|place|section) )?"
)
_AT: Final = r"(?:(?:right |just )?(?:at|around|near|starting at|beginning at) (?:about |around )?)"
_SPAN: Final = (
    rf"(?:from {_X} (?:to|until|through) {_X}|between {_X} and {_X}|{_AT}{_X}(?:-| to ){_X})"
)
_LIST: Final = rf"{_AT}{_X}(?:, (?:at |around )?{_X})*(?:,? and (?:at |around )?{_X})?"
_TIMES: Final = re.compile(rf"(?<!\w){_WHERE}(?:{_SPAN}|{_LIST})(?!\w)")
_BARE_TIME: Final = re.compile(rf"(?<![\w:.]){_X}(?:-{_X})?(?!\w)")
_ONE_TIME: Final = re.compile(_X)

_SCORE: Final = re.compile(
    rf"(?<![\w.:,]){_ABOUT}({_N})(?: points?)? ?(?:out of|of|/) ?(?:a possible )?(?:5|five)"
    r"(?: points)?(?!\.?\d)\b|"
    rf"(?<![\w.:,]){_ABOUT}({_N}) points\b"
)
_RANGE: Final = re.compile(
    r"(?:(?:(?:somewhere|anywhere|anything) )?(?:between|from|within|in the range(?: of| from)?) "
    r"|(?<=range is )|(?<=score is ))"
    rf"({_N}) ?(?:and|to|-) ?({_N})(?:(?: out)? of (?:5|five)| points)?(?!\.?\d)(?![\w%:])"
)
_PERCENT: Final = re.compile(rf"(?<![\w.:]){_ABOUT}({_N}) ?(?:%|percent\b|per cent\b)")
_QUANTITY: Final = re.compile(
    rf"(?<![\w.:]){_ABOUT}({_N}) ?"
    r"(cents?|semitones?|hz|hertz|times (?:a|per) second|decibels?|db|seconds?|s|minutes?)\b"
)
_UNITS: Final = {
    "cent": "cents",
    "semitone": "semitones",
    "hertz": "hz",
    "hz": "hz",
    "times": "hz",
    "decibel": "db",
    "db": "db",
    "second": "s",
    "s": "s",
    "minute": "minutes",
}
_PART_WORDS: Final = {
    "less": r"less than (?:a|one) tenth of a semitone",
    "more": r"more than two semitones",
    "tenth": r"(?:a|one) tenth of a semitone",
    "fifth": r"(?:a|one) fifth of a semitone",
    "quarter": r"(?:a|one) quarter of a semitone",
    "third": r"(?:a|one) third of a semitone",
    "half": r"half (?:of )?a semitone|a quarter tone",
    "two_thirds": r"two(?:-| )thirds of a semitone",
    "three_quarters": r"three(?:-| )quarters of a semitone",
    "one_and_a_half": r"(?:one and a half semitones|a semitone and a half)",
    "two": r"two semitones",
    "one": r"(?:a|one)(?: full| whole)? semitone",
}
_LOWER: Final = dict(
    zip([key for key, _ in AMOUNT_BOUNDS], [0.0, *(b for _, b in AMOUNT_BOUNDS)], strict=False)
)
_UPPER: Final = dict(AMOUNT_BOUNDS)
_PARTS: Final = tuple(
    (key, re.compile(rf"(?<!\w){_ABOUT}(?:{words})(?!\w)")) for key, words in _PART_WORDS.items()
)
_DIMENSION_WORDS: Final[dict[Dimension, str]] = {
    "breath": r"(?:breath|breathing) (?:control|management)",
    "timbre": r"timbre(?: quality)?|tone quality",
    "emotion": r"emotional expression|expressiveness",
    "technique": r"(?:vocal|singing) technique|technique",
}
_DIMENSIONS: Final = re.compile(
    r"(?<!\w)(?:(?:your|the) )?(?:"
    + "|".join(f"(?P<{name}>{words})" for name, words in _DIMENSION_WORDS.items())
    + r")(?: score| dimension)?(?!\w)"
)

Times = tuple[tuple[int, int], ...]
"""Spans in whole seconds; a single time starts and ends at the same one."""


@dataclass(slots=True)
class Tokens:
    """A sentence without its numbers and names, and what they were."""

    text: str
    times: list[Times] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    ranges: list[tuple[float, float]] = field(default_factory=list)
    percents: list[float] = field(default_factory=list)
    amounts: list[tuple[float, float]] = field(default_factory=list)
    quantities: list[tuple[float, str]] = field(default_factory=list)
    dimensions: list[Dimension] = field(default_factory=list)
    quotes: list[str] = field(default_factory=list)
    exercises: list[str] = field(default_factory=list)

    def take(self, pattern: re.Pattern[str], read: Callable[[re.Match[str]], str]) -> None:
        """Replace every match by what ``read`` returns for it."""
        self.text = pattern.sub(read, self.text)


def normal(text: str) -> str:
    """Return a sentence in lower case, its quotes and dashes made plain, without its full stop."""
    for old, new in (("’", "'"), ("‘", "'"), ("“", '"'), ("”", '"'), ("—", " - "), ("–", "-")):
        text = text.replace(old, new)
    text = " ".join(text.split()).lower()
    return re.sub(r"[.!]+$", "", text).strip()


def tokens_of(
    sentence: str, *, quotes: Iterable[tuple[str, str]] = (), titles: Iterable[str] = ()
) -> Tokens:
    """Take a sentence apart.

    Parameters
    ----------
    quotes
        Pairs of a fact's id and the words of a reason that may be repeated.
    titles
        Titles of exercises that may be named, in quotes.
    """
    found = Tokens(normal(sentence))
    for fact_id, words in sorted(quotes, key=lambda quote: (-len(quote[1]), quote[0])):
        pattern = re.compile(rf"(?<!\w){re.escape(normal(words))}(?!\w)")
        found.take(pattern, lambda _, fact_id=fact_id: _mark("Q", found.quotes, fact_id))  # type: ignore[misc]
    for title in titles:
        pattern = re.compile(rf'"{re.escape(normal(title))}"')
        found.take(pattern, lambda _, title=title: _mark("E", found.exercises, title))  # type: ignore[misc]
    found.take(_TIMES, lambda m: _mark("T", found.times, _times(m[0])))
    found.take(_BARE_TIME, lambda m: "C" + _mark("T", found.times, _times(m[0]))[1:])
    found.take(_RANGE, lambda m: _mark("R", found.ranges, (_value(m[1]), _value(m[2]))))
    found.take(_SCORE, lambda m: _mark("S", found.scores, _value(m[1] or m[2])))
    found.take(_PERCENT, lambda m: _mark("P", found.percents, _value(m[1])))
    for key, part in _PARTS:
        bounds = (_LOWER[key], _UPPER[key])
        found.take(part, lambda _, bounds=bounds: _mark("A", found.amounts, bounds))  # type: ignore[misc]
    found.take(_QUANTITY, lambda m: _quantity(found, _value(m[1]), m[2]))
    found.take(_DIMENSIONS, lambda m: _mark("D", found.dimensions, m.lastgroup))
    return found


def _mark(letter: str, values: list, value: object) -> str:  # type: ignore[type-arg]
    values.append(value)
    return f"{letter}{len(values) - 1}"


def _quantity(found: Tokens, value: float, word: str) -> str:
    unit = next(unit for start, unit in _UNITS.items() if word.startswith(start))
    if unit == "cents":
        slack = max(2.5, 0.1 * value)
        return _mark("A", found.amounts, (value - slack, value + slack))
    if unit == "semitones":
        return _mark("A", found.amounts, (100.0 * value - 25.0, 100.0 * value + 25.0))
    return _mark("U", found.quantities, (value, unit))


def _times(text: str) -> Times:
    seconds = [_seconds(match[0]) for match in _ONE_TIME.finditer(text)]
    if len(seconds) == 2 and re.search(rf"{_X}(?:-| to | until | through ){_X}|between", text):
        return ((seconds[0], seconds[1]),)
    return tuple((second, second) for second in seconds)


def _seconds(text: str) -> int:
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    total = 0
    for number in numbers:
        total = total * 60 + number
    return total


def _value(number: str) -> float:
    if number[0].isdigit():
        return float(number)
    word, _, half = number.partition(" ")
    return NUMBER_WORDS.index(word) + (0.5 if half else 0.0)
