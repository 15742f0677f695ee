"""Fact sets that sentences are held against."""

from __future__ import annotations

from coaching_samples import NOTES, evidence, make_scores, make_screening

from singcoach.coaching.facts import Fact, gather_facts
from singcoach.core.music import Note
from singcoach.core.scores import DIMENSIONS, DimensionScore, Evidence, Scores


def _scores(
    numbers: dict[str, tuple[float, float, float] | str],
    found: dict[str, tuple[Evidence, ...]],
    overall: tuple[float, float, float],
) -> Scores:
    dimensions = {}
    for name in DIMENSIONS:
        given = numbers[name]
        known = not isinstance(given, str)
        score, low, high = given if known else (None, None, None)  # type: ignore[misc]
        dimensions[name] = DimensionScore(
            score=score,
            low=low,
            high=high,
            head="h",
            encoder=None,
            evidence=found.get(name, ()),
            reason=None if known else given,  # type: ignore[arg-type]
        )
    return Scores(
        dimensions=dimensions,
        overall=DimensionScore(
            score=overall[0], low=overall[1], high=overall[2], head="h", encoder=None
        ),
        measures={},
        phrases=(),
    )


def _better(item: Evidence) -> Evidence:
    words = "better" if item.effect > 0 else "weaker"
    return evidence(
        item.id, item.measure, item.value, item.unit, item.effect, item.start_s, item.end_s,
        f"x; this is one of the {words} moments of the take.",
    )  # fmt: skip


def first() -> tuple[Fact, ...]:
    """Two minutes; pitch measured against the singer's own scale; one note too low at 0:42."""
    return gather_facts(
        scores=make_scores(), screening=make_screening(), duration_s=120.0, notes=NOTES
    )


def second() -> tuple[Fact, ...]:
    """Four minutes with music; close intervals; a sharp note, a drifting one, relative moments."""
    found = {
        "breath": (
            evidence("b1", "phrase_end_sag", 46.0, "cents", -0.4, 61.0, 63.5),
            evidence("b2", "phrase_breaks", 0.0, "s", 0.2, 20.3, 24.0),
            _better(evidence("b3", "level_wobble", 1.1, "dB", -0.15, 130.2, 132.0)),
        ),
        "timbre": (
            evidence("t1", "singing_power_ratio", -18.0, "dB", 0.5, 75.0, 79.0),
            _better(evidence("t2", "cpp_low", 15.0, "dB", 0.2, 150.4, 152.0)),
        ),
        "emotion": (
            evidence("e1", "dynamics_range", 3.2, "dB", -0.35, 100.0, 108.0),
            evidence("e2", "vibrato_share", 1.0, "ratio", 0.3, 181.0, 184.0),
        ),
        "technique": (
            evidence("q1", "note_drift", -64.0, "cents", -0.45, 200.5, 202.0),
            evidence("q2", "backing_key_deviation", 52.0, "cents", -0.3, 33.0, 34.2),
            evidence("q3", "vibrato_regularity", 0.62, "ratio", -0.2, 222.1, 224.0),
            evidence("q4", "scale_deviation", 6.0, "cents", 0.25, 90.0, 91.0),
        ),
    }
    scores = _scores(
        {
            "breath": (3.1, 2.8, 3.4),
            "timbre": (4.3, 4.0, 4.6),
            "emotion": (2.9, 2.5, 3.3),
            "technique": (2.0, 1.7, 2.3),
        },
        found,
        (2.6, 2.3, 2.9),
    )
    notes = (Note(onset_s=33.1, offset_s=34.0, midi=64, cents_deviation=46.0),)
    screening = make_screening(
        pitch_accuracy=0.62,
        pitch_reference="backing",
        rhythm_accuracy=0.71,
        rhythm_reference="backing",
        voiced_s=171.0,
    )
    return gather_facts(scores=scores, screening=screening, duration_s=240.0, notes=notes)


def third() -> tuple[Fact, ...]:
    """Twenty seconds, noisy; technique and emotion unscored, timbre hardly known, no moments."""
    reason = "Fewer than three different notes were sung"
    scores = _scores(
        {
            "breath": (3.6, 2.4, 4.6),
            "timbre": (3.0, 1.2, 4.8),
            "emotion": reason,
            "technique": reason,
        },
        {"breath": (evidence("b1", "level_wobble", 0.3, "dB", 0.4, 6.2, 9.8),)},
        (3.3, 2.1, 4.4),
    )
    screening = make_screening(
        "weak",
        pitch_accuracy=0.22,
        voiced_s=14.0,
        reasons=("the pitch is often off", "the recording is noisy"),
    )
    return gather_facts(scores=scores, screening=screening, duration_s=20.0)


FACTS = {"first": first, "second": second, "third": third}
