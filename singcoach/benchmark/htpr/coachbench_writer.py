"""Prediction rows of VocalCoachBench out of assessments.

How issues are weighed is a plain rule, validated on nothing: which issue an expert names first for
a take was not in reach. DICTION is not measured and so never named.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from singcoach.benchmark.htpr.coachbench import (
    ISSUES,
    Issue,
    IssuesRow,
    PairRow,
    SegmentRow,
    Winner,
)
from singcoach.core.scores import DIMENSIONS, Dimension

Assessment = Mapping[str, Any]
"""A document of "singcoach.assessment/1"."""

HOME: Mapping[Dimension, Issue] = {
    "breath": "BREATH",
    "timbre": "VOCALIZATION",
    "emotion": "EXPRESSION",
    "technique": "TECHNIQUE",
}
"""The issue that a dimension stands for."""

MEASURES: Mapping[Issue, Mapping[str, int]] = {
    "PITCH": {
        "scale_deviation": 1,
        "tuning_concentration": -1,
        "backing_key_deviation": 1,
        "pitch_accuracy": -1,
        "note_drift": 1,
        "pitch_unsteadiness": 1,
        "pitch_wander": 1,
    },
    "RHYTHM": {"rhythm_accuracy": -1, "beat_deviation": 1},
    "BREATH": {
        "level_wobble": 1,
        "level_movement": 1,
        "phrase_end_sag": 1,
        "phrase_end_fall": 1,
        "phrase_length": -1,
        "phrase_breaks": 1,
        "audible_breath": 1,
    },
    "VOCALIZATION": {
        "harmonicity": -1,
        "cpp_low": -1,
        "clarity_shortfall": 1,
        "roughness": 1,
        "singing_power_ratio": -1,
        "alpha_ratio": -1,
        "dullness": 1,
    },
    "TECHNIQUE": {"vibrato_share": -1, "vibrato_regularity": -1, "scoop_depth": 1},
    "EXPRESSION": {
        "dynamics_in_phrases": -1,
        "dynamics_range": -1,
        "dynamics_with_melody": -1,
        "phrase_contrast": -1,
    },
}
"""Which measures speak of an issue; 1: more of it is worse, -1: less of it is worse."""

_ISSUE_OF = {measure: issue for issue, measures in MEASURES.items() for measure in measures}
_SD_OF_80 = 2 * 1.2815515655446004
"""Width of the middle 80 % of a normal distribution in standard deviations."""


def weigh_issues(assessment: Assessment) -> dict[Issue, float]:
    """Return the weight of every issue that the assessment speaks of, the weightiest first.

    The weight is the mean of what is known of: how far the issue's own score is below 5 (0..1), the
    percentiles of its measures on their bad side (0..1), and what the screening finds wrong
    with pitch or rhythm (0..1); plus, for each moment of the evidence that lowered a score, its
    share of that score's movement times how far the score is below 5.
    """
    parts: dict[Issue, list[float]] = {}
    missing: dict[Dimension, float] = {}
    for dimension in DIMENSIONS:
        score = assessment["dimensions"].get(dimension, {}).get("score")
        if score is not None:
            missing[dimension] = (5.0 - score) / 4.0
            parts.setdefault(HOME[dimension], []).append(missing[dimension])
    for issue, measures in MEASURES.items():
        bad = [_bad_side(assessment, measure, side) for measure, side in measures.items()]
        known = [value for value in bad if value is not None]
        if known:
            parts.setdefault(issue, []).append(sum(known) / len(known))
    accuracies: tuple[tuple[Issue, str], ...] = (
        ("PITCH", "pitch_accuracy"),
        ("RHYTHM", "rhythm_accuracy"),
    )
    for issue, key in accuracies:
        accuracy = assessment["screening"][key]
        if accuracy is not None:
            parts.setdefault(issue, []).append(1.0 - accuracy)
    weights = {issue: sum(values) / len(values) for issue, values in parts.items()}
    for name, share in missing.items():
        for item in assessment["dimensions"][name]["evidence"]:
            found = _ISSUE_OF.get(item["measure"])
            if found is not None and item["effect"] < 0:
                weights[found] = weights.get(found, 0.0) - item["effect"] * share
    order = sorted(weights, key=lambda issue: (-weights[issue], ISSUES.index(issue)))
    return {issue: weights[issue] for issue in order}


def _bad_side(assessment: Assessment, name: str, side: int) -> float | None:
    percentile = assessment["measures"].get(name, {}).get("percentile")
    if percentile is None:
        return None
    return float(percentile if side > 0 else 100.0 - percentile) / 100.0


def issues_row(audio_id: str, assessment: Assessment) -> IssuesRow | None:
    """Return the three weightiest issues, None where fewer are known of."""
    issues = list(weigh_issues(assessment))
    if len(issues) < 3:
        return None
    return IssuesRow(audio_id=audio_id, top3_issues=(issues[0], issues[1], issues[2]))


def segment_row(sample_id: str, assessment: Assessment) -> SegmentRow | None:
    """Return the weightiest issue of an assessed segment, None where none is known of."""
    issue = next(iter(weigh_issues(assessment)), None)
    return None if issue is None else SegmentRow(sample_id=sample_id, category=issue)


def pair_row(pair_id: str, a: Assessment, b: Assessment) -> PairRow:
    """Return which of two assessed performances is better.

    The overall score decides, then the sum of the dimensions, then A. The confidence is the chance
    that the better is better when both scores are normal with their 80 % intervals; 0.5 where
    one has no score (the other wins) or nothing differs.
    """
    first, second = a["overall"], b["overall"]
    if first["score"] is None or second["score"] is None:
        winner: Winner = "B" if first["score"] is None and second["score"] is not None else "A"
        known = (
            "neither" if first["score"] is None and second["score"] is None else f"only {winner}"
        )
        return PairRow(
            pair_id=pair_id,
            winner=winner,
            confidence=0.5,
            rationale=f"Of the two, {known} could be scored",
        )
    gap = first["score"] - second["score"]
    gaps = _dimension_gaps(a, b)
    winner = "A" if (gap or sum(gaps.values())) >= 0 else "B"
    spread = math.hypot(*(_sd(part) for part in (first, second)))
    confidence = 0.5 * (1.0 + math.erf(abs(gap) / (spread * math.sqrt(2.0)))) if spread else 1.0
    return PairRow(
        pair_id=pair_id,
        winner=winner,
        confidence=round(confidence if gap else 0.5, 4),
        rationale=f"Overall {_said(first)} against {_said(second)}{_widest(gaps, a, b)}",
    )


def _dimension_gaps(a: Assessment, b: Assessment) -> dict[str, float]:
    scores = {
        name: (
            a["dimensions"].get(name, {}).get("score"),
            b["dimensions"].get(name, {}).get("score"),
        )
        for name in DIMENSIONS
    }
    return {
        name: first - second
        for name, (first, second) in scores.items()
        if first is not None and second is not None
    }


def _widest(gaps: Mapping[str, float], a: Assessment, b: Assessment) -> str:
    if not any(gaps.values()):
        return ""
    name = max(gaps, key=lambda key: abs(gaps[key]))
    first, second = (part["dimensions"][name]["score"] for part in (a, b))
    return f"; most apart in {name}: {first:.1f} against {second:.1f}"


def _sd(score: Mapping[str, Any]) -> float:
    return (float(score["high"]) - float(score["low"])) / _SD_OF_80


def _said(score: Mapping[str, Any]) -> str:
    return f"{score['score']:.1f} ({score['low']:.1f} to {score['high']:.1f})"
