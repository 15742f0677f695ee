"""Experiment 6: six languages, by professionals (gtsinger): scores, and techniques told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from singcoach.benchmark.experiments.figures import (
    OVERALL,
    free_scores,
    mean_figure,
    pairs_of,
    raised,
)
from singcoach.benchmark.experiments.items import intensities, techniques
from singcoach.benchmark.experiments.page import Cell, Section, Table
from singcoach.benchmark.experiments.takes import Judged, Workbench
from singcoach.benchmark.htpr.bootstrap import Bootstrap, Figure, to_figure
from singcoach.core.arrays import RealArray
from singcoach.core.scores import DIMENSIONS, Dimension
from singcoach.jobs import NO_JOB, Job
from singcoach.scoring.specs import Heads

EXPECTED: Mapping[str, Mapping[Dimension, int]] = {
    "Vibrato": {"technique": 1, "emotion": 1},
    "Breathy": {"timbre": -1, "breath": -1},
    "Falsetto": {"timbre": -1},
    "Pharyngeal": {"timbre": 1},
}
"""Which way a technique should move a score, by what the score claims to measure: vibrato is asked
for by technique and emotion; leakage of air (breathy, falsetto) takes clear tone and costs breath;
the ring of a pharyngeal voice is clear tone. Mixed voice and glissando: no expectation. None of it
says that the changed take is sung better."""

_NAMES = (OVERALL, *DIMENSIONS)
_PAIR_HEAD = (
    "set",
    "change",
    "score",
    "pairs scored",
    "takes refused in use",
    "mean change",
    "share raised",
    "expected",
)


def compare_languages(data: Path, bench: Workbench, job: Job = NO_JOB) -> Section:
    """Score professionals in six languages."""
    takes = bench.judge(techniques(data), job)
    heads = bench.heads
    spread = {name: _spread(takes, name, heads) for name in _NAMES} if takes else {}
    return Section(
        name="languages",
        title="Languages",
        question=(
            "Do the scores depend on the language? Professional phrases of gtsinger in six "
            "languages; about one singer for each, so a language cannot be told from its singer."
        ),
        tables=() if not takes else (_score_table(takes, spread, heads), _pair_table(takes, heads)),
        findings=tuple(
            f"{name}: languages differ by sd {figure} points around the mean of all."
            for name, figure in spread.items()
        ),
        limits=(
            "One singer for each language and other phrases: differences may be the singer's or "
            "the song's. The phrases last some seconds; use would refuse most of them.",
            "One or two pairs of each technique in a language: the accuracies by language "
            "are only good for finding a language that fails outright.",
        ),
        left_out="" if takes else "gtsinger is not in the folder",
    )


def _languages(takes: Sequence[Judged]) -> list[str]:
    return sorted({take.item.language for take in takes})


def _scores(takes: Sequence[Judged], name: str, heads: Heads) -> RealArray:
    return free_scores([take.example for take in takes], heads, name)


def _spread(takes: Sequence[Judged], name: str, heads: Heads) -> Figure:
    """Standard deviation of the languages' mean scores of plain takes, phrases drawn.

    What chance alone gives (the error of each mean) is taken off its square.
    """
    plain = [take for take in takes if not take.item.change]
    scores = _scores(plain, name, heads)
    codes = np.unique([take.item.language for take in plain], return_inverse=True)[1]

    def statistic(weights: RealArray) -> RealArray:
        means, errors = [], []
        for code in range(int(codes.max()) + 1):
            kept = (codes == code) & np.isfinite(scores)
            w, x = weights[:, kept], scores[kept]
            n = w.sum(axis=1)
            safe = np.maximum(n, 1.0)
            mean = w @ x / safe
            power = np.maximum(w @ (x * x) / safe - mean**2, 0.0)
            means.append(np.where(n > 0, mean, np.nan))
            errors.append(np.where(n > 1, power / np.maximum(n - 1.0, 1.0), np.nan))
        between = np.nanvar(np.stack(means), axis=0, ddof=1)
        return np.asarray(np.sqrt(np.maximum(between - np.nanmean(np.stack(errors), axis=0), 0.0)))

    import warnings

    bootstrap = Bootstrap(len(plain))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a draw without one of the languages
        draws = bootstrap.draws(statistic)
    return to_figure(draws, n_units=bootstrap.n_units, undefined="too few takes")


def _score_table(takes: Sequence[Judged], spread: Mapping[str, Figure], heads: Heads) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for language in _languages(takes):
        plain = [t for t in takes if t.item.language == language and not t.item.change]
        refused = sum(bool(t.refused) for t in plain)
        rows.append(
            (
                language,
                len(plain),
                refused,
                *(mean_figure(_scores(plain, name, heads)) for name in _NAMES),
            )
        )
    rows.append(("sd between languages", None, None, *(spread[name] for name in _NAMES)))
    return Table(
        title="Mean score of the plain phrases",
        head=("language", "phrases", "refused in use", *_NAMES),
        rows=tuple(rows),
        note="The sd between languages is what the phrases' own scatter does not explain.",
    )


def _pair_table(takes: Sequence[Judged], heads: Heads) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for language in (*_languages(takes), "all"):
        chosen = [t for t in takes if language in (t.item.language, "all")]
        found = {d: expected_pairs(chosen, d, heads) for d in DIMENSIONS}
        rows.append(
            (
                language,
                *(
                    f"{mean_figure(right)}, n {int(np.isfinite(right).sum())}"
                    for right in found.values()
                ),
            )
        )
    return Table(
        title="Pairs moved as the technique should move them",
        head=("language", *DIMENSIONS),
        rows=tuple(rows),
        note="A changed phrase against the same phrase plainly sung, ties half. "
        + "; ".join(
            f"{technique}: " + ", ".join(f"{d} {'up' if s > 0 else 'down'}" for d, s in by.items())
            for technique, by in EXPECTED.items()
        )
        + ".",
    )


def expected_pairs(takes: Sequence[Judged], dimension: Dimension, heads: Heads) -> RealArray:
    """1 where a pair moves as its technique should move the score, 0.5 for a tie, else 0."""
    scores = _scores(takes, dimension, heads)
    found = []
    for plain, changed in pairs_of([take.example for take in takes]):
        sign = EXPECTED.get(takes[changed].item.change, {}).get(dimension)
        if sign is not None:
            found.append(sign * (scores[changed] - scores[plain]))
    return raised(np.array(found, dtype=np.float64))


def compare_pairs(data: Path, bench: Workbench, job: Job = NO_JOB) -> Section:
    """Control against technique, calm against intense."""
    sung = bench.judge(techniques(data), job.part(0.0, 0.6))
    acted = bench.judge(intensities(data), job.part(0.6, 1.0))
    rows: list[tuple[Cell, ...]] = []
    for takes, names in ((sung, DIMENSIONS), (acted, DIMENSIONS)):
        changes = sorted({take.item.change for take in takes if take.item.change})
        for change in changes:
            rows += [_pair_row(takes, change, name, bench.heads) for name in names]
    return Section(
        name="pairs",
        title="Control against technique, calm against intense",
        question=(
            "The same phrase by the same singer, plainly and with a technique (gtsinger), or acted "
            "normally and strongly (ravdess_song, four actors). The limits of use are lifted: most "
            "of these phrases get no score there."
        ),
        tables=(
            Table(
                title="Change of the score from the plain to the changed take",
                head=_PAIR_HEAD,
                rows=tuple(rows),
                note="Expected is what the score's own claim asks for; a blank asks for nothing. "
                "Intervals draw pairs.",
            ),
        )
        if rows
        else (),
        findings=_pair_findings(sung, acted, bench.heads),
        limits=(
            "Five to eight pairs of each technique: only changes in all or none of them can be "
            "told from chance.",
            "Acting strongly is no better singing, and speech-like: the pairs test whether "
            "emotion follows intensity, not whether it follows expression that moves people.",
        ),
        left_out="" if rows else "neither gtsinger nor ravdess_song is in the folder",
    )


def _pair_row(
    takes: Sequence[Judged], change: str, name: Dimension, heads: Heads
) -> tuple[Cell, ...]:
    scores = _scores(takes, name, heads)
    places = [
        (plain, other)
        for plain, other in pairs_of([take.example for take in takes])
        if takes[other].item.change == change
    ]
    moved = np.array([scores[other] - scores[plain] for plain, other in places])
    used = {place for pair in places for place in pair}
    refused = sum(bool(takes[place].refused) for place in used)
    sign = _sign(change, name)
    return (
        takes[0].item.corpus,
        change,
        name,
        f"{int(np.isfinite(moved).sum())} of {len(moved)}",
        f"{refused} of {len(used)}",
        mean_figure(moved),
        mean_figure(raised(moved)),
        {1: "up", -1: "down", 0: ""}[sign],
    )


def _sign(change: str, name: Dimension) -> int:
    if change == "strong":
        return 1 if name == "emotion" else 0
    return EXPECTED.get(change, {}).get(name, 0)


def _pair_findings(
    sung: Sequence[Judged], acted: Sequence[Judged], heads: Heads
) -> tuple[str, ...]:
    lines = []
    if sung:
        lines += [
            f"gtsinger, {d}: {mean_figure(expected_pairs(sung, d, heads))} of the pairs move as "
            "expected."
            for d in DIMENSIONS
            if len(expected_pairs(sung, d, heads))
        ]
    if acted:
        scores = _scores(acted, "emotion", heads)
        moved = np.array(
            [scores[b] - scores[a] for a, b in pairs_of([take.example for take in acted])]
        )
        n = int(np.isfinite(moved).sum())
        lines.append(
            f"ravdess_song, emotion: strong above normal in {mean_figure(raised(moved))} of {n} "
            f"scored pairs of {len(moved)}."
        )
    return tuple(lines)
