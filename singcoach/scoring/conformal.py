"""Split conformal prediction: how far intervals have to be stretched to hold human ratings.

Vovk, Gammerman and Shafer 2005; Lei et al. 2018 (residuals in units of each item's own error).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.errors import InputError
from singcoach.scoring.heads import HIGHEST, LOWEST
from singcoach.scoring.specs import NOMINAL, SCORED, Scored

STAND_INS: tuple[Scored, ...] = ("breath", "emotion")
"""Scores that nobody rated. They are held against ratings of something else."""

UNRATED_FACTOR = 1.1
"""What a rating of something else cannot tell of these is added by hand: there is nothing to
measure it with."""

_NORMAL = (0.6745, 1.2816, 1.9600)
"""Half widths of the intervals of :data:`NOMINAL` of a normal distribution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One score of the takes of a corpus beside what people said about them.

    Attributes
    ----------
    condition
        What was done to the takes; "" for whole ones as they are.
    ratings
        Names of the human ratings whose mean the score is held against.
    calibrates
        Whether factors may come from it.
    scores, errors
        Scores, and their standard errors in points before calibration, shape ``(n,)``.
    human
        Mean ratings on 1..5, shape ``(n,)``.
    """

    corpus: str
    condition: str
    scored: Scored
    ratings: tuple[str, ...]
    calibrates: bool
    scores: RealArray
    errors: RealArray
    human: RealArray

    @property
    def ratios(self) -> RealArray:
        """Residuals in units of the take's own standard error, shape ``(n,)``."""
        return np.abs(self.human - self.scores) / self.errors

    def bounds(self, factor: float) -> tuple[RealArray, RealArray]:
        """Ends of the intervals of one factor."""
        half = factor * self.errors
        return np.maximum(LOWEST, self.scores - half), np.minimum(HIGHEST, self.scores + half)


def conformal_factor(ratios: RealArray, nominal: float) -> float:
    """Smallest factor that covers a new take with the nominal share or more (split conformal).

    The ``ceil((n + 1) nominal)``-th smallest residual. Where there are too few for the share, the
    largest, or what a normal distribution makes of the 80 % factor if that is larger.

    Parameters
    ----------
    ratios
        Residuals in units of the standard error, shape ``(n,)``.

    Raises
    ------
    ValueError
        Without residuals, or for a share that is none of :data:`NOMINAL`.
    """
    place = NOMINAL.index(nominal)
    if not len(ratios):
        raise ValueError("no residuals")
    ascending = np.sort(ratios)
    rank = math.ceil((len(ratios) + 1) * nominal - 1e-9)
    if rank <= len(ratios):
        return float(ascending[rank - 1])
    if nominal <= NOMINAL[1]:
        return float(ascending[-1])
    normal = conformal_factor(ratios, NOMINAL[1]) * _NORMAL[place] / _NORMAL[1]
    return max(float(ascending[-1]), normal)


def corpus_factors(cases: Sequence[Case], scored: Scored) -> dict[str, tuple[float, ...]]:
    """Factors of :data:`NOMINAL` that each corpus asks for: of its conditions the widest."""
    found: dict[str, tuple[float, ...]] = {}
    for case in cases:
        if case.scored != scored or not case.calibrates:
            continue
        own = tuple(conformal_factor(case.ratios, nominal) for nominal in NOMINAL)
        before = found.get(case.corpus, own)
        found[case.corpus] = tuple(max(pair) for pair in zip(own, before, strict=True))
    return found


def shipped_factors(cases: Sequence[Case]) -> dict[Scored, tuple[float, ...]]:
    """Factors for the file: of the corpora the widest, and more for what nobody rated.

    Raises
    ------
    InputError
        When a score has no rated takes.
    """
    found: dict[Scored, tuple[float, ...]] = {}
    for scored in SCORED:
        by_corpus = corpus_factors(cases, scored)
        if not by_corpus:
            raise InputError(f"There are no rated recordings for {scored}")
        more = UNRATED_FACTOR if scored in STAND_INS else 1.0
        widest = (max(factors) for factors in zip(*by_corpus.values(), strict=True))
        found[scored] = tuple(_rounded(more * factor) for factor in widest)
    return found


def left_out_factors(cases: Sequence[Case], case: Case) -> tuple[float, ...] | None:
    """Factors from every corpus but the case's own; None where there is no other."""
    others = [f for name, f in corpus_factors(cases, case.scored).items() if name != case.corpus]
    return tuple(max(x) for x in zip(*others, strict=True)) if others else None


def _rounded(value: float) -> float:
    """Three significant digits, rounded up: an interval must not lose its cover to rounding."""
    digits = 2 - math.floor(math.log10(value))
    return round(math.ceil(value * 10.0**digits - 1e-9) / 10.0**digits, 9)
