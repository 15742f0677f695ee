"""Takes whose pitch, notes and regions are known exactly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from singcoach.core.arrays import FloatArray
from singcoach.core.music import Note, PitchTrack, Region, Song, SongNote

RATE = 16_000
HOP_S = 0.016

MELODY = (60, 62, 64, 65, 67, 69, 67, 65, 64, 62, 60, 67, 64, 60, 59, 60) * 2
"""C major, 16 notes, twice."""


class Sung:
    """Notes of 0.45 s every half second, each with its own error in cents.

    Parameters
    ----------
    melody
        MIDI heights, may be fractional; NaN for a note that is left out.
    cents
        Added to every note, or one value per note.
    vibrato_cents
        Extent of a 6 Hz vibrato.
    drift_cents
        Linear drift of the tuning from start to end.
    """

    def __init__(
        self,
        melody: Sequence[float] = MELODY,
        *,
        cents: float | Sequence[float] = 0.0,
        vibrato_cents: float = 0.0,
        drift_cents: float = 0.0,
        delay_s: float = 0.0,
        jitter_s: Sequence[float] | float = 0.0,
    ) -> None:
        errors = np.broadcast_to(np.asarray(cents, dtype=float), len(melody))
        moved = np.broadcast_to(np.asarray(jitter_s, dtype=float), len(melody))
        duration_s = 0.5 * len(melody) + 1.5
        times_s = np.arange(round(duration_s / HOP_S)) * HOP_S
        semitones = np.full(times_s.size, np.nan)
        notes = []
        for index, height in enumerate(melody):
            if np.isnan(height):
                continue
            onset_s = 0.5 + 0.5 * index + delay_s + moved[index]
            inside = (times_s >= onset_s) & (times_s < onset_s + 0.45)
            semitones[inside] = height + errors[index] / 100.0
            notes.append(
                Note(
                    onset_s=onset_s,
                    offset_s=onset_s + 0.45,
                    midi=round(height),
                    cents_deviation=0.0,
                )
            )
        semitones += vibrato_cents / 100.0 * np.sin(2 * np.pi * 6.0 * times_s)
        semitones += drift_cents / 100.0 * times_s / duration_s
        voiced = np.isfinite(semitones)
        self.pitch = PitchTrack(
            times_s=times_s,
            f0_hz=np.where(voiced, 440.0 * 2.0 ** ((np.nan_to_num(semitones) - 69) / 12), np.nan),
            confidence=np.where(voiced, 0.95, 0.0),
            hop_s=HOP_S,
        )
        self.notes = tuple(notes)
        first_s = notes[0].onset_s if notes else 0.0
        last_s = notes[-1].offset_s if notes else 0.0
        self.regions = (
            Region(start_s=0.0, end_s=first_s, kind="silence"),
            Region(start_s=first_s, end_s=last_s, kind="singing"),
            Region(start_s=last_s, end_s=duration_s, kind="silence"),
        )
        self.audio: FloatArray = voice_of(self.pitch)


def voice_of(pitch: PitchTrack) -> FloatArray:
    """Return a voice on the pitch track whose vowel changes every 0.3 s, silent where unvoiced."""
    n_samples = round(pitch.times_s.size * HOP_S * RATE)
    times_s = np.arange(n_samples) / RATE
    index = np.minimum((times_s / HOP_S).astype(int), pitch.f0_hz.size - 1)
    f0_hz = np.nan_to_num(pitch.f0_hz[index])
    phase = 2 * np.pi * np.cumsum(f0_hz) / RATE
    vowels = np.array([(700.0, 1200.0, 2600.0), (300.0, 2300.0, 3100.0), (350.0, 800.0, 2400.0)])
    resonances = vowels[(times_s / 0.3).astype(int) % 3]
    tone = np.zeros(n_samples)
    for harmonic in range(1, 21):
        distance = (harmonic * f0_hz[:, np.newaxis] - resonances) / 120.0
        weight = 0.02 + (1.0 / (1.0 + distance**2)).sum(axis=1)
        tone += np.where(harmonic * f0_hz < 7500.0, weight / harmonic, 0.0) * np.sin(
            harmonic * phase
        )
    return np.where(f0_hz > 0.0, 0.2 * tone, 0.0).astype(np.float32)


def song_of(melody: Sequence[float] = MELODY) -> Song:
    """Return the written song that :class:`Sung` sings."""
    return Song(
        title="Scale",
        artist="Nobody",
        language="en",
        notes=tuple(
            SongNote(
                onset_s=0.5 + 0.5 * index,
                offset_s=0.95 + 0.5 * index,
                midi=round(height),
                syllable="la",
                kind="normal",
                line=index // 8,
            )
            for index, height in enumerate(melody)
        ),
    )


def chords(
    roots: Sequence[int],
    *,
    minor: Sequence[bool],
    tuning_cents: float = 0.0,
    chord_s: float = 1.0,
    rate: int = RATE,
) -> FloatArray:
    """Return held triads with a bass and five harmonics each, without any beat."""
    times_s = np.arange(round(chord_s * rate)) / rate
    pieces = []
    for root, is_minor in zip(roots, minor, strict=True):
        piece = np.zeros(times_s.size)
        for step in (-12, 0, 3 if is_minor else 4, 7):
            hz = 440.0 * 2.0 ** ((60 + root + step - 69 + tuning_cents / 100.0) / 12.0)
            for harmonic in range(1, 6):
                piece += np.sin(2 * np.pi * hz * harmonic * times_s) / harmonic**2
        pieces.append(piece)
    return (0.1 * np.concatenate(pieces)).astype(np.float32)


def clicks(bpm: float, duration_s: float, *, offset_s: float = 0.3) -> FloatArray:
    """Return short noise bursts on every beat over faint noise."""
    random = np.random.default_rng(3)
    audio = random.standard_normal(round(duration_s * RATE)) * 1e-3
    for time_s in np.arange(offset_s, duration_s - 0.1, 60.0 / bpm):
        start = round(time_s * RATE)
        audio[start : start + 400] += random.standard_normal(400) * 0.3
    return audio.astype(np.float32)
