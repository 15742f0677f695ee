"""Whether a curve of scores changed, or only wavers.

A singer looks at five curves after every take, so a rule that is wrong one time in twenty would
soon tell everybody that they got better. Two hurdles stand therefore one behind the other, and a
change has to take both:

1. **against the singer's own scatter**: Mann and Kendall's rank test over the sittings (Mann 1945,
   doi:10.2307/1907187; Kendall 1975), two-sided at ``LEVEL``. It asks nothing of the scatter's
   shape. Its variance is widened by (1 + r) / (1 - r) for sittings that resemble their neighbours
   (r: correlation of the residuals one sitting apart, where positive), after Yue and Wang 2004,
   doi:10.1023/B:WARM.0000043140.61082.60.
   The sitting before must have passed as well: who looks after every sitting would else meet the
   one that happens to cross the line.
2. **against the intervals**: the mean of the later half less that of the earlier half is larger
   than the 80 % interval of that difference, which the takes' own intervals give.

Takes less than six hours apart are one sitting, represented by their middle score: they share
microphone, room and form of the day, and would else count as if they were independent. The
interval of a sitting is the mean of its takes' intervals: what heads get wrong of a voice does not
average out within an evening.

False alarms and power are measured by ``python -m singcoach.library.trend_table``; see
``docs/library.md``.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.library.values import Trend

FEWEST_SITTINGS: Final = 7
"""Below, even an unbroken rise is no proof at ``LEVEL``."""
SITTING_S: Final = 6 * 3600.0
LEVEL: Final = 0.01
_LARGEST_Z: Final = 2.5758  # two-sided normal quantile of LEVEL
_MOST_R: Final = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What the rule found.

    ``change`` is the later half less the earlier half in points, ``margin`` the half width of its
    80 % interval, ``z`` the rank test's; all None when there are too few sittings.
    """

    trend: Trend
    sittings: int
    change: float | None = None
    margin: float | None = None
    z: float | None = None


def find_change(
    times_s: Sequence[float],
    scores: Sequence[float],
    lows: Sequence[float],
    highs: Sequence[float],
) -> Change:
    """Decide whether scores went up, went down or stayed within the noise.

    Parameters
    ----------
    times_s
        When each take was sung, in seconds, ascending.
    scores, lows, highs
        Its score and the ends of its 80 % interval, in points.
    """
    sittings = _sittings(times_s, scores, lows, highs)
    n = len(sittings)
    if n < FEWEST_SITTINGS:
        return Change(trend="not enough", sittings=n)
    values, halves = sittings[:, 0], sittings[:, 1]
    middle = n // 2
    early, late = slice(0, middle), slice(n - middle, n)
    change = float(values[late].mean() - values[early].mean())
    margin = math.sqrt(_error(halves[early]) ** 2 + _error(halves[late]) ** 2)
    z = _rank_test(values)
    before = _rank_test(values[:-1])
    trend: Trend = "steady"
    if min(abs(z), abs(before)) > _LARGEST_Z and abs(change) > margin and change * z > 0.0:
        trend = "up" if change > 0.0 else "down"
    return Change(trend=trend, sittings=n, change=change, margin=margin, z=z)


def _sittings(
    times_s: Sequence[float],
    scores: Sequence[float],
    lows: Sequence[float],
    highs: Sequence[float],
) -> RealArray:
    """Return score and half interval of every sitting, shape ``(n, 2)``."""
    times = np.asarray(times_s, np.float64)
    if times.size == 0:
        return np.zeros((0, 2))
    if np.any(np.diff(times) < 0.0):
        raise ValueError("the times of a curve go backwards")
    values = np.asarray(scores, np.float64)
    halves = (np.asarray(highs, np.float64) - np.asarray(lows, np.float64)) / 2.0
    starts = np.flatnonzero(np.diff(times) >= SITTING_S) + 1
    borders = [0, *starts.tolist(), times.size]
    rows = [
        (
            statistics.median(values[start:end].tolist()),
            statistics.fmean(halves[start:end].tolist()),
        )
        for start, end in itertools.pairwise(borders)
    ]
    return np.asarray(rows, np.float64)


def _error(halves: RealArray) -> float:
    """Return the half interval of the mean of some sittings."""
    return float(np.sqrt(np.sum(halves**2)) / halves.size)


def _rank_test(values: RealArray) -> float:
    """Return Mann and Kendall's z, corrected for ties and for sittings that resemble neighbours."""
    n = values.size
    statistic = float(sum(np.sign(values[i + 1 :] - values[i]).sum() for i in range(n - 1)))
    _, counts = np.unique(values, return_counts=True)
    ties = float(np.sum(counts * (counts - 1) * (2 * counts + 5)))
    variance = (n * (n - 1) * (2 * n + 5) - ties) / 18.0
    if statistic == 0.0 or variance <= 0.0:
        return 0.0
    r = _resemblance(values)
    variance *= (1.0 + r) / (1.0 - r)
    return (statistic - math.copysign(1.0, statistic)) / math.sqrt(variance)


def _resemblance(values: RealArray) -> float:
    """Return the correlation of neighbours around the line through the values, 0..``_MOST_R``."""
    n = values.size
    positions = np.arange(n) - (n - 1) / 2.0
    slope = float(positions @ values / (positions @ positions))
    rest = values - values.mean() - slope * positions
    power = float(rest @ rest)
    if power <= 1e-12:
        return 0.0
    return min(_MOST_R, max(0.0, float(rest[1:] @ rest[:-1]) / power))
