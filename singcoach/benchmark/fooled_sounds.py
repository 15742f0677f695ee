"""Sounds that are no singing, made from nothing: noise, hum, instruments, applause."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from singcoach.core.arrays import ANALYSIS_RATE, FloatArray, RealArray

LENGTH_S = 24.0
MELODY = (60, 62, 64, 67, 65, 64, 62, 60, 64, 65, 67, 69, 67, 65, 64, 62, 60, 67, 64, 60)


def silence() -> FloatArray:
    """Nothing at all."""
    return np.zeros(_n_samples(), dtype=np.float32)


def white_noise() -> FloatArray:
    """Noise of equal power in every band of equal width, -20 dBFS."""
    return (0.1 * np.random.default_rng(1).standard_normal(_n_samples())).astype(np.float32)


def pink_noise() -> FloatArray:
    """Noise that falls by 3 dB an octave, as rooms and ventilators make it."""
    spectrum = np.fft.rfft(np.random.default_rng(2).standard_normal(_n_samples()))
    spectrum /= np.sqrt(np.maximum(np.arange(spectrum.size), 1.0))
    return _levelled(np.fft.irfft(spectrum, _n_samples()))


def mains_hum() -> FloatArray:
    """50 Hz with its harmonics."""
    times_s = _times_s()
    return _levelled(_harmonics(2 * np.pi * 50.0 * times_s, {k: 1.0 / k for k in range(1, 9)}))


def applause() -> FloatArray:
    """Hundreds of hands."""
    random = np.random.default_rng(3)
    audio = np.zeros(_n_samples())
    clap = np.exp(-np.arange(480) / 90.0)
    for start in random.integers(0, audio.size - 480, round(60 * LENGTH_S)):
        audio[start : start + 480] += random.uniform(0.2, 1.0) * clap * random.standard_normal(480)
    return _levelled(audio)


def sine_melody() -> FloatArray:
    """A melody of pure tones, as a telephone plays it."""
    return _melody(lambda phase: np.sin(phase))


def organ_melody() -> FloatArray:
    """A melody on an organ: even harmonics, sudden starts, no vibrato."""
    return _melody(lambda phase: _harmonics(phase, {k: 1.0 / k for k in (1, 2, 3, 4, 6, 8)}))


def flute_melody() -> FloatArray:
    """A melody on a flute: few harmonics, breath, vibrato of 5 Hz."""
    audio = _melody(
        lambda phase: np.sin(phase) + 0.3 * np.sin(2 * phase) + 0.08 * np.sin(3 * phase),
        vibrato_cents=15.0,
        attack_s=0.05,
    )
    return audio + 0.03 * white_noise() * np.abs(audio) / 0.1


def violin_melody() -> FloatArray:
    """A melody on a violin: every harmonic through the body's resonances, vibrato of 6 Hz."""
    weights = {
        k: (1.0 + 2.0 * np.exp(-0.5 * ((440.0 * k - 2500.0) / 800.0) ** 2)) / k
        for k in range(1, 12)
    }
    return _melody(
        lambda phase: _harmonics(phase, weights),
        vibrato_cents=25.0,
        attack_s=0.08,
        transpose=12,
    )


MADE_SOUNDS: Mapping[str, Callable[[], FloatArray]] = {
    "silence": silence,
    "white noise": white_noise,
    "pink noise": pink_noise,
    "mains hum": mains_hum,
    "applause": applause,
    "melody of sines": sine_melody,
    "melody on an organ": organ_melody,
    "melody on a flute": flute_melody,
    "melody on a violin": violin_melody,
}


def _n_samples() -> int:
    return round(LENGTH_S * ANALYSIS_RATE)


def _times_s() -> RealArray:
    return np.arange(_n_samples()) / ANALYSIS_RATE


def _harmonics(phase: RealArray, weights: Mapping[int, float]) -> RealArray:
    sound = np.zeros(phase.size)
    for harmonic, weight in weights.items():
        sound += weight * np.sin(harmonic * phase)
    return sound


def _levelled(audio: RealArray) -> FloatArray:
    rms = float(np.sqrt(np.mean(audio**2)))
    return np.asarray(0.1 * audio / max(rms, 1e-9), dtype=np.float32)


def _melody(
    wave: Callable[[RealArray], RealArray],
    *,
    vibrato_cents: float = 0.0,
    attack_s: float = 0.01,
    transpose: int = 0,
) -> FloatArray:
    """Play the melody in notes of 0.5 s with short rests after every fourth."""
    times_s = _times_s()
    step = (times_s / 0.5).astype(int)
    midi = np.array([MELODY[i % len(MELODY)] for i in range(int(step[-1]) + 1)], dtype=float)
    cents = 100.0 * (midi[step] + transpose - 69.0) + vibrato_cents * np.sin(
        2 * np.pi * 5.5 * times_s
    )
    phase = 2 * np.pi * np.cumsum(440.0 * 2.0 ** (cents / 1200.0)) / ANALYSIS_RATE
    inside_s = times_s % 0.5
    length_s = np.where(step % 4 == 3, 0.35, 0.49)
    envelope = np.clip(inside_s / attack_s, 0.0, 1.0) * np.clip(
        (length_s - inside_s) / 0.05, 0.0, 1.0
    )
    return _levelled(wave(np.asarray(phase)) * envelope)
