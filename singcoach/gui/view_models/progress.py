"""How a singer's scores went over time, ready to be drawn and said. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

from singcoach.core.scores import DIMENSIONS
from singcoach.gui.texts import day, number, text
from singcoach.gui.view_models.library import interval_words
from singcoach.library.trend import FEWEST_SITTINGS
from singcoach.library.values import Judged, ProgressCurve, ProgressPoint, Trend

if TYPE_CHECKING:
    from singcoach.library.store import Library

Span = Literal["all", "year", "quarter"]
SPANS: Final[tuple[Span, ...]] = ("all", "year", "quarter")
_DAYS: Final[dict[Span, int]] = {"year": 365, "quarter": 91}
JUDGED: Final[tuple[Judged, ...]] = ("overall", *DIMENSIONS)
LOWEST, HIGHEST = 1.0, 5.0
_SIGNS: Final[dict[Trend, str]] = {
    "up": "↗",
    "down": "↘",
    "steady": "→",
    "not enough": "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One take on a curve: where it is in 0..1 of the time in view.

    ``score``, ``low`` and ``high`` are points of 1..5.
    """

    take_id: str
    x: float
    score: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A date under the curve, at ``x`` in 0..1."""

    x: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One dimension over time.

    ``verdict`` is a word or two, ``reason`` the sentence behind it, ``spoken`` what a screen reader
    says of the whole curve.
    """

    dimension: Judged
    name: str
    dots: tuple[Dot, ...]
    ticks: tuple[Tick, ...]
    trend: Trend
    verdict: str
    sign: str
    reason: str
    latest: str
    spoken: str
    points: tuple[ProgressPoint, ...] = ()

    def words(self, number: int) -> str:
        """Return what one dot says, on three lines."""
        point = self.points[number]
        score = interval_words(point.score, point.low, point.high)
        return f"{score}\n{point.title}\n{day(point.made_at.astimezone())}"


def read_curves(
    library: Library,
    singer_id: str,
    *,
    song_id: str | None = None,
    span: Span = "all",
    now: datetime,
) -> tuple[Curve, ...]:
    """Read all curves of a singer; the overall one comes first."""
    since = None if span == "all" else now - timedelta(days=_DAYS[span])
    curves = [library.progress(singer_id, dimension, song_id, since=since) for dimension in JUDGED]
    times = [point.made_at for curve in curves for point in curve.points]
    first, last = (min(times), max(times)) if times else (now, now)
    return tuple(curve_of(curve, first=first, last=last) for curve in curves)


def curve_of(curve: ProgressCurve, *, first: datetime, last: datetime) -> Curve:
    """Put one curve into words and places; ``first`` to ``last`` is the time in view."""
    name = text(f"common.{curve.dimension}")
    verdict = text(f"progress.verdict_{curve.trend.replace(' ', '_')}")
    reason = _reason(curve)
    latest = ""
    if curve.points:
        point = curve.points[-1]
        latest = interval_words(point.score, point.low, point.high)
    said = [name, verdict, reason]
    if latest:
        said.insert(1, text("progress.latest", words=latest))
    return Curve(
        dimension=curve.dimension,
        name=name,
        dots=tuple(_dot(point, first, last) for point in curve.points),
        ticks=_ticks(first, last) if curve.points else (),
        trend=curve.trend,
        verdict=verdict,
        sign=_SIGNS[curve.trend],
        reason=reason,
        latest=latest,
        spoken=". ".join(part.rstrip(".") for part in said) + ".",
        points=curve.points,
    )


def signed(curve: Curve) -> str:
    """Return the verdict with its sign, so that colour never carries it alone."""
    return f"{curve.sign} {curve.verdict}".strip()


def nearest(dots: Sequence[Dot], x: float) -> int | None:
    """Return the number of the dot that is nearest to ``x`` in 0..1; None without any."""
    if not dots:
        return None
    return min(range(len(dots)), key=lambda i: abs(dots[i].x - x))


def _reason(curve: ProgressCurve) -> str:
    if curve.trend == "not enough" or curve.change is None or curve.margin is None:
        missing = max(1, FEWEST_SITTINGS - curve.sittings)
        return text("progress.reason_not_enough", count=missing)
    values = {
        "change": number(abs(curve.change)),
        "margin": number(curve.margin),
        "sittings": curve.sittings,
    }
    if curve.trend in ("up", "down"):
        return text(f"progress.reason_{curve.trend}", **values)
    return text("progress.reason_steady", **values)


def _dot(point: ProgressPoint, first: datetime, last: datetime) -> Dot:
    return Dot(
        take_id=point.take_id,
        x=_share(point.made_at, first, last),
        score=point.score,
        low=point.low,
        high=point.high,
    )


def _share(when: datetime, first: datetime, last: datetime) -> float:
    whole_s = (last - first).total_seconds()
    return 0.5 if whole_s <= 0.0 else (when - first).total_seconds() / whole_s


def _ticks(first: datetime, last: datetime) -> tuple[Tick, ...]:
    """Return the first and the last day, and two between where there is room for them."""
    if (last - first) < timedelta(days=1):
        return (Tick(x=0.5, words=day(first.astimezone())),)
    n_parts = 3 if last - first >= timedelta(days=6) else 1
    return tuple(
        Tick(x=part / n_parts, words=day((first + (last - first) * (part / n_parts)).astimezone()))
        for part in range(n_parts + 1)
    )
