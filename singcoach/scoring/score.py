"""The scores of one take, with intervals and evidence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from singcoach.core.arrays import BoolArray, RealArray
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
from singcoach.scoring.heads import overall_position, percentile_of, to_score
from singcoach.scoring.judges import Judge, make_judges
from singcoach.scoring.measures import UNITS, read_measures
from singcoach.scoring.measures.pitch import distinct_pitch_classes
from singcoach.scoring.moments import moment_starts, with_whole_phrases
from singcoach.scoring.networks import NetworkHead
from singcoach.scoring.reading import Reading
from singcoach.scoring.specs import QUANTILE_LEVELS, RULES, Heads, Scored, load_heads
from singcoach.scoring.uncertainty import conditions, interval, standard_error, unusualness
from singcoach.screening.rules import LEAST_SINGING_S

LEAST_VOICED_S = 3.0
LEAST_PITCH_CLASSES = 3

_SPARE_S = 0.5
"""Seconds that a cut costs beyond what is cut out: the edges are no singing any more."""


def score_take(
    take: Take,
    job: Job = NO_JOB,
    *,
    heads: Heads | None = None,
    networks: Mapping[Dimension, NetworkHead] | None = None,
) -> Scores:
    """Score one analysed take.

    A pure function of the take and the heads: the same numbers on every call. Scores do not depend
    on gain, on the octave or on how long the take is, apart from what is sung.

    Parameters
    ----------
    take
        The analysis. What the encoders heard is looked at only by networks.
    heads
        From :func:`singcoach.scoring.specs.load_heads`; the shipped or installed ones when None.
    networks
        From :func:`singcoach.scoring.networks.open_networks`: what judges the dimensions that the
        routing of ``heads`` gives to a network. One that is missing, or that the take lacks the
        input for, leaves its dimension to the rules, with a warning.

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
    readings = with_whole_phrases(readings | whole_take_readings(take))
    job.report(0.9, "scores")
    reasons = _reasons(take, distinct_pitch_classes(contours))
    heard = _hear(take, readings, heads, networks or {})
    dimensions, overall = _score_all(heard, heads, reasons, job.part(0.9, 1.0))
    job.report(1.0, "scores")
    values = heard.values
    return Scores(
        dimensions=dimensions,
        overall=overall,
        measures={name: _measure(name, values[name], heads) for name in UNITS if name in values},
        phrases=_phrases(take, readings),
        warnings=(*_warnings(take, dimensions, heads), *heard.warnings),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """A take as its judges have it before them."""

    take: Take
    readings: Mapping[str, Reading]
    values: Mapping[str, float]
    moments_s: RealArray
    judges: Mapping[Dimension, Judge]
    warnings: tuple[str, ...]


def _hear(
    take: Take,
    readings: Mapping[str, Reading],
    heads: Heads,
    networks: Mapping[Dimension, NetworkHead],
) -> _Heard:
    starts = moment_starts(take)
    judges, warnings = make_judges(take, readings, starts, heads, networks)
    return _Heard(
        take=take,
        readings=readings,
        values={name: reading.value() for name, reading in readings.items()},
        moments_s=starts,
        judges=judges,
        warnings=warnings,
    )


def measure_take(take: Take, heads: Heads) -> Spread:
    """Positions and standard errors of a take by the rules, whether or not it gets a score."""
    readings = with_whole_phrases(read_measures(take) | whole_take_readings(take))
    rules = replace(heads, routing=dict.fromkeys(DIMENSIONS, RULES))
    return _spread(_hear(take, readings, rules, {}), heads)


def _spread(heard: _Heard, heads: Heads, job: Job = NO_JOB) -> Spread:
    positions = {d: np.array([heard.judges[d].whole()]) for d in DIMENSIONS}
    drawn = {
        d: heard.judges[d].drawn(job.part(number / len(DIMENSIONS), (number + 1) / len(DIMENSIONS)))
        for number, d in enumerate(DIMENSIONS)
    }
    odd = unusualness(heard.values, heads)
    shares = heads.overall_weights
    unusual: dict[Scored, float] = {d: odd[d] for d in DIMENSIONS}
    unusual["overall"] = sum(shares[d] * odd[d] for d in DIMENSIONS) / sum(shares.values())
    spreads: dict[Scored, RealArray] = {d: drawn[d] for d in DIMENSIONS}
    spreads["overall"] = overall_position(_of_one_length(drawn), heads)
    found: dict[Scored, float] = {d: float(positions[d][0]) for d in DIMENSIONS}
    found["overall"] = float(overall_position(positions, heads)[0])
    own = conditions(heard.take)
    return Spread(
        positions=found,
        errors={
            name: standard_error(
                spread,
                n_moments=len(heard.moments_s),
                found={**own, "unusual": unusual[name]},
                heads=heads,
            )
            for name, spread in spreads.items()
        },
    )


def _of_one_length(drawn: Mapping[Dimension, RealArray]) -> dict[Dimension, RealArray]:
    """Draws of judges that draw differently often, repeated to the most."""
    longest = max(len(x) for x in drawn.values())
    return {
        d: np.resize(x, longest) if len(x) else np.full(longest, np.nan) for d, x in drawn.items()
    }


def _score_all(
    heard: _Heard, heads: Heads, reasons: Mapping[Dimension, str], job: Job
) -> tuple[dict[Dimension, DimensionScore], DimensionScore]:
    spread = _spread(heard, heads, job.part(0.0, 0.4))
    job = job.part(0.4, 1.0)
    dimensions: dict[Dimension, DimensionScore] = {}
    judged: dict[Dimension, RealArray] = {}
    for number, dimension in enumerate(DIMENSIONS):
        share = job.part(number / len(DIMENSIONS), (number + 1) / len(DIMENSIONS))
        share.report(0.0, "evidence")
        position = spread.positions[dimension]
        reason = reasons.get(dimension)
        if reason is None and not math.isfinite(position):
            reason = "Too little of the take could be measured"
        judged[dimension] = np.array([np.nan if reason is not None else position])
        if reason is not None:
            dimensions[dimension] = _null(heads, reason)
            continue
        judge = heard.judges[dimension]
        low, high = interval(position, spread.errors[dimension], dimension, heads)
        dimensions[dimension] = DimensionScore(
            score=to_score(position),
            low=low,
            high=high,
            head=judge.label,
            encoder=judge.encoder,
            evidence=find_evidence(
                dimension,
                readings=heard.readings,
                moments_s=heard.moments_s,
                heads=heads,
                judge=judge,
                spared=lambda starts, ends: _enough_without(heard.take, starts, ends),
                job=share,
            ),
        )
    overall = float(overall_position(judged, heads)[0])
    if not math.isfinite(overall):
        return dimensions, _null(heads, dimensions["technique"].reason or "Nothing was measured")
    low, high = interval(overall, spread.errors["overall"], "overall", heads)
    return dimensions, DimensionScore(
        score=to_score(overall), low=low, high=high, head=heads.label, encoder=None
    )


def _enough_without(take: Take, starts_s: RealArray, ends_s: RealArray) -> BoolArray:
    """Whether the screening would find enough singing with each span left out."""
    spans = [(r.start_s, r.end_s) for r in take.regions if r.kind == "singing"]
    first, last = np.asarray(spans, dtype=np.float64).reshape(-1, 2).T[:, :, None]
    gone = np.clip(np.minimum(last, ends_s) - np.maximum(first, starts_s), 0.0, None).sum(axis=0)
    found: BoolArray = (last - first).sum() - gone >= LEAST_SINGING_S + _SPARE_S
    return found


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
