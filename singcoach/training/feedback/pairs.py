"""Questions and answers to learn from: facts of a take, and one true way to say them.

The answers are drawn from the grammar of each planned sentence and from further forms, and only
those are kept that read well and that the claim check accepts for all the facts meant: what is
taught is true by the same rule that later checks.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from singcoach.coaching.check import ClaimChecker
from singcoach.coaching.exercises import load_library
from singcoach.coaching.facts import Fact, gather_facts
from singcoach.coaching.languages import catalogue_of
from singcoach.coaching.phrasing.fact_prompt import fact_prompt
from singcoach.coaching.phrasing.taste import is_well_said
from singcoach.coaching.statements import NEUTRAL, all_true
from singcoach.training.feedback.real_takes import real_takes
from singcoach.training.feedback.simulated import simulate
from singcoach.training.feedback.varied import vary

Portion = Literal["train", "held_out"]
_EXERCISES_PER_TAKE: Final = 2
_TRIES: Final = 4
_REAL_EVERY: Final = 3
_NEUTRAL_SHARE: Final = 0.2
"""They are the same in every take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """``facts`` as the model is asked, ``words`` as it shall answer."""

    facts: str
    words: str


def facts_of_take(number: int, *, seed: int, portion: Portion = "train") -> tuple[Fact, ...]:
    """Return the facts of one take; every third is a real one, the others are simulated.

    Parameters
    ----------
    number, seed, portion
        Decide every draw. Takes of the two portions are drawn apart; the recordings of the one
        are never those of the other.
    """
    if number % _REAL_EVERY == 0:
        real = [take for take in real_takes() if take.held_out == (portion == "held_out")]
        return real[(number // _REAL_EVERY + seed) % len(real)].facts
    take = simulate(random.Random(f"{portion}\x1f{seed}\x1f{number}"))
    return gather_facts(
        scores=take.scores,
        screening=take.screening,
        duration_s=take.duration_s,
        notes=take.notes,
    )


def pairs_of_take(number: int, *, seed: int, portion: Portion = "train") -> tuple[Pair, ...]:
    """Return the pairs of one take, as :func:`facts_of_take` numbers them."""
    draw = random.Random(f"words\x1f{portion}\x1f{seed}\x1f{number}")
    return tuple(pairs_of_facts(facts_of_take(number, seed=seed, portion=portion), draw))


def pairs_of_facts(facts: Sequence[Fact], draw: random.Random) -> Iterator[Pair]:
    """Yield a pair for what may be said of a take: one for each statement at most."""
    words, checker = catalogue_of("en"), ClaimChecker(facts)
    exercises = draw.sample(sorted(load_library().exercises), _EXERCISES_PER_TAKE)
    for statement in all_true(facts, exercises):
        if statement.message in NEUTRAL and draw.random() > _NEUTRAL_SHARE:
            continue
        for _ in range(_TRIES):
            text = vary(statement, words, draw)
            supported = checker.support(text)
            if supported is None or not is_well_said(text):
                continue
            meant = {*supported, *(fact.removesuffix(".note") for fact in supported)}
            if set(statement.facts) <= meant:
                yield Pair(facts=fact_prompt(statement, words), words=text)
                break


def many_pairs(n: int, *, seed: int, portion: Portion = "train") -> list[Pair]:
    """Return the first ``n`` pairs of the takes, in an order drawn with the seed."""
    found: list[Pair] = []
    number = 0
    while len(found) < n:
        found += pairs_of_take(number, seed=seed, portion=portion)
        number += 1
    found = found[:n]
    random.Random(f"order\x1f{seed}").shuffle(found)
    return found
