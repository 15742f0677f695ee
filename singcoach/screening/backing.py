"""What the accompaniment says about key, chords and beat."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from singcoach.core.arrays import ANALYSIS_RATE, FloatArray, read_only
from singcoach.core.take import Backing
from singcoach.jobs import NO_JOB, Job
from singcoach.screening.beats import (
    ONSET_HOP_SAMPLES,
    ONSET_WINDOW_SAMPLES,
    band_energies,
    find_beats,
    onset_strength,
)
from singcoach.screening.chroma import (
    CHROMA_FRAME_S,
    CHROMA_HOP_SAMPLES,
    CHROMA_WINDOW_SAMPLES,
    fine_chroma,
    to_semitones,
    tuning_of,
)
from singcoach.screening.tonality import key_of

_BLOCK_SAMPLES = 10 * ANALYSIS_RATE
_WORKING_RMS = 0.1
SILENT_RMS = 1e-4
"""-80 dBFS: an accompaniment quieter than this is what separation left, not music."""


def analyse_backing(accompaniment: FloatArray, *, sample_rate: int, job: Job = NO_JOB) -> Backing:
    """Return chroma, key, tuning and beats of an accompaniment.

    Parameters
    ----------
    accompaniment
        Mono, at any sample rate (resampled to 16 kHz piece by piece), shape ``(n_samples,)``.

    Returns
    -------
    Backing
        Without key and beats, and with zero chroma, where there is no music.

    Raises
    ------
    ValueError
        When the audio is not one finite channel or the sample rate is not positive.
    """
    if accompaniment.ndim != 1:
        raise ValueError(f"accompaniment must be (n_samples,), not {accompaniment.shape}")
    if sample_rate <= 0:
        raise ValueError(f"sample_rate must be positive, not {sample_rate}")
    if not np.isfinite(np.sum(accompaniment, dtype=np.float64)):
        raise ValueError("accompaniment holds NaN or infinite samples")
    rms = _rms(accompaniment)
    if rms < SILENT_RMS:
        return _silence(-(-accompaniment.size * ANALYSIS_RATE // sample_rate))
    gain = np.float32(_WORKING_RMS / rms)
    chroma_reader = _FrameReader(CHROMA_WINDOW_SAMPLES, CHROMA_HOP_SAMPLES)
    onset_reader = _FrameReader(ONSET_WINDOW_SAMPLES, ONSET_HOP_SAMPLES)
    fine: list[FloatArray] = []
    bands: list[FloatArray] = []
    n_samples = 0
    share = job.part(0.0, 0.7)
    for block in _blocks(accompaniment, sample_rate):
        share.report(n_samples / ANALYSIS_RATE * sample_rate / accompaniment.size, "accompaniment")
        level = block * gain
        fine.append(fine_chroma(chroma_reader.feed(level)))
        bands.append(band_energies(onset_reader.feed(level)))
        n_samples += block.size
    fine.append(fine_chroma(chroma_reader.finish()))
    bands.append(band_energies(onset_reader.finish()))
    n_frames = -(-n_samples // CHROMA_HOP_SAMPLES)
    all_fine = np.concatenate(fine)[:n_frames]
    tuning_cents = tuning_of(all_fine.sum(axis=0, dtype=np.float64))
    chroma = to_semitones(all_fine, tuning_cents=tuning_cents)
    # Every moment counts alike: a loud chorus does not decide the key alone.
    key = key_of(chroma.mean(axis=0, dtype=np.float64), tuning_cents=tuning_cents)
    beats_s = find_beats(onset_strength(np.concatenate(bands)), job.part(0.7, 1.0))
    job.report(1.0, "accompaniment")
    return Backing(
        chroma=read_only(chroma), frame_s=CHROMA_FRAME_S, beats_s=read_only(beats_s), key=key
    )


def _silence(n_samples: int) -> Backing:
    return Backing(
        chroma=read_only(np.zeros((-(-n_samples // CHROMA_HOP_SAMPLES), 12), dtype=np.float32)),
        frame_s=CHROMA_FRAME_S,
        beats_s=read_only(np.zeros(0)),
        key=None,
    )


def _rms(audio: FloatArray) -> float:
    energy = sum(
        float(np.sum(np.square(audio[start : start + _BLOCK_SAMPLES], dtype=np.float64)))
        for start in range(0, audio.size, _BLOCK_SAMPLES)
    )
    return float(np.sqrt(energy / max(1, audio.size)))


def _blocks(audio: FloatArray, sample_rate: int) -> Iterator[FloatArray]:
    if sample_rate == ANALYSIS_RATE:
        for start in range(0, audio.size, _BLOCK_SAMPLES):
            yield audio[start : start + _BLOCK_SAMPLES]
        return
    import soxr

    stream = soxr.ResampleStream(sample_rate, ANALYSIS_RATE, 1, dtype="float32")
    step = 10 * sample_rate
    for start in range(0, audio.size, step):
        block = np.ascontiguousarray(audio[start : start + step], dtype=np.float32)
        yield stream.resample_chunk(block, last=start + step >= audio.size)


class _FrameReader:
    """Cuts a stream into overlapping frames; frame ``i`` is centred on sample ``i * hop``."""

    def __init__(self, window_samples: int, hop_samples: int) -> None:
        self._window = window_samples
        self._hop = hop_samples
        self._rest = np.zeros(window_samples // 2, dtype=np.float32)

    def feed(self, block: FloatArray) -> FloatArray:
        """Return the frames that are complete now, shape ``(n_frames, window)``."""
        signal = np.concatenate((self._rest, block))
        n_frames = max(0, (signal.size - self._window) // self._hop + 1)
        self._rest = signal[n_frames * self._hop :]
        if n_frames == 0:
            return np.zeros((0, self._window), dtype=np.float32)
        views = np.lib.stride_tricks.sliding_window_view(signal, self._window)
        return views[: n_frames * self._hop : self._hop]

    def finish(self) -> FloatArray:
        """Return the frames that reach past the end, padded with silence."""
        return self.feed(np.zeros(self._window - 1, dtype=np.float32))
