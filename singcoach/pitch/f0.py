"""Fundamental frequency of one voice over time.

The network is SwiftF0 (MIT): 16 kHz audio in, one pitch and one confidence every 256 samples out.
Frame ``i`` of its input is centred on sample ``256 * i``. Its receptive field reaches 2815 samples
to each side, so eleven frames of context on the left and ten on the right make a chunk's frames
those of the whole signal.

The frames, and the chunks, are counted from the first sound (:mod:`singcoach.dsp.anchors`): silence
in front of a take changes no bit of its pitch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from singcoach.core.arrays import ANALYSIS_RATE, BoolArray, FloatArray, RealArray, read_only
from singcoach.core.music import PitchTrack
from singcoach.dsp.anchors import Anchor, find_anchor, frame_count
from singcoach.dsp.gate import gated_mean
from singcoach.dsp.runs import runs_of
from singcoach.jobs import NO_JOB, Job

HOP_SAMPLES = 256
HOP_S = HOP_SAMPLES / ANALYSIS_RATE
LEFT_CONTEXT_FRAMES = 11
RIGHT_CONTEXT_FRAMES = 10
CHUNK_FRAMES = 625
"""Ten seconds: a fraction of a second of work between two looks at the wish to stop."""
LEAD_FRAMES = 32
"""The first chunk starts half a second before the first sound: beyond the network's reach."""

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
        A frame every 256 samples, the first one within 256 samples of the start and so that one is
        centred on the first sound; none for an empty signal.

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
    anchor = find_anchor(audio)
    phase = anchor.phase(HOP_SAMPLES)
    n_frames = frame_count(audio.size, phase=phase, hop_samples=HOP_SAMPLES)
    power = frame_power(audio, phase=phase)
    loud_power = gated_power(power)
    gain = _working_gain(loud_power)
    f0_hz = np.full(n_frames, np.nan)
    confidence = np.zeros(n_frames)
    limits: dict[str, NDArray[Any]] = {
        "fmin": np.asarray(LOWEST_HZ, dtype=np.float32),
        "fmax": np.asarray(HIGHEST_HZ, dtype=np.float32),
    }
    for start, end in _chunks(n_frames, anchor.first_sound // HOP_SAMPLES):
        job.report(max(0, start) / n_frames, "pitch")
        first = phase + (start - LEFT_CONTEXT_FRAMES) * HOP_SAMPLES
        n_samples = (end - start + LEFT_CONTEXT_FRAMES + RIGHT_CONTEXT_FRAMES) * HOP_SAMPLES
        chunk = _piece(audio, first, n_samples)
        if not chunk.any():
            continue
        pitch, sure = session.run({"audio": chunk[np.newaxis, :] * gain, **limits})[:2]
        shown = slice(max(0, start), end)
        inner = slice(LEFT_CONTEXT_FRAMES + shown.start - start, LEFT_CONTEXT_FRAMES + end - start)
        f0_hz[shown] = pitch[0, inner]
        confidence[shown] = sure[0, inner]
    # The network answers to digital silence at random; energy has the last word.
    level_db = _level_above(power, loud_power)
    confidence = np.clip(confidence, 0.0, 1.0)
    confidence[np.isneginf(level_db)] = 0.0
    confidence[: _frames_before(anchor, phase)] = 0.0
    f0_hz[~decide_voicing(confidence, level_db)] = np.nan
    job.report(1.0, "pitch")
    centres = phase + np.arange(n_frames) * HOP_SAMPLES
    return PitchTrack(
        # Whole samples over the rate: where two grids meet, their times are the same number.
        times_s=read_only(np.asarray(centres / ANALYSIS_RATE, dtype=np.float64)),
        f0_hz=read_only(f0_hz),
        confidence=read_only(confidence),
        hop_s=HOP_S,
    )


def _chunks(n_frames: int, sound_frame: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of the chunks; their borders keep their distance to the first sound.

    The first chunk may start before frame 0, in the silence before the signal.
    """
    end = (sound_frame - LEAD_FRAMES) % CHUNK_FRAMES - CHUNK_FRAMES
    while end < n_frames:
        start, end = end, end + CHUNK_FRAMES
        if min(end, n_frames) > 0:
            yield start, min(end, n_frames)


def _piece(audio: FloatArray, first: int, n_samples: int) -> FloatArray:
    """Return ``n_samples`` samples from ``first`` on, with silence outside of the signal."""
    piece = np.zeros(n_samples, dtype=np.float32)
    inside = audio[max(0, first) : max(0, first + n_samples)]
    at = max(0, -first)
    piece[at : at + inside.size] = inside
    return piece


def _frames_before(anchor: Anchor, phase: int) -> int:
    """Return how many frames are centred before anything was recorded: nobody sings in them."""
    return max(0, -(-(anchor.first_signal - phase) // HOP_SAMPLES))


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


def frame_power(audio: FloatArray, *, phase: int = 0) -> RealArray:
    """Return the mean square of the 512 samples around each frame centre, ``(n_frames,)``.

    The frames are centred on ``phase + 256 * i``; outside of the signal there is silence.
    """
    head = np.zeros((1, HOP_SAMPLES), dtype=np.float32)
    head[0, HOP_SAMPLES - phase :][: audio.size] = audio[:phase]
    rest = audio[phase:]
    n_whole, n_rest = divmod(rest.size, HOP_SAMPLES)
    whole = rest[: n_whole * HOP_SAMPLES].reshape(n_whole, HOP_SAMPLES)
    hops = np.zeros(n_whole + (n_rest > 0) + 1)
    hops[:1] = np.einsum("ij,ij->i", head, head, dtype=np.float64)
    hops[1 : n_whole + 1] = np.einsum("ij,ij->i", whole, whole, dtype=np.float64)
    if n_rest:
        hops[-1] = float(np.square(rest[-n_rest:], dtype=np.float64).sum())
    return (hops[:-1] + hops[1:]) / (2 * HOP_SAMPLES)


def gated_power(power: RealArray) -> float:
    """Return the mean power of the frames that sound, 0 for silence."""
    return gated_mean(power)


def _working_gain(loud_power: float) -> np.float32:
    if loud_power <= 0.0:
        return np.float32(1.0)
    gain_db = min(MAX_GAIN_DB, WORKING_LEVEL_DB - 10.0 * np.log10(loud_power))
    return np.float32(10.0 ** (gain_db / 20.0))


def _level_above(power: RealArray, loud_power: float) -> RealArray:
    """Return the level of each frame in dB relative to the singing, -inf for digital silence."""
    with np.errstate(divide="ignore"):
        return np.asarray(10.0 * np.log10(power / (loud_power or 1.0)), dtype=np.float64)
