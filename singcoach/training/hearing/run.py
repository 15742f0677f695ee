"""The whole training of an ear: heard once, judged on singers never heard, trained on all, written.

Each group of singers (fold) is judged by an ear that was trained without it. The ear that is
written is trained on all singers; how well that one hears is what the folds tell.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from singcoach.core.arrays import FloatArray
from singcoach.errors import InputError, SingCoachError
from singcoach.files import make_folder, write_whole
from singcoach.jobs import NO_JOB, Job
from singcoach.models.gguf import open_gguf
from singcoach.models.gguf.merging import file_sha256
from singcoach.training.checkpoints import Checkpoint, clear
from singcoach.training.corpus import read_manifest
from singcoach.training.hearing.ear import CLEAN, Ear, Recipe, judge_alone, scale_of, train_alone
from singcoach.training.hearing.features import Clip, Session, fingerprint, hear_corpus
from singcoach.training.hearing.judging import Judged, folds_of, judge
from singcoach.training.hearing.through_words import (
    Listener,
    judge_through,
    open_listener,
    train_through,
)
from singcoach.training.tensors import save_tensors

EAR_NAME: Final = "ear.safetensors"
REPORT_NAME: Final = "hearing.json"
REPORT_FORMAT: Final = "singcoach.hearing/1"
_ALONE, _THROUGH = "alone", "through"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedEar:
    """What came of a training.

    ``alone`` judges the ear by itself, ``through`` the answers of the language model that it was
    given to (of the takes of ``through_folds`` groups of singers; empty for none).
    """

    ear: Ear
    report: Path
    alone: tuple[Judged, ...]
    through: tuple[Judged, ...]


def train_hearing(
    corpus: Path,
    model: Path,
    folder: Path,
    *,
    session: Session,
    encoder_sha256: str,
    recipe: Recipe,
    through_folds: int | None = None,
    resume: bool = False,
    job: Job = NO_JOB,
) -> TrainedEar:
    """Train an ear for the language model in ``model`` and write what it hears into ``folder``.

    Parameters
    ----------
    session, encoder_sha256
        The encoder of sound and its hash.
    through_folds
        How many groups of singers are judged through the language model too; None for all.
    resume
        Go on with a training that was stopped, fold by fold; without it one begins anew.

    Raises
    ------
    ModelError
        When the language model cannot be read or is of another kind.
    InputError
        When the folder is no corpus, has too few singers, or a half-finished training is another.
    OutputError
        When the folder cannot be written.
    """
    _require_torch()
    clips = hear_corpus(
        corpus,
        folder / "heard",
        session,
        model=encoder_sha256,
        least_severity=recipe.least_severity,
        job=job.part(0.0, 0.3),
    )
    folds = folds_of([clip.row for clip in clips], recipe.folds)
    if len(set(folds.tolist())) < recipe.folds:
        raise InputError(
            "The corpus has too few singers to judge an ear",
            hint=f"Give one with at least {recipe.folds} singers, or fewer --folds",
        )
    model_sha256 = file_sha256(model, job)
    with open_gguf(model, job) as file:
        listener = open_listener(file)
    n_through = recipe.folds if through_folds is None else through_folds
    about = {
        "recipe": asdict(recipe),
        "through_folds": n_through,
        "model_sha256": model_sha256,
        "heard_sha256": fingerprint(clips),
    }
    kept = folder / "running"
    if not resume:
        clear(kept)
    checkpoint = Checkpoint(kept, json.dumps(about, sort_keys=True))
    done = [tensors for tensors, _ in checkpoint.done()]
    work = job.part(0.3, 0.8)
    for fold in range(len(done), recipe.folds):
        own = work.part(fold / recipe.folds, (fold + 1) / recipe.folds)
        found = _judge_fold(clips, folds, fold, listener, recipe, through=fold < n_through, job=own)
        checkpoint.save_done(found, {"fold": fold})
        done.append(found)
    alone = _judged(clips, folds, [one[_ALONE] for one in done])
    through = _judged(clips, folds, [one[_THROUGH] for one in done if _THROUGH in one])
    ear, losses = _final(clips, listener, recipe, job.part(0.8, 1.0))
    make_folder(folder)
    state = {name: w.detach().numpy().copy() for name, w in ear.weights.items()}
    save_tensors(folder / EAR_NAME, {**state, "scale": scale_of(clips)}, about)
    manifest = read_manifest(corpus)
    report = {
        "format": REPORT_FORMAT,
        **about,
        "shippable": manifest.shippable,
        "sources": [f"{source.name} ({source.licence})" for source in manifest.sources],
        "n_takes": len(clips),
        "n_singers": len({clip.row.singer for clip in clips}),
        "losses_through": [round(loss, 4) for loss in losses],
        "alone": [asdict(one) for one in alone],
        "through": [asdict(one) for one in through],
    }
    write_whole(folder / REPORT_NAME, json.dumps(report, indent=1, sort_keys=True) + "\n")
    clear(kept)
    return TrainedEar(ear=ear, report=folder / REPORT_NAME, alone=alone, through=through)


def _judge_fold(
    clips: Sequence[Clip],
    folds: Any,
    fold: int,
    listener: Listener,
    recipe: Recipe,
    *,
    through: bool,
    job: Job,
) -> dict[str, FloatArray]:
    train = [clip for clip, own in zip(clips, folds, strict=True) if own != fold]
    held = [clip for clip, own in zip(clips, folds, strict=True) if own == fold]
    ear = train_alone(train, words=listener.words(), recipe=recipe, job=job.part(0.0, 0.2))
    found = {_ALONE: judge_alone(ear, held)}
    if through:
        train_through(ear, listener, train, recipe=recipe, job=job.part(0.2, 0.8))
        found[_THROUGH] = judge_through(ear, listener, held, job.part(0.8, 1.0))
    return found


def _judged(clips: Sequence[Clip], folds: Any, found: Sequence[FloatArray]) -> tuple[Judged, ...]:
    """Judge the takes of the first folds, as many as there are."""
    if not found:
        return ()
    rows, suspicion = [], np.zeros((0, CLEAN), dtype=np.float32)
    for fold, part in enumerate(found):
        rows += [clip.row for clip, own in zip(clips, folds, strict=True) if own == fold]
        suspicion = np.concatenate([suspicion, part])
    return judge(rows, suspicion)


def _final(
    clips: Sequence[Clip], listener: Listener, recipe: Recipe, job: Job
) -> tuple[Ear, list[float]]:
    ear = train_alone(clips, words=listener.words(), recipe=recipe, job=job.part(0.0, 0.2))
    steps = replace(recipe, seed=recipe.seed + recipe.folds)
    return ear, train_through(ear, listener, clips, recipe=steps, job=job.part(0.2, 1.0))


def _require_torch() -> None:
    try:
        import torch
    except ImportError as error:
        raise SingCoachError(
            "Training needs the Python package torch",
            hint="Run `pip install 'singcoach[torch]'` and try again",
        ) from error
    assert torch.__version__
