"""The scores of one take, with intervals and evidence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.core.scores import (
    DIMENSIONS,
    Dimension,
    DimensionScore,
    Measure,
    PhraseMeasures,
    Scores,
)
from singcoach.core.take import Take
from singcoach.jobs import NO_JOB, Job
from singcoach.scoring.contour import note_contours
from singcoach.scoring.evidence import find_evidence
from singcoach.scoring.heads import all_positions, overall_position, percentile_of, to_score
from singcoach.scoring.measures import UNITS, read_measures
from singcoach.scoring.measures.pitch import distinct_pitch_classes
from singcoach.scoring.moments import drawn_values, moment_starts
from singcoach.scoring.reading import Reading
from singcoach.scoring.specs import QUANTILE_LEVELS, Heads, Scored, load_heads
from singcoach.scoring.uncertainty import (
    conditions,
    draw_members,
    interval,
    member_positions,
    standard_error,
    unusualness,
)

LEAST_VOICED_S = 3.0
LEAST_PITCH_CLASSES = 3


def score_take(take: Take, job: Job = NO_JOB, *, heads: Heads | None = None) -> Scores:
    """Score one analysed take.

    A pure function of the take and the heads: the same numbers on every call. Scores do not depend
    on gain, on the octave or on how long the take is, apart from what is sung.

    Parameters
    ----------
    take
        The analysis; ``take.features`` is not looked at (see the card of the heads).
    heads
        From :func:`singcoach.scoring.specs.load_heads`; the shipped or installed ones when None.

    Returns
    -------
    Scores
        With null scores and a reason where the take does not give enough to judge.

    Raises
    ------
    ModelError
        When the heads' file is missing or damaged.

    Notes
    -----
    Cost: about 1 % of the length of the singing on one core.
    """
    heads = heads or load_heads()
    contours = note_contours(take.pitch, take.notes, job.part(0.0, 0.1))
    readings = read_measures(take, contours, job.part(0.1, 0.9))
    readings |= whole_take_readings(take)
    job.report(0.9, "scores")
    values = {name: reading.value() for name, reading in readings.items()}
    reasons = _reasons(take, distinct_pitch_classes(contours))
    dimensions, overall = _score_all(take, readings, values, heads, reasons, job.part(0.9, 1.0))
    job.report(1.0, "scores")
    return Scores(
        dimensions=dimensions,
        overall=overall,
        measures={name: _measure(name, values[name], heads) for name in UNITS if name in values},
        phrases=_phrases(take, readings),
        warnings=_warnings(take, dimensions, heads),
    )


def whole_take_readings(take: Take) -> dict[str, Reading]:
    """Pitch and rhythm accuracy of the screening where there was something to compare with.

    They are numbers of the whole take: every phrase carries the same value, so leaving one out
    moves nothing. Pitch accuracy against the take's own scale is left out, since
    ``scale_deviation`` already measures that.
    """
    screening = take.screening
    found: dict[str, float | None] = {
        "pitch_accuracy": (
            screening.pitch_accuracy if screening.pitch_reference in ("song", "backing") else None
        ),
        "rhythm_accuracy": screening.rhythm_accuracy if screening.rhythm_reference else None,
    }
    return {name: _constant(name, take, value) for name, value in found.items()}


def _constant(name: str, take: Take, value: float | None) -> Reading:
    spans = np.array([(p.start_s, p.end_s) for p in take.phrases]).reshape(-1, 2)
    if value is None:
        spans = spans[:0]
    constant = float(value) if value is not None else 0.0
    lengths = spans[:, 1] - spans[:, 0]

    def finish(sums: RealArray) -> RealArray:
        return np.where(sums[:, 0] > 1e-9, constant, np.nan)

    return Reading(
        name=name,
        starts_s=spans[:, 0],
        ends_s=spans[:, 1],
        stats=lengths[:, None],
        shown=np.full(len(spans), constant),
        finish=finish,
    )


def _reasons(take: Take, pitch_classes: int) -> dict[Dimension, str]:
    """Why a dimension cannot be scored; empty where it can."""
    screening = take.screening
    if screening.verdict == "insufficient":
        reason = screening.reasons[0] if screening.reasons else "Not enough singing to judge"
        return dict.fromkeys(DIMENSIONS, reason)
    if not take.phrases or not take.notes or screening.voiced_s < LEAST_VOICED_S:
        return dict.fromkeys(DIMENSIONS, "Less than 3 s of sung notes were found")
    if pitch_classes < LEAST_PITCH_CLASSES:
        reason = "Fewer than three different notes were sung"
        return {"technique": reason, "emotion": reason}
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """What the intervals of a take are made of, for those who measure them.

    Attributes
    ----------
    positions
        Of the four dimensions and ``overall``, NaN where there is none.
    errors
        Standard error of each, before calibration.
    """

    positions: Mapping[Scored, float]
    errors: Mapping[Scored, float]


def measure_spread(
    take: Take, readings: Mapping[str, Reading], values: Mapping[str, float], heads: Heads
) -> Spread:
    """Positions of a take by the heads, each with its standard error."""
    starts = moment_starts(take)
    positions = all_positions({n: np.array([v]) for n, v in values.items()}, heads)
    drawn = (
        member_positions(drawn_values(readings, starts), draw_members(heads), heads)
        if len(starts)
        else dict.fromkeys(DIMENSIONS, np.zeros(0))
    )
    odd = unusualness(values, heads)
    shares = heads.overall_weights
    unusual: dict[Scored, float] = {d: odd[d] for d in DIMENSIONS}
    unusual["overall"] = sum(shares[d] * odd[d] for d in DIMENSIONS) / sum(shares.values())
    by_head: dict[Scored, tuple[RealArray, RealArray]] = {
        d: (positions[d], drawn[d]) for d in DIMENSIONS
    }
    by_head["overall"] = (overall_position(positions, heads), overall_position(drawn, heads))
    own = conditions(take)
    return Spread(
        positions={name: float(position[0]) for name, (position, _) in by_head.items()},
        errors={
            name: standard_error(
                spread,
                n_moments=len(starts),
                found={**own, "unusual": unusual[name]},
                heads=heads,
            )
            for name, (_, spread) in by_head.items()
        },
    )


def _score_all(
    take: Take,
    readings: Mapping[str, Reading],
    values: Mapping[str, float],
    heads: Heads,
    reasons: Mapping[Dimension, str],
    job: Job,
) -> tuple[dict[Dimension, DimensionScore], DimensionScore]:
    starts = moment_starts(take)
    spread = measure_spread(take, readings, values, heads)
    dimensions: dict[Dimension, DimensionScore] = {}
    judged: dict[Dimension, RealArray] = {}
    for number, dimension in enumerate(DIMENSIONS):
        job.report(number / len(DIMENSIONS), "evidence")
        position = spread.positions[dimension]
        reason = reasons.get(dimension)
        if reason is None and not math.isfinite(position):
            reason = "Too little of the take could be measured"
        judged[dimension] = np.array([np.nan if reason is not None else position])
        if reason is not None:
            dimensions[dimension] = _null(heads, reason)
            continue
        low, high = interval(position, spread.errors[dimension], dimension, heads)
        dimensions[dimension] = DimensionScore(
            score=to_score(position),
            low=low,
            high=high,
            head=heads.label,
            encoder=None,
            evidence=find_evidence(dimension, readings=readings, moments_s=starts, heads=heads),
        )
    overall = float(overall_position(judged, heads)[0])
    if not math.isfinite(overall):
        return dimensions, _null(heads, dimensions["technique"].reason or "Nothing was measured")
    low, high = interval(overall, spread.errors["overall"], "overall", heads)
    return dimensions, DimensionScore(
        score=to_score(overall), low=low, high=high, head=heads.label, encoder=None
    )


def _null(heads: Heads, reason: str) -> DimensionScore:
    return DimensionScore(
        score=None, low=None, high=None, head=heads.label, encoder=None, reason=reason
    )


def _measure(name: str, value: float, heads: Heads) -> Measure:
    if not math.isfinite(value):
        return Measure(value=None, unit=UNITS[name], percentile=None)
    norm = heads.norms.get(name)
    percentile = percentile_of(value, norm, QUANTILE_LEVELS) if norm is not None else None
    return Measure(value=value, unit=UNITS[name], percentile=percentile)


def _phrases(take: Take, readings: Mapping[str, Reading]) -> tuple[PhraseMeasures, ...]:
    """Every measure over the items whose middles lie in each phrase."""
    if not take.phrases:
        return ()
    rows: list[dict[str, float]] = [{} for _ in take.phrases]
    starts = np.array([p.start_s for p in take.phrases])
    ends = np.array([p.end_s for p in take.phrases])
    for name, reading in readings.items():
        if name in ("pitch_accuracy", "rhythm_accuracy") or not len(reading.stats):
            continue
        first = np.searchsorted(reading.middles_s, starts, side="left")
        last = np.searchsorted(reading.middles_s, ends, side="right")
        sums = [reading.stats[a:b].sum(axis=0) for a, b in zip(first, last, strict=True)]
        for row, value in zip(rows, reading.finish(np.asarray(sums)), strict=True):
            if math.isfinite(value):
                row[name] = float(value)
    return tuple(
        PhraseMeasures(start_s=p.start_s, end_s=p.end_s, values=row)
        for p, row in zip(take.phrases, rows, strict=True)
    )


def _warnings(
    take: Take, dimensions: Mapping[Dimension, DimensionScore], heads: Heads
) -> tuple[str, ...]:
    scored = [d for d in DIMENSIONS if dimensions[d].score is not None]
    found = [heads.warnings[d] for d in scored if d in heads.warnings]
    quality = take.screening.recording_quality
    if scored and quality is not None and quality < 2.0:
        found.append("The recording is poor, so every score is less certain")
    return tuple(found)
