"""Faults of time: slips of the onsets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from singcoach.training.edits.kinds import Fault
from singcoach.training.edits.voice import FRAME_S, Singing, phrases_of

Edited = tuple[Singing, tuple[Fault, ...]]

SLIP_S = 0.13
LEAST_STRETCH = 0.45


def timing_slips(singing: Singing, severity: float, generator: np.random.Generator) -> Edited:
    """Begin the notes too early or too late.

    At severity 1 by 130 ms on average (between 50 and 210), at a lower severity by a part of the
    same slips; what lies between two onsets is stretched or pressed, to 45 % at the least.
    Listeners hear displacements from about 5 % of a beat on (Friberg and Sundberg 1995).
    """
    onsets = np.array([note.onset_s for note in singing.notes])
    end_s = singing.n_frames * FRAME_S
    if onsets.size == 0:
        return singing, ()
    sizes = SLIP_S * generator.uniform(0.4, 1.6, onsets.size)
    slips = sizes * np.where(generator.random(onsets.size) < 0.5, -1.0, 1.0)
    knots = np.concatenate([[-FRAME_S], onsets, [end_s]])
    moved = knots.copy()
    for index in range(1, knots.size - 1):
        least = moved[index - 1] + LEAST_STRETCH * (knots[index] - knots[index - 1])
        most = knots[index] + (1.0 - LEAST_STRETCH) * 0.5 * (knots[index + 1] - knots[index])
        wanted = knots[index] + slips[index - 1]
        moved[index] = max(least, min(most, wanted))
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
