"""From a file to the voice alone: reading, solo or mixture, separation, dereverb."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from singcoach.audio.hashing import sha256_file
from singcoach.audio.reading import open_audio
from singcoach.chain.cache import make_key
from singcoach.chain.clock import Clock
from singcoach.chain.engine import Engine
from singcoach.chain.separating import dry_voice, joined, separate_voice
from singcoach.chain.settings import Settings
from singcoach.core.arrays import ANALYSIS_RATE, FloatArray, read_only
from singcoach.core.assessment import InputFile
from singcoach.core.take import TakeKind
from singcoach.dsp.offset import without_offset
from singcoach.jobs import NO_JOB, Job
from singcoach.regions.detector import detect_kind
from singcoach.separation.dereverb import dereverb

MONO_VERSION = 2
DEREVERB_VERSION = 2
OFFSET_VERSION = 1


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

    Memory: up to three float32 signals at 16 kHz (0.23 GB each per hour) and as much again while
    they are put together, never the file at full rate.

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
            mono = without_offset(
                joined(
                    block[0]
                    for block in file.blocks(
                        sample_rate=ANALYSIS_RATE, channels=1, job=job.part(0.0, 0.15)
                    )
                )
            )
            warnings = file.warnings
    with clock.stage("kind"):
        kind = settings.kind or detect_kind_of(mono, engine, job.part(0.15, 0.2))
    accompaniment: FloatArray | None = None
    key = make_key("mono", MONO_VERSION, sha256)
    solo = mono if kind == "solo" else None
    del mono  # of a mixture, the separated signals take its place in memory
    dried = dry_voice(path, sha256, solo, engine=engine, clock=clock, job=job.part(0.2, 1.0))
    if dried is not None:
        vocal_raw, vocal, accompaniment, key = dried
        vocal_raw, vocal = without_offset(vocal_raw), without_offset(vocal)
        key = make_key("offset", OFFSET_VERSION, key)
    else:
        if solo is not None:
            vocal_raw = solo
        else:
            with clock.stage("separation"):
                vocal_raw, accompaniment, key = separate_voice(
                    path, sha256, engine, job.part(0.2, 0.8)
                )
            vocal_raw = without_offset(vocal_raw)
            key = make_key("offset", OFFSET_VERSION, key)
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
    engine.keep(key, {"vocal": vocal})
    return vocal, key
