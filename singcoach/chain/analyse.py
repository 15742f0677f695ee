"""From the voice to everything that scoring looks at."""

from __future__ import annotations

import contextlib
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from singcoach.audio.hashing import sha256_file
from singcoach.audio.reading import read_audio
from singcoach.chain.cache import make_key
from singcoach.chain.clock import Clock
from singcoach.chain.encoding import GeneralFeatures, general_features, singing_features
from singcoach.chain.engine import Engine
from singcoach.chain.hearing import Heard
from singcoach.chain.melody import cached_pitch
from singcoach.chain.separating import separation_key
from singcoach.chain.settings import Settings
from singcoach.core.arrays import ANALYSIS_RATE
from singcoach.core.features import SingingFeatures
from singcoach.core.music import Key, PitchTrack, Song
from singcoach.core.take import Backing, Take
from singcoach.jobs import NO_JOB, Job
from singcoach.pitch.notes import find_notes
from singcoach.regions.phrases import find_phrases
from singcoach.regions.regions import find_regions
from singcoach.screening.backing import analyse_backing
from singcoach.screening.rules import screen

BACKING_VERSION = 2

Result = TypeVar("Result")


def analyse(
    heard: Heard,
    *,
    song: Song | None,
    backing: Backing | None,
    settings: Settings,
    engine: Engine,
    clock: Clock,
    job: Job = NO_JOB,
) -> Take:
    """Analyse a voice: pitch, regions, phrases, notes, screening, encoder features.

    Raises
    ------
    ModelError
        A model is missing or damaged.
    """
    if settings.profile == "fast":
        return _listen(heard, song, backing, engine, clock, job)
    # The encoder takes half of the time and needs nothing but the voice: it runs beside the rest.
    beside = job.aside()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="encoder") as pool:
        general = pool.submit(_general, heard, engine, clock, beside)
        try:
            take = _listen(heard, song, backing, engine, clock, job)
            if take.screening.verdict == "insufficient":
                beside.cancel()
                engine.stop()
                wait([general])
                engine.forget("encoder_general")
                return take
            found = _awaited(general, job)
            take = replace(take, features=found.rows, feature_rate_hz=found.rate_hz)
            if settings.profile == "best":
                singing = pool.submit(_singing, heard, take.pitch, engine, clock, beside)
                take = replace(take, singing=_awaited(singing, job))
            return take
        except BaseException:
            beside.cancel()
            engine.stop()
            raise


def _awaited(encoding: Future[Result], job: Job) -> Result:
    while True:
        job.report(0.7, "listening to the whole song")
        with contextlib.suppress(TimeoutError):
            return encoding.result(timeout=0.1)


def _general(heard: Heard, engine: Engine, clock: Clock, job: Job) -> GeneralFeatures:
    with clock.stage("encoder"):
        return general_features(heard.vocal, heard.key, engine, job)


def _singing(
    heard: Heard, pitch: PitchTrack, engine: Engine, clock: Clock, job: Job
) -> SingingFeatures:
    with clock.stage("encoder_singing"):
        return singing_features(heard.vocal, heard.key, pitch, engine, job)


def _listen(
    heard: Heard,
    song: Song | None,
    backing: Backing | None,
    engine: Engine,
    clock: Clock,
    job: Job,
) -> Take:
    """Do everything but the encoder."""
    with clock.stage("pitch"):
        pitch = cached_pitch(heard.vocal, heard.key, engine, job.part(0.0, 0.2))
    with clock.stage("regions"):
        with engine.singing_detector() as detector:
            events = detector.track(heard.vocal, job.part(0.2, 0.35))
        regions = find_regions(heard.vocal, sample_rate=ANALYSIS_RATE, pitch=pitch, events=events)
        phrases = find_phrases(heard.vocal, sample_rate=ANALYSIS_RATE, pitch=pitch, regions=regions)
    with clock.stage("notes"):
        notes = find_notes(pitch, heard.vocal, sample_rate=ANALYSIS_RATE, job=job.part(0.35, 0.5))
    with clock.stage("screening"):
        # What separation leaves of a voice is no recording, so its quality says nothing.
        solo = heard.input.kind == "solo"
        quality = engine.session("recording_quality") if solo else None
        screening = screen(
            heard.vocal_raw,
            sample_rate=ANALYSIS_RATE,
            pitch=pitch,
            notes=notes,
            regions=regions,
            song=song,
            backing=backing,
            events=events,
            quality_session=quality,
            job=job.part(0.5, 0.6),
        )
    return Take(
        duration_s=heard.input.duration_s,
        kind=heard.input.kind,
        vocal=heard.vocal,
        vocal_raw=heard.vocal_raw,
        sample_rate=ANALYSIS_RATE,
        pitch=pitch,
        notes=notes,
        regions=regions,
        phrases=phrases,
        screening=screening,
        backing=backing,
        song=song,
    )


def find_backing(
    heard: Heard, *, supplied: Path | None, engine: Engine, job: Job = NO_JOB
) -> Backing | None:
    """Analyse the supplied accompaniment, else the separated one; None where there is neither.

    Raises
    ------
    InputError
        The supplied file cannot be used.
    """
    if supplied is None and heard.accompaniment is None:
        return None
    # Of a separated one only the separation matters, not what was done to the voice since.
    source = (
        sha256_file(supplied)
        if supplied is not None
        else separation_key(heard.input.sha256, engine)
    )
    key = make_key("backing", BACKING_VERSION, source)
    kept = engine.cache.load(key)
    if kept is not None:
        return _backing_from(kept)
    audio = (
        read_audio(supplied, sample_rate=ANALYSIS_RATE, channels=1, job=job)[0]
        if supplied is not None
        else heard.accompaniment
    )
    if audio is None:
        raise ValueError("a backing without audio")
    backing = analyse_backing(audio, sample_rate=ANALYSIS_RATE, job=job)
    engine.keep(key, _backing_arrays(backing))
    return backing


def _backing_arrays(backing: Backing) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {
        "chroma": backing.chroma,
        "frame_s": np.array(backing.frame_s),
        "beats_s": backing.beats_s,
    }
    key = backing.key
    if key is not None:
        minor = float(key.mode == "minor")
        arrays["key"] = np.array([key.tonic, minor, key.tuning_cents, key.strength])
    return arrays


def _backing_from(arrays: dict[str, NDArray[Any]]) -> Backing:
    key = None
    if "key" in arrays:
        tonic, minor, tuning_cents, strength = (float(value) for value in arrays["key"])
        key = Key(
            tonic=int(tonic),
            mode="minor" if minor else "major",
            tuning_cents=tuning_cents,
            strength=strength,
        )
    return Backing(
        chroma=arrays["chroma"],
        frame_s=float(arrays["frame_s"]),
        beats_s=arrays["beats_s"],
        key=key,
    )
