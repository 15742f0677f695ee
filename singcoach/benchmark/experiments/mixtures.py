"""Experiment 7: the same karaoke clips as a mixture, as a voice with its backing, as a voice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from singcoach.benchmark.experiments.figures import OVERALL, Ranked, column, labels, mean_figure
from singcoach.benchmark.experiments.groups import Clip, find_clips
from singcoach.benchmark.experiments.items import (
    A_CAPPELLA,
    KARAOKE,
    Hearing,
    a_cappella,
    a_cappella_judges,
    karaoke,
    karaoke_judges,
)
from singcoach.benchmark.experiments.page import Cell, Section, Table
from singcoach.benchmark.experiments.takes import Judged, Workbench
from singcoach.benchmark.htpr.bootstrap import Figure
from singcoach.core.arrays import RealArray
from singcoach.core.scores import DIMENSIONS
from singcoach.jobs import NO_JOB, Job
from singcoach.scoring.ranking import judge_agreement

HEARINGS: tuple[Hearing, ...] = ("voice", "voice and backing", "mixture")
_NAMES = (OVERALL, *DIMENSIONS)


def hear_karaoke(
    data: Path, bench: Workbench, job: Job = NO_JOB
) -> tuple[dict[Hearing, list[Judged]], list[Clip]]:
    """Every clip in the three ways of hearing, and who sings what."""
    takes = {
        hearing: bench.judge(
            karaoke(data, hearing=hearing), job.part(0.3 * place, 0.3 * place + 0.3)
        )
        for place, hearing in enumerate(HEARINGS)
    }
    clips = bench.remember(
        "clips of nycu_first", lambda: clips_of(takes["mixture"], job.part(0.9, 1.0))
    )
    return takes, clips


def clips_of(judged: Sequence[Judged], job: Job = NO_JOB) -> list[Clip]:
    """Song, passage and singer of karaoke takes that have a backing."""
    with_backing = [(take.item.parts[0], take.item.backing) for take in judged]
    return find_clips(
        [voice for voice, _ in with_backing],
        [backing for _, backing in with_backing if backing is not None],
        job,
    )


def compare_hearings(data: Path, bench: Workbench, job: Job = NO_JOB) -> Section:
    """Rank the karaoke clips as they may be given in use."""
    takes, clips = hear_karaoke(data, bench, job.part(0.0, 0.9))
    solo = bench.judge(a_cappella(data), job.part(0.9, 1.0))
    tables: list[Table] = []
    findings: tuple[str, ...] = ()
    if clips:
        tables += [_accuracy_table(takes, clips), _change_table(takes), _clip_table(clips)]
        findings = _findings(takes, clips)
    if solo:
        tables.append(_solo_table(solo))
    judges = _judge_table(data)
    if judges.rows:
        tables.append(judges)
    return Section(
        name="mixtures",
        title="Mixture, voice with its backing, voice alone",
        question=(
            "A karaoke clip may be given as it was heard (the mixture, which the chain separates "
            "and whose rest is its backing), as a voice with a backing file, or as a voice alone. "
            "How well do the scores order the clips in each case? "
            "The mixtures are sums of the published stems, voice and music at their own levels."
        ),
        tables=tuple(tables),
        findings=findings,
        limits=(
            "The published stems were separated once already: a sum of them parts more cleanly "
            "than a recording of a room would.",
            "51 clips are two karaoke tracks, six passages and a dozen voices: the second "
            "bracket, which draws whole voices, is the one to trust.",
        ),
    )


def _accuracy_table(takes: dict[Hearing, list[Judged]], clips: Sequence[Clip]) -> Table:
    ratings = labels([take.example for take in takes["voice"]], OVERALL)
    ranked = Ranked(ratings)
    by_singer = Ranked(ratings, [clip.singer for clip in clips])
    rows: list[tuple[Cell, ...]] = []
    for hearing in HEARINGS:
        for name in _NAMES:
            scores = column(takes[hearing], name)
            rows.append(
                (
                    hearing,
                    name,
                    f"{int(np.isfinite(scores).sum())} of {len(scores)}",
                    ranked.accuracy(scores),
                    by_singer.accuracy(scores),
                    ranked.spearman(scores),
                )
            )
    peer = column(takes["voice"], OVERALL)
    for hearing in HEARINGS[1:]:
        scores = column(takes[hearing], OVERALL)
        rows.append(
            (
                f"{hearing} less voice",
                OVERALL,
                len(scores),
                ranked.gain(scores, peer),
                by_singer.gain(scores, peer),
                None,
            )
        )
    refused = [(hearing, take) for hearing in HEARINGS for take in takes[hearing] if take.refused]
    if refused:
        rows += _among_scored(takes, ratings, clips)
    return Table(
        title="nycu_first, scores against the mean overall rating",
        head=("given as", "score", "scored", "accuracy", "accuracy, voices drawn", "Spearman"),
        rows=tuple(rows),
        note="A clip without a score is half right in each of its pairs. Without a score: "
        + (
            "; ".join(
                f"{take.item.name} as {hearing} ({take.refused})" for hearing, take in refused
            )
            or "none"
        )
        + ".",
    )


def _among_scored(
    takes: dict[Hearing, list[Judged]], ratings: RealArray, clips: Sequence[Clip]
) -> list[tuple[Cell, ...]]:
    """The overall score over the clips that have one in every way of hearing."""
    scores = {hearing: column(takes[hearing], OVERALL) for hearing in HEARINGS}
    known = np.all([np.isfinite(values) for values in scores.values()], axis=0)
    ranked = Ranked(ratings[known])
    voices = [clip.singer for clip, kept in zip(clips, known, strict=True) if kept]
    by_singer = Ranked(ratings[known], voices)
    return [
        (
            f"{hearing}, clips scored in every way",
            OVERALL,
            int(known.sum()),
            ranked.accuracy(values[known]),
            by_singer.accuracy(values[known]),
            ranked.spearman(values[known]),
        )
        for hearing, values in scores.items()
    ]


def _change_table(takes: dict[Hearing, list[Judged]]) -> Table:
    peer = takes["voice and backing"]
    rows: list[tuple[Cell, ...]] = []
    for hearing in ("voice", "mixture"):
        for name in _NAMES:
            change = column(takes[hearing], name) - column(peer, name)
            rows.append((hearing, name, mean_figure(change), mean_figure(np.abs(change))))
    return Table(
        title="Change of the score against the voice with its backing",
        head=("given as", "score", "mean change", "mean distance"),
        rows=tuple(rows),
    )


def _clip_table(clips: Sequence[Clip]) -> Table:
    songs = sorted({clip.song for clip in clips})
    return Table(
        title="What the clips are, as far as can be heard",
        head=("song", "clips", "passages", "voices"),
        rows=tuple(
            (
                song,
                sum(clip.song == song for clip in clips),
                len({clip.passage for clip in clips if clip.song == song}),
                len({clip.singer for clip in clips if clip.song == song}),
            )
            for song in songs
        ),
        note=f"{len({clip.singer for clip in clips})} voices in all. Songs by the backing's "
        "tuning, passages by its chroma, voices by their average spectrum, joined rather too "
        "coarsely than too finely.",
    )


def _solo_table(solo: Sequence[Judged]) -> Table:
    ratings = labels([take.example for take in solo], OVERALL)
    ranked = Ranked(ratings)
    return Table(
        title="pesnq_edelweiss (a cappella) for comparison, overall rating",
        head=("score", "scored", "accuracy", "Spearman"),
        rows=tuple(
            (
                name,
                f"{int(np.isfinite(column(solo, name)).sum())} of {len(solo)}",
                ranked.accuracy(column(solo, name)),
                ranked.spearman(column(solo, name)),
            )
            for name in _NAMES
        ),
    )


def _judge_table(data: Path) -> Table:
    rated = {KARAOKE: karaoke_judges(data), A_CAPPELLA: a_cappella_judges(data)}
    found = [judge_agreement(name, judged) for name, judged in rated.items() if judged]
    return Table(
        title="What one human judge reaches against the mean of the others",
        head=("set", "takes", "judges", "accuracy", "worst to best judge"),
        rows=tuple(
            (
                one.material,
                one.n,
                one.n_judges,
                str(one.accuracy),
                f"{one.worst:.2f} to {one.best:.2f}",
            )
            for one in found
        ),
    )


def _findings(takes: dict[Hearing, list[Judged]], clips: Sequence[Clip]) -> tuple[str, ...]:
    ranked = Ranked(
        labels([take.example for take in takes["voice"]], OVERALL),
        [clip.singer for clip in clips],
    )
    found: dict[Hearing, Figure] = {
        hearing: ranked.accuracy(column(takes[hearing], OVERALL)) for hearing in HEARINGS
    }
    said = "; ".join(f"{hearing} {figure}" for hearing, figure in found.items())
    gain = ranked.gain(column(takes["mixture"], OVERALL), column(takes["voice"], OVERALL))
    return (
        f"Accuracy of the overall score, voices drawn: {said}.",
        f"Mixture less voice alone, overall: {gain}.",
    )
