"""A voice as parameters that can be changed one by one: what the edits work on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from singcoach.core.arrays import BoolArray, RealArray
from singcoach.core.music import Note, Phrase
from singcoach.dsp.runs import runs_of

FRAME_S = 0.005
"""Distance between frames in seconds, as WORLD is used most."""
REST_S = 0.3
"""A gap between notes from which a phrase ends."""
SILENCE = 1e-14
"""Power of a bin that holds nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Singing:
    """The parameters of one voice, one row every 5 ms, with the notes and phrases in them.

    Attributes
    ----------
    f0_hz
        Fundamental, 0 where unvoiced (the convention of WORLD), shape ``(n_frames,)``.
    spectrum
        Power envelope on ``n_bins`` from 0 to 8 kHz, shape ``(n_frames, n_bins)``.
    aperiodicity
        Share of the amplitude that is noise, 0..1, same shape.
    n_samples
        Length of the audio at 16 kHz.
    notes, phrases
        In order, not overlapping.
    """

    f0_hz: RealArray
    spectrum: RealArray
    aperiodicity: RealArray
    n_samples: int
    notes: tuple[Note, ...]
    phrases: tuple[Phrase, ...]

    def __post_init__(self) -> None:
        n_frames = len(self.f0_hz)
        for name in ("spectrum", "aperiodicity"):
            if len(getattr(self, name)) != n_frames:
                raise ValueError(f"{name} has {len(getattr(self, name))} frames, f0 {n_frames}")

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.f0_hz)

    @property
    def voiced(self) -> BoolArray:
        """Whether each frame has a pitch, shape ``(n_frames,)``."""
        return self.f0_hz > 0.0

    @property
    def times_s(self) -> RealArray:
        """Frame centres in seconds, shape ``(n_frames,)``."""
        return np.arange(self.n_frames, dtype=np.float64) * FRAME_S

    @property
    def bins_hz(self) -> RealArray:
        """Frequencies of the bins, shape ``(n_bins,)``."""
        return np.linspace(0.0, 8000.0, self.spectrum.shape[1], dtype=np.float64)

    def frames_of(self, start_s: float, end_s: float) -> slice:
        """Return the frames from ``start_s`` (inclusive) to ``end_s`` (exclusive)."""
        first = min(self.n_frames, max(0, round(start_s / FRAME_S)))
        return slice(first, min(self.n_frames, max(first, round(end_s / FRAME_S))))

    def level_db(self) -> RealArray:
        """Level of each frame in dB (any fixed reference), shape ``(n_frames,)``."""
        return np.asarray(10.0 * np.log10(self.spectrum.mean(axis=1) + SILENCE))


def cents_of(f0_hz: RealArray) -> RealArray:
    """Cents above A4 = 440 Hz, NaN where unvoiced."""
    safe = np.where(f0_hz > 0.0, f0_hz, np.nan)
    return np.asarray(1200.0 * np.log2(safe / 440.0))


def shifted(f0_hz: RealArray, cents: RealArray | float) -> RealArray:
    """Return ``f0_hz`` moved by some cents; unvoiced frames stay unvoiced."""
    return np.asarray(f0_hz * 2.0 ** (np.asarray(cents, dtype=np.float64) / 1200.0))


def with_gain(spectrum: RealArray, gain_db: RealArray) -> RealArray:
    """Return the power envelope with a gain per frame, shapes ``(n_frames, n_bins)``, ``(n,)``."""
    return np.asarray(spectrum * 10.0 ** (gain_db / 10.0)[:, np.newaxis])


def phrases_of(notes: Sequence[Note]) -> tuple[Phrase, ...]:
    """Return the runs of notes that no gap of 0.3 s or more parts."""
    found: list[Phrase] = []
    for note in notes:
        if found and note.onset_s - found[-1].end_s < REST_S:
            found[-1] = Phrase(start_s=found[-1].start_s, end_s=max(found[-1].end_s, note.offset_s))
        else:
            found.append(Phrase(start_s=note.onset_s, end_s=note.offset_s))
    return tuple(found)


def sung_level_db(singing: Singing) -> float:
    """Median level of the voiced frames in dB; 0 where nothing is sung."""
    level = singing.level_db()[singing.voiced]
    return float(np.median(level)) if level.size else 0.0


def smoothed(values: RealArray, *, seconds: float) -> RealArray:
    """Return ``values`` under a Gaussian of that standard deviation, edges held, same length."""
    from scipy.ndimage import gaussian_filter1d

    if values.size == 0:
        return values
    return np.asarray(gaussian_filter1d(values, seconds / FRAME_S, mode="nearest"))


def random_curve(generator: np.random.Generator, n_frames: int, *, hz: float) -> RealArray:
    """Return a random curve of mean 0 and standard deviation 1 that holds little above ``hz``."""
    if n_frames == 0:
        return np.zeros(0)
    margin = int(2.0 / hz / FRAME_S)
    white = generator.standard_normal(n_frames + 2 * margin)
    curve = smoothed(white, seconds=0.19 / hz)  # -3 dB of the Gaussian's power at hz
    curve = (curve - curve.mean()) / max(float(curve.std()), 1e-12)
    return np.asarray(curve[margin : margin + n_frames], dtype=np.float64)


def fade_in_spans(
    n_frames: int, spans_s: Sequence[tuple[float, float]], *, fade_s: float
) -> RealArray:
    """Return 1 inside the spans, 0 outside, with raised-cosine edges of ``fade_s`` inside them."""
    mask = np.zeros(n_frames)
    times = np.arange(n_frames) * FRAME_S
    for start_s, end_s in spans_s:
        away = np.minimum(times - start_s, end_s - times) / max(fade_s, 1e-9)
        mask = np.maximum(mask, 0.5 - 0.5 * np.cos(np.pi * np.clip(away, 0.0, 1.0)))
    return mask


def voiced_runs(singing: Singing) -> list[tuple[int, int]]:
    """Return ``(start, end)`` of every run of voiced frames, end exclusive."""
    return runs_of(singing.voiced)
