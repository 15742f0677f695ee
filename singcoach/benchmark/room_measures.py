"""What is measured on a voice that came out of a room."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from singcoach.core.arrays import ANALYSIS_RATE, FloatArray

FRAME_S = 0.02
TAIL_S = (0.05, 0.35)
SLOPE_S = (0.0, 0.3)
BEFORE_S = 0.2
FLOOR_DB = -80.0
NEAR_CENTS = 50.0


@dataclass(frozen=True, slots=True)
class Tail:
    """Level of the tail relative to the voice before it, in dB, and its slope in dB per second."""

    level_db: float
    slope_db_per_s: float


def convolved(dry: FloatArray, response: NDArray[np.float64]) -> FloatArray:
    """Return the take in the room, as long as the take."""
    n_fft = scipy.fft.next_fast_len(dry.size + response.size - 1, real=True)
    spectrum = scipy.fft.rfft(dry.astype(np.float64), n_fft) * scipy.fft.rfft(response, n_fft)
    wet: FloatArray = scipy.fft.irfft(spectrum, n_fft)[: dry.size].astype(np.float32)
    return wet


def si_sdr_db(target: FloatArray, estimate: FloatArray) -> float:
    """Return the scale-invariant signal-to-distortion ratio (Le Roux et al., ICASSP 2019).

    100 dB stands for equal signals.
    """
    aim, got = target.astype(np.float64), estimate.astype(np.float64)
    part = aim * (aim @ got) / max(float(aim @ aim), 1e-30)
    rest = got - part
    return float(
        min(100.0, 10 * np.log10(max(float(part @ part), 1e-30) / max(float(rest @ rest), 1e-30)))
    )


def tail(audio: FloatArray, ends: Sequence[int]) -> Tail:
    """Return how loud the tails after ``ends`` are and how fast they fall, on average."""
    frame = round(FRAME_S * ANALYSIS_RATE)
    levels, slopes = [], []
    for end in ends:
        before = _mean_power(audio[end - round(BEFORE_S * ANALYSIS_RATE) : end])
        low, high = (end + round(s * ANALYSIS_RATE) for s in TAIL_S)
        levels.append(_relative_db(_mean_power(audio[low:high]), before))
        start, stop = (end + round(s * ANALYSIS_RATE) for s in SLOPE_S)
        frames = audio[start:stop].astype(np.float64).reshape(-1, frame)
        curve = [_relative_db(float(power), before) for power in np.mean(frames**2, axis=1)]
        falling = np.array([level for level in curve if level > FLOOR_DB])
        if falling.size >= 3:
            slopes.append(float(np.polyfit(np.arange(falling.size) * FRAME_S, falling, 1)[0]))
    return Tail(float(np.mean(levels)), float(np.mean(slopes)) if slopes else float("nan"))


def flutter_db(wet: FloatArray, out: FloatArray, ends: Sequence[int]) -> float:
    """Return how much the gain changes from one frame to the next in the tails, in dB.

    Median over frames and bins (16 ms frames of 64 ms, 100 Hz to 4 kHz, down to 50 dB below the
    loudest) of the distance between a gain and the mean of its two neighbours in time. Musical
    noise is gains that blink.
    """
    frame, hop = 1024, 256
    window = np.hanning(frame)
    steps = []
    for end in ends:
        low, high = end, end + round(TAIL_S[1] * ANALYSIS_RATE) + frame
        if high > wet.size:
            continue
        pair = []
        for audio in (wet, out):
            frames = np.lib.stride_tricks.sliding_window_view(audio[low:high], frame)[::hop]
            pair.append(np.abs(scipy.fft.rfft(frames * window, axis=-1))[:, 6:257])
        heard = pair[0] > pair[0].max() * 10 ** (-50 / 20)
        gain_db = 20 * np.log10(np.maximum(pair[1], 1e-9) / np.maximum(pair[0], 1e-9))
        gain_db = np.maximum(gain_db, -40)
        bend = np.abs(gain_db[1:-1] - (gain_db[:-2] + gain_db[2:]) / 2)
        steps.append(bend[heard[1:-1]])
    joined = np.concatenate(steps) if steps else np.zeros(0)
    return float(np.median(joined)) if joined.size else float("nan")


def pitch_accuracy(truth_hz: NDArray[np.float64], got_hz: NDArray[np.float64]) -> float:
    """Return the share of the voiced frames of ``truth_hz`` that lie within 50 cents."""
    voiced = np.isfinite(truth_hz)
    if not voiced.any():
        return float("nan")
    off_cents = 1200 * np.abs(np.log2(got_hz[voiced] / truth_hz[voiced]))
    return float(np.mean(off_cents < NEAR_CENTS))


def pitch_tracker() -> Callable[[FloatArray], NDArray[np.float64]]:
    """Return a function from audio to its pitch in Hz, by the shipped network."""
    from singcoach.models.catalogue import Catalogue
    from singcoach.models.sessions import open_session
    from singcoach.pitch.f0 import track_pitch

    session = open_session(Catalogue.default().require("pitch"), threads=1)
    return lambda audio: np.asarray(track_pitch(audio, session=session).f0_hz, np.float64)


def _mean_power(audio: FloatArray) -> float:
    return float(np.mean(audio.astype(np.float64) ** 2))


def _relative_db(power: float, reference: float) -> float:
    return float(max(FLOOR_DB, 10 * np.log10(max(power, 1e-30) / max(reference, 1e-30))))
