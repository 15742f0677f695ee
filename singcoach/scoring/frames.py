"""Level and voice quality of the voiced frames, phrase by phrase, from one short spectrum each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from singcoach.core.arrays import FloatArray, RealArray
from singcoach.core.music import Phrase
from singcoach.core.take import Take
from singcoach.jobs import NO_JOB, Job
from singcoach.regions.levels import gated_rms

WINDOW_S = 0.064
_FLOOR_DB = -120.0
_WORKING_RMS = 0.05
"""Level of the singing that the floors of the measures are made for, -26 dBFS."""
_BLOCK = 512
"""Frames transformed at once: bounds the memory of a phrase of any length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhraseFrames:
    """Frames of one phrase on the grid of the pitch track.

    ``level_db`` has a value for every frame of the phrase; the other arrays are NaN where the
    frame is unvoiced. All have shape ``(n_frames,)``.

    Attributes
    ----------
    gain
        Factor that brings the singing of the take to one level; the columns are measured so.
    level_db
        Level above 80 Hz in dB (any fixed reference: only differences are used).
    harmonicity_db
        Level on the first five harmonics above the level half-way between them.
    cpp_db
        Cepstral peak prominence.
    ringing_db
        Singing power ratio: strongest 2-4 kHz part against the strongest below 2 kHz.
    tilt_db_oct
        Slope of the octave-band levels from 250 Hz to 4 kHz.
    centroid_hz
        Centre of gravity of the spectrum up to 5 kHz.
    alpha_db
        Level at 1-5 kHz against the level at 80-1000 Hz.
    """

    phrase: Phrase
    gain: float
    times_s: RealArray
    voiced: RealArray
    level_db: RealArray
    harmonicity_db: RealArray
    cpp_db: RealArray
    ringing_db: RealArray
    tilt_db_oct: RealArray
    centroid_hz: RealArray
    alpha_db: RealArray


def phrase_frames(take: Take, job: Job = NO_JOB) -> tuple[PhraseFrames, ...]:
    """Measure every phrase of ``take``.

    Cost: about 4 ms for a second of singing on one core; memory does not grow with the take
    beyond nine numbers a frame.
    """
    out: list[PhraseFrames] = []
    gain = working_gain(take.vocal)
    for index, phrase in enumerate(take.phrases):
        share = job.part(index / len(take.phrases), (index + 1) / len(take.phrases))
        frames = _measure_phrase(take, phrase, gain, share)
        if frames is not None:
            out.append(frames)
    return tuple(out)


def working_gain(audio: FloatArray) -> float:
    """Return the factor that brings the singing to one level, 1 for silence.

    Measured between floors of a fixed size, a quiet take would lose its faint parts to them.
    """
    level = gated_rms(audio)
    return _WORKING_RMS / level if level > 0.0 else 1.0


def level_between(
    audio: FloatArray, *, sample_rate: int, gain: float, start_s: float, end_s: float
) -> RealArray:
    """Level in dB every 10 ms (windows of 40 ms) between two times; empty when out of the audio.

    ``gain`` from :func:`working_gain`.
    """
    hop, size = sample_rate // 100, sample_rate // 25
    first = max(0, round(start_s * sample_rate))
    piece = audio[first : max(first, round(end_s * sample_rate))].astype(np.float64)
    if len(piece) < size:
        return np.zeros(0)
    windows = np.lib.stride_tricks.sliding_window_view(gain * piece, size)[::hop]
    power = np.mean(np.square(windows), axis=1)
    return np.asarray(10.0 * np.log10(power + 1e-12))


def _measure_phrase(take: Take, phrase: Phrase, gain: float, job: Job) -> PhraseFrames | None:
    pitch = take.pitch
    first = int(np.searchsorted(pitch.times_s, phrase.start_s))
    last = int(np.searchsorted(pitch.times_s, phrase.end_s))
    if last - first < 4:
        return None
    times = pitch.times_s[first:last]
    f0 = pitch.f0_hz[first:last]
    columns = np.full((7, last - first), np.nan)
    for start in range(0, last - first, _BLOCK):
        job.report(start / (last - first), "voice quality")
        stop = min(last - first, start + _BLOCK)
        columns[:, start:stop] = _spectral_block(
            take.vocal, take.sample_rate, gain, times[start:stop], f0[start:stop]
        )
    return PhraseFrames(
        phrase=phrase,
        gain=gain,
        times_s=times,
        voiced=np.isfinite(f0).astype(np.float64),
        level_db=columns[0],
        harmonicity_db=columns[1],
        cpp_db=columns[2],
        ringing_db=columns[3],
        tilt_db_oct=columns[4],
        centroid_hz=columns[5],
        alpha_db=columns[6],
    )


