"""Dry voices that the dereverb network learns from: three free collections, and one synthesizer.

- vocadito (CC BY 4.0): takes 1 and 14. Take 10 (another singer) is kept for testing.
- vocobox (MIT): single sung notes.
- VocalSet extracts (CC BY 4.0): singers f2, f3, f5, m1, m2. Singer m4 is kept for testing.
- sung lines that are made here: harmonics with vibrato, glides, vowels and consonants of noise.

Single notes are strung together to lines. Everything is played faster or slower by up to a quarter,
which moves pitch and formants alike.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from singcoach.core.arrays import ANALYSIS_RATE
from singcoach.errors import InputError

VOCADITO_TAKES = (1, 14)
VOCALSET_SINGERS = ("f2", "f3", "f5", "m1", "m2")

Audio = NDArray[np.float64]

_VOWELS_HZ = (
    (730, 1090, 2440, 3300), (270, 2290, 3010, 3500), (300, 870, 2240, 3200),
    (530, 1840, 2480, 3400), (570, 840, 2410, 3200), (440, 1020, 2240, 3100),
)  # fmt: skip
"""Formants of six vowels. Source: Peterson and Barney, JASA 24(2), 1952; the fourth by hand."""
_FORMANT_WIDTHS_HZ = (80.0, 100.0, 140.0, 200.0)


class Voices:
    """Draws dry takes; the same sequence for the same generator.

    Parameters
    ----------
    data
        Folder with ``vocadito``, ``vocobox`` and ``vocalset_1s``.
    """

    def __init__(self, data: Path) -> None:
        self._takes = [
            _read(data / "vocadito" / "Audio" / f"vocadito_{number}.wav")
            for number in VOCADITO_TAKES
        ]
        self._notes = [_read(path) for path in sorted((data / "vocobox").glob("*.flac"))]
        self._clips = [
            _read(path)
            for singer in VOCALSET_SINGERS
            for path in sorted((data / "vocalset_1s" / "audio" / singer).rglob("*.mp3"))
        ]
        if not self._notes or not self._clips:
            raise InputError(
                f"There are no recordings to learn from in {data}",
                hint="Name the folder that holds vocadito, vocobox and vocalset_1s",
            )

    def draw(self, duration_s: float, random: np.random.Generator) -> Audio:
        """Return one dry take ``(n_samples,)`` with a root mean square of 0.1."""
        n_samples = round(duration_s * ANALYSIS_RATE)
        kind = random.choice(4, p=(0.35, 0.15, 0.2, 0.3))
        if kind == 0:
            take = self._takes[int(random.choice(len(self._takes), p=(0.7, 0.3)))]
            audio = _cut(_played(take, random), n_samples, random)
        elif kind == 3:
            audio = sung_line(n_samples, random)
        else:
            audio = _strung(self._notes if kind == 1 else self._clips, n_samples, random)
        return audio * (0.1 / max(float(np.sqrt(np.mean(audio**2))), 1e-6))


def sung_line(n_samples: int, random: np.random.Generator) -> Audio:
    """Return a sung line of random notes, vowels, consonants and rests."""
    rate = ANALYSIS_RATE
    midi = np.zeros(n_samples)
    loudness = np.zeros(n_samples)
    vowel = np.zeros((n_samples, 4))
    hiss = np.zeros(n_samples)
    centre = random.uniform(45, 70)
    scale = random.uniform(0.85, 1.25)
    at = int(random.uniform(0, 0.5) * rate)
    note = centre
    while at < n_samples:
        length = int(
            random.choice((0.15, 0.25, 0.4, 0.7, 1.2, 2.0)) * random.uniform(0.8, 1.3) * rate
        )
        end = min(n_samples, at + length)
        note = float(np.clip(note + random.integers(-5, 6), centre - 9, centre + 9))
        times_s = np.arange(end - at) / rate
        depth = random.choice((0.0, 0.15, 0.5, 1.0)) * np.clip((times_s - 0.25) / 0.3, 0, 1)
        wobble = depth * np.sin(2 * np.pi * random.uniform(4.5, 7) * times_s + random.uniform(0, 6))
        midi[at:end] = note + wobble
        attack_s, release_s = random.uniform(0.01, 0.08), random.uniform(0.02, 0.15)
        left_s = (end - at) / rate - times_s
        shape = np.clip(times_s / attack_s, 0, 1) * np.clip(left_s / release_s, 0, 1)
        loudness[at:end] = shape * 10 ** (random.uniform(-14, 0) / 20)
        vowel[at:end] = np.asarray(_VOWELS_HZ[random.integers(len(_VOWELS_HZ))]) * scale
        if random.random() < 0.6:  # a consonant before the note
            n_hiss = min(int(random.uniform(0.03, 0.12) * rate), at)
            hiss[at - n_hiss : at] = np.hanning(n_hiss) * 10 ** (random.uniform(-30, -10) / 20)
        at = end
        if random.random() < 0.35:
            at += int(random.uniform(0.05, 1.2) * rate)
    held = midi > 0
    filled = (
        np.interp(np.arange(n_samples), np.flatnonzero(held), midi[held])
        if held.any()
        else midi + centre
    )
    glide = np.hanning(int(random.uniform(0.02, 0.1) * rate) * 2 + 1)
    f0_hz = 440 * 2 ** ((_smoothed(filled, glide) - 69) / 12)
    formants = np.stack(
        [_smoothed(vowel[:, i] + (vowel[:, i] == 0) * 500 * (i + 1), glide) for i in range(4)]
    )
    voice = np.zeros(n_samples)
    phase = 2 * np.pi * np.cumsum(f0_hz) / rate
    tilt = random.uniform(0.8, 1.6)
    for harmonic in range(1, int(0.48 * rate / f0_hz.min()) + 1):
        at_hz = harmonic * f0_hz[::64]
        gain = np.zeros(at_hz.size)
        for formant, width, weight in zip(
            formants, _FORMANT_WIDTHS_HZ, (1, 0.7, 0.4, 0.3), strict=True
        ):
            gain += weight / (1 + ((at_hz - formant[::64]) / width) ** 2)
        gain = (gain + 0.02) * harmonic**-tilt * (at_hz < 0.48 * rate)
        voice += np.interp(np.arange(n_samples), np.arange(gain.size) * 64, gain) * np.sin(
            harmonic * phase
        )
    noise = random.standard_normal(n_samples)
    bright = scipy.signal.lfilter([1, -0.9], [1], noise)
    breath = 10 ** (random.uniform(-50, -22) / 20)
    line: Audio = voice * loudness + 0.1 * hiss * bright + breath * loudness * bright
    return line


def _strung(notes: list[Audio], n_samples: int, random: np.random.Generator) -> Audio:
    """Return notes one after another, with rests of up to 0.8 s between them."""
    out = np.zeros(n_samples)
    at = int(random.uniform(0, 0.4) * ANALYSIS_RATE)
    speed = random.uniform(0.85, 1.2)
    while at < n_samples:
        piece = _resampled(notes[random.integers(len(notes))], speed * random.uniform(0.9, 1.1))
        longest = int(random.uniform(0.3, 3.0) * ANALYSIS_RATE)
        piece = piece[: min(longest, n_samples - at)].copy()
        n_fade = min(int(random.uniform(0.01, 0.06) * ANALYSIS_RATE), piece.size // 2)
        if n_fade:
            piece[:n_fade] *= np.linspace(0, 1, n_fade)
            piece[-n_fade:] *= np.linspace(1, 0, n_fade)
        level = max(float(np.sqrt(np.mean(piece**2))), 1e-4)
        out[at : at + piece.size] += piece * (0.1 / level) * 10 ** (random.uniform(-12, 0) / 20)
        at += max(piece.size, 1)
        if random.random() < 0.6:
            at += int(random.uniform(0, 0.8) * ANALYSIS_RATE)
    return out


def _played(take: Audio, random: np.random.Generator) -> Audio:
    return _resampled(take, random.uniform(0.8, 1.25))


def _resampled(audio: Audio, speed: float) -> Audio:
    faster: Audio = scipy.signal.resample_poly(audio, 100, round(100 * speed))
    return faster


def _cut(audio: Audio, n_samples: int, random: np.random.Generator) -> Audio:
    while audio.size < n_samples:
        audio = np.concatenate((audio, audio))
    start = random.integers(0, audio.size - n_samples + 1)
    return audio[start : start + n_samples].copy()


def _smoothed(values: Audio, window: Audio) -> Audio:
    padded = np.pad(values, window.size // 2, mode="edge")
    smooth: Audio = scipy.signal.fftconvolve(padded, window / window.sum(), mode="valid")
    return smooth


def _read(path: Path) -> Audio:
    from singcoach.audio.reading import open_audio

    with open_audio(path) as file:
        blocks = [block[0] for block in file.blocks(sample_rate=ANALYSIS_RATE, channels=1)]
    return np.concatenate(blocks).astype(np.float64)
