"""From a file to the voice alone: reading, solo or mixture, separation, dereverb."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from singcoach.audio.chunks import Chunk
from singcoach.audio.hashing import sha256_file
from singcoach.audio.reading import open_audio
from singcoach.audio.resampling import Converter
from singcoach.chain.cache import make_key
from singcoach.chain.clock import Clock
from singcoach.chain.engine import Engine
from singcoach.chain.settings import Settings
from singcoach.core.arrays import ANALYSIS_RATE, FloatArray, read_only
from singcoach.core.assessment import InputFile
from singcoach.core.take import TakeKind
from singcoach.jobs import NO_JOB, Job
from singcoach.models.sessions import available_cores
from singcoach.regions.detector import detect_kind
from singcoach.separation.dereverb import dereverb
from singcoach.separation.spleeter import Stems, separate

SEPARATION_RATE = 44_100
SEPARATION_VERSION = 2
DEREVERB_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A file as the later stages want it, all mono at 16 kHz and equally long.

    Attributes
    ----------
    vocal_raw, vocal
        The voice before and after dereverb (the same array where dereverb was left out).
    accompaniment
        Everything else; None for a solo take.
    key
        Cache key of ``vocal``: later stages build theirs on it.
    """

    input: InputFile
    vocal_raw: FloatArray
    vocal: FloatArray
    accompaniment: FloatArray | None
    key: str
    warnings: tuple[str, ...]


def hear(
    path: Path, *, settings: Settings, engine: Engine, clock: Clock, job: Job = NO_JOB
) -> Heard:
    """Read a file and return its voice.

    Memory: three float32 signals at 16 kHz (0.23 GB each per hour), never the file at full rate.

    Raises
    ------
    InputError
        The file cannot be used.
    ModelError
        A model is missing or damaged.
    """
    with clock.stage("decode"):
        sha256 = sha256_file(path)
        with open_audio(path) as file:
            info = file.info
            mono = _joined(
                block[0]
                for block in file.blocks(
                    sample_rate=ANALYSIS_RATE, channels=1, job=job.part(0.0, 0.15)
                )
            )
            warnings = file.warnings
    with clock.stage("kind"):
        kind = settings.kind or detect_kind_of(mono, engine, job.part(0.15, 0.2))
    accompaniment: FloatArray | None = None
    key = make_key("mono", 1, sha256)
    vocal_raw = mono
    if kind == "mixture":
        del mono  # the separated signals take its place in memory
        with clock.stage("separation"):
            key = separation_key(sha256, engine)
            vocal_raw, accompaniment = separate_voice(path, sha256, engine, job.part(0.2, 0.8))
    vocal = vocal_raw
    if settings.profile != "fast":
        with clock.stage("dereverb"):
            vocal, key = _dereverb(vocal_raw, key, engine, job.part(0.8, 1.0))
    return Heard(
        input=InputFile(
            file=path.name,
            sha256=sha256,
            duration_s=vocal.size / ANALYSIS_RATE,
            sample_rate=info.sample_rate,
            channels=info.channels,
            kind=kind,
            kind_decided_by="user" if settings.kind else "detector",
        ),
        vocal_raw=vocal_raw,
        vocal=vocal,
        accompaniment=accompaniment,
        key=key,
        warnings=warnings,
    )


def separate_voice(
    path: Path, sha256: str, engine: Engine, job: Job = NO_JOB
) -> tuple[FloatArray, FloatArray]:
    """Return voice and accompaniment of a mixture, mono at 16 kHz, from the cache or anew."""
    key = separation_key(sha256, engine)
    kept = engine.cache.load(key)
    if kept is not None:
        return kept["vocal"], kept["accompaniment"]
    vocal = Converter(sample_rate=ANALYSIS_RATE, channels=1)
    rest = Converter(sample_rate=ANALYSIS_RATE, channels=1)
    vocals: list[FloatArray] = []
    rests: list[FloatArray] = []
    with open_audio(path) as file:
        blocks = file.blocks(sample_rate=SEPARATION_RATE, channels=2, block_s=2.0)
        for stems in separate_blocks(blocks, file.info.duration_s, engine, job):
            vocals += vocal.push(_chunk(stems.vocals))
            rests += rest.push(_chunk(stems.accompaniment))
    voice = _joined(piece[0] for piece in [*vocals, *vocal.finish()])
    vocals.clear()
    accompaniment = _joined(piece[0] for piece in [*rests, *rest.finish()])
    rests.clear()
    engine.cache.store(key, {"vocal": voice, "accompaniment": accompaniment})
    return voice, accompaniment


def separate_blocks(
    blocks: Iterable[FloatArray], duration_s: float, engine: Engine, job: Job = NO_JOB
) -> Iterator[Stems]:
    """Separate stereo blocks at 44.1 kHz; ``duration_s`` is the expected length, for progress."""
    return separate(
        blocks,
        vocals=engine.session("separation", "vocals"),
        accompaniment=engine.session("separation", "accompaniment"),
        n_samples=round(duration_s * SEPARATION_RATE) or None,
        workers=engine.threads or available_cores(),
        job=job,
    )


def separation_key(sha256: str, engine: Engine) -> str:
    """Return the cache key of the two separated signals of a file."""
    models = [engine.entry("separation", part).sha256 for part in ("vocals", "accompaniment")]
    return make_key("separation", SEPARATION_VERSION, sha256, models)


def detect_kind_of(mono: FloatArray, engine: Engine, job: Job = NO_JOB) -> TakeKind:
    """Decide whether a file holds a voice alone or a mixture."""
    with engine.singing_detector() as detector:
        return detect_kind(mono, detector=detector, job=job).kind


def _dereverb(vocal_raw: FloatArray, key: str, engine: Engine, job: Job) -> tuple[FloatArray, str]:
    key = make_key("dereverb", DEREVERB_VERSION, key)
    kept = engine.cache.load(key)
    if kept is not None:
        return kept["vocal"], key
    vocal = read_only(dereverb(vocal_raw, sample_rate=ANALYSIS_RATE, job=job))
    engine.cache.store(key, {"vocal": vocal})
    return vocal, key


def _chunk(audio: FloatArray) -> Chunk:
    return Chunk(audio=audio, sample_rate=SEPARATION_RATE, layout=())


def _joined(blocks: Iterable[FloatArray]) -> FloatArray:
    return read_only(np.concatenate([*blocks, np.zeros(0, np.float32)]))