def _spectral_block(
    audio: FloatArray, sample_rate: int, gain: float, times_s: RealArray, f0_hz: RealArray
) -> RealArray:
    size = round(WINDOW_S * sample_rate)
    centres = np.round(times_s * sample_rate).astype(np.int64)
    low, high = int(centres[0]) - size // 2, int(centres[-1]) - size // 2 + size
    padded = np.zeros(high - low, dtype=np.float64)
    inside = audio[max(0, low) : max(0, min(len(audio), high))]
    offset = max(0, -low)
    padded[offset : offset + len(inside)] = inside
    padded *= gain
    starts = centres - centres[0]
    windows = np.lib.stride_tricks.sliding_window_view(padded, size)[starts]
    power = np.square(np.abs(np.fft.rfft(windows * np.hanning(size), n=size, axis=1)))
    freqs = np.fft.rfftfreq(size, 1.0 / sample_rate)
    out = np.full((7, len(times_s)), np.nan)
    out[0] = 10.0 * np.log10(power[:, freqs >= 80.0].sum(axis=1) / size + 1e-12)
    sung = np.flatnonzero(np.isfinite(f0_hz) & (out[0] > _FLOOR_DB + 1.0))
    if not len(sung):
        return out
    spectrum_db = 10.0 * np.log10(power[sung] + 1e-12 + 1e-8 * power[sung].max(1, keepdims=True))
    fundamentals = f0_hz[sung]
    out[1, sung] = _harmonicity_db(spectrum_db, fundamentals, freqs[1])
    out[2, sung] = _cepstral_peak_db(spectrum_db, fundamentals, sample_rate)
    under = (freqs >= 80.0) & (freqs < 2000.0)
    ring = (freqs >= 2000.0) & (freqs < 4000.0)
    out[3, sung] = spectrum_db[:, ring].max(axis=1) - spectrum_db[:, under].max(axis=1)
    out[4, sung] = _tilt_db_oct(power[sung], np.asarray(freqs, dtype=np.float64))
    voice = (freqs >= 80.0) & (freqs <= 5000.0)
    weight = power[sung][:, voice]
    total = weight.sum(axis=1)
    out[5, sung] = (weight @ freqs[voice]) / np.maximum(total, 1e-12)
    high = weight[:, freqs[voice] >= 1000.0].sum(axis=1)
    out[6, sung] = 10.0 * np.log10((high + 1e-12) / (total - high + 1e-12))
    return out


def _sample(spectrum_db: RealArray, bins: RealArray) -> RealArray:
    """Linear interpolation of each row at fractional bins, shape ``(n, m)``."""
    limited = np.clip(bins, 0.0, spectrum_db.shape[1] - 1.001)
    left = limited.astype(np.int64)
    part = limited - left
    rows = np.arange(len(spectrum_db))[:, None]
    return np.asarray(spectrum_db[rows, left] * (1.0 - part) + spectrum_db[rows, left + 1] * part)


def _harmonicity_db(spectrum_db: RealArray, f0_hz: RealArray, bin_hz: float) -> RealArray:
    """Mean over the first five harmonics of peak level minus the level between harmonics.

    As for a voice at 220 Hz (3 dB an octave are taken off), so that low voices lose nothing.
    Few harmonics only: in a 64 ms window vibrato smears the higher ones, which is not noise.
    """
    order = np.arange(1, 6, dtype=np.float64)
    base = f0_hz[:, None] / bin_hz
    near = np.stack([_sample(spectrum_db, base * order * k) for k in (0.985, 1.0, 1.015)])
    between = np.stack([_sample(spectrum_db, base * (order + k)) for k in (0.4, 0.5, 0.6)])
    contrast = np.clip(near.max(axis=0) - between.mean(axis=0), -10.0, 60.0)
    allowed = f0_hz[:, None] * order < 4000.0
    level = (contrast * allowed).sum(axis=1) / allowed.sum(axis=1)
    # The same tone an octave lower spreads over twice as many harmonics: 3 dB less on each.
    return np.asarray(level - 3.0103 * np.log2(f0_hz / 220.0))


def _cepstral_peak_db(spectrum_db: RealArray, f0_hz: RealArray, sample_rate: int) -> RealArray:
    """CPP (Hillenbrand 1994): height of the cepstral peak at 1/f0 over the cepstrum's line."""
    cepstrum = np.abs(np.fft.irfft(spectrum_db - spectrum_db.mean(axis=1, keepdims=True), axis=1))
    cepstrum_db = 20.0 * np.log10(cepstrum + 1e-6)
    first, last = int(0.0010 * sample_rate), int(0.0167 * sample_rate)
    x = np.arange(first, last, dtype=np.float64)
    y = cepstrum_db[:, first:last]
    x_mean = x.mean()
    slope = ((x - x_mean) * (y - y.mean(axis=1, keepdims=True))).sum(1) / np.square(
        x - x_mean
    ).sum()
    lag = sample_rate / f0_hz
    reach = np.array([0.94, 0.96, 0.98, 1.0, 1.02, 1.04, 1.06])
    places = np.clip(np.round(lag[:, None] * reach), first, last - 1).astype(np.int64)
    peak = cepstrum_db[np.arange(len(lag))[:, None], places].max(axis=1)
    return np.asarray(peak - (y.mean(axis=1) + slope * (lag - x_mean)))


def _tilt_db_oct(power: RealArray, freqs: RealArray) -> RealArray:
    centres = 250.0 * 2.0 ** np.arange(5)
    bands = np.stack(
        [
            10.0
            * np.log10(
                power[:, (freqs >= c / np.sqrt(2)) & (freqs < c * np.sqrt(2))].sum(axis=1) + 1e-12
            )
            for c in centres
        ],
        axis=1,
    )
    x = np.arange(5) - 2.0
    return np.asarray((bands @ x) / np.square(x).sum())
