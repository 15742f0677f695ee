"""Experiment 1: crops against the whole recording, the paper's label-input mismatch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from singcoach.benchmark.experiments.figures import OVERALL, Ranked, labels, mean_figure
from singcoach.benchmark.experiments.items import Item, a_cappella, crops_of, karaoke, songs
from singcoach.benchmark.experiments.page import Cell, Section, Table
from singcoach.benchmark.experiments.takes import Judged, Workbench
from singcoach.benchmark.htpr.bootstrap import Figure
from singcoach.benchmark.htpr.pieces import CROP_S, crop_starts
from singcoach.benchmark.htpr.signatures import CropSpread, find_crop_spread
from singcoach.core.arrays import RealArray
from singcoach.core.scores import DIMENSIONS
from singcoach.jobs import NO_JOB, Job
from singcoach.scoring.agreement import SEED

N_CROPS = 3
_NAMES = (OVERALL, *DIMENSIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cropped:
    """Recordings of one set, each as a whole and in crops of one length."""

    material: str
    length_s: float
    wholes: Sequence[Judged]
    crops: Sequence[Sequence[Judged]]


def compare_crops(data: Path, bench: Workbench, job: Job = NO_JOB) -> Section:
    """Score whole recordings and crops of them, with the rules in force."""
    plan = (
        ("pesnq_edelweiss, 64 s", a_cappella(data), (CROP_S, 15.0)),
        ("nycu_first with backing, 15 s", karaoke(data, hearing="voice and backing"), (10.0,)),
        ("complete songs, separated", songs(data), (CROP_S,)),
    )
    share = 1.0 / sum(1 + len(lengths) for _, _, lengths in plan)
    done = 0
    found: list[Cropped] = []
    for material, items, lengths in plan:
        wholes = bench.judge(items, job.part(done * share, (done + 1) * share))
        done += 1
        for length_s in lengths:
            part = job.part(done * share, (done + 1) * share)
            done += 1
            if wholes:
                found.append(_cropped(material, items, wholes, length_s, bench, part))
    tables = [_order_table(found), _change_table(found)]
    return Section(
        name="crops",
        title="30 s crops against the full song",
        question=(
            "People rate a whole song. What does a system lose that hears a random crop of it? "
            f"{N_CROPS} crops of each recording at places drawn from its name, scored by the heads "
            "in force like recordings of their own (the refusal of takes with less than 10 s of "
            "singing is lifted for them)."
        ),
        tables=tuple(table for table in tables if table.rows),
        findings=_findings(found),
        limits=(
            "The longest rated performance is 64 s: what a crop of a song of four minutes loses "
            "shows only in the change of the score of three unrated songs.",
            "Ten singers of one song give intervals so wide that a loss of accuracy below "
            "0.1 cannot be seen in them.",
        ),
    )


def _cropped(
    material: str,
    items: Sequence[Item],
    wholes: Sequence[Judged],
    length_s: float,
    bench: Workbench,
    job: Job,
) -> Cropped:
    crops = []
    for place, (item, whole) in enumerate(zip(items, wholes, strict=True)):
        starts = crop_starts(
            item.name, whole.duration_s, n_crops=N_CROPS, seed=SEED, length_s=length_s
        )
        part = job.part(place / len(items), (place + 1) / len(items))
        crops.append(bench.judge(crops_of(item, [(start, length_s) for start in starts]), part))
    return Cropped(material=material, length_s=length_s, wholes=wholes, crops=crops)


def _spread(cropped: Cropped, name: str) -> CropSpread:
    rated = {
        whole.item.name: whole.item.labels[OVERALL]
        for whole in cropped.wholes
        if OVERALL in whole.item.labels
    }
    names = [whole.item.name for whole in cropped.wholes]
    return find_crop_spread(
        {n: w.ranges[name].value for n, w in zip(names, cropped.wholes, strict=True)},
        {n: [c.ranges[name].value for c in cs] for n, cs in zip(names, cropped.crops, strict=True)},
        rated,
    )


def _order_table(found: Sequence[Cropped]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for cropped in found:
        if not all(OVERALL in whole.item.labels for whole in cropped.wholes):
            continue
        whole, crop, loss = accuracies(cropped)
        rows.append(
            (
                cropped.material,
                f"{cropped.length_s:g} s",
                len(cropped.wholes),
                sum(len(crops) for crops in cropped.crops),
                whole,
                crop,
                loss,
            )
        )
    return Table(
        title="Overall score against the mean overall rating",
        head=("set", "crop", "takes", "crops", "whole", "one crop each", "whole less crop"),
        rows=tuple(rows),
        note="Accuracy of one crop: the mean over the turns in which every take is judged by one "
        "of its crops. The difference is drawn over the same takes.",
    )


def accuracies(cropped: Cropped) -> tuple[Figure, Figure, Figure]:
    """Accuracy of the wholes, of one crop each, and the difference."""
    ranked = Ranked(labels([whole.example for whole in cropped.wholes], OVERALL))
    whole = ranked.draws(np.array([w.ranges[OVERALL].value for w in cropped.wholes]))
    turns = _turns(cropped, OVERALL)
    crop = np.mean([ranked.draws(turn) for turn in turns], axis=0)
    return ranked.figure(whole), ranked.figure(crop), ranked.figure(whole - crop)


def _turns(cropped: Cropped, name: str) -> list[RealArray]:
    most = max(len(crops) for crops in cropped.crops)
    scores = [[crop.ranges[name].value for crop in crops] for crops in cropped.crops]
    return [
        np.array([own[turn % len(own)] if own else math.nan for own in scores])
        for turn in range(most)
    ]


def _change_table(found: Sequence[Cropped]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for cropped in found:
        for name in _NAMES:
            spread = _spread(cropped, name)
            if not spread.n_recordings:
                continue
            rows.append(
                (
                    cropped.material,
                    f"{cropped.length_s:g} s",
                    name,
                    f"{spread.n_crops} of {spread.n_recordings}",
                    spread.n_crops_without_score,
                    spread.sd_within,
                    spread.sd_between,
                    spread.variance_ratio,
                    _mean_change(cropped, name, absolute=True),
                    _mean_change(cropped, name, absolute=False),
                )
            )
    return Table(
        title="How far the score hangs on the crop",
        head=(
            "set",
            "crop",
            "score",
            "crops of takes",
            "without a score",
            "sd within a take",
            "sd between takes",
            "variance ratio",
            "mean distance from the whole",
            "mean change",
        ),
        rows=tuple(rows),
        note="In points of 1..5. A variance ratio above 1 says that the choice of the crop moves "
        "the score more than the singer does. Whole takes are drawn for the intervals.",
    )


def _mean_change(cropped: Cropped, name: str, *, absolute: bool) -> Figure:
    per_take = []
    for whole, crops in zip(cropped.wholes, cropped.crops, strict=True):
        changes = np.array([crop.ranges[name].value for crop in crops]) - whole.ranges[name].value
        changes = changes[np.isfinite(changes)]
        if absolute:
            changes = np.abs(changes)
        per_take.append(float(changes.mean()) if len(changes) else math.nan)
    return mean_figure(np.array(per_take))


def _findings(found: Sequence[Cropped]) -> tuple[str, ...]:
    lines = []
    for cropped in found:
        spread = _spread(cropped, OVERALL)
        if spread.mean_absolute_change is None:
            continue
        said = (
            f"{cropped.material}, crops of {cropped.length_s:g} s: the overall score moves by "
            f"{spread.mean_absolute_change:.2f} points on average"
        )
        if all(OVERALL in whole.item.labels for whole in cropped.wholes):
            loss = accuracies(cropped)[2]
            said += f"; the whole orders better by {loss}" + _verdict(loss)
        lines.append(said + ".")
    return tuple(lines)


def _verdict(loss: Figure) -> str:
    if loss.low80 is None or loss.high80 is None:
        return ""
    if loss.low80 > 0:
        return ", so hearing it whole helps"
    return ", which these takes cannot tell from no difference" if loss.high80 > 0 else ""
