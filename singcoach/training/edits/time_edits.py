"""Faults of time: slips of the onsets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from singcoach.core.arrays import BoolArray, RealArray
from singcoach.training.edits.kinds import Fault
from singcoach.training.edits.voice import FRAME_S, Singing, phrases_of

Edited = tuple[Singing, tuple[Fault, ...]]

SLIP_S = 0.13
LEAST_STRETCH = 0.45
_REST_S = 0.35
_NEAREST_S = 0.02


def timing_slips(singing: Singing, severity: float, generator: np.random.Generator) -> Edited:
    """Begin the notes too early or too late.

    At severity 1 by 130 ms on average (between 50 and 210), at a lower severity by a part of the
    same slips; what lies between two onsets is stretched or pressed, to 45 % at the least.
    Ends of phrases stay. Listeners hear displacements from about 5 % of a beat on (Friberg and
    Sundberg 1995).
    """
    knots, is_onset = _knots(singing)
    sizes = SLIP_S * generator.uniform(0.4, 1.6, knots.size)
    slips = sizes * np.where(generator.random(knots.size) < 0.5, -1.0, 1.0)
    moved = knots.copy()
    for index in np.flatnonzero(is_onset):
        least = moved[index - 1] + LEAST_STRETCH * (knots[index] - knots[index - 1])
        most = knots[index] + (1.0 - LEAST_STRETCH) * 0.5 * (knots[index + 1] - knots[index])
        moved[index] = max(least, min(most, knots[index] + slips[index]))
    moved = knots + severity * (moved - knots)
    times = np.interp(singing.times_s, moved, knots)
    frames = np.clip(np.round(times / FRAME_S).astype(np.int64), 0, singing.n_frames - 1)
    notes = tuple(
        replace(
            note,
            onset_s=float(np.interp(note.onset_s, knots, moved)),
            offset_s=float(np.interp(note.offset_s, knots, moved)),
        )
        for note in singing.notes
    )
    faults = tuple(
        Fault(
            kind="timing_slips",
            severity=severity,
            start_s=note.onset_s,
            end_s=note.offset_s,
            amount=1000.0 * (note.onset_s - before.onset_s),
            unit="ms",
        )
        for note, before in zip(notes, singing.notes, strict=True)
    )
    edited = replace(
        singing,
        f0_hz=singing.f0_hz[frames],
        spectrum=singing.spectrum[frames],
        aperiodicity=singing.aperiodicity[frames],
        notes=notes,
        phrases=phrases_of(notes),
    )
    return edited, faults


def _knots(singing: Singing) -> tuple[RealArray, BoolArray]:
    """Return the times that may be moved or stay, ascending, and which of them are onsets.

    Beside the onsets: the ends of the take, of every phrase, and a place in the rest before it.
    """
    end_s = singing.n_frames * FRAME_S
    places = {-FRAME_S: False, end_s: False}
    for phrase in singing.phrases:
        places[max(0.0, phrase.start_s - _REST_S)] = False
        places[min(phrase.end_s, end_s - FRAME_S)] = False
    for note in singing.notes:
        places[note.onset_s] = True
    kept: list[tuple[float, bool]] = []
    for time_s in sorted(places):
        if not kept or time_s - kept[-1][0] > _NEAREST_S:
            kept.append((time_s, places[time_s]))
        elif places[time_s] and not kept[-1][1] and len(kept) > 1:
            kept[-1] = (time_s, True)
    if kept[-1][1]:
        kept.append((max(end_s, kept[-1][0] + FRAME_S), False))
    times = np.array([time_s for time_s, _ in kept], dtype=np.float64)
    return times, np.array([onset for _, onset in kept], dtype=np.bool_)
