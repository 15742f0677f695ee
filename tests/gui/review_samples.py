"""Takes whose every number is known, as the library would keep them. No Qt."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from singcoach.audio.writing import write_wav
from singcoach.coaching.feedback import write_feedback
from singcoach.core.assessment import Assessment, InputFile
from singcoach.core.music import Key, Note, Phrase
from singcoach.core.scores import DIMENSIONS, DimensionScore, Evidence, Scores
from singcoach.core.take import Screening
from singcoach.library.curves import PEAKS_PER_S, TakeCurves, save_curves
from singcoach.library.folders import CURVES
from singcoach.library.store import Library
from singcoach.report.document import to_document

HOP_S = 0.016
MELODY = (60, 62, 64, 65, 67, 65, 64, 62)
LENGTH_S = 20.0
REASON = "less than 10 s of singing"
WARNINGS = (
    "Breath control has no human ratings behind it: calibrated on controlled recordings",
    "The networks ran on the processor",
)


def curves(*, length_s: float = LENGTH_S, shift: float = 0.0, start_s: float = 1.0) -> TakeCurves:
    """A melody of half-second notes with a rest after every eight."""
    onsets = [start_s + i * 0.5 + (i // 8) * 0.6 for i in range(400)]
    onsets = [onset for onset in onsets if onset + 0.5 < length_s]
    times_s = np.arange(int(length_s / HOP_S)) * HOP_S
    midi = np.full(times_s.size, np.nan)
    notes = []
    for i, onset_s in enumerate(onsets):
        midi[(times_s >= onset_s) & (times_s < onset_s + 0.45)] = MELODY[i % 8] + shift
        notes.append(
            Note(
                onset_s=onset_s,
                offset_s=onset_s + 0.45,
                midi=round(MELODY[i % 8] + shift),
                cents_deviation=0.0,
            )
        )
    phrases = tuple(
        Phrase(start_s=onsets[i], end_s=onsets[min(i + 7, len(onsets) - 1)] + 0.45)
        for i in range(0, len(onsets), 8)
    )
    n_peaks = int(length_s * PEAKS_PER_S)
    swing = np.abs(np.sin(np.arange(n_peaks) / 20.0)).astype(np.float32)
    return TakeCurves(
        duration_s=length_s,
        times_s=times_s,
        f0_hz=440.0 * 2.0 ** ((midi - 69.0) / 12.0),
        confidence=np.ones(times_s.size),
        peaks=np.stack((-swing, swing), axis=1),
        notes=tuple(notes),
        phrases=phrases,
        sung_key=Key(tonic=0, mode="major", tuning_cents=0.0, strength=0.9),
        tuning_cents=0.0,
    )


def evidence(name: str, number: int, start_s: float, effect: float, measure: str) -> Evidence:
    return Evidence(
        id=f"{name}-{number}",
        start_s=start_s,
        end_s=start_s + 1.5,
        measure=measure,
        value=42.0,
        unit="cents",
        effect=effect,
        text=f"At 0:0{int(start_s)} something was measured.",
    )


def document(
    scores: Mapping[str, float | None] | None = None,
    *,
    half: float = 0.4,
    language: str = "en",
    words: bool = True,
    verdict: str = "pass",
) -> dict[str, Any]:
    """A whole assessment; ``scores`` by dimension and ``overall``, 3 where not named."""
    wanted = {"overall": 3.0, **dict.fromkeys(DIMENSIONS, 3.0), **(scores or {})}

    def score(name: str) -> DimensionScore:
        value = wanted[name]
        if value is None:
            return DimensionScore(
                score=None, low=None, high=None, head="rules/2", encoder=None, reason=REASON
            )
        items = (
            ()
            if name == "overall"
            else (
                evidence(name, 1, 2.0, 0.4, "tuning_concentration"),
                evidence(name, 2, 6.0, -0.6, "phrase_end_sag"),
            )
        )
        return DimensionScore(
            score=value,
            low=max(1.0, value - half),
            high=min(5.0, value + half),
            head="rules/2",
            encoder=None,
            evidence=items,
        )

    values = Scores(
        dimensions={name: score(name) for name in DIMENSIONS},
        overall=score("overall"),
        measures={},
        phrases=(),
        warnings=WARNINGS,
    )
    screening = Screening(
        verdict=verdict,  # type: ignore[arg-type]
        pitch_accuracy=0.8,
        rhythm_accuracy=None,
        pitch_reference="self",
        rhythm_reference=None,
        key=Key(tonic=0, mode="major", tuning_cents=0.0, strength=0.9),
        tuning_cents=0.0,
        voiced_s=16.0,
        recording_quality=3.4,
        reasons=() if verdict == "pass" else (REASON,),
    )
    feedback = None
    if words:
        feedback = write_feedback(
            scores=values, screening=screening, duration_s=LENGTH_S, language=language
        )
    return to_document(
        Assessment(
            input=InputFile(
                file="take.wav",
                sha256="0" * 64,
                duration_s=LENGTH_S,
                sample_rate=8000,
                channels=1,
                kind="solo",
                kind_decided_by="user",
            ),
            screening=screening,
            scores=values,
            feedback=feedback,
            timings={"total_s": 1.0},
            peak_memory_mb=300.0,
            models=(),
            warnings=(),
        )
    )


def add_take(
    library: Library,
    folder: Path,
    *,
    title: str = "Song",
    day: int = 1,
    judged: dict[str, Any] | None = None,
    drawn: TakeCurves | None = None,
    song_id: str | None = None,
) -> str:
    """Put a take into the library, judged where a document is given; return its id."""
    singers = library.singers()
    singer = singers[0] if singers else library.add_singer("Ana")
    path = folder / f"take-{day}.wav"
    times_s = np.arange(int(LENGTH_S * 8000)) / 8000
    write_wav(path, (0.1 * np.sin(2760.0 * times_s)).astype(np.float32), sample_rate=8000)
    take = library.add_take(
        path,
        singer_id=singer.id,
        song_id=song_id,
        made_at=datetime(2026, 3, 1, 18, tzinfo=UTC) + timedelta(days=day),
        origin="recorded",
        title=title,
        duration_s=LENGTH_S,
    )
    if judged is not None:
        library.set_assessment(take.id, judged)
        save_curves(library.folder_of(take.id) / CURVES, drawn if drawn is not None else curves())
    return take.id
