"""Fundamental frequency of one voice over time.

The network is SwiftF0 (MIT): 16 kHz audio in, one pitch and one confidence every 256 samples out.
Frame ``i`` is centred on sample ``256 * i``. Its receptive field reaches 2815 samples to each side,
so eleven frames of context on the left and ten on the right make a chunk's frames those of the
whole signal.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from singcoach.core.arrays import ANALYSIS_RATE, BoolArray, FloatArray, RealArray, read_only
from singcoach.core.music import PitchTrack
from singcoach.dsp.runs import runs_of
from singcoach.jobs import NO_JOB, Job

HOP_SAMPLES = 256
HOP_S = HOP_SAMPLES / ANALYSIS_RATE
LEFT_CONTEXT_FRAMES = 11
RIGHT_CONTEXT_FRAMES = 10
CHUNK_FRAMES = 625
"""Ten seconds: a fraction of a second of work between two looks at the wish to stop."""

LOWEST_HZ = 46.875
"""The network's lowest pitch, F#1."""
HIGHEST_HZ = 1500.0
"""A little above soprano high C (1047 Hz) and F6; nothing sung lies above, whistles do."""

WORKING_LEVEL_DB = -20.0
"""Level that the singing is brought to before the network. Untreated, take 1 of vocadito at -40 dB
loses 79 % of its voiced frames; between -30 and -17 dBFS accuracy does not change by 0.005."""
MAX_GAIN_DB = 80.0

# The voicing decision; the two confidences were chosen on vocadito_1 (CC BY 4.0).
START_CONFIDENCE = 0.8
KEEP_CONFIDENCE = 0.6
FLOOR_DB = -50.0
MIN_VOICED_FRAMES = 3


class PitchSession(Protocol):
    """What :func:`track_pitch` needs of a loaded network."""

    def run(self, inputs: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Return pitch in Hz and confidence, each of shape ``(1, n_frames)``."""
        ...


def track_pitch(audio: FloatArray, *, session: PitchSession, job: Job = NO_JOB) -> PitchTrack:
    """Return the fundamental in Hz every 16 ms, NaN where nobody sings a pitch.

    The voice is first brought to one working level (gated mean power over the whole signal), so
    the result does not depend on how loud the recording is. Whether a frame is voiced is decided
    in one place, :func:`decide_voicing`.

    Parameters
    ----------
    audio
        One voice, float32, 16 kHz, shape ``(n_samples,)``.
    session
        SwiftF0 with the inputs ``audio``, ``fmin``, ``fmax``.

    Returns
    -------
    PitchTrack
        ``ceil(n_samples / 256)`` frames; none for an empty signal.

    Raises
    ------
    ValueError
        When the audio is not one finite channel.
    Cancelled
        When ``job`` was cancelled; looked at after every ten seconds of audio.
    """
    if audio.ndim != 1:
        raise ValueError(f"audio must have the shape (n_samples,), not {audio.shape}")
    if not np.isfinite(audio).all():
        raise ValueError("audio holds NaN or infinite samples; clean it when it is read")
    n_frames = -(-audio.size // HOP_SAMPLES)
    power = frame_power(audio)
    loud_power = gated_power(power)
    gain = _working_gain(loud_power)
    f0_hz = np.empty(n_frames)
    confidence = np.empty(n_frames)
    limits: dict[str, NDArray[Any]] = {
        "fmin": np.asarray(LOWEST_HZ, dtype=np.float32),
        "fmax": np.asarray(HIGHEST_HZ, dtype=np.float32),
    }
    for start in range(0, n_frames, CHUNK_FRAMES):
        job.report(start / n_frames, "pitch")
        end = min(start + CHUNK_FRAMES, n_frames)
        left = max(0, start - LEFT_CONTEXT_FRAMES)
        right = min(n_frames, end + RIGHT_CONTEXT_FRAMES)
        chunk = np.zeros((right - left) * HOP_SAMPLES, dtype=np.float32)
        piece = audio[left * HOP_SAMPLES : right * HOP_SAMPLES]
        chunk[: piece.size] = piece * gain
        pitch, sure = session.run({"audio": chunk[np.newaxis, :], **limits})[:2]
        f0_hz[start:end] = pitch[0, start - left : end - left]
        confidence[start:end] = sure[0, start - left : end - left]
    # The network answers to digital silence at random; energy has the last word.
    level_db = _level_above(power, loud_power)
    confidence = np.clip(confidence, 0.0, 1.0)
    confidence[np.isneginf(level_db)] = 0.0
    f0_hz[~decide_voicing(confidence, level_db)] = np.nan
    job.report(1.0, "pitch")
    return PitchTrack(
        times_s=read_only(np.asarray(np.arange(n_frames) * HOP_S, dtype=np.float64)),
        f0_hz=read_only(f0_hz),
        confidence=read_only(confidence),
        hop_s=HOP_S,
    )


def decide_voicing(confidence: RealArray, level_db: RealArray) -> BoolArray:
    """Return which frames are voiced: confidence with hysteresis, and not far below the singing.

    A run of frames of at least 0.6 confidence is voiced when it reaches 0.8 somewhere, lasts three
    frames (48 ms), and only where the level is less than 50 dB below the take's singing. The two
    thresholds keep note starts and ends, which a single high threshold cuts, and drop the short
    flashes that a single low one lets in.

    Parameters
    ----------
    confidence
        0..1, shape ``(n_frames,)``.
    level_db
        Level relative to the take's gated level, shape ``(n_frames,)``; ``-inf`` for silence.
    """
    kept = np.zeros(confidence.shape, dtype=np.bool_)
    possible = (confidence >= KEEP_CONFIDENCE) & (level_db >= FLOOR_DB)
    for start, end in runs_of(possible):
        if end - start >= MIN_VOICED_FRAMES and confidence[start:end].max() >= START_CONFIDENCE:
            kept[start:end] = True
    return kept


def frame_power(audio: FloatArray) -> RealArray:
    """Return the mean square of the 512 samples around each frame centre, ``(n_frames,)``."""
    n_whole, n_rest = divmod(audio.size, HOP_SAMPLES)
    whole = audio[: n_whole * HOP_SAMPLES].reshape(n_whole, HOP_SAMPLES)
    hops = np.zeros(n_whole + (n_rest > 0) + 1)
    hops[1 : n_whole + 1] = np.einsum("ij,ij->i", whole, whole, dtype=np.float64)
    if n_rest:
        hops[-1] = float(np.square(audio[-n_rest:], dtype=np.float64).sum())
    return (hops[:-1] + hops[1:]) / (2 * HOP_SAMPLES)


def gated_power(power: RealArray) -> float:
    """Return the mean power of the frames within 10 dB of the mean or louder (0 for silence).

    The relative gate of ITU-R BS.1770, without its frequency weighting: rests and breaths do not
    lower the level of the singing.
    """
    if power.size == 0:
        return 0.0
    mean = float(power.mean())
    return float(power[power >= mean / 10.0].mean()) if mean > 0.0 else 0.0


def _working_gain(loud_power: float) -> np.float32:
    if loud_power <= 0.0:
        return np.float32(1.0)
    gain_db = min(MAX_GAIN_DB, WORKING_LEVEL_DB - 10.0 * np.log10(loud_power))
    return np.float32(10.0 ** (gain_db / 20.0))


def _level_above(power: RealArray, loud_power: float) -> RealArray:
    """Return the level of each frame in dB relative to the singing, -inf for digital silence."""
    with np.errstate(divide="ignore"):
        return np.asarray(10.0 * np.log10(power / (loud_power or 1.0)), dtype=np.float64)
