"""A voice of known parameters, so that what an edit does can be read off."""

from __future__ import annotations

import numpy as np

from singcoach.core.music import Note, Vibrato
from singcoach.training.edits.voice import FRAME_S, Singing, phrases_of
from singcoach.training.edits.world import N_BINS

FORMANTS_HZ = (650.0, 1100.0, 2600.0, 3400.0)


def envelope(bins_hz: np.ndarray) -> np.ndarray:
    """Vowel-like power envelope with a mean of 1."""
    peaks = sum(
        10.0 ** (-0.6 * i) * np.exp(-(((bins_hz - f) / 150.0) ** 2))
        for i, f in enumerate(FORMANTS_HZ)
    )
    shape = np.asarray(peaks) + 1e-3 / (1.0 + (bins_hz / 1000.0) ** 2)
    return shape / shape.mean()


def plain_singing(*, vibrato_cents: float = 50.0) -> Singing:
    """Three phrases of four notes (0.5, 0.5, 0.5, 1.0 s) with vibrato on the last, swelling."""
    steps = (0, 2, 4, 0, 5, 4, 2, 7, 4, 2, 2, 0)
    notes: list[Note] = []
    now_s = 0.5
    for index, step in enumerate(steps):
        length_s = 1.0 if index % 4 == 3 else 0.5
        vibrato = None
        if index % 4 == 3 and vibrato_cents:
            vibrato = Vibrato(rate_hz=5.5, extent_cents=vibrato_cents, regularity=1.0)
        notes.append(
            Note(
                onset_s=now_s,
                offset_s=now_s + length_s,
                midi=57 + step,
                cents_deviation=0.0,
                vibrato=vibrato,
            )
        )
        now_s += length_s + (0.7 if index % 4 == 3 else 0.0)
    n_frames = round(now_s / FRAME_S) + 1
    times = np.arange(n_frames) * FRAME_S
    f0 = np.zeros(n_frames)
    level_db = np.full(n_frames, -80.0)
    for note in notes:
        here = (times >= note.onset_s - 1e-9) & (times < note.offset_s - 1e-9)
        cents = 100.0 * (note.midi - 69) * np.ones(n_frames)
        if note.vibrato is not None:
            late = np.clip(times - note.onset_s - 0.15, 0.0, None)
            cents = cents + vibrato_cents * np.sin(2.0 * np.pi * 5.5 * late)
        f0[here] = 440.0 * 2.0 ** (cents[here] / 1200.0)
    for phrase in phrases_of(notes):
        here = (times >= phrase.start_s - 1e-9) & (times < phrase.end_s - 1e-9)
        x = (times[here] - phrase.start_s) / phrase.duration_s
        level_db[here] = -26.0 + 10.0 * np.sin(np.pi * x)
    shape = envelope(np.linspace(0.0, 8000.0, N_BINS))
    spectrum = 10.0 ** (level_db / 10.0)[:, np.newaxis] * shape[np.newaxis, :]
    noise = np.where((f0 > 0.0)[:, np.newaxis], 0.02, 1.0) * np.ones((1, N_BINS))
    return Singing(
        f0_hz=f0,
        spectrum=spectrum,
        aperiodicity=noise,
        n_samples=(n_frames - 1) * 80,
        notes=tuple(notes),
        phrases=phrases_of(notes),
    )
