"""What is counted in the words of a coach: truth, coverage, repetition, distinctness, grade."""

from __future__ import annotations

import itertools
import re
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from singcoach.coaching.check import ClaimChecker
from singcoach.coaching.facts import Fact
from singcoach.coaching.phrasing.taste import is_well_said

_NUMBER: Final = re.compile(r"\d+(?::\d\d)?(?:\.\d+)?")
_TITLE: Final = re.compile(r"“[^”]*”+")
_SPELLED: Final = re.compile(r"\b(?:one|two|three|four|five)(?: and a half)?\b")
_WORD: Final = re.compile(r"[A-Za-z']+")
_VOWELS: Final = re.compile(r"[aeiouy]+")
_SAME_START: Final = 3
_SCALE: Final = frozenset({"5"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One plan as one way of speaking said it.

    Attributes
    ----------
    template
        The sentences of the plan in the templates' words.
    said
        The feedback that came of it, sentence by sentence.
    raw
        Every text of the model, as it came, before the check.
    n_asked, n_kept
        Sentences that the model was asked to say, and those of it that the check let pass.
    planned, spoken, spoken_own
        Facts that the plan means, that the feedback speaks of, and those that it speaks of in other
        words than the template's.
    """

    plan: int
    facts: tuple[Fact, ...]
    template: tuple[str, ...]
    said: tuple[str, ...]
    raw: tuple[str, ...]
    seconds: float
    n_asked: int
    n_kept: int
    planned: frozenset[str]
    spoken: frozenset[str]
    spoken_own: frozenset[str]

    @property
    def own(self) -> tuple[str, ...]:
        """The sentences of the feedback that are in other words than the template's."""
        return tuple(s for s, t in zip(self.said, self.template, strict=True) if s != t)


@dataclass(frozen=True, slots=True, kw_only=True)
class WordFigures:
    """Shares are of 1; see ``words_report`` for what each means."""

    n_plans: int
    n_asked: int
    n_texts: int
    unsupported_before: float
    wrong_numbers_before: float
    unsupported_after: int
    wrong_numbers_after: int
    kept: float
    new: float
    covered: float
    covered_own: float
    ill_said: float
    repetition: float
    distinct: float
    distinct_pairs: float
    grade: float
    seconds: float
    slowest_s: float


def figures_of(told: Sequence[Told]) -> WordFigures:
    """Count what a way of speaking said; of the templates alone where it wrote nothing."""
    n_texts = unsupported = strange = after = strange_after = n_own = ill = same = 0
    said: list[str] = []
    for one in told:
        checker = ClaimChecker(one.facts)
        known = _numbers_of(one.template)
        for text in one.raw:
            n_texts += 1
            supported = bool(text) and checker.accepts(text)
            unsupported += not supported
            ill += supported and not is_well_said(text)
            strange += not set(_NUMBER.findall(text)) <= known
        for text in one.own:
            n_own += 1
            after += not checker.accepts(text)
            strange_after += not set(_NUMBER.findall(text)) <= known
        starts = Counter(_start(text) for text in one.said)
        same += sum(n - 1 for n in starts.values())
        said += one.said
    masked = [_masked(text) for text in said]
    pairs = [pair for text in masked for pair in itertools.pairwise(_WORD.findall(text.lower()))]
    n_asked = sum(one.n_asked for one in told)
    return WordFigures(
        n_plans=len(told),
        n_asked=n_asked,
        n_texts=n_texts,
        unsupported_before=unsupported / max(1, n_texts),
        wrong_numbers_before=strange / max(1, n_texts),
        unsupported_after=after,
        wrong_numbers_after=strange_after,
        kept=sum(one.n_kept for one in told) / max(1, n_asked),
        new=n_own / max(1, n_asked),
        covered=_share([(one.spoken, one.planned) for one in told]),
        covered_own=_share([(one.spoken_own, one.planned) for one in told]),
        ill_said=ill / max(1, n_texts),
        repetition=same / max(1, len(said)),
        distinct=len(set(masked)) / max(1, len(masked)),
        distinct_pairs=len(set(pairs)) / max(1, len(pairs)),
        grade=reading_grade(said),
        seconds=statistics.median(one.seconds for one in told) if told else 0.0,
        slowest_s=max((one.seconds for one in told), default=0.0),
    )


def reading_grade(sentences: Sequence[str]) -> float:
    """Grade of Flesch and Kincaid (1975); syllables are runs of vowels, a last mute e is none."""
    words = [word for text in sentences for word in _WORD.findall(text)]
    if not words:
        return 0.0
    syllables = sum(max(1, _syllables(word.lower())) for word in words)
    return 0.39 * len(words) / len(sentences) + 11.8 * syllables / len(words) - 15.59


def _syllables(word: str) -> int:
    n = len(_VOWELS.findall(word))
    return n - 1 if word.endswith("e") and not word.endswith(("le", "ee")) else n


def _share(rows: Sequence[tuple[frozenset[str], frozenset[str]]]) -> float:
    """Mean share of the planned facts that were spoken of."""
    return statistics.fmean(len(said & planned) / max(1, len(planned)) for said, planned in rows)


def _numbers_of(sentences: Sequence[str]) -> set[str]:
    return {number for text in sentences for number in _NUMBER.findall(text)} | _SCALE


def _masked(text: str) -> str:
    return _SPELLED.sub("n", _NUMBER.sub("n", _TITLE.sub("t", text)))


def _start(text: str) -> tuple[str, ...]:
    return tuple(_masked(text).lower().split()[:_SAME_START])
