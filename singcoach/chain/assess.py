"""The whole chain for one file: hear, analyse, score, put into words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from singcoach.audio.reading import open_audio
from singcoach.chain.analyse import analyse, find_backing
from singcoach.chain.clock import Clock, peak_memory_mb
from singcoach.chain.engine import Engine
from singcoach.chain.heads import open_heads
from singcoach.chain.hearing import hear
from singcoach.chain.settings import Settings
from singcoach.chain.words import OnSentence, write_words
from singcoach.core.assessment import Assessment
from singcoach.core.take import Take
from singcoach.jobs import NO_JOB, Job
from singcoach.scoring.score import score_take
from singcoach.songs.ultrastar import read_song


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessedTake:
    """The result and, for drawing and playing, the take that it was drawn from."""

    assessment: Assessment
    take: Take


def assess(
    path: Path,
    *,
    settings: Settings,
    engine: Engine,
    on_sentence: OnSentence | None = None,
    job: Job = NO_JOB,
) -> AssessedTake:
    """Judge one recording.

    The same file, models and settings give the same numbers, bit for bit, on one machine; only
    timings and memory differ, and a language model's words where its time was over.

    Parameters
    ----------
    on_sentence
        Called with every sentence of the coach in order, as soon as it is checked.

    Raises
    ------
    InputError
        The recording, the song or the backing cannot be used.
    ModelError
        A model is missing or damaged.
    Cancelled
        ``job`` was stopped; acts within a second.
    """
    engine.start_take(settings.profile)
    clock = Clock()
    song = read_song(settings.song) if settings.song is not None else None
    if settings.backing is not None:  # a wrong name is told before any work
        with open_audio(settings.backing):
            pass
    heard = hear(path, settings=settings, engine=engine, clock=clock, job=job.part(0.0, 0.55))
    with clock.stage("backing"):
        backing = find_backing(
            heard, supplied=settings.backing, engine=engine, job=job.part(0.55, 0.6)
        )
    heard = replace(heard, accompaniment=None)  # an hour of it takes 230 MB
    take = analyse(
        heard,
        song=song,
        backing=backing,
        settings=settings,
        engine=engine,
        clock=clock,
        job=job.part(0.6, 0.9),
    )
    with clock.stage("scoring"):
        judges = open_heads(engine)
        own = job.part(0.9, 0.94)
        scores = score_take(take, own, heads=judges.heads, networks=judges.networks)
    words = None
    if settings.feedback:
        with clock.stage("feedback"):
            words = write_words(
                scores,
                take,
                settings=settings,
                engine=engine,
                on_sentence=on_sentence,
                job=job.part(0.94, 1.0),
            )
        for stage, seconds in words.seconds.items():
            clock.add(stage, seconds)
    job.report(1.0, "done")
    assessment = Assessment(
        input=heard.input,
        screening=take.screening,
        scores=scores,
        feedback=None if words is None else words.feedback,
        timings=clock.timings(take.duration_s),
        peak_memory_mb=max(peak_memory_mb(), 0.0 if words is None else words.memory_mb),
        models=engine.uses,
        warnings=(
            *heard.warnings,
            *engine.warnings(),
            *scores.warnings,
            *(() if words is None else words.warnings),
        ),
    )
    return AssessedTake(assessment=assessment, take=take)
