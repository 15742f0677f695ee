"""Singing, speech and silence regions of one voice."""

from __future__ import annotations

import numpy as np

from singcoach.core.arrays import ANALYSIS_RATE, BoolArray, FloatArray, RealArray
from singcoach.core.music import PitchTrack, Region, RegionKind
from singcoach.dsp.anchors import find_anchor
from singcoach.dsp.runs import runs_of
from singcoach.jobs import NO_JOB, Job
from singcoach.regions.detector import HOP_S, HOP_SAMPLES, EventTrack
from singcoach.regions.levels import (
    SILENCE_DB,
    close_gaps,
    frame_levels_db,
    gated_rms,
    moving_mean,
)

FLOOR_DB = -40.0
"""Frames this far below the take's singing are bleed, room or breath."""
LONGEST_CONSONANT_S = 0.25
"""Voiceless consonants and clusters inside a word: no silence is made of them."""
SHORTEST_SOUND_S = 0.1
VOICE_PROBABILITY = 0.15
"""Below it, over a second, the detector hears no voice at all: bleed of instruments."""
SPEECH_MARGIN = 0.25
SHORTEST_SPEECH_S = 1.0
"""A single word is too little to call speech."""
CONTEXT_S = 1.5
"""A run is judged together with what surrounds it."""
STEADY_CENTS = 35.0
STEADY_SPAN_S = 0.1
SPEECH_STEADY_SHARE = 0.35
"""Speech glides: fewer of its voiced frames keep their pitch for a tenth of a second."""


def find_regions(
    vocal: FloatArray,
    *,
    sample_rate: int,
    pitch: PitchTrack,
    events: EventTrack,
    job: Job = NO_JOB,
) -> tuple[Region, ...]:
    """Return regions that tile the take from 0 to its end, in order.

    A frame sounds where a pitch was found, the level is within 40 dB of the take's singing and the
    detector hears a voice. Sounding frames closer than 0.25 s form one region. It is speech when
    the detector prefers speech *and* the pitch seldom stands still; everything else is singing, so
    that expressive or parlando singing is not thrown away on one hint.

    Parameters
    ----------
    vocal
        Mono voice at ``sample_rate`` (16 kHz), shape ``(n_samples,)``.
    pitch, events
        Of the same audio.

    Returns
    -------
    tuple of Region
        Empty for an empty signal; one silence region when nobody sings.

    Raises
    ------
    ValueError
        When the sample rate is not 16 kHz.
    """
    if sample_rate != ANALYSIS_RATE:
        raise ValueError(f"regions are found at {ANALYSIS_RATE} Hz, not {sample_rate}")
    if vocal.size == 0:
        return ()
    job.report(0.0, "regions")
    sounding = sounding_frames(vocal, pitch=pitch, events=events)
    merged = close_gaps(sounding, longest_frames=round(LONGEST_CONSONANT_S / HOP_S))
    steady = at_frames(steady_frames(pitch).astype(np.float64), pitch, merged.size, events.phase)
    duration_s = vocal.size / sample_rate
    found: list[Region] = []
    for start, end in runs_of(merged):
        if (end - start) * HOP_S < SHORTEST_SOUND_S:
            continue
        kind = _kind(events, sounding, steady, start, end)
        start_s = _time_s(start, events.phase)
        if found and found[-1].end_s >= start_s and found[-1].kind == kind:
            start_s = found.pop().start_s
        found.append(
            Region(start_s=start_s, end_s=min(_time_s(end, events.phase), duration_s), kind=kind)
        )
    job.report(1.0, "regions")
    return _tiled(found, duration_s)


