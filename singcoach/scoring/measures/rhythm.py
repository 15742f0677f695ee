"""Onset timing against the beats of the accompaniment."""

from __future__ import annotations

from singcoach.core.take import Take
from singcoach.scoring.reading import Reading, make_reading, weighted_mean
from singcoach.screening.beat_fit import fit_to_beats


def beat_deviation(take: Take) -> Reading:
    """Scatter of sung onsets around their place in the beat, in ms (circular standard deviation).

    The method and what it is worth are told in :mod:`singcoach.screening.beat_fit`: a constant
    delay plays no part, and it falls when onsets slip by 60 ms and more. Shown for a note: how much
    later (positive) or earlier than the singer's usual place it begins. Empty without a backing
    whose beats are even.
    """
    fit = fit_to_beats(take.notes, backing=take.backing)
    if fit is None:
        return make_reading("beat_deviation", spans_s=[], stats=[], shown=[], finish=weighted_mean)
    return make_reading(
        "beat_deviation",
        spans_s=list(zip(fit.starts_s.tolist(), fit.ends_s.tolist(), strict=True)),
        stats=fit.stats,
        shown=fit.late_ms,
        finish=fit.deviations_ms,
    )
