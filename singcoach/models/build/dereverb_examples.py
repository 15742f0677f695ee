"""Examples for the dereverb network: dry voices in random rooms, as sums over bands.

The network's output is one mask and one share for each band, so that the error of its result is a
quadratic form of six sums over the bins of the band. Those sums are all that training needs; no
transform is done there.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from singcoach.core.arrays import ANALYSIS_RATE, FloatArray
from singcoach.dsp.dereverb_bands import HOP, N_FFT, features, in_bands, power, room_estimate
from singcoach.dsp.rooms import HARD_WALLS, SOFT_WALLS, Room, image_response
from singcoach.dsp.stft import ComplexArray, spectra
from singcoach.jobs import NO_JOB, Job
from singcoach.models.build.dereverb_voices import Voices

DURATION_S = 12.0
DRY_SHARE = 0.2
EARLY_S = 0.016
EARLY_END_S = 0.048
"""What arrives up to the first belongs to the voice; until the second it fades out."""

Audio = NDArray[np.float64]


def draw_room(random: np.random.Generator) -> tuple[Audio, Audio]:
    """Return the response of a random room, and the part of it that belongs to the voice.

    Images for the first 60 to 120 ms, then noise in octave bands that decays on.
    """
    while True:
        size_m = np.array(
            (random.uniform(1.8, 14), random.uniform(1.6, 10), random.uniform(2.2, 5))
        )
        t60_s = float(np.exp(random.uniform(np.log(0.15), np.log(1.8))))
        distance_m = float(np.exp(random.uniform(np.log(0.2), np.log(3.5))))
        microphone_m = size_m * random.uniform(0.2, 0.8, 3)
        direction = random.standard_normal(3) * (1, 1, 0.3)
        source_m = microphone_m + distance_m * direction / np.linalg.norm(direction)
        if np.any(source_m < 0.15) or np.any(source_m > size_m - 0.15):
            continue
        share = random.random()
        walls = tuple(
            share * a + (1 - share) * b for a, b in zip(HARD_WALLS, SOFT_WALLS, strict=True)
        )
        room = Room(
            size_m=(float(size_m[0]), float(size_m[1]), float(size_m[2])),
            source_m=(float(source_m[0]), float(source_m[1]), float(source_m[2])),
            microphone_m=(float(microphone_m[0]), float(microphone_m[1]), float(microphone_m[2])),
            t60_s=t60_s,
            walls=walls,
        )
        try:
            early = image_response(
                room,
                sample_rate=ANALYSIS_RATE,
                seed=int(random.integers(2**31)),
                longest_s=float(random.uniform(0.06, 0.12)),
            ).full
        except ValueError:  # so dry a room is not this large
            continue
        return _with_tail(early, t60_s, random)


def _with_tail(early: Audio, t60_s: float, random: np.random.Generator) -> tuple[Audio, Audio]:
    rate = ANALYSIS_RATE
    n_samples = early.size + int(1.1 * t60_s * rate)
    response = np.zeros(n_samples)
    response[: early.size] = early
    n_match = min(early.size // 2, int(0.03 * rate))
    rise = np.clip((np.arange(n_samples) - (early.size - n_match)) / n_match, 0, 1)
    response[early.size - n_match : early.size] *= np.sqrt(
        1 - rise[early.size - n_match : early.size]
    )
    bends = random.uniform(0.8, 1.3, 7) * np.array((1.25, 1.2, 1.1, 1, 0.9, 0.75, 0.5))
    since_s = (np.arange(n_samples) - (early.size - n_match / 2)) / rate
    for band, centre_hz in enumerate((125, 250, 500, 1000, 2000, 4000, 7000)):
        low_hz, high_hz = centre_hz / np.sqrt(2), min(centre_hz * np.sqrt(2), 0.49 * rate)
        sections = scipy.signal.butter(2, (low_hz, high_hz), "bandpass", fs=rate, output="sos")
        end = scipy.signal.sosfilt(sections, early)[-n_match:]
        level = np.sqrt(np.mean(end**2))
        noise = scipy.signal.sosfilt(sections, random.standard_normal(n_samples))
        noise *= level / max(float(np.sqrt(np.mean(noise**2))), 1e-12)
        response += noise * np.sqrt(rise) * 10 ** (-3 * since_s / (t60_s * bends[band]))
    times_s = np.arange(n_samples) / rate
    fade = np.clip((EARLY_END_S - times_s) / (EARLY_END_S - EARLY_S), 0, 1)
    return response, response * (0.5 - 0.5 * np.cos(np.pi * fade))


def draw_example(voices: Voices, random: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Return features ``(5, n_frames, n_bands)`` and the six sums ``(6, n_frames, n_bands)``."""
    dry = voices.draw(DURATION_S, random)
    wet = target = dry
    if random.random() >= DRY_SHARE:
        response, early = draw_room(random)
        wet = scipy.signal.fftconvolve(dry, response)[: dry.size]
        target = scipy.signal.fftconvolve(dry, early)[: dry.size]
    scale = 0.1 / max(float(np.sqrt(np.mean(wet**2))), 1e-6)
    noise = random.standard_normal(dry.size) * 10 ** (random.uniform(-90, -55) / 20)
    return example_of(wet * scale + noise, target * scale + noise)


def example_of(wet: Audio, target: Audio) -> tuple[FloatArray, FloatArray]:
    """Return features and sums of one voice; see :func:`draw_example`."""
    seen, aim = _spectrum(wet), _spectrum(target)
    room = room_estimate(seen)
    inputs = features(seen, room)
    sums = [
        in_bands(values)
        for values in (
            power(seen), (seen * room.conj()).real, power(room),
            (seen * aim.conj()).real, (room * aim.conj()).real, power(aim),
        )
    ]  # fmt: skip
    stacked = np.stack(sums) / max(float(sums[0].mean()), 1e-20)
    return inputs, stacked.astype(np.float32)


def draw_examples(data: Path, out_path: Path, *, count: int, seed: int, job: Job = NO_JOB) -> None:
    """Write ``count`` examples to ``out_path`` (.npz, float16); the same for the same seed."""
    voices = Voices(data)
    inputs, sums = [], []
    for index in range(count):
        job.report(index / count, "drawing rooms")
        seen, error = draw_example(voices, np.random.default_rng((seed, index)))
        inputs.append(seen.astype(np.float16))
        sums.append(np.clip(error, -6e4, 6e4).astype(np.float16))
    with out_path.open("wb") as file:
        np.savez(file, inputs=np.stack(inputs), sums=np.stack(sums))


def _spectrum(audio: Audio) -> ComplexArray:
    block = audio.astype(np.float32)[None]
    (spectrum,) = spectra([block], n_fft=N_FFT, hop=HOP, batch_frames=audio.size // HOP + 4)
    mono: ComplexArray = spectrum[0]
    return mono
