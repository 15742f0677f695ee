"""Heads trained for an experiment: which kinds there are, what they say of takes they never met."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from singcoach.chain.cache import make_key
from singcoach.core.arrays import RealArray
from singcoach.errors import InputError
from singcoach.jobs import NO_JOB, Job
from singcoach.scoring.specs import Heads
from singcoach.training.code import code_digest
from singcoach.training.examples import Example
from singcoach.training.fit import FittedHead, fit_head

SEED = 4
MEMBERS = 2
"""Members of an ensemble here: less than what ships, since there are hundreds of fits."""
EPOCHS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of head: what it is, what it looks at, what it learns from."""

    architecture: str
    inputs: tuple[str, ...]
    loss: str = "pairwise"

    @property
    def label(self) -> str:
        """Name for a table."""
        return f"{self.architecture}, {' + '.join(self.inputs)}"


_MEASURES = ("measures",)
_ENCODERS: tuple[tuple[str, ...], ...] = (
    ("general",),
    ("singing",),
    ("measures", "general"),
    ("measures", "singing"),
)
_ALL = ("measures", "general", "singing")
_RECURRENT: tuple[tuple[str, ...], ...] = (("general",), ("singing",), ("measures", "singing"))

LINEAR = Kind(architecture="linear", inputs=_MEASURES)
KINDS: tuple[Kind, ...] = (
    LINEAR,
    Kind(architecture="mlp", inputs=_MEASURES),
    *(Kind(architecture="mlp", inputs=inputs) for inputs in (*_ENCODERS, _ALL)),
    *(
        Kind(architecture=architecture, inputs=inputs)
        for architecture in ("rnn", "transformer")
        for inputs in _RECURRENT
    ),
)
"""An RNN and a Transformer over fewer inputs: their fits take longest."""


class Trainer:
    """Fits heads and keeps what they said, so that an interrupted run goes on where it was.

    Parameters
    ----------
    work
        Folder of what can be computed again; a change of the training's code makes it anew.
    heads
        Signs and norms of the linear head.
    """

    members, epochs = MEMBERS, EPOCHS

    def __init__(self, work: Path, heads: Heads) -> None:
        self._folder = work / "heads"
        self._digest = code_digest(("training", "scoring"))
        self._heads = heads

    def say(
        self,
        train: Sequence[Example],
        test: Sequence[Example],
        *,
        dimension: str,
        kind: Kind,
        seed: int = SEED,
        job: Job = NO_JOB,
    ) -> RealArray:
        """Return what a head of ``kind``, fitted on ``train``, says of ``test``; higher is better.

        NaN throughout where the labels do not suffice to fit one. Shape ``(n_test,)``.
        """
        head = self._head(train, dimension, kind, seed, job.part(0.0, 0.9))
        if head is None or not test:
            return np.full(len(test), np.nan)
        return head.predict(test, job.part(0.9, 1.0))[0]

    def _head(
        self, train: Sequence[Example], dimension: str, kind: Kind, seed: int, job: Job
    ) -> FittedHead | None:
        key = make_key(
            "trained",
            1,
            self._digest,
            [dimension, kind.architecture, kind.inputs, kind.loss, seed, MEMBERS, EPOCHS],
            examples_digest(train, dimension),
        )
        path = self._folder / f"{key}.safetensors"
        with contextlib.suppress(InputError):
            return FittedHead.load(path)
        try:
            head = fit_head(
                train,
                dimension=dimension,
                architecture=kind.architecture,
                inputs=kind.inputs,
                loss=kind.loss,
                seed=seed,
                members=MEMBERS,
                epochs=EPOCHS,
                heads=self._heads,
                job=job,
            )
        except InputError:  # too few labels, or all alike
            return None
        self._folder.mkdir(parents=True, exist_ok=True)
        head.save(path)
        return head

    def say_held_out(
        self,
        examples: Sequence[Example],
        *,
        dimension: str,
        kind: Kind,
        folds: Sequence[tuple[Sequence[int], Sequence[int]]],
        job: Job = NO_JOB,
    ) -> RealArray:
        """Return what heads say of takes in folds of places to train on and to test on.

        What two heads say is not on one scale, so every fold's answers are laid on the ratings of
        its own training takes: a straight line by least squares. NaN for untested places.
        """
        said = np.full(len(examples), np.nan)
        for number, (train, test) in enumerate(folds):
            if not len(test) or not len(train):
                continue
            both = [examples[place] for place in (*train, *test)]
            found = self.say(
                [examples[place] for place in train],
                both,
                dimension=dimension,
                kind=kind,
                job=job.part(number / len(folds), (number + 1) / len(folds)),
            )
            ratings = np.array([examples[place].labels[dimension] for place in train])
            said[list(test)] = laid_on(found[len(train) :], found[: len(train)], ratings)
        return said


def laid_on(scores: RealArray, seen: RealArray, ratings: RealArray) -> RealArray:
    """Lay scores on the scale of ratings by the line that fits ``seen`` to ``ratings`` best.

    The line never falls: what a head calls better stays better.
    """
    known = np.isfinite(seen)
    if known.sum() < 2 or np.ptp(seen[known]) == 0.0:
        return np.full(len(scores), ratings.mean() if len(ratings) else np.nan)
    x, y = seen[known], ratings[known]
    slope = max(float(np.cov(x, y)[0, 1] / np.var(x, ddof=1)), 1e-6)
    return np.asarray(y.mean() + slope * (scores - x.mean()))


def examples_digest(examples: Sequence[Example], dimension: str) -> str:
    """SHA-256 over everything that a fit or its answer depends on."""
    digest = hashlib.sha256()
    for example in examples:
        about = [
            example.item,
            example.corpus,
            example.singer,
            example.song,
            example.group,
            example.edit,
            example.severity,
            example.labels.get(dimension),
        ]
        digest.update(json.dumps(about).encode())
        digest.update(np.ascontiguousarray(example.measures).tobytes())
        for name in sorted(example.sequences):
            digest.update(np.ascontiguousarray(example.sequences[name]).tobytes())
    return digest.hexdigest()
