"""The experiments by name, and what they share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from singcoach.benchmark.experiments import items
from singcoach.benchmark.experiments.ablation import ablate
from singcoach.benchmark.experiments.corpus import Controlled, read_controlled
from singcoach.benchmark.experiments.crops import compare_crops
from singcoach.benchmark.experiments.edits import compare_edits
from singcoach.benchmark.experiments.intervals import compare_intervals
from singcoach.benchmark.experiments.languages import compare_languages, compare_pairs
from singcoach.benchmark.experiments.losses import compare_errors, compare_losses
from singcoach.benchmark.experiments.materials import Materials, gather
from singcoach.benchmark.experiments.melody import judge_exams
from singcoach.benchmark.experiments.mixtures import compare_hearings, hear_karaoke
from singcoach.benchmark.experiments.page import Section
from singcoach.benchmark.experiments.takes import Workbench
from singcoach.benchmark.experiments.trained import Trainer
from singcoach.jobs import NO_JOB, Job


@dataclass
class Laboratory:
    """What the experiments work on: recordings, a corpus of controlled edits, a folder to keep.

    ``examples`` holds takes of the corpus that were heard before; None hears them.
    """

    data: Path
    corpus: Path | None
    work: Path
    examples: Path | None = None

    @cached_property
    def bench(self) -> Workbench:
        """Makes takes."""
        return Workbench(self.work)

    @cached_property
    def trainer(self) -> Trainer:
        """Trains heads."""
        return Trainer(self.work, self.bench.heads)

    def materials(self, job: Job = NO_JOB) -> Materials:
        """Everything that trained heads are held against."""
        edited = self.edited(job.part(0.0, 0.5))
        return gather(self.data, edited, self.bench, job.part(0.5, 1.0))

    def edited(self, job: Job = NO_JOB) -> Controlled:
        """The takes of the corpus of controlled edits."""
        return read_controlled(self.corpus, self.bench, examples=self.examples, job=job)


Experiment = Callable[[Laboratory, Job], Section]


def _ablation(lab: Laboratory, job: Job) -> Section:
    return ablate(lab.materials(job.part(0.0, 0.3)), lab.trainer, job.part(0.3, 1.0))


def _losses(lab: Laboratory, job: Job) -> Section:
    return compare_losses(lab.materials(job.part(0.0, 0.3)), lab.trainer, job.part(0.3, 1.0))


def _errors(lab: Laboratory, job: Job) -> Section:
    materials = lab.materials(job.part(0.0, 0.3))
    karaoke = lab.bench.judge(items.karaoke(lab.data, hearing="voice and backing"))
    return compare_errors(materials, karaoke, lab.trainer, job.part(0.3, 1.0))


def _intervals(lab: Laboratory, job: Job) -> Section:
    heard, clips = hear_karaoke(lab.data, lab.bench, job.part(0.0, 0.8))
    sets = [(f"nycu_first, {hearing}", takes, clips) for hearing, takes in heard.items()]
    solo = lab.bench.judge(items.a_cappella(lab.data), job.part(0.8, 0.9))
    return compare_intervals([*sets, ("pesnq_edelweiss", solo, [])], job.part(0.9, 1.0))


def _edits(lab: Laboratory, job: Job) -> Section:
    return compare_edits(lab.edited(job.part(0.0, 0.5)), lab.bench, lab.trainer, job.part(0.5, 1.0))


EXPERIMENTS: Mapping[str, Experiment] = {
    "mixtures": lambda lab, job: compare_hearings(lab.data, lab.bench, job),
    "intervals": _intervals,
    "pairs": lambda lab, job: compare_pairs(lab.data, lab.bench, job),
    "languages": lambda lab, job: compare_languages(lab.data, lab.bench, job),
    "edits": _edits,
    "ablation": _ablation,
    "losses": _losses,
    "errors": _errors,
    "exams": lambda lab, job: judge_exams(lab.data, lab.bench, job),
    "crops": lambda lab, job: compare_crops(lab.data, lab.bench, job),
}
"""Every experiment by the name that ``--only`` takes, in the order of the page."""


def run(lab: Laboratory, names: Sequence[str] = (), job: Job = NO_JOB) -> Iterator[Section]:
    """Do the named experiments (all by default) in the order of the page, one after another.

    Raises
    ------
    ValueError
        When a name is unknown.
    InputError
        When the folder holds nothing to experiment with, or a recording cannot be used.
    Cancelled
        ``job`` was stopped; a later run goes on from what was finished.
    """
    unknown = sorted(set(names) - set(EXPERIMENTS))
    if unknown:
        raise ValueError(f"there is no experiment {unknown[0]!r}; one of {list(EXPERIMENTS)}")
    items.require(lab.data)
    chosen = [name for name in EXPERIMENTS if not names or name in names]
    for place, name in enumerate(chosen):
        part = job.part(place / len(chosen), (place + 1) / len(chosen))
        part.report(0.0, name)
        yield EXPERIMENTS[name](lab, part)
