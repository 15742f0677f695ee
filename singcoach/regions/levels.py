"""Levels of short frames, and the level of the sounding part of a signal."""

from __future__ import annotations

import itertools

import numpy as np

from singcoach.core.arrays import BoolArray, FloatArray, RealArray
from singcoach.dsp.runs import runs_of

SILENCE_DB = -120.0
"""Level that digital silence is given."""

_BLOCK_SAMPLES = 40
_GATE = 0.1  # 10 dB below the mean, the relative gate of ITU-R BS.1770


def frame_levels_db(audio: FloatArray, *, hop_samples: int, window_samples: int) -> RealArray:
    """Return the level in dBFS of a rectangular window around each multiple of the hop.

    Parameters
    ----------
    audio
        float32, shape ``(n_samples,)``.
    hop_samples, window_samples
        Distance and length of the frames; frame ``i`` is centred on sample ``i * hop_samples``.
        The hop and half the window are multiples of 40 samples.

    Returns
    -------
    RealArray
        Shape ``(ceil(n_samples / hop_samples),)``, not below -120 dB.
    """
    if hop_samples % _BLOCK_SAMPLES or (window_samples // 2) % _BLOCK_SAMPLES:
        raise ValueError(f"hop and half window must be multiples of {_BLOCK_SAMPLES} samples")
    n_frames = -(-audio.size // hop_samples)
    sums = np.concatenate(([0.0], np.cumsum(_block_energies(audio))))
    centres = np.arange(n_frames) * (hop_samples // _BLOCK_SAMPLES)
    half = window_samples // 2 // _BLOCK_SAMPLES
    left = np.clip(centres - half, 0, sums.size - 1)
    right = np.clip(centres + half, 0, sums.size - 1)
    power = np.maximum(sums[right] - sums[left], 0.0) / (
        np.maximum(right - left, 1) * _BLOCK_SAMPLES
    )
    return np.asarray(10.0 * np.log10(np.maximum(power, 1e-12)), dtype=np.float64)


def _block_energies(audio: FloatArray) -> RealArray:
    n_blocks = -(-audio.size // _BLOCK_SAMPLES)
    energies = np.zeros(n_blocks)
    step = 4096
    for first in range(0, n_blocks, step):
        piece = audio[first * _BLOCK_SAMPLES : (first + step) * _BLOCK_SAMPLES].astype(np.float64)
        piece = np.pad(piece, (0, -piece.size % _BLOCK_SAMPLES)).reshape(-1, _BLOCK_SAMPLES)
        energies[first : first + step] = np.einsum("ij,ij->i", piece, piece)
    return energies


def gated_rms(audio: FloatArray) -> float:
    """Return the root mean square of the loud tenths of a second, 0 for silence.

    Tenths more than 10 dB below the mean power do not count, so that rests and breaths do not
    lower the level of the singing. Reads the signal in place: costs no copy of a long recording.
    """
    block_samples = 1600
    power = np.array(
        [
            float(np.mean(np.square(audio[start : start + block_samples], dtype=np.float64)))
            for start in range(0, audio.size, block_samples)
        ]
    )
    if power.size == 0 or power.mean() <= 0.0:
        return 0.0
    return float(np.sqrt(power[power >= _GATE * power.mean()].mean()))


def close_gaps(mask: BoolArray, *, longest_frames: int) -> BoolArray:
    """Return the mask with inner gaps of at most ``longest_frames`` frames filled."""
    closed = mask.copy()
    runs = runs_of(mask)
    for (_, end), (start, _) in itertools.pairwise(runs):
        if start - end <= longest_frames:
            closed[end:start] = True
    return closed


def moving_mean(values: RealArray, *, n_frames: int) -> RealArray:
    """Return the mean over a centred window of ``n_frames`` frames, narrower at the ends."""
    if values.size == 0:
        return values.copy()
    sums = np.concatenate(([0.0], np.cumsum(values)))
    index = np.arange(values.size)
    left = np.maximum(index - n_frames // 2, 0)
    right = np.minimum(index + n_frames // 2 + 1, values.size)
    return np.asarray((sums[right] - sums[left]) / (right - left), dtype=np.float64)
