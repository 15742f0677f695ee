"""``singcoach train heads``: fit the heads of several dimensions, measure them, write the pack."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.core.scores import DIMENSIONS
from singcoach.errors import InputError
from singcoach.files import make_folder, write_whole
from singcoach.jobs import NO_JOB, Job
from singcoach.models.manifest import is_plain_id
from singcoach.scoring.specs import load_heads
from singcoach.training.accuracy import PairAccuracy, edit_names, pair_accuracy
from singcoach.training.card import card_text
from singcoach.training.checkpoints import clear
from singcoach.training.comparisons import Labelled, label
from singcoach.training.examples import Example
from singcoach.training.export import PackAbout, export_pack
from singcoach.training.fit import FittedHead, fit_head
from singcoach.training.linear import rules_positions

CHECKPOINTS = ".training"
FIGURES_NAME = "figures.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is to be trained; see :func:`singcoach.training.fit.fit_head`."""

    dimensions: tuple[str, ...] = tuple(DIMENSIONS)
    architecture: str = "mlp"
    inputs: tuple[str, ...] = ("measures", "general", "singing")
    loss: str = "pairwise"
    seed: int = 0
    members: int = 5
    epochs: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What is trained on.

    Attributes
    ----------
    examples
        For the training.
    held_out
        Examples of other singers, that only say how well it went; may be empty.
    encoders
        Id of the model that each encoder was.
    described
        One line: where the labels come from.
    sources
        Lines on where the recordings come from and under which licence.
    shippable
        Whether the recordings' licences permit weights that ship.
    warning
        What is told beside every score of the heads.
    """

    examples: Sequence[Example]
    encoders: Mapping[str, str]
    described: str
    sources: tuple[str, ...]
    shippable: bool
    warning: str
    held_out: Sequence[Example] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How well one head orders what it was not trained on.

    Attributes
    ----------
    n_examples, n_units, unit_kind
        What it was trained on.
    folds
        By members that never met the singer, over the examples of training.
    held_out, rules
        The ensemble, and the shipped head, over the examples that were held out.
    by_edit, rules_by_edit
        The same by kind of edit.
    neutral_shift
        Mean size of the distance between an original and its neutral resynthesis, in deviations of
        the head over the examples; NaN without such a pair.
    """

    dimension: str
    n_examples: int
    n_units: int
    unit_kind: str
    folds: PairAccuracy
    held_out: PairAccuracy | None
    rules: PairAccuracy | None
    by_edit: Mapping[str, PairAccuracy]
    rules_by_edit: Mapping[str, PairAccuracy]
    neutral_shift: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """The pack that was written and its figures."""

    folder: Path
    figures: tuple[Figures, ...]
    heads: tuple[FittedHead, ...]


def train_heads(
    material: Material, options: Options, folder: Path, *, resume: bool = False, job: Job = NO_JOB
) -> Trained:
    """Fit, measure and write a pack folder that ``singcoach models add`` takes.

    Parameters
    ----------
    folder
        The pack; how far the training is stands in ``.training`` in it until it is done.
    resume
        Whether a training that was stopped is gone on with.

    Raises
    ------
    InputError
        When the examples are too few, the folder holds something else, or another training.
    OutputError
        When the folder cannot be written.
    Cancelled
        ``job`` was stopped; ``resume`` goes on.
    """
    prepare(folder, resume=resume)
    heads, figures = [], []
    for number, dimension in enumerate(options.dimensions):
        share = job.part(number / len(options.dimensions), (number + 1) / len(options.dimensions))
        head = fit_head(
            material.examples,
            dimension=dimension,
            architecture=options.architecture,
            inputs=options.inputs,
            loss=options.loss,
            seed=options.seed,
            members=options.members,
            epochs=options.epochs,
            checkpoint=folder / CHECKPOINTS / dimension,
            job=share.part(0.0, 0.95),
        )
        heads.append(head)
        figures.append(measure(head, material, share.part(0.95, 1.0)))
    pack_id = folder.name if is_plain_id(folder.name) and len(folder.name) <= 40 else "my-heads"
    about = PackAbout(
        id=pack_id,
        licence="CC-BY-4.0" if material.shippable else "LicenseRef-not-for-distribution",
        source=f"Trained on {material.described}",
        encoders=material.encoders,
        warning=material.warning,
        card=card_text(pack_id, material, options, figures),
    )
    export_pack(folder, heads, material.examples, about, job=job)
    document = [asdict(one) for one in figures]
    write_whole(folder / FIGURES_NAME, json.dumps(_plain(document), indent=1) + "\n")
    for dimension in options.dimensions:
        clear(folder / CHECKPOINTS / dimension)
    clear(folder / CHECKPOINTS)
    return Trained(folder=folder, figures=tuple(figures), heads=tuple(heads))


def prepare(folder: Path, *, resume: bool) -> None:
    """Make the folder of a pack, or refuse one that is in use; call before any work.

    Raises
    ------
    InputError
        When the folder holds something and nothing is to be resumed, or nothing that was begun
        by a training.
    """
    make_folder(folder)
    if not any(folder.iterdir()):
        return
    if not resume:
        raise InputError(
            f"The folder {folder} is not empty",
            hint="Give a new folder, or go on with a training that was stopped with --resume",
        )
    if not (folder / CHECKPOINTS).is_dir():
        raise InputError(
            f"No training was begun in the folder {folder}",
            hint="Name the folder of the training that was stopped, or a new one",
        )


def measure(head: FittedHead, material: Material, job: Job = NO_JOB) -> Figures:
    """Return how well a head orders examples that it was not trained on."""
    trained = label(material.examples, head.dimension)
    rules = load_heads()
    tested = [e for e in material.held_out if head.dimension in e.labels]
    held_out = rules_out = None
    by_edit: dict[str, PairAccuracy] = {}
    rules_by_edit: dict[str, PairAccuracy] = {}
    said = head.predict(tested, job)[0] if tested else np.zeros(0)
    found = _labelled(tested, head.dimension)
    if found is not None:
        by_rules = rules_positions(tested, rules)[head.dimension]
        held_out, rules_out = pair_accuracy(said, found), pair_accuracy(by_rules, found)
        for name, number in edit_names(found):
            by_edit[name] = pair_accuracy(said, found, edit=number)
            rules_by_edit[name] = pair_accuracy(by_rules, found, edit=number)
    return Figures(
        dimension=head.dimension,
        n_examples=len(trained.examples),
        n_units=len(set(trained.units)),
        unit_kind=head.unit_kind,
        folds=pair_accuracy(head.held_out, trained),
        held_out=held_out,
        rules=rules_out,
        by_edit=by_edit,
        rules_by_edit=rules_by_edit,
        neutral_shift=neutral_shift(tested, said),
    )


def _labelled(examples: Sequence[Example], dimension: str) -> Labelled | None:
    """Return the examples with their labels, None where they are too few to say anything."""
    try:
        return label(examples, dimension)
    except InputError:
        return None


def neutral_shift(examples: Sequence[Example], said: RealArray) -> float:
    """Mean distance between originals and neutral resyntheses of one group, NaN without any."""
    originals = {e.group: x for e, x in zip(examples, said, strict=True) if not e.edit}
    apart = [
        abs(x - originals[e.group])
        for e, x in zip(examples, said, strict=True)
        if e.edit == "neutral" and e.group in originals
    ]
    return float(np.mean(apart)) if apart else float("nan")


def _plain(value: object) -> object:
    """Return a document without numbers that JSON does not have."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return float(value) if np.isfinite(value) else None
    return value
