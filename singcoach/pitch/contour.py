"""The pitch contour of one stretch of singing, and its line with the vibrato taken out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from singcoach.core.arrays import RealArray

SMOOTHING = np.array([0.25, 0.5, 0.25])
SMALLEST_SWING_CENTS = 12.0
LARGEST_SWING_CENTS = 450.0
SWING_RATIO = 2.5
FASTEST_HZ = 9.0
SLOWEST_HZ = 3.6
FEWEST_SWINGS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Oscillation:
    """A stretch of a contour that swings evenly up and down.

    Attributes
    ----------
    turns
        Frame positions of the turning points, with a fraction, ascending.
    heights_cents
        Height of the smoothed contour at each turning point.
    """

    turns: RealArray
    heights_cents: RealArray

    @property
    def swings_cents(self) -> RealArray:
        """Peak-to-peak distance of neighbouring turning points, one fewer than the turns."""
        return np.asarray(np.abs(np.diff(self.heights_cents)), dtype=np.float64)


def smooth(cents: RealArray) -> RealArray:
    """Return the contour after a three-frame Hann average, same length."""
    return np.asarray(np.convolve(np.pad(cents, 1, mode="edge"), SMOOTHING, mode="valid"))


def smoothing_gain(rate_hz: float, *, hop_s: float) -> float:
    """Return by how much :func:`smooth` scales a sine of that rate (0..1)."""
    return float(0.5 + 0.5 * np.cos(2.0 * np.pi * rate_hz * hop_s))


def find_oscillations(cents: RealArray, *, hop_s: float) -> tuple[Oscillation, ...]:
    """Return the stretches where the pitch swings evenly at a vibrato's pace.

    Works on turning points and not on a spectrum, so that it finds one and a half cycles, follows
    a changing rate, and a step from note to note is no oscillation: swings must last half a cycle
    of 3.6 to 9 Hz, and a swing may be at most 2.5 times its neighbour.

    Parameters
    ----------
    cents
        A contour without gaps, shape ``(n_frames,)``.
    """
    if cents.size < 5:
        return ()
    line = smooth(cents)
    turns = _turning_points(line)
    if turns.size <= FEWEST_SWINGS:
        return ()
    place, height = _between_frames(line, turns)
    half_s = np.diff(place) * hop_s
    swings = np.abs(np.diff(height))
    fits = (
        (half_s >= 0.5 / FASTEST_HZ)
        & (half_s <= 0.5 / SLOWEST_HZ)
        & (swings <= LARGEST_SWING_CENTS)
    )
    found = []
    start = 0
    while start < fits.size:
        if not fits[start]:
            start += 1
            continue
        end = start + 1
        while end < fits.size and fits[end] and _alike(swings[end - 1], swings[end]):
            end += 1
        if end - start >= FEWEST_SWINGS:
            found.append(
                Oscillation(turns=place[start : end + 1], heights_cents=height[start : end + 1])
            )
        start = end
    return tuple(found)


def without_vibrato(cents: RealArray, *, hop_s: float) -> RealArray:
    """Return the contour with every even oscillation replaced by its middle line, same length.

    The middle line at a turning point is the mean of the point and the mean of its two neighbours;
    outside oscillations the contour is returned unchanged, steps between notes stay sharp.
    """
    line = cents.copy()
    for oscillation in find_oscillations(cents, hop_s=hop_s):
        height = oscillation.heights_cents
        middle = np.empty_like(height)
        middle[1:-1] = (height[:-2] + 2.0 * height[1:-1] + height[2:]) / 4.0
        middle[0] = (height[0] + height[1]) / 2.0
        middle[-1] = (height[-1] + height[-2]) / 2.0
        frames = np.arange(
            int(np.ceil(oscillation.turns[0])), int(np.floor(oscillation.turns[-1])) + 1
        )
        line[frames] = np.interp(frames, oscillation.turns, middle)
    return line


def _alike(swing: float, following: float) -> bool:
    return max(swing, following) <= SWING_RATIO * min(swing, following)


def _turning_points(line: RealArray) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the frames where the line turns, without turns smaller than the smallest swing."""
    slope = np.diff(line)
    turns = [int(i) + 1 for i in np.flatnonzero(slope[:-1] * slope[1:] < 0.0)]
    while len(turns) >= 2:
        swings = np.abs(np.diff(line[turns]))
        smallest = int(swings.argmin())
        if swings[smallest] >= SMALLEST_SWING_CENTS:
            break
        del turns[smallest : smallest + 2]
    return np.asarray(turns, dtype=np.int64)


def _between_frames(
    line: RealArray, turns: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> tuple[RealArray, RealArray]:
    """Return place and height of the parabola through each turning point and its neighbours."""
    before, at, after = line[turns - 1], line[turns], line[turns + 1]
    bend = before - 2.0 * at + after
    shift = np.where(bend == 0.0, 0.0, 0.5 * (before - after) / np.where(bend == 0.0, 1.0, bend))
    shift = np.clip(shift, -0.5, 0.5)
    place = np.asarray(turns + shift, dtype=np.float64)
    return place, np.asarray(at - 0.25 * (before - after) * shift, dtype=np.float64)
