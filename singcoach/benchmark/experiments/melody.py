"""Experiment 8: pass or fail in singing exams (mast_melody), from pitch tracks alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from singcoach.benchmark.experiments.figures import area_under_curve
from singcoach.benchmark.experiments.page import Cell, Section, Table
from singcoach.benchmark.experiments.takes import Workbench
from singcoach.benchmark.htpr.bootstrap import Bootstrap, Figure, to_figure
from singcoach.chain.cache import Cache, make_key
from singcoach.core.arrays import RealArray
from singcoach.jobs import NO_JOB, Job
from singcoach.scoring.exams import ARCHIVE, Exam, halves, judge, measure_exam, read_tracks

_ABOUT = 996
_PUBLISHED = (0.62, 0.84)
"""Areas that a first experiment reached without and with the reference melody."""


def judge_exams(data: Path, bench: Workbench, job: Job = NO_JOB) -> Section:
    """Tell passed from failed exams by intonation alone."""
    there = (data / ARCHIVE).is_file()
    exams = _measured(data, bench, job) if there else []
    tables, findings = _tables(exams, bench) if exams else ((), ())
    return Section(
        name="exams",
        title="Pass or fail in singing exams",
        question=(
            "Entrance exams on 40 melodies, passed or failed by all three of a jury; only pitch "
            "tracks are published. How well do the intonation measures tell passed from failed "
            "without the melody that was asked for? 'Together' weighs the measures as the head of "
            "technique does. Measures were chosen while looking at every second exam; the other "
            "half was not looked at."
        ),
        tables=tables,
        findings=findings,
        limits=(
            "An exam asks for a given melody; a wrong but well-tuned one fails and cannot be "
            "heard here. What the jury heard beyond pitch is not in the tracks.",
            "The tracks are some seconds long, where scale and tuning are barely defined.",
        ),
        left_out="" if there else "mast_melody is not in the folder",
    )


def _measured(data: Path, bench: Workbench, job: Job) -> list[Exam]:
    cache = Cache(bench.work / "exams")
    size = (data / ARCHIVE).stat().st_size
    exams = []
    for place, (name, rows) in enumerate(read_tracks(data)):
        job.report(place / _ABOUT, f"exams: {name}")
        key = make_key("exam", 2, bench.digest, size, name)
        kept = cache.load(key)
        if kept is None:
            exam = measure_exam(name, rows)
            cache.store(key, {measure: np.array(value) for measure, value in exam.values.items()})
        else:
            group, melody, *_ = name.split("_")
            exam = Exam(
                exam=group,
                melody=f"{group}_{melody}",
                passed="_pass" in name,
                values={measure: float(value) for measure, value in kept.items()},
            )
        exams.append(exam)
    return exams


def area(scores: RealArray, exams: Sequence[Exam]) -> Figure:
    """Area under the curve over the performances with a score; whole melodies are drawn."""
    known = np.isfinite(scores)
    passed = np.array([float(exam.passed) for exam in exams])
    bootstrap = Bootstrap(len(exams), groups=[exam.melody for exam in exams])
    draws = bootstrap.draws(
        lambda weights: area_under_curve(scores[known], passed[known], weights[:, known])
    )
    return to_figure(draws, n_units=bootstrap.n_units, undefined="all passed or all failed")


def _tables(exams: Sequence[Exam], bench: Workbench) -> tuple[tuple[Table, ...], tuple[str, ...]]:
    rows: list[tuple[Cell, ...]] = []
    findings = []
    for half, part in halves(exams).items():
        said = judge(part, bench.heads)
        figures = {name: area(scores, part) for name, scores in said.items()}
        for name, figure in figures.items():
            n = int(np.isfinite(said[name]).sum())
            n_passed = sum(exam.passed for exam in part)
            rows.append((half, name, f"{n} of {len(part)}", n_passed, figure))
        findings.append(
            f"{half}: intonation without the melody tells passed from failed with an area of "
            f"{figures['together']}; a first experiment reached {_PUBLISHED[0]} without the "
            f"melody and {_PUBLISHED[1]} with it."
        )
    table = Table(
        title="Area under the curve (a pass above a fail)",
        head=("half of the exams", "score", "measured", "passed", "area"),
        rows=tuple(rows),
        note="0.5 is chance. Whole melodies are drawn.",
    )
    return (table,), tuple(findings)
