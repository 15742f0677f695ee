"""The paper's signs of failure: scores that cluster in the middle, and that hang on the crop."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.scoring.agreement import tier_pair_accuracy

MIDDLE = (2.0, 4.0)
EDGES = tuple(1.0 + 0.5 * step for step in range(9))
"""Bounds of the bins of the histogram; the last bin holds its upper bound too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How a set of scores on 1..5 spreads.

    Attributes
    ----------
    share_in_middle
        Share within 2..4, both ends included.
    sd
        Standard deviation (n - 1); None for a single score.
    histogram
        Counts in half-point bins from 1 to 5.
    """

    n: int
    mean: float
    sd: float | None
    share_in_middle: float
    histogram: tuple[int, ...]


def find_spread(scores: RealArray) -> Spread | None:
    """Describe the finite scores; None when there are none."""
    known = scores[np.isfinite(scores)]
    if not len(known):
        return None
    counts, _ = np.histogram(np.clip(known, EDGES[0], EDGES[-1]), bins=EDGES)
    return Spread(
        n=len(known),
        mean=float(known.mean()),
        sd=float(known.std(ddof=1)) if len(known) > 1 else None,
        share_in_middle=float(np.mean((known >= MIDDLE[0]) & (known <= MIDDLE[1]))),
        histogram=tuple(int(count) for count in counts),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CropSpread:
    """What crops of the same recordings score beside the whole, for one score.

    Attributes
    ----------
    n_recordings, n_crops
        Recordings with a score of the whole and of two crops or more, and their scored crops.
    n_crops_without_score
        Crops that got no score.
    sd_within
        Root of the mean variance of the crops of one recording.
    sd_between
        Standard deviation of the whole recordings' scores.
    variance_ratio
        The variance within recordings over that between them; above 1, the choice of the crop
        moves the score more than the singer does.
    mean_absolute_change, mean_change
        Distance and signed difference from the whole to a crop.
    accuracy_whole, accuracy_crop
        Tier-pair accuracy over these recordings when each is judged as a whole, and by one crop
        of its own (mean over the crops); None without ratings that differ.
    """

    n_recordings: int
    n_crops: int
    n_crops_without_score: int
    sd_within: float | None
    sd_between: float | None
    variance_ratio: float | None
    mean_absolute_change: float | None
    mean_change: float | None
    accuracy_whole: float | None
    accuracy_crop: float | None


def find_crop_spread(
    whole: Mapping[str, float],
    crops: Mapping[str, Sequence[float]],
    ratings: Mapping[str, float],
) -> CropSpread:
    """Compare the scores of crops with the scores of their recordings.

    Parameters
    ----------
    whole, crops, ratings
        By item; a score is NaN where there is none. Items without a rating count in everything
        but the accuracies.
    """
    n_missing = sum(not math.isfinite(score) for scores in crops.values() for score in scores)
    known = {
        item: [score for score in scores if math.isfinite(score)] for item, scores in crops.items()
    }
    items = [
        item
        for item, scores in known.items()
        if len(scores) > 1 and math.isfinite(whole.get(item, math.nan))
    ]
    changes = np.array([score - whole[item] for item in items for score in known[item]])
    within = float(np.mean([np.var(known[i], ddof=1) for i in items])) if items else math.nan
    between = float(np.var([whole[i] for i in items], ddof=1)) if len(items) > 1 else math.nan
    rated = [item for item in items if item in ratings]
    human = np.array([ratings[item] for item in rated])
    most = max((len(known[item]) for item in rated), default=0)
    of_crops = [
        tier_pair_accuracy(
            np.array([known[item][turn % len(known[item])] for item in rated]), human
        )
        for turn in range(most)
    ]
    return CropSpread(
        n_recordings=len(items),
        n_crops=len(changes),
        n_crops_without_score=n_missing,
        sd_within=_known(math.sqrt(within)),
        sd_between=_known(math.sqrt(between)),
        variance_ratio=_known(within / between if between > 0 else math.nan),
        mean_absolute_change=_known(float(np.abs(changes).mean()) if items else math.nan),
        mean_change=_known(float(changes.mean()) if items else math.nan),
        accuracy_whole=_known(
            tier_pair_accuracy(np.array([whole[item] for item in rated]), human)
            if rated
            else math.nan
        ),
        accuracy_crop=_known(float(np.mean(of_crops)) if of_crops else math.nan),
    )


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
