"""Scores of rated recordings, and of crops of them, by the whole chain."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from singcoach.benchmark.htpr.pieces import CROP_S, crop_starts, cut, join_parts
from singcoach.benchmark.htpr.predictions import Score, ScoredItem
from singcoach.chain.assess import assess
from singcoach.chain.engine import Engine
from singcoach.chain.settings import Settings
from singcoach.core.assessment import ModelUse
from singcoach.core.scores import DimensionScore
from singcoach.errors import InputError
from singcoach.jobs import NO_JOB, Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What belongs to a rated item: one file, or the parts of one performance in order."""

    item: str
    parts: tuple[Path, ...]
    backing: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CropCost:
    """What the crops took beside the whole recordings: seconds of audio and of work."""

    audio_s: float
    work_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What the chain said.

    Attributes
    ----------
    items, crops
        By item; the crops of an item in order of time.
    failed
        Recordings that could not be used, with the reason.
    models
        The models that took part in any of them.
    warnings
        What the assessments warned of, with the number of recordings.
    """

    items: Mapping[str, ScoredItem]
    crops: Mapping[str, tuple[ScoredItem, ...]]
    failed: Mapping[str, str]
    models: tuple[ModelUse, ...]
    warnings: Mapping[str, int]
    cost: CropCost


def score_recordings(
    recordings: Sequence[Recording],
    *,
    engine: Engine,
    settings: Settings,
    n_crops: int = 0,
    seed: int = 0,
    job: Job = NO_JOB,
) -> Scored:
    """Assess every recording, and crops of 30 s of those that are longer.

    A recording that cannot be used is told and passed over.

    Parameters
    ----------
    n_crops
        Crops of each long recording; 0 for none. Each costs as much as a recording of 30 s.

    Raises
    ------
    ModelError
        A model is missing or damaged.
    Cancelled
        ``job`` was stopped.
    """
    work = _Work(engine, replace(settings, feedback=False))
    items: dict[str, ScoredItem] = {}
    crops: dict[str, tuple[ScoredItem, ...]] = {}
    failed: dict[str, str] = {}
    audio_s = work_s = 0.0
    with tempfile.TemporaryDirectory(prefix="singcoach-htpr-") as place:
        folder = Path(place)
        for index, recording in enumerate(recordings):
            part = job.part(index / len(recordings), (index + 1) / len(recordings))
            share = 1.0 / (1 + n_crops)
            try:
                whole = _whole(recording, folder, part.part(0.0, 0.1 * share))
                scored = work.score(
                    recording, whole, recording.backing, part.part(0.1 * share, share), crop=False
                )
                items[recording.item] = scored
                started_s = time.monotonic()
                cropped = _score_crops(
                    work, recording, whole, scored, folder, n_crops, seed, part.part(share, 1.0)
                )
            except InputError as error:
                failed[recording.item] = error.message
                continue
            finally:
                for made in folder.iterdir():
                    made.unlink()
            if cropped:
                crops[recording.item] = cropped
                audio_s += CROP_S * len(cropped)
                work_s += time.monotonic() - started_s
    return Scored(
        items=items,
        crops=crops,
        failed=failed,
        models=tuple(work.models[key] for key in sorted(work.models)),
        warnings=work.warnings,
        cost=CropCost(audio_s=audio_s, work_s=work_s),
    )


class _Work:
    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings
        self.models: dict[tuple[str, str], ModelUse] = {}
        self.warnings: dict[str, int] = {}

    def score(
        self, recording: Recording, file: Path, backing: Path | None, job: Job, *, crop: bool
    ) -> ScoredItem:
        """Assess a whole recording or a crop of it."""
        settings = replace(self._settings, backing=backing)
        found = assess(file, settings=settings, engine=self._engine, job=job).assessment
        for warning in dict.fromkeys(() if crop else found.warnings):
            self.warnings[warning] = self.warnings.get(warning, 0) + 1
        self.models |= {(use.role, use.id): use for use in found.models}
        parts: dict[str, DimensionScore] = {"overall": found.scores.overall}
        parts |= {str(name): score for name, score in found.scores.dimensions.items()}
        return ScoredItem(
            file=" + ".join(part.name for part in recording.parts),
            duration_s=found.input.duration_s,
            scores={name: _score(part) for name, part in parts.items()},
        )


def _score(score: DimensionScore) -> Score:
    return Score(value=score.score, low=score.low, high=score.high, reason=score.reason)


def _whole(recording: Recording, folder: Path, job: Job) -> Path:
    if len(recording.parts) == 1:
        return recording.parts[0]
    target = folder / "whole.wav"
    join_parts(recording.parts, target, job)
    return target


def _score_crops(
    work: _Work,
    recording: Recording,
    whole: Path,
    scored: ScoredItem,
    folder: Path,
    n_crops: int,
    seed: int,
    job: Job,
) -> tuple[ScoredItem, ...]:
    starts = crop_starts(recording.item, scored.duration_s or 0.0, n_crops=n_crops, seed=seed)
    found = []
    for index, start_s in enumerate(starts):
        part = job.part(index / len(starts), (index + 1) / len(starts))
        crop = folder / "crop.wav"
        try:
            cut(whole, crop, start_s=start_s, length_s=CROP_S, job=part.part(0.0, 0.05))
            backing = _cut_backing(recording.backing, folder, start_s, part.part(0.05, 0.1))
            found.append(work.score(recording, crop, backing, part.part(0.1, 1.0), crop=True))
        except InputError as error:  # a backing that ends early: the recording itself was scored
            none = Score(value=None, reason=error.message)
            found.append(ScoredItem(file=scored.file, scores=dict.fromkeys(scored.scores, none)))
    return tuple(found)


def _cut_backing(backing: Path | None, folder: Path, start_s: float, job: Job) -> Path | None:
    if backing is None:
        return None
    target = folder / "backing.wav"
    cut(backing, target, start_s=start_s, length_s=CROP_S, job=job)
    return target
