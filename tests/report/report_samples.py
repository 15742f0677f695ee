"""Assessments with a synthetic voice, for looking at reports without any model."""

from __future__ import annotations

import numpy as np

from singcoach.core.assessment import Assessment, InputFile, ModelUse
from singcoach.core.music import Key, Note, Phrase, PitchTrack, Song, SongNote
from singcoach.core.scores import (
    DIMENSIONS,
    DimensionScore,
    Evidence,
    Feedback,
    Measure,
    PhraseMeasures,
    Scores,
    Suggestion,
)
from singcoach.core.take import Screening, Take

RATE = 16_000
HOP_S = 0.016
REASON = "less than 10 s of singing"


def make_take(*, duration_s: float = 30.0, song: bool = False, voiced: bool = True) -> Take:
    """A voice that sings one note of 0.8 s each second, four to a phrase, one second of rest."""
    times_s = np.arange(int(duration_s / HOP_S)) * HOP_S
    beat = np.floor(times_s).astype(int)
    midi = 57.0 + np.array([0, 2, 4, 5, 7])[beat % 5] + 0.3 * np.sin(2 * np.pi * 5.5 * times_s)
    sung = (times_s % 1.0 < 0.8) & (beat % 5 != 4) & voiced
    f0_hz = np.where(sung, 440.0 * 2.0 ** ((midi - 69.0) / 12.0), np.nan)
    n_samples = int(duration_s * RATE)
    second = (0.2 * np.sin(2 * np.pi * 220.0 * np.arange(RATE) / RATE)).astype(np.float32)
    vocal = np.tile(second, n_samples // RATE + 1)[:n_samples]
    notes = tuple(
        Note(
            onset_s=float(second),
            offset_s=second + 0.8,
            midi=57 + (0, 2, 4, 5)[second % 5],
            cents_deviation=(-40.0, 5.0, 38.0, 0.0)[second % 5],
        )
        for second in range(int(duration_s))
        if voiced and second % 5 != 4
    )
    phrases = tuple(
        Phrase(start_s=float(start), end_s=min(duration_s, start + 3.8))
        for start in range(0, int(duration_s), 5)
        if voiced
    )
    written = tuple(
        SongNote(
            onset_s=note.onset_s,
            offset_s=note.offset_s,
            midi=note.midi + 12,
            syllable="la",
            kind="normal",
            line=0,
        )
        for note in notes
    )
    return Take(
        duration_s=duration_s,
        kind="solo",
        vocal=vocal,
        vocal_raw=vocal,
        sample_rate=RATE,
        pitch=PitchTrack(
            times_s=times_s, f0_hz=f0_hz, confidence=np.where(sung, 0.95, 0.1), hop_s=HOP_S
        ),
        notes=notes,
        regions=(),
        phrases=phrases,
        screening=make_screening(),
        song=Song(title="t", artist="a", language="en", notes=written) if song else None,
    )


def make_screening(verdict: str = "pass", reasons: tuple[str, ...] = ()) -> Screening:
    return Screening(
        verdict=verdict,  # type: ignore[arg-type]
        pitch_accuracy=0.83,
        rhythm_accuracy=None,
        pitch_reference="self",
        rhythm_reference=None,
        key=Key(tonic=6, mode="minor", tuning_cents=-7.3, strength=0.8),
        tuning_cents=-7.3,
        voiced_s=19.2,
        recording_quality=3.4,
        reasons=reasons,
    )


def make_evidence(
    item_id: str, start_s: float, effect: float, text: str = "The note lay 34 cents off."
) -> Evidence:
    return Evidence(
        id=item_id,
        start_s=start_s,
        end_s=start_s + 2.0,
        measure="scale_deviation",
        value=34.0,
        unit="cents",
        effect=effect,
        text=text,
    )


def make_assessment(
    *,
    file: str = "take.wav",
    verdict: str = "pass",
    reasons: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
    feedback: bool = True,
    text: str = "The note lay 34 cents off.",
    duration_s: float = 30.0,
    timings: dict[str, float] | None = None,
) -> Assessment:
    dimensions = {}
    for number, name in enumerate(DIMENSIONS):
        known = name not in without
        dimensions[name] = DimensionScore(
            score=3.378 if known else None,
            low=2.4 if known else None,
            high=4.31 if known else None,
            head="rules-1",
            encoder="whisper-base" if name == "timbre" and known else None,
            evidence=(
                make_evidence(f"{name}.1", 5.0 * number, 0.4, text),
                make_evidence(f"{name}.2", 5.0 * number + 2, -0.3, text),
            )
            if known
            else (),
            reason=None if known else REASON,
        )
    known = set(without) != set(DIMENSIONS)
    overall = DimensionScore(
        score=3.3 if known else None,
        low=2.6 if known else None,
        high=3.9 if known else None,
        head="mean",
        encoder=None,
        reason=None if known else REASON,
    )
    words = Feedback(
        summary=f"A calm take. {text}",
        critique="Breath control is at 3.5 out of 5: at 0:02 it was off. Listen at 9:59.",
        suggestions=(
            Suggestion(
                text=f"Work on tuning as at 0:02. {text}",
                exercise="Glide (4 minutes)\nFor aim.\n1. Go up.\n2. Go down.\nTake care: softly.",
                evidence=("breath.2",) if "breath" not in without else (),
            ),
        ),
        spoken="A calm take.",
        generator="template",
        claims_checked=5,
        claims_rejected=0,
    )
    return Assessment(
        input=InputFile(
            file=file,
            sha256="ab" * 32,
            duration_s=duration_s,
            sample_rate=44_100,
            channels=2,
            kind="solo",
            kind_decided_by="detector",
        ),
        screening=make_screening(verdict, reasons),
        scores=Scores(
            dimensions=dimensions,
            overall=overall,
            measures={
                "scale_deviation": Measure(value=34.2123456789, unit="cents", percentile=62.04),
                "vibrato_rate": Measure(value=None, unit="Hz", percentile=None),
            },
            phrases=(PhraseMeasures(start_s=0.0, end_s=3.8, values={"scale_deviation": 30.0}),),
            warnings=(f"Uncertain. {text}",),
        ),
        feedback=words if feedback else None,
        timings=timings or {"pitch_s": 0.4, "total_s": 2.1},
        peak_memory_mb=412.52,
        models=(
            ModelUse(
                role="pitch",
                id="swift-f0",
                version="0.3.0",
                sha256="cd" * 32,
                licence="MIT",
                provider="CPUExecutionProvider",
            ),
        ),
        warnings=(),
    )
