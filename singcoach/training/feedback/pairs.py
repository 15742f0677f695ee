"""Questions and answers to learn from: facts of a take, and one true way to say them.

The answers are drawn from the grammar of each planned sentence, and only those that the claim check
accepts for all the facts meant are kept: what is taught is true by the same rule that later checks.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from singcoach.coaching.check import ClaimChecker
from singcoach.coaching.exercises import load_library
from singcoach.coaching.facts import Fact, gather_facts
from singcoach.coaching.languages import catalogue_of
from singcoach.coaching.phrasing.fact_prompt import fact_prompt
from singcoach.coaching.phrasing.frames import grammar_of
from singcoach.coaching.statements import all_true
from singcoach.training.feedback.simulated import simulate
from singcoach.training.feedback.wordings import draw_wording

Portion = Literal["train", "held_out"]
_EXERCISES_PER_TAKE: Final = 1
_TRIES: Final = 3
_WRONG_ARTICLE: Final = re.compile(r"\b(?:a [aeio]|an [^aeiou])", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """``facts`` as the model is asked, ``words`` as it shall answer."""

    facts: str
    words: str


def pairs_of_take(number: int, *, seed: int, portion: Portion = "train") -> tuple[Pair, ...]:
    """Return the pairs of one simulated take.

    Parameters
    ----------
    number, seed, portion
        Decide every draw. Takes of the two portions are drawn apart and never the same.
    """
    draw = random.Random(f"{portion}\x1f{seed}\x1f{number}")
    take = simulate(draw)
    facts = gather_facts(
        scores=take.scores,
        screening=take.screening,
        duration_s=take.duration_s,
        notes=take.notes,
    )
    return tuple(pairs_of_facts(facts, draw))


def pairs_of_facts(facts: Sequence[Fact], draw: random.Random) -> Iterator[Pair]:
    """Yield one pair for everything that may be said of a take in more than one way."""
    words, checker = catalogue_of("en"), ClaimChecker(facts)
    exercises = draw.sample(sorted(load_library().exercises), _EXERCISES_PER_TAKE)
    for statement in all_true(facts, exercises):
        grammar = grammar_of(statement, words)
        if grammar is None:
            continue
        for _ in range(_TRIES):
            text = draw_wording(grammar, draw)
            supported = checker.support(text)
            if supported is None or _WRONG_ARTICLE.search(text):
                continue
            meant = {*supported, *(fact.removesuffix(".note") for fact in supported)}
            if set(statement.facts) <= meant:
                yield Pair(facts=fact_prompt(statement, words), words=text)
                break


def many_pairs(n: int, *, seed: int, portion: Portion = "train") -> list[Pair]:
    """Return the first ``n`` pairs of the simulated takes, in an order drawn with the seed."""
    found: list[Pair] = []
    number = 0
    while len(found) < n:
        found += pairs_of_take(number, seed=seed, portion=portion)
        number += 1
    found = found[:n]
    random.Random(f"order\x1f{seed}").shuffle(found)
    return found
