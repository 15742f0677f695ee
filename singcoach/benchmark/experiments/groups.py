"""Which karaoke clips are one song, one passage, one singer: nobody wrote it down, so it is heard.

nycu_first names neither songs nor singers. Splits that let a singer or a song stand on both sides
flatter every trained head, so both are guessed, rather too coarsely than too finely:

- song: the backing's tuning. The clips fall into few narrow groups of tunings some 35 cents apart,
  which no two karaoke tracks share by chance.
- passage: the backing's chroma at the best lag; clips of one passage differ by a shift in time.
- singer: the long-term average spectrum of the voice (mel bands, level removed). The distance at
  which voices are joined was set on these 51 clips so that it keeps together every pair of clips
  that a published speaker embedding (Resemblyzer, cosine 0.95) calls one voice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from singcoach.audio.reading import read_audio
from singcoach.core.arrays import ANALYSIS_RATE, FloatArray, RealArray
from singcoach.jobs import NO_JOB, Job
from singcoach.screening.backing import analyse_backing

SAME_TUNING_CENTS = 10.0
SAME_PASSAGE = 0.8
"""Mean cosine of two aligned chroma sequences from which they are one passage."""
SAME_VOICE = 0.7
"""Distance of two spectra, in medians of all distances, up to which (on average) voices join."""

LEAST_OVERLAP_S = 4.0
_N_BANDS = 40
_N_FFT = 512
_QUIET_PERCENTILE = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """Who sings what in a clip, as numbers without meaning."""

    song: str
    passage: str
    singer: str


def find_clips(voices: Sequence[Path], backings: Sequence[Path], job: Job = NO_JOB) -> list[Clip]:
    """Group clips by song, passage and singer.

    Raises
    ------
    InputError
        A file cannot be read.
    """
    if not voices:
        return []
    tunings, chromas, spectra = [], [], []
    for place, (voice, backing) in enumerate(zip(voices, backings, strict=True)):
        part = job.part(place / len(voices), (place + 1) / len(voices))
        part.report(0.0, "who sings what")
        music = read_audio(backing, sample_rate=ANALYSIS_RATE, channels=1, job=job.aside())[0]
        found = analyse_backing(music, sample_rate=ANALYSIS_RATE, job=job.aside())
        tunings.append(found.key.tuning_cents if found.key is not None else np.nan)
        chromas.append(_centred(found.chroma))
        least = round(LEAST_OVERLAP_S / found.frame_s)
        audio = read_audio(voice, sample_rate=ANALYSIS_RATE, channels=1, job=job.aside())[0]
        spectra.append(average_spectrum(audio))
    songs = group_tunings(np.array(tunings))
    passages = _joined(_passage_distances(chromas, least), 1.0 - SAME_PASSAGE)
    singers = group_voices(np.stack(spectra))
    return [
        Clip(song=f"song {song}", passage=f"passage {passage}", singer=f"voice {singer}")
        for song, passage, singer in zip(songs, passages, singers, strict=True)
    ]


def group_tunings(tunings_cents: RealArray) -> list[int]:
    """Number the groups of tunings that lie within 10 cents of each other, round the semitone."""
    away = np.abs(tunings_cents[:, None] - tunings_cents[None, :])
    away = np.minimum(away, 100.0 - away)
    return _joined(np.where(np.isfinite(away), away, 100.0), SAME_TUNING_CENTS)


def group_voices(spectra: RealArray) -> list[int]:
    """Number the groups of average spectra, shape ``(n_clips, n_bands)`` in dB."""
    away = np.linalg.norm(spectra[:, None, :] - spectra[None, :, :], axis=2)
    apart = away[np.triu_indices(len(away), 1)]
    middle = float(np.median(apart)) if len(apart) else 0.0
    return _joined(away / middle if middle > 0 else away, SAME_VOICE)


def average_spectrum(audio: FloatArray) -> RealArray:
    """Mean level of the mel bands over the louder frames, in dB around its own mean.

    Shape ``(40,)``. Frames below the 40th percentile of level are rests and what separation left.
    """
    frames = np.lib.stride_tricks.sliding_window_view(audio, _N_FFT)[:: _N_FFT // 2]
    power = np.abs(np.fft.rfft(frames * np.hanning(_N_FFT), axis=1)) ** 2
    bands = power @ _mel_bands().T
    level = bands.sum(axis=1)
    loud = bands[level > np.percentile(level, _QUIET_PERCENTILE)]
    mean = (10.0 * np.log10(loud + 1e-9)).mean(axis=0) if len(loud) else np.zeros(_N_BANDS)
    return np.asarray(mean - mean.mean(), dtype=np.float64)


def _mel_bands() -> RealArray:
    """Triangular bands on the mel scale (O'Shaughnessy), each of area 1, ``(40, n_bins)``."""
    edges_mel = np.linspace(0.0, 2595.0 * np.log10(1.0 + ANALYSIS_RATE / 2 / 700.0), _N_BANDS + 2)
    edges_hz = 700.0 * (10.0 ** (edges_mel / 2595.0) - 1.0)
    bins_hz = np.fft.rfftfreq(_N_FFT, 1.0 / ANALYSIS_RATE)
    low, middle, high = edges_hz[:-2, None], edges_hz[1:-1, None], edges_hz[2:, None]
    rising, falling = (bins_hz - low) / (middle - low), (high - bins_hz) / (high - middle)
    bands = np.clip(np.minimum(rising, falling), 0.0, None)
    return np.asarray(bands * 2.0 / (high - low))


def _centred(chroma: FloatArray) -> RealArray:
    values = chroma - chroma.mean(axis=1, keepdims=True, dtype=np.float64)
    return np.asarray(values / (np.linalg.norm(values, axis=1, keepdims=True) + 1e-9))


def _passage_distances(chromas: Sequence[RealArray], least: int) -> RealArray:
    """1 less the mean cosine at the best lag, over all pairs with at least ``least`` frames."""
    from scipy.signal import fftconvolve

    away = np.zeros((len(chromas), len(chromas)))
    for i, one in enumerate(chromas):
        for j in range(i + 1, len(chromas)):
            other = chromas[j]
            lags = np.arange(1 - len(other), len(one))
            overlap = np.minimum(len(one), lags + len(other)) - np.maximum(0, lags)
            products = fftconvolve(one, other[::-1], axes=0).sum(axis=1)
            means = np.where(overlap >= least, products / np.maximum(overlap, 1), -1.0)
            away[i, j] = away[j, i] = 1.0 - float(means.max())
    return away


def _joined(away: RealArray, limit: float) -> list[int]:
    """Average linkage, cut at ``limit``; groups are numbered in order of their first member."""
    from scipy.cluster.hierarchy import fcluster, linkage

    if len(away) < 2:
        return [1] * len(away)
    condensed = away[np.triu_indices(len(away), 1)]
    found = fcluster(linkage(condensed, "average"), limit, "distance")
    numbers: dict[int, int] = {}
    for group in found.tolist():
        numbers.setdefault(cast("int", group), len(numbers) + 1)
    return [numbers[group] for group in found.tolist()]
