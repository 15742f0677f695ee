"""The sung pitch of each note: vibrato taken off, drift-tolerant tuning, trimmed core."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.core.music import Note, PitchTrack
from singcoach.jobs import NO_JOB, Job
from singcoach.pitch.contour import without_vibrato

SMOOTHING_S = 0.20
"""Full width of the Hann smoothing that follows the removal of vibrato: uneven swings, trembling
and slips of the tracker are not intonation."""

TUNING_REACH_S = 20.0
"""A note is tuned against the notes up to this far before and after it (drift is tolerated)."""

_EDGE_S = 0.05
_REPORT_EVERY = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteContour:
    """Pitch inside one note.

    Attributes
    ----------
    times_s, cents
        Voiced frames of the note; cents above A4 = 440 Hz, shape ``(n,)``.
    smooth_cents
        The same without vibrato, shape ``(n,)``.
    core
        Slice of the frames without the first and last 50 ms (the whole note if it is short).
    tuning_cents
        Local tuning around the note; its first value is in -50..50, it may drift beyond.
    """

    note: Note
    times_s: RealArray
    cents: RealArray
    smooth_cents: RealArray
    core: slice
    tuning_cents: float

    @property
    def held_s(self) -> float:
        """Length of the note in seconds."""
        return self.note.duration_s

    @property
    def span_s(self) -> tuple[float, float]:
        """Start and end in seconds."""
        return (self.note.onset_s, self.note.offset_s)


def smooth(values: RealArray, width: int) -> RealArray:
    """Moving Hann mean that narrows at the edges instead of inventing samples.

    Parameters
    ----------
    values
        Evenly spaced values without NaN, shape ``(n,)``.
    width
        Full width in samples; 1 or less returns the values themselves.
    """
    if width <= 1 or len(values) < 2:
        return values.copy()
    kernel = np.hanning(width + 2)[1:-1]
    pad = len(kernel) // 2
    weight = np.convolve(np.ones(len(values)), kernel, mode="full")[pad : pad + len(values)]
    total = np.convolve(values, kernel, mode="full")[pad : pad + len(values)]
    return np.asarray(total / weight)


def note_contours(
    pitch: PitchTrack, notes: tuple[Note, ...], job: Job = NO_JOB
) -> tuple[NoteContour, ...]:
    """Return the contour of every note that has at least four voiced frames.

    Frames more than half an octave from the note's median are octave slips of the tracker and are
    left out. The tuning of a note is the duration-weighted circular mean of the notes within
    20 s of it, so a slow drift of an unaccompanied singer is not counted as wrong notes.

    Cost: about 0.1 ms a note.
    """
    hop_s = pitch.hop_s
    cents = 1200.0 * np.log2(pitch.f0_hz / 440.0)
    width = max(1, round(SMOOTHING_S / hop_s)) | 1
    edge = round(_EDGE_S / hop_s)
    rows: list[tuple[Note, RealArray, RealArray, RealArray, slice]] = []
    for index, note in enumerate(notes):
        if index % _REPORT_EVERY == 0:
            job.report(index / len(notes), "pitch contours")
        first = int(np.searchsorted(pitch.times_s, note.onset_s))
        last = int(np.searchsorted(pitch.times_s, note.offset_s))
        inside = cents[first:last]
        good = np.isfinite(inside)
        if good.sum() < 4:
            continue
        middle = float(np.median(inside[good]))
        good &= np.abs(inside - middle) < 600.0
        contour = inside[good]
        if len(contour) < 4:
            continue
        trim = edge if len(contour) > 4 * edge else 0
        rows.append(
            (
                note,
                pitch.times_s[first:last][good],
                contour,
                smooth(without_vibrato(contour, hop_s=hop_s), min(width, len(contour) | 1)),
                slice(trim, len(contour) - trim),
            )
        )
    tuning = _local_tuning(rows)
    return tuple(
        NoteContour(
            note=note,
            times_s=times,
            cents=contour,
            smooth_cents=smoothed,
            core=core,
            tuning_cents=float(tuning[index]),
        )
        for index, (note, times, contour, smoothed, core) in enumerate(rows)
    )


def _local_tuning(rows: list[tuple[Note, RealArray, RealArray, RealArray, slice]]) -> RealArray:
    """Circular mean of the semitone phase around each note, in cents."""
    if not rows:
        return np.zeros(0)
    centres = np.array([(note.onset_s + note.offset_s) / 2.0 for note, *_ in rows])
    phasors = np.array(
        [np.exp(2j * np.pi * smoothed[core] / 100.0).sum() for *_, smoothed, core in rows]
    )
    total = np.concatenate(([0.0], np.cumsum(phasors)))
    first = np.searchsorted(centres, centres - TUNING_REACH_S)
    last = np.searchsorted(centres, centres + TUNING_REACH_S, side="right")
    # Unwrapped: a singer who sinks by half a semitone does not jump to the next one.
    phase = np.unwrap(np.angle(total[last] - total[first]))
    return np.asarray(phase * 100.0 / (2.0 * np.pi))
