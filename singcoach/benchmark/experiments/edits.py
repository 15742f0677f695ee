"""Experiment 9, controlled edits: which scores fall with which fault, and from which severity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from singcoach.benchmark.experiments.corpus import Controlled
from singcoach.benchmark.experiments.figures import OVERALL, mean_figure, raised, rule_positions
from singcoach.benchmark.experiments.page import Cell, Section, Table
from singcoach.benchmark.experiments.takes import Workbench
from singcoach.benchmark.experiments.trained import KINDS, Trainer
from singcoach.benchmark.htpr.bootstrap import Figure
from singcoach.core.arrays import RealArray
from singcoach.core.scores import DIMENSIONS
from singcoach.jobs import NO_JOB, Job
from singcoach.scoring.heads import to_score
from singcoach.training.edits.kinds import EDIT_DIMENSIONS, FAULT_KINDS
from singcoach.training.examples import Example

NEUTRAL = "neutral"
SEVERITIES = (("light", 0.0, 0.4), ("middle", 0.4, 0.75), ("strong", 0.75, 1.01))
"""Names and bounds of the severity of an edit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A pair of one group: a take without a fault, and one with it."""

    plain: int
    edited: int
    edit: str
    severity: float
    singer: str


def steps_of(examples: Sequence[Example]) -> list[Step]:
    """Every edited take against the neutral resynthesis of its group (the original without one)."""
    bases: dict[str, int] = {}
    for place, example in enumerate(examples):
        if example.edit == NEUTRAL or (not example.edit and example.group not in bases):
            bases[example.group] = place
    return [
        Step(
            plain=bases[e.group],
            edited=place,
            edit=e.edit,
            severity=e.severity,
            singer=e.singer,
        )
        for place, e in enumerate(examples)
        if e.edit not in ("", NEUTRAL) and e.group in bases
    ]


def fallen(scores: RealArray, steps: Sequence[Step]) -> Figure:
    """Share of steps in which the score falls, ties half; whole singers are drawn."""
    moved = np.array([scores[s.plain] - scores[s.edited] for s in steps], dtype=np.float64)
    singers = [s.singer for s in steps]
    several = len(set(singers)) > 2
    return mean_figure(raised(moved), singers if several else None)


def compare_edits(
    edited: Controlled, bench: Workbench, trainer: Trainer, job: Job = NO_JOB
) -> Section:
    """Hold every score against the faults that were made on purpose."""
    tables: list[Table] = []
    findings: tuple[str, ...] = ()
    takes = edited.everything
    if takes:
        rules = rule_positions(takes, bench.heads)
        tables += [_edit_table(takes, rules), _neutral_table(takes, rules)]
        table, findings = _held_out_table(edited, bench, trainer, job)
        tables.append(table)
    return Section(
        name="edits",
        title="Controlled edits of good singing",
        question=(
            "Good singing was made worse on purpose, one fault at a time, by resynthesis. Does the "
            "score that must notice fall below that of the neutral resynthesis (which carries the "
            "same artefacts), and from which severity? Share of takes in which it falls, ties "
            "half. The rules in force were fitted to none of it; trained heads are tested on "
            f"singers that they never met. {len(takes)} of the corpus's {edited.n_corpus} takes."
        ),
        tables=tuple(tables),
        findings=findings,
        limits=(
            "Noticing a controlled fault is a test of sensitivity. It says little about ordering "
            "real singers, and nothing about how much a listener minds.",
            "A handful of singers: 'held out' means few voices, and most voices of the made "
            "singing come from the same small set as the edited takes.",
        ),
        left_out="" if takes else "it needs --corpus, a folder made by `singcoach train edits`",
    )


def _of_severity(steps: Sequence[Step], low: float, high: float) -> list[Step]:
    return [step for step in steps if low <= step.severity < high]


def _edit_table(takes: Sequence[Example], rules: Mapping[str, RealArray]) -> Table:
    steps = steps_of(takes)
    rows: list[tuple[Cell, ...]] = []
    for edit in FAULT_KINDS:
        own = [step for step in steps if step.edit == edit]
        for name in (*EDIT_DIMENSIONS[edit], OVERALL):
            if own:
                by_severity = (
                    fallen(rules[name], _of_severity(own, a, b)) for _, a, b in SEVERITIES
                )
                rows.append((edit, name, len(own), *by_severity))
    return Table(
        title="Rules in force: share of edited takes that score below their neutral resynthesis",
        head=("edit", "score", "takes", *(name for name, _, _ in SEVERITIES)),
        rows=tuple(rows),
    )


def _neutral_table(takes: Sequence[Example], rules: Mapping[str, RealArray]) -> Table:
    originals = {e.group: place for place, e in enumerate(takes) if not e.edit}
    pairs = [
        (originals[e.group], place)
        for place, e in enumerate(takes)
        if e.edit == NEUTRAL and e.group in originals
    ]
    singers = [takes[neutral].singer for _, neutral in pairs]
    groups = singers if len(set(singers)) > 2 else None
    rows: list[tuple[Cell, ...]] = []
    for name in (OVERALL, *DIMENSIONS):
        scores = np.array([to_score(position) for position in rules[name]])
        change = np.array([scores[neutral] - scores[original] for original, neutral in pairs])
        rows.append(
            (
                name,
                int(np.isfinite(change).sum()),
                mean_figure(change, groups),
                mean_figure(np.abs(change), groups),
            )
        )
    return Table(
        title="Neutral resynthesis against its original",
        head=("score", "pairs", "mean change", "mean distance"),
        rows=tuple(rows),
        note="In points of 1..5. An artefact of the resynthesis would show here as a change of "
        "its own.",
    )


def _held_out_table(
    edited: Controlled, bench: Workbench, trainer: Trainer, job: Job
) -> tuple[Table, tuple[str, ...]]:
    train, test = edited.taught, edited.held_out
    steps = steps_of(test)
    rules = rule_positions(test, bench.heads)
    rows: list[tuple[Cell, ...]] = []
    findings = []
    for place, name in enumerate((*DIMENSIONS, OVERALL)):
        own = [step for step in steps if _lowers(step.edit, name)]
        if not own:
            continue
        said: dict[str, RealArray] = {"rules in force": rules[name]}
        said |= _trained(train, test, name, trainer, job.part(place / 5, (place + 1) / 5))
        best = max(said, key=lambda label: fallen(said[label], own).value or 0.0)
        findings.append(
            f"{name}: the rules notice {fallen(rules[name], own)} of {len(own)} edits of held-out "
            f"singers; most has '{best}' with {fallen(said[best], own)}."
        )
        for label, scores in said.items():
            by_severity = (fallen(scores, _of_severity(own, a, b)) for _, a, b in SEVERITIES)
            rows.append((name, label, len(own), fallen(scores, own), *by_severity))
    singers = len({step.singer for step in steps})
    return Table(
        title=f"Trained heads and rules on {singers} held-out singers",
        head=("score", "head", "takes", "all", *(name for name, _, _ in SEVERITIES)),
        rows=tuple(rows),
    ), tuple(findings)


def _trained(
    train: Sequence[Example], test: Sequence[Example], name: str, trainer: Trainer, job: Job
) -> Mapping[str, RealArray]:
    said: dict[str, RealArray] = {}
    for place, kind in enumerate(KINDS):
        part = job.part(place / len(KINDS), (place + 1) / len(KINDS))
        part.report(0.0, f"edits, {name}: {kind.label}")
        said[kind.label] = trainer.say(train, test, dimension=name, kind=kind, job=part)
    return said


def _lowers(edit: str, name: str) -> bool:
    return name == OVERALL or any(
        edit == kind and name in dimensions for kind, dimensions in EDIT_DIMENSIONS.items()
    )
