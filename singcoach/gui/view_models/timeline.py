"""What of a take is visible, and the few points that it takes to draw it.

No Qt: a take of two hours has 450,000 pitch frames and 360,000 peaks of its waveform, and a drawing
of it needs a few for each column of pixels. Everything here costs in proportion to what is visible.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeVar

import numpy as np

from singcoach.core.arrays import FloatArray, RealArray

SHORTEST_S: Final = 0.5
"""The closest view."""
LONGEST_GAP_S: Final = 0.08
"""Pitch frames further apart than this are not joined by a line."""
LARGEST_STEP_SEMITONES: Final = 5.0
"""A jump beyond this between two frames is a slip of the tracker or a new note, and no line."""
FEWEST_SEMITONES: Final = 12
MOST_SEMITONES: Final = 36
_TICKS_S: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeView:
    """The seconds that are in view.

    Attributes
    ----------
    duration_s
        Length of the take, more than 0.
    start_s, shown_s
        First second and number of seconds in view; always within the take.
    """

    duration_s: float
    start_s: float = 0.0
    shown_s: float = math.inf

    def __post_init__(self) -> None:
        duration_s = max(SHORTEST_S, self.duration_s)
        shown_s = min(duration_s, max(SHORTEST_S, self.shown_s))
        start_s = min(max(0.0, self.start_s), duration_s - shown_s)
        object.__setattr__(self, "duration_s", duration_s)
        object.__setattr__(self, "shown_s", shown_s)
        object.__setattr__(self, "start_s", start_s)

    @property
    def end_s(self) -> float:
        """Last second in view."""
        return self.start_s + self.shown_s

    @property
    def whole(self) -> bool:
        """Whether the whole take is in view."""
        return self.shown_s >= self.duration_s - 1e-9

    def zoomed(self, factor: float, at_s: float) -> TimeView:
        """Return a closer (``factor`` > 1) or wider view in which ``at_s`` keeps its place."""
        shown_s = min(self.duration_s, max(SHORTEST_S, self.shown_s / factor))
        place = (at_s - self.start_s) / self.shown_s
        return replace(self, start_s=at_s - place * shown_s, shown_s=shown_s)

    def moved(self, by_s: float) -> TimeView:
        """Return the view that lies ``by_s`` later."""
        return replace(self, start_s=self.start_s + by_s)

    def showing(self, start_s: float, end_s: float) -> TimeView:
        """Return a view that holds these seconds: this one if it does, else moved or widened."""
        if start_s >= self.start_s and end_s <= self.end_s:
            return self
        needed_s = (end_s - start_s) * 1.4
        shown_s = max(self.shown_s, needed_s)
        return replace(self, start_s=(start_s + end_s - shown_s) / 2.0, shown_s=shown_s)

    def following(self, at_s: float) -> TimeView:
        """Return a view for a position that moves on: turned like a page when it leaves."""
        if self.start_s <= at_s <= self.end_s:
            return self
        return replace(self, start_s=at_s - 0.1 * self.shown_s)

    def fitted(self) -> TimeView:
        """Return the view of the whole take."""
        return replace(self, start_s=0.0, shown_s=self.duration_s)

    def x_of(self, time_s: float, width: float) -> float:
        """Return where a time lies across ``width`` pixels."""
        return (time_s - self.start_s) / self.shown_s * width

    def time_at(self, x: float, width: float) -> float:
        """Return the time at a pixel, within the take."""
        time_s = self.start_s + x / max(1.0, width) * self.shown_s
        return min(self.duration_s, max(0.0, time_s))

    def ticks(self, width: float, *, apart_px: float = 90.0) -> tuple[float, ...]:
        """Return times for the ruler, round numbers at least ``apart_px`` pixels apart."""
        least_s = self.shown_s * apart_px / max(apart_px, width)
        step_s = next((step for step in _TICKS_S if step >= least_s), _TICKS_S[-1])
        first = math.ceil(self.start_s / step_s - 1e-9)
        last = math.floor(self.end_s / step_s + 1e-9)
        return tuple(number * step_s for number in range(first, last + 1))


def wave_columns(peaks: FloatArray, view: TimeView, width: int, *, peaks_per_s: float) -> RealArray:
    """Return minimum and maximum of the waveform for every pixel in view, shape ``(width, 2)``.

    Columns beyond the end of the sound are 0. Closer than one peak a pixel, peaks repeat.
    """
    columns = np.zeros((max(0, width), 2))
    if width <= 0 or peaks.shape[0] == 0:
        return columns
    edges = (view.start_s + np.arange(width + 1) / width * view.shown_s) * peaks_per_s
    index = np.clip(np.floor(edges).astype(np.int64), 0, peaks.shape[0])
    starts = np.minimum(index[:-1], peaks.shape[0] - 1)
    last = int(np.clip(max(index[-1], starts[-1] + 1), 1, peaks.shape[0]))
    low = np.minimum.reduceat(peaks[:last, 0], starts)
    high = np.maximum.reduceat(peaks[:last, 1], starts)
    sounding = index[:-1] < peaks.shape[0]
    columns[sounding, 0] = low[sounding]
    columns[sounding, 1] = high[sounding]
    return columns


def pitch_lines(
    times_s: RealArray, semitones: RealArray, view: TimeView, width: int
) -> list[RealArray]:
    """Return the pitch in view as lines, each ``(n, 2)`` of seconds and semitones.

    Where there are more than two frames a pixel, each pixel keeps its lowest and highest frame in
    their order, so that the drawing looks the same with at most two points a pixel.

    Parameters
    ----------
    times_s, semitones
        Ascending frames; NaN where nothing is sung.
    """
    first, last = np.searchsorted(times_s, (view.start_s, view.end_s))
    first, last = max(0, int(first) - 1), min(times_s.size, int(last) + 1)
    times, heights = times_s[first:last], semitones[first:last]
    if width <= 0 or times.size == 0:
        return []
    if times.size > 2 * width:
        times, heights = _thinned(times, heights, view, width)
    sung = np.isfinite(heights)
    times, heights = times[sung], heights[sung]
    if times.size == 0:
        return []
    gap_s = max(LONGEST_GAP_S, 1.5 * view.shown_s / width)
    parted = (np.diff(times) > gap_s) | (np.abs(np.diff(heights)) > LARGEST_STEP_SEMITONES)
    points = np.stack((times, heights), axis=1)
    return [line for line in np.split(points, np.flatnonzero(parted) + 1) if len(line)]


def _thinned(
    times: RealArray, heights: RealArray, view: TimeView, width: int
) -> tuple[RealArray, RealArray]:
    column = np.floor((times - view.start_s) / view.shown_s * width).astype(np.int64)
    starts = np.flatnonzero(np.diff(column, prepend=column[0] - 1))
    low = np.fmin.reduceat(heights, starts)
    high = np.fmax.reduceat(heights, starts)
    # Times of both points lie within the pixel; rising or falling is told by the first frame.
    at = times[starts]
    first = heights[starts]
    rising = ~(np.abs(first - high) < np.abs(first - low))
    before = np.where(rising, low, high)
    after = np.where(rising, high, low)
    half_s = view.shown_s / width / 2.0
    return (
        np.stack((at, at + half_s), axis=1).reshape(-1),
        np.stack((before, after), axis=1).reshape(-1),
    )


def pitch_range(semitones: RealArray, others: Sequence[float] = ()) -> tuple[int, int]:
    """Return the lowest and highest semitone to draw: nearly all of the frames, with room.

    Parameters
    ----------
    others
        Further heights that should be seen where they are not far away, such as written notes.
    """
    known = semitones[np.isfinite(semitones)]
    if known.size == 0:
        known = np.array(others) if len(others) else np.array([60.0])
    low, high = (float(v) for v in np.percentile(known, (1.0, 99.0)))
    near = [height for height in others if low - 7.0 <= height <= high + 7.0]
    bottom = math.floor(min([low, *near]) - 1.0)
    top = math.ceil(max([high, *near]) + 1.0)
    missing = FEWEST_SEMITONES - (top - bottom)
    if missing > 0:
        bottom -= missing // 2
        top += missing - missing // 2
    if top - bottom > MOST_SEMITONES:
        middle = round(float(np.median(known)))
        bottom, top = middle - MOST_SEMITONES // 2, middle + MOST_SEMITONES // 2
    return bottom, top


class Timed(Protocol):
    """Something that lasts from ``start_s`` to ``end_s``."""

    @property
    def start_s(self) -> float:
        """Start in seconds."""

    @property
    def end_s(self) -> float:
        """End in seconds."""


Item = TypeVar("Item", bound=Timed)


def in_view(items: Sequence[Item], starts_s: RealArray, view: TimeView) -> Sequence[Item]:
    """Return the items that may be in view, of a sequence in order of start.

    Parameters
    ----------
    starts_s
        Their starts; the items may overlap by a minute at most.
    """
    first, last = np.searchsorted(starts_s, (view.start_s - 60.0, view.end_s))
    return [item for item in items[int(first) : int(last)] if item.end_s >= view.start_s]


def packed(items: Sequence[Timed], *, apart_s: float, most_rows: int) -> list[int]:
    """Return a row for each item so that items in one row do not touch, first come first.

    Items that find no free row go to the one that is free first.
    """
    free_at: list[float] = []
    rows = []
    for item in items:
        free = [row for row, until_s in enumerate(free_at) if until_s <= item.start_s]
        if free:
            row = free[0]
        elif len(free_at) < most_rows:
            row = len(free_at)
            free_at.append(0.0)
        else:
            row = int(np.argmin(free_at))
        free_at[row] = max(free_at[row], item.end_s + apart_s)
        rows.append(row)
    return rows


def semitones_of(f0_hz: RealArray) -> RealArray:
    """Return heights as fractional MIDI numbers, NaN where ``f0_hz`` is NaN or not positive."""
    heights = np.full(f0_hz.shape, np.nan)
    known = np.isfinite(f0_hz) & (f0_hz > 0)
    heights[known] = 69.0 + 12.0 * np.log2(f0_hz[known] / 440.0)
    return heights


def octave_shift(sung: Sequence[float], written: Sequence[float]) -> int:
    """Return by how many semitones (whole octaves) written notes move to where the singer sings."""
    if not len(sung) or not len(written):
        return 0
    return 12 * round(float(np.median(sung) - np.median(written)) / 12.0)
