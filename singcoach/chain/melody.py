"""Pitch and notes of a file, without judging it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from singcoach.chain.cache import make_key
from singcoach.chain.clock import Clock
from singcoach.chain.engine import Engine
from singcoach.chain.hearing import hear
from singcoach.chain.settings import Settings
from singcoach.core.arrays import FloatArray
from singcoach.core.music import Note, PitchTrack
from singcoach.core.take import TakeKind
from singcoach.jobs import NO_JOB, Job
from singcoach.pitch.f0 import track_pitch
from singcoach.pitch.notes import find_notes

PITCH_VERSION = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Melody:
    """What was sung, in Hz over time and as notes."""

    pitch: PitchTrack
    notes: tuple[Note, ...]
    warnings: tuple[str, ...]


def find_melody(path: Path, *, kind: TakeKind | None, engine: Engine, job: Job = NO_JOB) -> Melody:
    """Return pitch and notes of the voice in a file; a mixture is separated first.

    Raises
    ------
    InputError
        The file cannot be used.
    """
    settings = Settings(kind=kind)
    heard = hear(path, settings=settings, engine=engine, clock=Clock(), job=job.part(0.0, 0.7))
    pitch = cached_pitch(heard.vocal, heard.key, engine, job.part(0.7, 1.0))
    return Melody(pitch=pitch, notes=find_notes(pitch, heard.vocal), warnings=heard.warnings)


def cached_pitch(
    vocal: FloatArray, vocal_key: str, engine: Engine, job: Job = NO_JOB
) -> PitchTrack:
    """Return the pitch track of a voice, from the cache or anew."""
    key = make_key("pitch", PITCH_VERSION, vocal_key, engine.entry("pitch").sha256)
    kept = engine.cache.load(key)
    if kept is not None:
        return PitchTrack(
            times_s=kept["times_s"],
            f0_hz=kept["f0_hz"],
            confidence=kept["confidence"],
            hop_s=float(kept["hop_s"]),
        )
    pitch = track_pitch(vocal, session=engine.session("pitch"), job=job)
    engine.keep(
        key,
        {
            "times_s": pitch.times_s,
            "f0_hz": pitch.f0_hz,
            "confidence": pitch.confidence,
            "hop_s": np.array(pitch.hop_s),
        },
    )
    return pitch
