"""A voice of one vowel, without any recording."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from singcoach.audio.writing import write_flac
from singcoach.core.music import Note
from singcoach.training.edits.voice import Singing, phrases_of
from singcoach.training.edits.world import N_BINS, synthesise
from singcoach.training.made.voices import Clip, Voice

BINS_HZ = np.linspace(0.0, 8000.0, N_BINS)


def envelope() -> np.ndarray:
    shape = 1e-3 / (1.0 + (BINS_HZ / 1000.0) ** 2)
    for index, formant_hz in enumerate((650.0, 1100.0, 2600.0, 3400.0)):
        shape = shape + 10.0 ** (-0.6 * index) * np.exp(-(((BINS_HZ - formant_hz) / 150.0) ** 2))
    return shape / shape.mean()


def vowel_voice(singer: str = "tester") -> Voice:
    """Three clips of half a second at 165, 220 and 294 Hz."""
    rows = np.tile(np.log(envelope()), (100, 1)).astype(np.float32)
    noise = np.full((100, N_BINS), 0.03, dtype=np.float32)
    return Voice(
        corpus="vocobox",
        singer=singer,
        clips=tuple(
            Clip(
                source=f"{hz:.0f}.flac",
                technique="plain",
                vowel="",
                f0_hz=hz,
                log_spectrum=rows,
                aperiodicity=noise,
            )
            for hz in (165.0, 220.0, 294.0)
        ),
    )


def write_vowels(folder: Path) -> None:
    """Write notes as vocobox has them (an octave each side of A3), made by synthesis."""
    for name, midi in (("A2", 45), ("D3", 50), ("A3", 57)):
        n = 200
        note = Note(onset_s=0.05, offset_s=0.95, midi=midi, cents_deviation=0.0)
        voiced = (np.arange(n) >= 10) & (np.arange(n) < 190)
        level = np.where(voiced, 3e-3, 1e-10)[:, np.newaxis]
        singing = Singing(
            f0_hz=np.where(voiced, 440.0 * 2.0 ** ((midi - 69) / 12.0), 0.0),
            spectrum=level * envelope()[np.newaxis, :],
            aperiodicity=np.where(voiced, 0.05, 1.0)[:, np.newaxis] * np.ones((1, N_BINS)),
            n_samples=(n - 1) * 80,
            notes=(note,),
            phrases=phrases_of([note]),
        )
        folder.mkdir(parents=True, exist_ok=True)
        write_flac(folder / f"{name}.flac", synthesise(singing), sample_rate=16_000)
