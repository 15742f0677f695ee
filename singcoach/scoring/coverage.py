"""What the calibrated intervals are worth: cover, and order against their width, as tables."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.scoring.agreement import Estimate, estimate, share_inside
from singcoach.scoring.conformal import Case, corpus_factors, left_out_factors
from singcoach.scoring.specs import NOMINAL, SCORED, Heads

DIFFERENCES = (0.0, 0.25, 0.5, 1.0, 1.5, math.inf)
"""Edges of the classes of differences between two scores, in half widths of both together."""

_N_DRAWS = 500


def cover(case: Case, factor: float) -> Estimate:
    """Share of the human ratings inside the intervals of one factor, with the middle 80 %."""
    return estimate(share_inside, *case.bounds(factor), case.human, n_draws=_N_DRAWS)


def ordered(case: Case, factor: float, *, apart: bool) -> tuple[Estimate, int]:
    """Share of pairs ordered as the judges do, and their number.

    Pairs whose intervals lie apart, or those whose intervals overlap. Pairs with one rating are
    left out; equal scores count half.
    """
    low, high = case.bounds(factor)

    def chosen(rows: RealArray) -> RealArray:
        a, b = np.triu_indices(len(rows), 1)
        one, two = low[rows], high[rows]
        found: RealArray = ((one[a] > two[b]) | (one[b] > two[a])) == apart
        return found

    return _pairs(case, chosen)


def by_difference(case: Case, factor: float, least: float, most: float) -> tuple[Estimate, int]:
    """Share of pairs ordered as the judges do among those so far apart, and their number."""
    low, high = case.bounds(factor)
    half = (high - low) / 2.0

    def chosen(rows: RealArray) -> RealArray:
        a, b = np.triu_indices(len(rows), 1)
        scores, widths = case.scores[rows], half[rows]
        away = np.abs(scores[a] - scores[b]) / np.hypot(widths[a], widths[b])
        found: RealArray = (away >= least) & (away < most)
        return found

    return _pairs(case, chosen)


def _pairs(case: Case, chosen: Callable[[RealArray], RealArray]) -> tuple[Estimate, int]:
    def right(rows: RealArray) -> RealArray:
        rows = rows.astype(np.int64)
        a, b = np.triu_indices(len(rows), 1)
        human = np.sign(case.human[rows][a] - case.human[rows][b])
        scored = np.sign(case.scores[rows][a] - case.scores[rows][b])
        kept = chosen(rows).astype(bool) & (human != 0.0)
        found: RealArray = (0.5 + 0.5 * human * scored)[kept]
        return found

    def share(rows: RealArray) -> float:
        found = right(rows)
        return float(found.mean()) if len(found) else math.nan

    everyone = np.arange(len(case.scores), dtype=np.float64)
    return estimate(share, everyone, n_draws=_N_DRAWS), len(right(everyone))


def to_text(cases: Sequence[Case], heads: Heads) -> str:
    """Tables in Markdown, as they stand in docs/uncertainty.md."""
    parts = [
        ("Factors", _factor_table(cases, heads)),
        ("Cover", _cover_table(cases, heads)),
        ("Intervals against order", _order_table(cases, heads)),
        ("Difference against order", _difference_table(cases, heads)),
    ]
    return "\n".join(f"### {title}\n\n{table}" for title, table in parts)


def _factor_table(cases: Sequence[Case], heads: Heads) -> str:
    rows = []
    for scored in SCORED:
        for corpus, found in corpus_factors(cases, scored).items():
            rows.append([scored, corpus, *(f"{x:.2f}" for x in found)])
        rows.append(
            [scored, "**shipped**", *(f"{x:.2f}" for x in heads.uncertainty.factors[scored])]
        )
    return _table(["score", "calibrated on", *_percents()], rows)


def _cover_table(cases: Sequence[Case], heads: Heads) -> str:
    rows = []
    for case in cases:
        shipped = heads.uncertainty.factors[case.scored]
        other = left_out_factors(cases, case)
        low, high = case.bounds(shipped[1])
        rows.append(
            [
                case.corpus,
                case.condition or "whole",
                case.scored,
                " + ".join(case.ratings),
                str(len(case.scores)),
                f"{np.mean(high - low):.2f}",
                *(str(cover(case, x)) for x in shipped),
                *(str(cover(case, x)) for x in (other or ())[:2]),
            ]
        )
    head = ["corpus", "takes", "score", "human rating", "n", "mean width of 80 %"]
    percents = _percents()
    return _table([*head, *percents, *(f"{p}, corpus left out" for p in percents[:2])], rows)


def _order_table(cases: Sequence[Case], heads: Heads) -> str:
    rows = []
    for case in cases:
        if case.condition.startswith("pieces"):
            continue
        factor = heads.uncertainty.factors[case.scored][1]
        apart, n_apart = ordered(case, factor, apart=True)
        lapping, n_lapping = ordered(case, factor, apart=False)
        rows.append(
            [
                case.corpus,
                case.condition or "whole",
                case.scored,
                str(n_apart),
                str(apart),
                str(n_lapping),
                str(lapping),
            ]
        )
    head = ["corpus", "takes", "score", "pairs apart", "ordered rightly"]
    return _table([*head, "pairs overlapping", "ordered rightly"], rows)


def _difference_table(cases: Sequence[Case], heads: Heads) -> str:
    rows = []
    for case in cases:
        if case.condition:
            continue
        factor = heads.uncertainty.factors[case.scored][1]
        cells = []
        for least, most in itertools.pairwise(DIFFERENCES):
            share, count = by_difference(case, factor, least, most)
            cells.append(f"{share}, n {count}")
        rows.append([case.corpus, case.scored, *cells])
    head = [
        f"{a:g} to {b:g}" if math.isfinite(b) else f"over {a:g}"
        for a, b in itertools.pairwise(DIFFERENCES)
    ]
    return _table(["corpus", "score", *head], rows)


def _percents() -> list[str]:
    return [f"{100 * nominal:.0f} %" for nominal in NOMINAL]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines) + "\n"
