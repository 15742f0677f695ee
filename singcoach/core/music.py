"""What was sung: pitch track, notes, vibrato, phrases, key; and what should have been sung."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from singcoach.core.arrays import BoolArray, RealArray


@dataclass(frozen=True, slots=True, kw_only=True)
class PitchTrack:
    """Fundamental frequency over time.

    Attributes
    ----------
    times_s
        Frame centres in seconds, ascending, evenly spaced by ``hop_s``, shape ``(n_frames,)``.
    f0_hz
        Fundamental in Hz, NaN where unvoiced, shape ``(n_frames,)``.
    confidence
        The tracker's own confidence in 0..1, shape ``(n_frames,)``.
    hop_s
        Distance between frames in seconds.
    """

    times_s: RealArray
    f0_hz: RealArray
    confidence: RealArray
    hop_s: float

    @property
    def voiced(self) -> BoolArray:
        """Whether each frame has a pitch, shape ``(n_frames,)``."""
        return ~np.isnan(self.f0_hz)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vibrato:
    """Vibrato of a note: rate in Hz, extent in cents (half peak-to-peak), regularity 0..1.

    ``presence`` is 0 where it is on the border to none and 1 where it is beyond doubt.
    """

    rate_hz: float
    extent_cents: float
    regularity: float
    presence: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One sung note.

    ``midi`` is the nearest semitone on the take's own tuning; ``cents_deviation`` is the median
    distance of the sung pitch from it, in cents, positive = sharp, within -50..50.
    """

    onset_s: float
    offset_s: float
    midi: int
    cents_deviation: float
    vibrato: Vibrato | None = None

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.offset_s - self.onset_s


RegionKind = Literal["singing", "speech", "silence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A stretch of the take with one kind of content."""

    start_s: float
    end_s: float
    kind: RegionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """A run of singing between two rests or breaths."""

    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """Key and tuning.

    ``tonic`` is 0..11 (0 = C). ``tuning_cents`` is the offset of the scale from A4 = 440 Hz in
    -50..50. ``strength`` is the correlation with the key profile in -1..1 (low = no clear key).
    """

    tonic: int
    mode: Literal["major", "minor"]
    tuning_cents: float
    strength: float

    @property
    def name(self) -> str:
        """English name, such as ``"F# minor"``."""
        names = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
        return f"{names[self.tonic]} {self.mode}"


SongNoteKind = Literal["normal", "golden", "freestyle", "rap", "rap_golden"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SongNote:
    """One note of the written song: seconds from the start of the audio, MIDI pitch, syllable."""

    onset_s: float
    offset_s: float
    midi: int
    syllable: str
    kind: SongNoteKind
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Song:
    """A written song, as read from an UltraStar file; notes in order of onset."""

    title: str
    artist: str
    language: str
    notes: tuple[SongNote, ...]
    audio_name: str = ""
    bpm: float = 0.0
    gap_s: float = 0.0
    warnings: tuple[str, ...] = field(default=())
