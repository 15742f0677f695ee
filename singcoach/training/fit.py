"""Fitting of one head on examples, and what a fitted head says of others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from singcoach.core.arrays import FloatArray, RealArray
from singcoach.errors import InputError
from singcoach.jobs import NO_JOB, Job
from singcoach.scoring.heads import SOFT_LIMIT
from singcoach.scoring.specs import Heads, load_heads
from singcoach.training.checkpoints import Checkpoint
from singcoach.training.comparisons import (
    LEAST_EXAMPLES,
    Labelled,
    MemberPlan,
    label,
    plan_members,
)
from singcoach.training.examples import MEASURE_NAMES, Example
from singcoach.training.linear import (
    STRENGTH,
    fit_linear,
    linear_positions,
    signed_measures,
    standard_measures,
)
from singcoach.training.members import (
    DEFAULT_EPOCHS,
    Inputs,
    one_thread,
    predict_member,
    standard_rows,
    train_member,
)
from singcoach.training.networks import Shape
from singcoach.training.tensors import Tensors, load_tensors, save_tensors

ARCHITECTURES = ("linear", "mlp", "rnn", "transformer")
INPUTS = ("measures", "general", "singing")
LOSSES = ("pairwise", "score")
_FORMAT = "singcoach.head/1"
_LEAST_SCALE = 1e-3
_TRAINING_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedHead:
    """An ensemble of heads for one dimension.

    Attributes
    ----------
    dimension, architecture, inputs, loss, seed, members
        What was asked for.
    measures
        Measures that it looks at, in order.
    widths
        Columns of the rows of each encoder that it looks at.
    tensors
        Statistics of the training examples by name (``measures.median``, ``general.mean``, ...),
        and the members' weights as ``0.<name>``, ``1.<name>``, ...
    items
        The examples that it was fitted on.
    held_out
        What the members that never met an example's unit say of it, in deviations of their own
        output, shape ``(n_items,)``; NaN where every member met it.
    unit_kind
        What was held out together: ``"singer"``, ``"song"``, ``"group"`` or ``"item"``.
    """

    dimension: str
    architecture: str
    inputs: tuple[str, ...]
    loss: str
    seed: int
    members: int
    measures: tuple[str, ...]
    widths: Mapping[str, int]
    tensors: Mapping[str, FloatArray]
    items: tuple[str, ...]
    held_out: RealArray
    unit_kind: str

    @property
    def shape(self) -> Shape:
        """What a member that is a network takes."""
        return Shape(
            architecture=self.architecture,
            n_measures=len(self.measures),
            n_columns=sum(self.widths.values()),
        )

    def member(self, number: int) -> Tensors:
        """Return the weights of one member that is a network."""
        prefix = f"{number}."
        return {
            name.removeprefix(prefix): np.asarray(tensor)
            for name, tensor in self.tensors.items()
            if name.startswith(prefix)
        }

    def predict(
        self, examples: Sequence[Example], job: Job = NO_JOB
    ) -> tuple[RealArray, RealArray]:
        """Return the mean and the deviation over members, each of shape ``(n,)``; higher is better.

        Unit: deviations of the members' own output on their examples. NaN where nothing that a
        linear head looks at could be measured.

        Raises
        ------
        InputError
            When an example lacks an encoder that the head looks at.
        """
        said = self.predict_members(examples, job)
        spread = said.std(axis=1, ddof=1) if self.members > 1 else np.zeros(len(said))
        return said.mean(axis=1), spread

    def predict_members(self, examples: Sequence[Example], job: Job = NO_JOB) -> RealArray:
        """Return what each member says, shape ``(n, members)``."""
        if not examples:
            return np.zeros((0, self.members))
        raw = self._raw(tuple(examples), job)
        return (raw - self.tensors["output.centre"]) / self.tensors["output.scale"]

    def save(self, path: Path) -> None:
        """Write the head to one safetensors file, whole or not at all."""
        about = {
            "format": _FORMAT, "dimension": self.dimension, "architecture": self.architecture,
            "inputs": self.inputs, "loss": self.loss, "seed": self.seed, "members": self.members,
            "measures": self.measures, "widths": dict(self.widths), "items": self.items,
            "held_out": [None if np.isnan(x) else x for x in self.held_out],
            "unit_kind": self.unit_kind,
        }  # fmt: skip
        save_tensors(path, self.tensors, about)

    @classmethod
    def load(cls, path: Path) -> FittedHead:
        """Read what :meth:`save` wrote; :class:`InputError` when it is damaged."""
        tensors, about = load_tensors(path)
        try:
            if about.pop("format") != _FORMAT:
                raise ValueError("another format")
            held_out = [np.nan if x is None else float(x) for x in about.pop("held_out")]
            for name in ("inputs", "measures", "items"):
                about[name] = tuple(about[name])
            return cls(tensors=tensors, held_out=np.asarray(held_out, dtype=np.float64), **about)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"The head {path} cannot be read", hint="Train it again", detail=str(error)
            ) from error

    def _raw(self, examples: tuple[Example, ...], job: Job) -> RealArray:
        if self.architecture == "linear":
            x = _measures(examples, self.measures, self.tensors)
            return linear_positions(x, np.asarray(self.tensors["weights"], dtype=np.float64))
        inputs = _inputs(examples, self.measures, self.widths, self.tensors)
        with one_thread():
            said = [
                predict_member(self.shape, self.member(number), inputs, job)
                for number in range(self.members)
            ]
        return np.stack(said, axis=1)


def fit_head(
    examples: Sequence[Example],
    *,
    dimension: str,
    architecture: str,
    inputs: tuple[str, ...],
    loss: str,
    seed: int,
    members: int = 5,
    epochs: int | None = None,
    checkpoint: Path | None = None,
    strength: float = STRENGTH,
    heads: Heads | None = None,
    job: Job = NO_JOB,
) -> FittedHead:
    """Fit an ensemble for one dimension (or ``"overall"``) on the examples labelled for it.

    Each member leaves a fold of singers out, stops early by others of them, and is trained on a
    draw of the rest, so members differ and every example is judged by a member that never met its
    singer (``held_out``). On one machine the same examples, settings and seed give the same bits.

    Parameters
    ----------
    architecture
        ``"linear"``: sum of the measures of the heads file with its signs, weights shrunk towards
        equal by ``strength``; ``"mlp"``, ``"rnn"``, ``"transformer"``: networks of at most 200,000
        parameters over ``inputs``.
    inputs
        Of ``"measures"``, ``"general"``, ``"singing"``; a linear head takes measures alone, and an
        ``rnn`` or ``transformer`` needs an encoder.
    loss
        ``"pairwise"`` or ``"score"``.
    epochs
        At most so many rounds over the examples; 60 by default.
    checkpoint
        Folder that keeps how far the fit is; an unfinished one in it is gone on with.
    heads
        Signs and norms of the linear head; the shipped or installed ones by default.

    Raises
    ------
    InputError
        When the examples are too few, all alike, lack an encoder, or the checkpoint is another's.
    Cancelled
        ``job`` was stopped; the checkpoint stays.
    """
    _check(architecture, inputs, loss, members)
    found = label(examples, dimension)
    plans = plan_members(found, members=members, seed=seed)
    kept = Checkpoint(
        checkpoint,
        _fingerprint(found, dimension, architecture, inputs, loss, seed, members, epochs, strength),
    )
    if architecture == "linear":
        names, tensors = _fit_linear(found, plans, dimension, loss, strength, heads, job)
        widths: dict[str, int] = {}
    else:
        names = MEASURE_NAMES if "measures" in inputs else ()
        widths = _widths(found.examples, inputs)
        tensors = _fit_networks(
            found,
            plans,
            names,
            widths,
            architecture,
            loss,
            seed,
            epochs or DEFAULT_EPOCHS,
            kept,
            job,
        )
    n = len(found.examples)
    unscaled = FittedHead(
        dimension=dimension, architecture=architecture, inputs=inputs, loss=loss, seed=seed,
        members=members, measures=tuple(names), widths=widths,
        tensors={**tensors, "output.centre": np.zeros(members, dtype=np.float32),
                 "output.scale": np.ones(members, dtype=np.float32)},
        items=tuple(e.item for e in found.examples), held_out=np.full(n, np.nan),
        unit_kind=found.unit_kind,
    )  # fmt: skip
    said = unscaled.predict_members(found.examples, job)
    centre = np.nanmean(said, axis=0).astype(np.float32)
    scale = np.maximum(np.nanstd(said, axis=0), _LEAST_SCALE).astype(np.float32)
    job.report(1.0, "training")
    return FittedHead(
        dimension=dimension, architecture=architecture, inputs=inputs, loss=loss, seed=seed,
        members=members, measures=tuple(names), widths=widths,
        tensors={**tensors, "output.centre": centre, "output.scale": scale},
        items=unscaled.items, held_out=_held_out((said - centre) / scale, plans),
        unit_kind=found.unit_kind,
    )  # fmt: skip


def _check(architecture: str, inputs: tuple[str, ...], loss: str, members: int) -> None:
    if architecture not in ARCHITECTURES:
        raise ValueError(f"architecture is {architecture!r}; one of {ARCHITECTURES} would work")
    if not inputs or len(set(inputs)) != len(inputs) or not set(inputs) <= set(INPUTS):
        raise ValueError(f"inputs is {inputs}; some of {INPUTS} would work")
    if loss not in LOSSES:
        raise ValueError(f"loss is {loss!r}; one of {LOSSES} would work")
    if members < 1:
        raise ValueError(f"members is {members}; 5 would work")
    if architecture == "linear" and inputs != ("measures",):
        raise ValueError("a linear head takes the measures alone: inputs=('measures',)")
    if architecture in ("rnn", "transformer") and inputs == ("measures",):
        raise ValueError(f"a {architecture} needs rows: inputs=('measures', 'general') would work")


def _fingerprint(found: Labelled, *settings: object) -> str:
    """Digest of everything that the result depends on."""
    digest = hashlib.sha256(
        json.dumps([_TRAINING_VERSION, MEASURE_NAMES, *settings], default=str).encode()
    )
    for example, own in zip(found.examples, found.labels, strict=True):
        about = [example.item, example.corpus, example.singer, example.song, example.group]
        digest.update(json.dumps([*about, example.edit, example.severity, own]).encode())
        digest.update(np.ascontiguousarray(example.measures).tobytes())
        for name in sorted(example.sequences):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(example.sequences[name]).tobytes())
    return digest.hexdigest()


def _fit_linear(
    found: Labelled,
    plans: Sequence[MemberPlan],
    dimension: str,
    loss: str,
    strength: float,
    heads: Heads | None,
    job: Job,
) -> tuple[tuple[str, ...], Tensors]:
    heads = heads or load_heads()
    signs = signed_measures(heads, dimension)
    names = [name for name in signs if name in MEASURE_NAMES]
    x = standard_measures(found.examples, heads, names)
    if np.isfinite(x).any(axis=1).sum() < LEAST_EXAMPLES:
        raise InputError(
            f"In too few examples could anything be measured that {dimension} is judged by",
            hint="Give recordings with more singing, or leave the dimension out",
        )
    own_signs = np.array([signs[name] for name in names])
    weights = []
    for number, plan in enumerate(plans):
        job.report(number / len(plans), "training")
        weights.append(fit_linear(x, own_signs, found, plan, loss=loss, strength=strength))
    norms = [heads.norms[name] for name in names]
    return tuple(names), {
        "measures.median": np.array([norm.median for norm in norms], dtype=np.float32),
        "measures.scale": np.array([norm.scale for norm in norms], dtype=np.float32),
        "weights": np.array(weights, dtype=np.float32),
    }


def _fit_networks(
    found: Labelled,
    plans: Sequence[MemberPlan],
    names: tuple[str, ...],
    widths: Mapping[str, int],
    architecture: str,
    loss: str,
    seed: int,
    epochs: int,
    kept: Checkpoint,
    job: Job,
) -> Tensors:
    tensors = _statistics(found.examples, names, widths)
    inputs = _inputs(found.examples, names, widths, tensors)
    shape = Shape(architecture=architecture, n_measures=len(names), n_columns=sum(widths.values()))
    done = [weights for weights, _ in kept.done()]
    with one_thread():
        for number, plan in enumerate(plans):
            if number >= len(done):
                weights, about = train_member(
                    shape,
                    inputs,
                    found,
                    plan,
                    loss=loss,
                    seed=1000 * seed + number,
                    epochs=epochs,
                    checkpoint=kept,
                    job=job.part(number / len(plans), (number + 1) / len(plans)),
                )
                kept.save_done(weights, about)
                done.append(weights)
    for number, weights in enumerate(done):
        tensors |= {f"{number}.{name}": tensor for name, tensor in weights.items()}
    return tensors


def _statistics(
    examples: tuple[Example, ...], names: tuple[str, ...], widths: Mapping[str, int]
) -> Tensors:
    """Median and scale of the measures, mean and deviation of the rows, over all examples."""
    tensors: Tensors = {}
    if names:
        raw = _raw_measures(examples, names)
        blank = np.all(np.isnan(raw), axis=0)
        raw[0, blank] = 0.0
        low, middle, high = np.nanpercentile(raw, [25.0, 50.0, 75.0], axis=0)
        scale = np.maximum((high - low) / 1.349, 0.5 * np.nanstd(raw, axis=0))
        tensors["measures.median"] = middle.astype(np.float32)
        tensors["measures.scale"] = np.maximum(scale, _LEAST_SCALE).astype(np.float32)
    for encoder in widths:
        rows = np.concatenate([e.sequences[encoder] for e in examples]).astype(np.float64)
        if not len(rows):
            raise InputError(
                "No singing was found in the recordings", hint="Give recordings with singing"
            )
        tensors[f"{encoder}.mean"] = rows.mean(axis=0).astype(np.float32)
        tensors[f"{encoder}.scale"] = np.maximum(rows.std(axis=0), _LEAST_SCALE).astype(np.float32)
    return tensors


def _widths(examples: tuple[Example, ...], inputs: tuple[str, ...]) -> dict[str, int]:
    widths = {}
    for encoder in (name for name in INPUTS[1:] if name in inputs):
        found = {e.sequences[encoder].shape[1] for e in examples if encoder in e.sequences}
        if len(found) != 1 or any(encoder not in e.sequences for e in examples):
            raise InputError(
                f"Not every example was heard by the same {encoder} encoder",
                hint="Make the examples again in the profile best",
            )
        widths[encoder] = found.pop()
    return widths


def _raw_measures(examples: tuple[Example, ...], names: tuple[str, ...]) -> RealArray:
    places = [MEASURE_NAMES.index(name) for name in names]
    return np.array([e.measures[places] for e in examples], dtype=np.float64)


def _measures(
    examples: tuple[Example, ...], names: tuple[str, ...], tensors: Mapping[str, FloatArray]
) -> RealArray:
    """Return standardised measures, NaN where missing, shape ``(n, n_names)``."""
    raw = _raw_measures(examples, names)
    centred = (raw - tensors["measures.median"]) / tensors["measures.scale"]
    return np.asarray(SOFT_LIMIT * np.tanh(centred / SOFT_LIMIT))


def _inputs(
    examples: tuple[Example, ...],
    names: tuple[str, ...],
    widths: Mapping[str, int],
    tensors: Mapping[str, FloatArray],
) -> Inputs:
    x = _measures(examples, names, tensors) if names else np.zeros((len(examples), 0))
    missing = ~np.isfinite(x)
    rows = []
    for example in examples:
        for encoder, width in widths.items():
            there = example.sequences.get(encoder)
            if there is None or there.shape[1] != width:
                raise InputError(
                    f"{example.item} was not heard by the {encoder} encoder that the head needs",
                    hint="Make the examples again in the profile best",
                )
        parts = [
            standard_rows(
                example.sequences[encoder],
                tensors[f"{encoder}.mean"],
                tensors[f"{encoder}.scale"],
            )
            for encoder in widths
        ]
        rows.append(np.concatenate(parts, axis=1) if parts else np.zeros((0, 0), dtype=np.float32))
    both = np.concatenate([np.where(missing, 0.0, x), missing], axis=1)
    return Inputs(measures=both.astype(np.float32), rows=tuple(rows))


def _held_out(said: RealArray, plans: Sequence[MemberPlan]) -> RealArray:
    """Mean over the members that never met each example, NaN where there is none."""
    total, count = np.zeros(len(said)), np.zeros(len(said))
    for member, plan in enumerate(plans):
        total[plan.out] += said[plan.out, member]
        count[plan.out] += 1.0
    return np.where(count > 0.0, total / np.maximum(count, 1.0), np.nan)
