"""From recordings to examples: the whole chain hears each once, and what it heard is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from singcoach.audio.hashing import sha256_file
from singcoach.chain.analyse import analyse, find_backing
from singcoach.chain.cache import make_key
from singcoach.chain.clock import Clock
from singcoach.chain.engine import Engine
from singcoach.chain.hearing import hear
from singcoach.chain.settings import Settings
from singcoach.core.arrays import read_only
from singcoach.core.take import TakeKind
from singcoach.errors import InputError
from singcoach.jobs import NO_JOB, Job
from singcoach.training.code import HEARING, code_digest
from singcoach.training.corpus import ORIGINAL, Row, read_corpus
from singcoach.training.examples import MEASURE_NAMES, SEQUENCES, Example, make_example

EXAMPLE_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A recording with labels; fields as in :class:`singcoach.training.examples.Example`.

    ``backing`` is the accompaniment that was sung to; ``kind`` what the file holds, None where the
    detector decides; ``dry`` whether it is known to have no room to take away, which spares half of
    the work.
    """

    item: str
    file: Path
    labels: Mapping[str, float]
    corpus: str = ""
    singer: str = ""
    song: str = ""
    group: str = ""
    edit: str = ""
    severity: float = 0.0
    backing: Path | None = None
    kind: TakeKind | None = None
    dry: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Listened:
    """Examples, recordings that could not be used with the reason, and the encoders' models."""

    examples: tuple[Example, ...]
    failed: Mapping[str, str]
    encoders: Mapping[str, str] = field(default_factory=dict)


def listen(recordings: Sequence[Labelled], engine: Engine, job: Job = NO_JOB) -> Listened:
    """Hear every recording in the profile ``best`` and return what heads look at.

    Costs about a tenth of the recordings' length on two cores the first time; what was heard is
    kept in the engine's cache. A recording without enough singing, or that cannot be read, is
    passed over and told.

    Raises
    ------
    ModelError
        A model is missing or damaged.
    Cancelled
        ``job`` was stopped; what was heard so far is kept.
    """
    examples, failed = [], {}
    for number, recording in enumerate(recordings):
        part = job.part(number / len(recordings), (number + 1) / len(recordings))
        try:
            examples.append(_example(recording, engine, part))
        except InputError as error:
            failed[recording.item] = error.message
    return Listened(examples=tuple(examples), failed=failed, encoders=_encoders(engine))


def recordings_of_corpus(folder: Path) -> tuple[tuple[Labelled, ...], Mapping[str, str]]:
    """Return the recordings of a corpus of controlled singing, and the split of each by item.

    Raises
    ------
    InputError
        When the folder is no corpus.
    """
    rows = read_corpus(folder)
    return tuple(_recording(row, folder) for row in rows), {row.item: row.split for row in rows}


def _recording(row: Row, folder: Path) -> Labelled:
    return Labelled(
        item=row.item,
        file=row.path(folder),
        labels=row.labels,
        corpus=row.corpus,
        singer=row.singer,
        song=row.song,
        group=row.group,
        edit="" if row.edit == ORIGINAL else row.edit,
        severity=row.severity,
        kind="solo",
        dry=True,
    )


def _example(recording: Labelled, engine: Engine, job: Job) -> Example:
    key = _key(recording, engine)
    kept = engine.cache.load(key)
    if kept is not None and len(kept.get("measures", ())) == len(MEASURE_NAMES):
        job.report(1.0, "listening")
        return _from(recording, kept)
    engine.start_take("best")
    settings = Settings(
        kind=recording.kind, profile="best", backing=recording.backing, feedback=False
    )
    clock = Clock()
    heard = hear(
        recording.file,
        settings=replace(settings, profile="fast") if recording.dry else settings,
        engine=engine,
        clock=clock,
        job=job.part(0.0, 0.5),
    )
    backing = find_backing(heard, supplied=recording.backing, engine=engine, job=job.part(0.5, 0.6))
    take = analyse(
        heard,
        song=None,
        backing=backing,
        settings=settings,
        engine=engine,
        clock=clock,
        job=job.part(0.6, 0.95),
    )
    if take.features is None or take.singing is None:
        reason = next(iter(take.screening.reasons), "not enough singing")
        raise InputError(f"{recording.item} cannot be trained on: {reason}")
    example = make_example(
        take,
        item=recording.item,
        corpus=recording.corpus,
        singer=recording.singer,
        song=recording.song,
        labels=recording.labels,
        group=recording.group,
        edit=recording.edit,
        severity=recording.severity,
    )
    arrays: dict[str, NDArray[Any]] = {"measures": example.measures, **example.sequences}
    engine.keep(key, arrays)
    job.report(1.0, "listening")
    return example


def _from(recording: Labelled, kept: Mapping[str, NDArray[Any]]) -> Example:
    return Example(
        item=recording.item,
        corpus=recording.corpus,
        singer=recording.singer,
        song=recording.song,
        measures=read_only(np.asarray(kept["measures"], dtype=np.float64)),
        sequences={
            name: read_only(np.asarray(kept[name], dtype=np.float32))
            for name in SEQUENCES
            if name in kept
        },
        labels=dict(recording.labels),
        group=recording.group,
        edit=recording.edit,
        severity=recording.severity,
    )


def _key(recording: Labelled, engine: Engine) -> str:
    backing = sha256_file(recording.backing) if recording.backing is not None else ""
    return make_key(
        "example",
        EXAMPLE_VERSION,
        _digest(),
        MEASURE_NAMES,
        sha256_file(recording.file),
        backing,
        recording.kind,
        recording.dry,
        _models(engine),
    )


def _models(engine: Engine) -> list[str]:
    engine.start_take("best")
    single = ("pitch", "singing_detector", "encoder_general")
    found = [engine.entry(role).sha256 for role in single]
    found.append(engine.singing_entry().sha256)
    return [*found, *engine.pack_contents("separation"), *engine.pack_contents("dereverb")]


def _encoders(engine: Engine) -> dict[str, str]:
    engine.start_take("best")
    return {"general": engine.entry("encoder_general").id, "singing": engine.singing_entry().id}


@cache
def _digest() -> str:
    return code_digest(HEARING)
