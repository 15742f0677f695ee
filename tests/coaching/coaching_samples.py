from __future__ import annotations

from singcoach.core.music import Key, Note
from singcoach.core.scores import DIMENSIONS, DimensionScore, Evidence, Measure, Scores
from singcoach.core.take import Screening


def evidence(
    item_id: str,
    measure: str,
    value: float,
    unit: str,
    effect: float,
    start_s: float,
    end_s: float,
    text: str = "",
) -> Evidence:
    return Evidence(
        id=item_id,
        start_s=start_s,
        end_s=end_s,
        measure=measure,
        value=value,
        unit=unit,
        effect=effect,
        text=text or f"{measure} {value}",
    )


EVIDENCE = {
    "breath": (
        evidence("b1", "level_wobble", 1.9, "dB", 0.34, 12.2, 15.0),
        evidence("b2", "phrase_end_fall", 9.4, "dB", -0.21, 31.5, 33.0),
    ),
    "timbre": (
        evidence("t1", "cpp_low", 7.2, "dB", -0.4, 67.8, 70.0),
        evidence("t2", "harmonicity", 18.2, "dB", 0.22, 80.1, 82.0),
    ),
    "emotion": (evidence("e1", "dynamics_in_phrases", 11.0, "dB", 0.3, 90.0, 95.0),),
    "technique": (
        evidence("q1", "scale_deviation", 34.0, "cents", -0.5, 42.0, 44.0),
        evidence("q2", "vibrato_regularity", 0.8, "ratio", 0.25, 100.0, 103.0),
    ),
}
NOTES = (
    Note(onset_s=42.1, offset_s=42.6, midi=60, cents_deviation=-33.0),
    Note(onset_s=43.0, offset_s=43.8, midi=62, cents_deviation=4.0),
)
INTERVALS = {
    "breath": (3.38, 2.41, 4.3),
    "timbre": (2.4, 1.6, 3.2),
    "emotion": (3.72, 2.5, 4.7),
    "technique": (3.1, 2.3, 3.9),
}


def make_scores(*, without: tuple[str, ...] = (), overall: bool = True) -> Scores:
    reason = "less than 10 s of singing"
    dimensions = {}
    for name in DIMENSIONS:
        score, low, high = INTERVALS[name]
        known = name not in without
        dimensions[name] = DimensionScore(
            score=score if known else None,
            low=low if known else None,
            high=high if known else None,
            head="rules-1",
            encoder=None,
            evidence=EVIDENCE[name] if known else (),
            reason=None if known else reason,
        )
    return Scores(
        dimensions=dimensions,
        overall=DimensionScore(
            score=3.15 if overall else None,
            low=2.6 if overall else None,
            high=3.9 if overall else None,
            head="mean",
            encoder=None,
            reason=None if overall else reason,
        ),
        measures={"scale_deviation": Measure(value=34.0, unit="cents", percentile=60.0)},
        phrases=(),
    )


def make_screening(verdict: str = "pass", **changes: object) -> Screening:
    reasons = {
        "pass": (),
        "weak": ("There are only 11 s of singing",),
        "insufficient": ("Only 3 s of singing were found; at least 10 s are needed",),
    }[verdict]
    fields = {
        "verdict": verdict,
        "pitch_accuracy": 0.83,
        "rhythm_accuracy": None,
        "pitch_reference": "self",
        "rhythm_reference": None,
        "key": Key(tonic=2, mode="major", tuning_cents=4.0, strength=0.8),
        "tuning_cents": 4.0,
        "voiced_s": 61.0,
        "recording_quality": 3.4,
        "reasons": reasons,
    }
    return Screening(**{**fields, **changes})  # type: ignore[arg-type]