def sounding_frames(vocal: FloatArray, *, pitch: PitchTrack, events: EventTrack) -> BoolArray:
    """Return which 10 ms frames carry a pitched voice, shape ``(n_frames,)``."""
    level_db = relative_levels_db(vocal, phase=events.phase)
    n_frames = level_db.size
    voice = np.max(events.probabilities[:, :2], axis=1).astype(np.float64)
    voice = np.pad(voice, (0, max(0, n_frames - voice.size)))[:n_frames]
    # Silence holds no voice, be it in the recording or before its start.
    voice[level_db <= SILENCE_DB] = 0.0
    margin = round(0.5 / HOP_S)
    heard = moving_mean(np.pad(voice, margin), n_frames=2 * margin)[margin : margin + n_frames]
    voiced = at_frames(pitch.voiced.astype(np.float64), pitch, n_frames, events.phase) > 0.5
    sounding = (level_db > FLOOR_DB) & voiced & (heard >= VOICE_PROBABILITY)
    first_signal = find_anchor(vocal).first_signal
    sounding[: max(0, -(-(first_signal - events.phase) // HOP_SAMPLES))] = False
    return sounding


def relative_levels_db(vocal: FloatArray, *, phase: int) -> RealArray:
    """Return the level of 25 ms frames every 10 ms relative to the take's loud part, in dB.

    ``phase`` is the centre of the first frame in samples.
    """
    loud = gated_rms(vocal)
    levels = frame_levels_db(vocal, hop_samples=HOP_SAMPLES, window_samples=400, phase=phase)
    if loud == 0.0:
        return np.full(levels.size, SILENCE_DB)
    return np.asarray(levels - 20.0 * np.log10(loud), dtype=np.float64)


def at_frames(values: RealArray, pitch: PitchTrack, n_frames: int, phase: int) -> RealArray:
    """Return per-pitch-frame values at the 10 ms frames (nearest), 0 where there are none.

    ``phase`` is the centre of the first of them in samples.
    """
    if pitch.times_s.size == 0:
        return np.zeros(n_frames)
    first, hop = (round(time_s * ANALYSIS_RATE) for time_s in (pitch.times_s[0], pitch.hop_s))
    # In whole samples: a 10 ms frame half-way between two pitch frames takes the later one always.
    index = (2 * (phase - first + np.arange(n_frames) * HOP_SAMPLES) + hop) // (2 * hop)
    inside = (index >= 0) & (index < values.size)
    return np.where(inside, values[np.clip(index, 0, values.size - 1)], 0.0)


def _time_s(frame: int, phase: int) -> float:
    """Return the centre of a 10 ms frame: whole samples over the rate."""
    return (phase + frame * HOP_SAMPLES) / ANALYSIS_RATE


def steady_frames(pitch: PitchTrack) -> BoolArray:
    """Say of every pitch frame whether the pitch around it holds as on a note."""
    span = max(1, round(STEADY_SPAN_S / pitch.hop_s))
    steady = np.zeros(pitch.f0_hz.size, dtype=np.bool_)
    if steady.size > span:
        cents = 1200.0 * np.log2(np.where(pitch.voiced, pitch.f0_hz, 1.0))
        both = pitch.voiced[span:] & pitch.voiced[:-span]
        moved = np.abs(cents[span:] - cents[:-span])
        steady[span // 2 : span // 2 + moved.size] = both & (moved < STEADY_CENTS)
    return steady


def _kind(
    events: EventTrack, sounding: BoolArray, steady: RealArray, start: int, end: int
) -> RegionKind:
    if (end - start) * HOP_S < SHORTEST_SPEECH_S:
        return "singing"
    margin = round(CONTEXT_S / HOP_S)
    around = slice(max(0, start - margin), end + margin)
    heard = events.probabilities[around]
    if sounding[around].any():
        heard = heard[sounding[around][: heard.shape[0]]]
    speech, singing, _ = heard.mean(axis=0, dtype=np.float64)
    if speech - singing < SPEECH_MARGIN:
        return "singing"
    share = float(steady[start:end][sounding[start:end]].mean())
    return "speech" if share < SPEECH_STEADY_SHARE else "singing"


def _tiled(found: list[Region], duration_s: float) -> tuple[Region, ...]:
    tiled: list[Region] = []
    position_s = 0.0
    for region in found:
        if region.start_s > position_s:
            tiled.append(Region(start_s=position_s, end_s=region.start_s, kind="silence"))
        tiled.append(region)
        position_s = region.end_s
    if duration_s > position_s:
        tiled.append(Region(start_s=position_s, end_s=duration_s, kind="silence"))
    return tuple(tiled)
