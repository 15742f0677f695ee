"""Experiment 5: what the uncertainty intervals say about the order."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from singcoach.benchmark.experiments.figures import OVERALL, Ranked, column, labels, mean_statistic
from singcoach.benchmark.experiments.groups import Clip
from singcoach.benchmark.experiments.page import Cell, Section, Table
from singcoach.benchmark.experiments.takes import Judged
from singcoach.benchmark.htpr.bootstrap import Figure
from singcoach.benchmark.htpr.order import spearman, tier_pairs
from singcoach.core.arrays import BoolArray, RealArray
from singcoach.jobs import NO_JOB, Job
from singcoach.scoring.agreement import tiers

BOUNDS = (0.0, 0.25, 0.5, 1.0, np.inf)
"""Distances of two scores in units of their joint half width, between the bins."""

Set = tuple[str, Sequence[Judged], Sequence[str] | None]
"""Name, takes, and the voice of each where voices repeat."""


def compare_intervals(
    sets: Sequence[tuple[str, Sequence[Judged], Sequence[Clip]]], job: Job = NO_JOB
) -> Section:
    """Do intervals cover, are narrow ones more often right, is a distance worth what they say?"""
    known: list[Set] = [
        (name, takes, [clip.singer for clip in clips] or None)
        for name, takes, clips in sets
        if takes
    ]
    tables = []
    if known:
        job.report(0.1, "intervals against ranking")
        tables.append(_cover_table(known))
        job.report(0.5, "intervals against ranking")
        tables.append(_distance_table(known))
    return Section(
        name="intervals",
        title="Uncertainty intervals against ranking",
        question=(
            "Does the 80 % interval of the overall score say how far the order can be trusted? "
            "Cover: share of mean ratings (on 1..5) inside. Narrow half: accuracy among the half "
            "of the takes with the narrowest intervals less that among the rest. Distance: the "
            "accuracy of pairs from different tiers by how far apart their scores are, in units of "
            "the joint half width of their two intervals."
        ),
        tables=tuple(tables),
        findings=tuple(_finding(one) for one in known),
        limits=(
            "The margins were calibrated on the ratings of these same sets with the other set "
            "left out; cover on a third kind of recording is not known.",
            "Takes of one set are alike in length and sound, so their intervals hardly differ "
            "in width: whether a wide interval warns of a wrong order cannot be seen well.",
            "Where every pair of a bin is right, its interval is a point; that is a sign of few "
            "takes, not of certainty.",
        ),
        left_out="" if known else "no rated set is in the folder",
    )


def _half(takes: Sequence[Judged]) -> RealArray:
    return (column(takes, OVERALL, "high") - column(takes, OVERALL, "low")) / 2.0


def _cover_table(sets: Sequence[Set]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, takes, singers in sets:
        ratings = labels([take.example for take in takes], OVERALL)
        scores, half = column(takes, OVERALL), _half(takes)
        inside = (column(takes, OVERALL, "low") <= ratings) & (
            ratings <= column(takes, OVERALL, "high")
        )
        known: BoolArray = np.isfinite(scores)
        ranked = Ranked(ratings, singers)
        covered = ranked.bootstrap.draws(mean_statistic(np.where(known, inside, np.nan)))
        error = np.abs(scores - ratings)[known]
        width = ranked.bootstrap.draws(
            lambda weights, error=error, half=half[known], known=known: spearman(
                half, error, weights[:, known]
            )  # type: ignore[misc]
        )
        narrow: BoolArray = np.asarray(half <= np.nanmedian(half), dtype=np.bool_)
        gain = _accuracy_among(ranked, scores, narrow) - _accuracy_among(
            ranked, scores, known & ~narrow
        )
        rows.append(
            (
                name,
                f"{int(known.sum())} of {len(takes)}",
                ranked.figure(covered),
                float(np.nanmean(2.0 * half)),
                f"{2.0 * np.nanmin(half):.2f} to {2.0 * np.nanmax(half):.2f}",
                ranked.figure(width),
                ranked.figure(gain),
            )
        )
    return Table(
        title="Cover and width",
        head=(
            "set",
            "scored",
            "cover of the 80 % interval",
            "mean width",
            "least to largest width",
            "Spearman of width and error",
            "accuracy, narrow half less the rest",
        ),
        rows=tuple(rows),
    )


def _accuracy_among(ranked: Ranked, scores: RealArray, kept: BoolArray) -> RealArray:
    return ranked.bootstrap.draws(
        lambda weights: tier_pairs(scores, ranked.ratings, weights, kept[:, None] & kept[None, :])
    )


def _relative_distance(takes: Sequence[Judged]) -> RealArray:
    """Distance of two scores over the joint half width of their intervals, ``(n, n)``."""
    scores, half = column(takes, OVERALL), _half(takes)
    joint = np.hypot(half[:, None], half[None, :])
    return np.asarray(np.abs(scores[:, None] - scores[None, :]) / np.maximum(joint, 1e-9))


def _binned(one: Set) -> list[tuple[str, float, Figure]]:
    _, takes, singers = one
    ratings = labels([take.example for take in takes], OVERALL)
    scores, away = column(takes, OVERALL), _relative_distance(takes)
    ranked, tier = Ranked(ratings, singers), tiers(ratings)
    apart = tier[:, None] > tier[None, :]
    found = []
    for low, high in itertools.pairwise(BOUNDS):
        inside = (low <= away) & (away < high)
        draws = ranked.bootstrap.draws(
            lambda weights, inside=inside: tier_pairs(scores, ratings, weights, inside)  # type: ignore[misc]
        )
        said = f"{low:g} to {high:g}" if np.isfinite(high) else f"{low:g} and more"
        share = float((inside & apart).sum() / max(1, apart.sum()))
        found.append((said, share, ranked.figure(draws)))
    return found


def _distance_table(sets: Sequence[Set]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for one in sets:
        for said, share, figure in _binned(one):
            rows.append((one[0], said, share, figure))
    return Table(
        title="Accuracy of pairs by their distance",
        head=("set", "distance in joint half widths", "share of the pairs", "accuracy"),
        rows=tuple(rows),
    )


def _finding(one: Set) -> str:
    bins = _binned(one)
    near, far = bins[0], bins[-1]
    return (
        f"{one[0]}: pairs nearer than {BOUNDS[1]:g} joint half widths ({near[1]:.0%} of those from "
        f"different tiers) are ordered with {near[2]}, pairs beyond {BOUNDS[-2]:g} "
        f"({far[1]:.0%}) with {far[2]}."
    )
