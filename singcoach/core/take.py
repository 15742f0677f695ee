"""One analysed take: everything that scoring, coaching and the report may look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from singcoach.core.arrays import FeatureArray, FloatArray, RealArray
from singcoach.core.features import SingingFeatures
from singcoach.core.music import Key, Note, Phrase, PitchTrack, Region, Song

TakeKind = Literal["solo", "mixture"]
Verdict = Literal["pass", "weak", "insufficient"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backing:
    """The accompaniment as the screening hears it (separated, or supplied with ``--backing``).

    Attributes
    ----------
    chroma
        Energy per pitch class, rows sum to 1 (all zero where silent), shape ``(n_frames, 12)``,
        column 0 = C on the backing's own tuning.
    frame_s
        Distance between chroma frames in seconds; frame ``i`` is centred at ``i * frame_s``.
    beats_s
        Times of the beats in seconds; empty when no beat was found.
    key
        Key and tuning of the whole backing; None when there is no tonal content.
    """

    chroma: FloatArray
    frame_s: float
    beats_s: RealArray
    key: Key | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """RuleSignal: is there enough to judge, and are pitch and rhythm in order.

    ``pitch_accuracy`` and ``rhythm_accuracy`` are in 0..1, None when nothing to compare with.
    ``recording_quality`` is 1..5 (MOS scale) or None. ``reasons`` are English sentences.
    ``clipped_share`` is the share 0..1 of the samples that sit at a flat top.
    """

    verdict: Verdict
    pitch_accuracy: float | None
    rhythm_accuracy: float | None
    pitch_reference: Literal["song", "backing", "self"] | None
    rhythm_reference: Literal["song", "backing"] | None
    key: Key | None
    tuning_cents: float | None
    voiced_s: float
    recording_quality: float | None
    reasons: tuple[str, ...] = ()
    clipped_share: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """The analysis of one take, before scoring.

    Attributes
    ----------
    vocal
        The voice alone after separation and dereverb, mono at ``sample_rate`` (16 kHz),
        shape ``(n_samples,)``.
    vocal_raw
        The voice before dereverb (same shape): room and noise are measured here.
    features
        Encoder output over the whole take, shape ``(n_frames, n_dims)`` at ``feature_rate_hz``,
        None when the encoder did not run.
    singing
        What the singing encoder knows of the take; None when it did not run.
    """

    duration_s: float
    kind: TakeKind
    vocal: FloatArray
    vocal_raw: FloatArray
    sample_rate: int
    pitch: PitchTrack
    notes: tuple[Note, ...]
    regions: tuple[Region, ...]
    phrases: tuple[Phrase, ...]
    screening: Screening
    backing: Backing | None = None
    song: Song | None = None
    features: FeatureArray | None = field(default=None)
    feature_rate_hz: float = 50.0
    singing: SingingFeatures | None = None
