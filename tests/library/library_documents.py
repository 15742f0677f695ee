"""Assessments with chosen scores, as the chain would write them."""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping
from typing import Any

from singcoach.core.scores import DIMENSIONS


def document(
    scores: Mapping[str, float] | None = None, *, half: float = 1.0, overall: float | None = 3.0
) -> dict[str, Any]:
    """A whole assessment; ``scores`` by dimension, 3 where not named."""
    made = copy.deepcopy(_plain())
    for name in DIMENSIONS:
        _set(made["dimensions"][name], (scores or {}).get(name, 3.0), half)
    _set(made["overall"], overall, half)
    return made


def _set(place: dict[str, Any], score: float | None, half: float) -> None:
    place["score"] = score
    place["low"] = None if score is None else max(1.0, score - half)
    place["high"] = None if score is None else min(5.0, score + half)
    place["reason"] = "less than 10 s of singing" if score is None else None


@functools.cache
def _plain() -> dict[str, Any]:
    return {
        "schema": "singcoach.assessment/1",
        "input": {
            "file": "song.wav",
            "sha256": "0" * 64,
            "duration_s": 30.0,
            "sample_rate": 16_000,
            "channels": 1,
            "kind": "solo",
            "kind_decided_by": "user",
        },
        "screening": {
            "verdict": "pass",
            "pitch_accuracy": 0.8,
            "rhythm_accuracy": None,
            "key": "C major",
            "tuning_cents": 3.0,
            "voiced_s": 21.0,
            "recording_quality": 3.5,
            "reasons": [],
        },
        "dimensions": {
            name: {
                "score": 3.0,
                "low": 2.0,
                "high": 4.0,
                "reason": None,
                "encoder": None,
                "head": "rules",
                "evidence": [],
            }
            for name in DIMENSIONS
        },
        "overall": {"score": 3.0, "low": 2.0, "high": 4.0, "reason": None},
        "measures": {},
        "phrases": [],
        "feedback": None,
        "timings": {"total_s": 1.0, "realtime_factor": 0.03},
        "peak_memory_mb": 400.0,
        "models": [],
        "warnings": [],
    }
