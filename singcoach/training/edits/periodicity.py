"""How much of the low part of a voice is noise, where WORLD itself does not look.

D4C knows the noise at 0, 3, 6, ... kHz and draws lines between: below 3 kHz a hoarse or breathy
voice comes out too clean (4 to 6 dB of harmonicity on vocadito). Two cycles of the sound against
the two that follow tell it directly: of a tone with the noise share ``s`` they correlate by
``1 - s``.
"""

from __future__ import annotations

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.jobs import NO_JOB, Job
from singcoach.training.edits.voice import FRAME_S

BANDS_HZ = ((80.0, 900.0), (900.0, 2600.0))
CENTRES_HZ = (500.0, 1700.0)
_DETUNINGS = (0.985, 0.993, 1.0, 1.007, 1.015)
_SMALLEST_SHARE = 1e-4


def noise_amplitude(
    audio: RealArray, sample_rate: int, f0_hz: RealArray, bins_hz: RealArray, job: Job = NO_JOB
) -> RealArray:
    """Return the share of the amplitude that is noise, shape ``(n_frames, n_bins)``.

    From the two bands' shares, drawn between 500 and 1700 Hz evenly in dB and held beyond. Where
    the voice is unvoiced it is 0: nothing is said there.

    Parameters
    ----------
    audio
        Shape ``(n_samples,)``; frame ``i`` is centred at ``i * 5`` ms.
    f0_hz
        0 where unvoiced, shape ``(n_frames,)``.
    """
    from scipy.signal import butter, sosfiltfilt

    if not (f0_hz > 0.0).any():
        return np.zeros((f0_hz.size, bins_hz.size))
    shares = []
    for number, band_hz in enumerate(BANDS_HZ):
        part = job.part(number / len(BANDS_HZ), (number + 1) / len(BANDS_HZ))
        part.report(0.0, "noise of the voice")
        sections = butter(2, band_hz, btype="bandpass", fs=sample_rate, output="sos")
        filtered = sosfiltfilt(sections, audio)
        likeness = cycle_likeness(filtered, sample_rate, f0_hz, part)
        shares.append(np.log(np.clip(1.0 - likeness, _SMALLEST_SHARE, 1.0)))
    between = np.clip((bins_hz - CENTRES_HZ[0]) / (CENTRES_HZ[1] - CENTRES_HZ[0]), 0.0, 1.0)[
        np.newaxis, :
    ]
    share = shares[0][:, np.newaxis] * (1.0 - between) + shares[1][:, np.newaxis] * between
    return np.asarray(np.where(f0_hz[:, np.newaxis] > 0.0, np.exp(0.5 * share), 0.0))


def cycle_likeness(
    audio: RealArray, sample_rate: int, f0_hz: RealArray, job: Job = NO_JOB
) -> RealArray:
    """Return the correlation of two cycles with the two one cycle later, best within 1.5 %.

    Shape ``(n_frames,)``, -1..1; 1 where unvoiced.
    """
    likeness = np.ones(f0_hz.size)
    margin = int(4.0 * sample_rate / 40.0)
    padded = np.pad(audio, margin)
    for index in np.flatnonzero(f0_hz > 0.0):
        if index % 50 == 0:
            job.report(index / f0_hz.size, "noise of the voice")
        cycle = sample_rate / max(40.0, float(f0_hz[index]))
        length = int(2.0 * cycle)
        first = margin + round(index * FRAME_S * sample_rate - 0.5 * cycle - 0.5 * length)
        here = padded[first : first + length]
        power = float(here @ here)
        best = -1.0
        for lag in {round(cycle * factor) for factor in _DETUNINGS}:
            there = padded[first + lag : first + lag + length]
            scale = np.sqrt(power * float(there @ there))
            best = max(best, float(here @ there) / scale if scale > 0.0 else 0.0)
        likeness[index] = best
    return likeness
