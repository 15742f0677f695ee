"""Levels of short frames, and the level of the sounding part of a signal."""

from __future__ import annotations

import itertools

import numpy as np

from singcoach.core.arrays import BoolArray, FloatArray, RealArray
from singcoach.dsp.anchors import find_anchor, frame_count
from singcoach.dsp.gate import gated_mean
from singcoach.dsp.runs import runs_of

SILENCE_DB = -120.0
"""Level that digital silence is given."""

_BLOCK_SAMPLES = 40
_TENTH_SAMPLES = 1600


def frame_levels_db(
    audio: FloatArray, *, hop_samples: int, window_samples: int, phase: int = 0
) -> RealArray:
    """Return the level in dBFS of a rectangular window around each multiple of the hop.

    Parameters
    ----------
    audio
        float32, shape ``(n_samples,)``.
    hop_samples, window_samples
        Distance and length of the frames; the hop and half the window are multiples of 40 samples.
    phase
        Centre of the first frame in samples, less than the hop.

    Returns
    -------
    RealArray
        One level for every ``phase + i * hop_samples`` inside the signal, not below -120 dB.
        Outside of the signal there is silence.
    """
    if hop_samples % _BLOCK_SAMPLES or (window_samples // 2) % _BLOCK_SAMPLES:
        raise ValueError(f"hop and half window must be multiples of {_BLOCK_SAMPLES} samples")
    n_frames = frame_count(audio.size, phase=phase, hop_samples=hop_samples)
    head = -phase % _BLOCK_SAMPLES
    energies = _block_energies(audio, head)
    half = window_samples // 2 // _BLOCK_SAMPLES
    centres = np.arange(n_frames) * (hop_samples // _BLOCK_SAMPLES)
    centres += (head + phase) // _BLOCK_SAMPLES
    # Added block by block and not as a difference of running sums, which would depend on the past.
    around = np.pad(energies, (half, half + hop_samples // _BLOCK_SAMPLES))
    power = np.zeros(n_frames)
    for block in range(2 * half):
        power += around[centres + block]
    power /= 2 * half * _BLOCK_SAMPLES
    return np.asarray(10.0 * np.log10(np.maximum(power, 1e-12)), dtype=np.float64)


def _block_energies(audio: FloatArray, head: int) -> RealArray:
    """Return the energies of blocks of 40 samples; the first one begins ``head`` samples early."""
    n_blocks = -(-(audio.size + head) // _BLOCK_SAMPLES)
    energies = np.zeros(n_blocks)
    step = 4096
    for first in range(0, n_blocks, step):
        start = first * _BLOCK_SAMPLES - head
        piece = audio[max(0, start) : start + step * _BLOCK_SAMPLES].astype(np.float64)
        piece = np.pad(piece, (max(0, -start), 0))
        piece = np.pad(piece, (0, -piece.size % _BLOCK_SAMPLES)).reshape(-1, _BLOCK_SAMPLES)
        energies[first : first + step] = np.einsum("ij,ij->i", piece, piece)
    return energies


def gated_rms(audio: FloatArray) -> float:
    """Return the root mean square of the loud tenths of a second, 0 for silence.

    Rests, breaths and silence do not lower the level of the singing
    (:func:`singcoach.dsp.gate.gated_mean`). Tenths are counted from the first sound. Reads the
    signal in place: costs no copy of a long recording.
    """
    if audio.size == 0:
        return 0.0
    starts = range(
        find_anchor(audio).phase(_TENTH_SAMPLES) - _TENTH_SAMPLES, audio.size, _TENTH_SAMPLES
    )
    sums = [
        float(np.sum(np.square(audio[max(0, start) : start + _TENTH_SAMPLES], dtype=np.float64)))
        for start in starts
    ]
    return float(np.sqrt(gated_mean(np.array(sums) / _TENTH_SAMPLES)))


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
