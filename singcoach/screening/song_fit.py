"""The singing against the written song: pitch, latency, transposition, missed notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.core.music import PitchTrack, Region, Song, SongNote
from singcoach.screening.pitch_accuracy import steady_semitones, sung_frames

LARGEST_LATENCY_S = 0.5
_LATENCY_STEP_S = 0.02
TUNED_CENTS = 50.0
"""A note counts as hit within a quarter tone: nearer to it than to any other note."""
KERNEL_CENTS = 50.0
LEAST_SUNG_SHARE = 0.2
"""A note is missed when less than a fifth of it carries a pitch."""
LEAST_NOTES = 5
PITCHED_KINDS = ("normal", "golden")


@dataclass(frozen=True, slots=True, kw_only=True)
class SongFit:
    """How well the singing keeps to the written notes.

    Attributes
    ----------
    accuracy
        0..1: mean credit of the written note time, a Gaussian of 50 cents around the note;
        missed notes earn nothing.
    within_50_share
        Share of the written note time whose note was sung within 50 cents.
    latency_s
        Constant delay of the singing against the file, -0.5..0.5.
    transposition_semitones
        Whole semitones by which the take was sung in another key, -5..6 (octaves folded).
    tuning_cents
        What remains of that, -50..50.
    coverage
        Share of the written note time that was sung at all.
    n_notes, n_missed
        Written pitched notes, and those not sung.
    deviations_cents
        Per written note the median deviation (octave, transposition and tuning removed), NaN where
        it was missed, shape ``(n_notes,)``.
    """

    accuracy: float
    within_50_share: float
    latency_s: float
    transposition_semitones: int
    tuning_cents: float
    coverage: float
    n_notes: int
    n_missed: int
    deviations_cents: RealArray


def fit_to_song(pitch: PitchTrack, *, regions: Sequence[Region], song: Song) -> SongFit | None:
    """Compare the singing with the notes of a song, note by note.

    One latency and one transposition are allowed for the whole take, both found by maximising the
    credit. Octaves are folded. Every written note counts, also those after the singer stopped.

    Returns
    -------
    SongFit or None
        None when the song has fewer than five pitched notes or no note at all was sung.
    """
    notes = pitched_notes(song)
    if len(notes) < LEAST_NOTES:
        return None
    sung = sung_frames(pitch, regions)
    heights = np.where(sung, steady_semitones(pitch), np.nan)
    written = np.array([note.midi for note in notes], dtype=np.float64)
    latency_s, shift_cents = _best_alignment(pitch, heights, notes, written)
    deviation_cents, share = _note_deviations(pitch, heights, notes, written, latency_s)
    missed = ~(share >= LEAST_SUNG_SHARE)
    if missed.all():
        return None
    transposition = round(shift_cents / 100.0)
    tuning_cents = shift_cents - 100.0 * transposition
    # The tuning is free within +-50 cents only together with the transposition: remove both.
    rest = (deviation_cents - shift_cents + 600.0) % 1200.0 - 600.0
    rest[missed] = np.nan
    weight = np.array([note.offset_s - note.onset_s for note in notes])
    credit = np.where(missed, 0.0, np.exp(-0.5 * (np.nan_to_num(rest) / KERNEL_CENTS) ** 2))
    hit = ~missed & (np.abs(np.nan_to_num(rest)) <= TUNED_CENTS)
    return SongFit(
        accuracy=float(np.average(credit, weights=weight)),
        within_50_share=float(np.average(hit, weights=weight)),
        latency_s=latency_s,
        transposition_semitones=(transposition + 5) % 12 - 5,
        tuning_cents=tuning_cents,
        coverage=float(np.average(~missed, weights=weight)),
        n_notes=len(notes),
        n_missed=int(missed.sum()),
        deviations_cents=rest,
    )


def pitched_notes(song: Song) -> tuple[SongNote, ...]:
    """Return the notes of the song that ask for a pitch."""
    return tuple(
        note for note in song.notes if note.kind in PITCHED_KINDS and note.offset_s > note.onset_s
    )


def _best_alignment(
    pitch: PitchTrack, heights: RealArray, notes: Sequence[SongNote], written: RealArray
) -> tuple[float, float]:
    """Return latency in seconds and the shift in cents (octave folded) of the singing."""
    reach = round(LARGEST_LATENCY_S / _LATENCY_STEP_S)
    # Nearest to zero first, so that among equals the smaller correction wins.
    delays = sorted(range(-reach, reach + 1), key=abs)
    angle = np.arange(240) * 5.0
    distance = np.minimum(angle, 1200.0 - angle)
    kernel = np.conj(np.fft.rfft(np.exp(-0.5 * (distance / KERNEL_CENTS) ** 2)))
    best = (-1.0, 0.0, 0.0)
    for delay in delays:
        latency_s = delay * _LATENCY_STEP_S
        target = _written_at(pitch.times_s - latency_s, notes, written)
        both = np.isfinite(target) & np.isfinite(heights)
        difference = np.round((heights[both] - target[both]) * 20.0).astype(int) % 240
        histogram = np.bincount(difference, minlength=240).astype(float)
        score = np.fft.irfft(np.fft.rfft(histogram) * kernel, n=240)
        peak = int(np.argmax(score))
        if score[peak] > best[0] * (1.0 + 1e-9):
            best = (float(score[peak]), latency_s, 5.0 * peak)
    return best[1], (best[2] + 600.0) % 1200.0 - 600.0


def _written_at(times_s: RealArray, notes: Sequence[SongNote], written: RealArray) -> RealArray:
    onsets = np.array([note.onset_s for note in notes])
    offsets = np.array([note.offset_s for note in notes])
    index = np.searchsorted(onsets, times_s, side="right") - 1
    inside = (index >= 0) & (times_s < offsets[np.maximum(index, 0)])
    return np.where(inside, written[np.maximum(index, 0)], np.nan)


def _note_deviations(
    pitch: PitchTrack,
    heights: RealArray,
    notes: Sequence[SongNote],
    written: RealArray,
    latency_s: float,
) -> tuple[RealArray, RealArray]:
    """Return per note the median deviation in cents (folded) and the share that was sung."""
    deviation = np.full(len(notes), np.nan)
    share = np.zeros(len(notes))
    for index, note in enumerate(notes):
        first, last = np.searchsorted(
            pitch.times_s, (note.onset_s + latency_s, note.offset_s + latency_s)
        )
        piece = heights[first:last]
        piece = piece[np.isfinite(piece)]
        expected = (note.offset_s - note.onset_s) / pitch.hop_s
        share[index] = min(1.0, piece.size / expected)
        if piece.size:
            folded = (100.0 * (piece - written[index]) + 600.0) % 1200.0
            # The circular middle first, so that a note near the fold is not torn in two.
            centre = np.angle(np.mean(np.exp(2j * np.pi * folded / 1200.0)))
            centre = centre / (2.0 * np.pi) * 1200.0
            around = (folded - centre + 600.0) % 1200.0 - 600.0
            deviation[index] = centre + float(np.median(around)) - 600.0
    return deviation, share
