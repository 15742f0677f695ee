"""Two takes of one song laid over each other in time.

Takes over the same accompaniment differ by a constant offset, and a singer who comes in late
should be seen to. Takes without accompaniment differ in tempo, so they have to be followed moment
by moment. Both are found from the pitch alone; level, octave and key play no part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from singcoach.core.arrays import RealArray, read_only
from singcoach.core.music import PitchTrack
from singcoach.jobs import NO_JOB, Job
from singcoach.screening.pitch_accuracy import steady_semitones

FRAME_S: Final = 0.05
FINE_FRAME_S: Final = 0.01
BAND_S: Final = 20.0
"""How far the path may stray from the constant offset."""
CLASS_WIDTH_SEMITONES: Final = 0.7
FAR_SEMITONES: Final = 2.0
"""Distance from which two pitches are simply different."""
REST_COST: Final = 0.6
"""Cost of a sung frame against a rest, where 1 is a sung frame against another pitch."""
STRAIGHT_STEP_COST: Final = 1.0
LOOSE_STEP_COST: Final = 0.3
"""Cost of dwelling on one frame of a take while the other goes on, beside that of the frames: much
to tell whether two takes go together at all, little to follow one whose tempo differs."""
REST_STEP_COST: Final = 0.02
LEFT_OUT_COST: Final = 0.5
"""Cost of a sung frame at the start or the end of one take that the other does not have."""
ANCHOR_S: Final = 0.25
OFFSET_TOLERANCE_S: Final = 0.3
OFFSET_SHARE: Final = 0.85
"""Takes are offset when the path keeps this close to a constant offset for this share of time."""
LEAST_LIKENESS: Final = 0.38
"""Agreement x share of steps in both takes x share of singing that is matched, below which two
takes are not of one song. Six pairs of singers of one song (pesnq_edelweiss, among them one of the
lowest rating) have 0.42 to 0.89, fifteen pairs of different songs (vocadito) 0.12 to 0.35."""
LEAST_SUNG_S: Final = 3.0
MOST_FRAMES: Final = 40_000
"""Longer takes get wider frames, so that memory and time stay bounded."""

AlignmentKind = Literal["offset", "warp", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """The same musical moments in two takes.

    Attributes
    ----------
    kind
        ``offset``: constant; ``warp``: followed moment by moment; ``none``: the takes are not
        alike, and times are taken as they are.
    first_s, second_s
        Matching times, ascending, shape ``(n,)``, at least two. Beyond them the difference stays.
    transposition_semitones
        By how much the second take was sung higher, whole semitones -5..6, octaves folded.
    agreement
        Share of the frames sung in both whose pitches are within a semitone, 0..1, octaves and
        transposition removed.
    """

    kind: AlignmentKind
    first_s: RealArray
    second_s: RealArray
    transposition_semitones: int
    agreement: float

    @property
    def offset_s(self) -> float:
        """Median of second minus first time."""
        return float(np.median(self.second_s - self.first_s))

    def to_second(self, times_s: RealArray | float) -> RealArray:
        """Return the moments of the second take that match times of the first."""
        return _mapped(times_s, self.first_s, self.second_s)

    def to_first(self, times_s: RealArray | float) -> RealArray:
        """Return the moments of the first take that match times of the second."""
        return _mapped(times_s, self.second_s, self.first_s)


def align_takes(
    first: PitchTrack, second: PitchTrack, *, same_song: bool = False, job: Job = NO_JOB
) -> Alignment:
    """Find which moments of two takes belong together.

    The best constant offset and transposition come from the cross-correlation of pitch classes.
    Around it (20 s to each side) dynamic time warping follows the pitch lines; dwelling costs
    extra, so that rests are stretched rather than notes (Sakoe and Chiba 1978,
    doi:10.1109/TASSP.1978.1163055, with a price in place of their slope limits). Where the path
    stays near one offset, that offset is measured to about 10 ms and the path is given up.

    Parameters
    ----------
    same_song
        Whether both takes are known to be of one song, so that nothing has to prove it. Needed
        for a take of one verse beside one of the whole song.

    Returns
    -------
    Alignment
        ``none`` when less than three seconds were sung in either take, or the pitches are not
        alike and nobody said that the song is the same.

    Notes
    -----
    At most about 40 MB and some seconds, also for takes of hours (their frames are wider).
    """
    job.report(0.0, "aligning")
    frame_s = _frame_s(first, second)
    heights = tuple(_resampled(track, frame_s) for track in (first, second))
    if min(np.isfinite(h).sum() * frame_s for h in heights) < LEAST_SUNG_S:
        return _unaligned(first, second)
    lag, shift = _best_lag(*heights)
    job.report(0.3, "aligning")
    moved = heights[1] - shift
    reach = round(BAND_S / frame_s)
    path = _path(
        heights[0],
        moved,
        lag=lag,
        reach=reach,
        step_cost=STRAIGHT_STEP_COST,
        job=job.part(0.3, 0.6),
    )
    found = _from_path(path, frame_s, heights[0], moved, shift)
    if not same_song and _likeness(path, heights[0], moved, found.agreement) < LEAST_LIKENESS:
        return _unaligned(first, second)
    away_s = np.abs(found.second_s - found.first_s - found.offset_s)
    if float(np.mean(away_s <= OFFSET_TOLERANCE_S)) >= OFFSET_SHARE:
        found = _constant(first, second, found)
    else:
        path = _path(
            heights[0],
            moved,
            lag=lag,
            reach=reach,
            step_cost=LOOSE_STEP_COST,
            job=job.part(0.6, 0.9),
        )
        found = _from_path(path, frame_s, heights[0], moved, shift)
    job.report(1.0, "aligning")
    return found


def _unaligned(first: PitchTrack, second: PitchTrack) -> Alignment:
    end_s = max([1.0, *(float(t.times_s[-1]) for t in (first, second) if t.times_s.size)])
    line = np.array([0.0, end_s])
    return Alignment(
        kind="none",
        first_s=read_only(line),
        second_s=read_only(line.copy()),
        transposition_semitones=0,
        agreement=0.0,
    )


def _frame_s(first: PitchTrack, second: PitchTrack) -> float:
    longest_s = max(float(t.times_s[-1]) if t.times_s.size else 0.0 for t in (first, second))
    return max(FRAME_S, longest_s / MOST_FRAMES)


def _resampled(track: PitchTrack, frame_s: float) -> RealArray:
    """Heights in semitones without vibrato at multiples of ``frame_s``, NaN where unvoiced."""
    if track.times_s.size == 0:
        return np.zeros(0)
    heights = steady_semitones(track)
    grid_s = np.arange(0.0, float(track.times_s[-1]) + frame_s / 2.0, frame_s)
    index = np.searchsorted(track.times_s, grid_s)
    index = np.clip(index, 1, max(1, track.times_s.size - 1))
    before = grid_s - track.times_s[index - 1]
    after = track.times_s[np.minimum(index, track.times_s.size - 1)] - grid_s
    nearest = np.where(before <= after, index - 1, np.minimum(index, track.times_s.size - 1))
    return np.asarray(heights[nearest], dtype=np.float64)


def _classes(heights: RealArray) -> RealArray:
    """How much each of 12 pitch classes is sounding in every frame, shape ``(12, n_frames)``."""
    distance = (heights - np.arange(12.0)[:, np.newaxis] + 6.0) % 12.0 - 6.0
    weight = np.exp(-0.5 * (distance / CLASS_WIDTH_SEMITONES) ** 2)
    return np.nan_to_num(weight, nan=0.0)


def _best_lag(first: RealArray, second: RealArray) -> tuple[int, int]:
    """Frames by which the second take is later, and semitones by which it is higher (-5..6)."""
    size = 1 << math.ceil(math.log2(first.size + second.size))
    # The mean is taken off where somebody sings, so that singing at the same time is not enough.
    spectra = []
    for heights in (first, second):
        classes = _classes(heights)
        sung = np.isfinite(heights)
        classes[:, sung] -= classes[:, sung].mean(axis=0, keepdims=True)
        spectra.append(np.fft.rfft(classes, n=size, axis=1))
    best = (-math.inf, 0, 0)
    for shift in sorted(range(-5, 7), key=abs):
        turned = np.roll(spectra[1], -shift, axis=0)
        score = np.fft.irfft((np.conj(spectra[0]) * turned).sum(axis=0), n=size)
        peak = int(score.argmax())
        if score[peak] > best[0] * (1.0 + 1e-6) or best[0] == -math.inf:
            best = (float(score[peak]), peak if peak < size // 2 else peak - size, shift)
    return best[1], best[2]


def _distance(first: RealArray | float, second: RealArray) -> RealArray:
    """Cost 0..1 of frames against each other; octaves folded, rests known."""
    folded = np.abs((first - second + 6.0) % 12.0 - 6.0)
    cost = np.minimum(1.0, folded / FAR_SEMITONES)
    a, b = np.isfinite(first), np.isfinite(second)
    return np.where(a & b, cost, np.where(a | b, REST_COST, 0.0))


_BOTH, _FIRST, _SECOND, _ENTER = 0, 1, 2, 3
"""Steps of the path: both takes go on, one of them dwells, or the path begins here."""


def _path(
    first: RealArray, second: RealArray, *, lag: int, reach: int, step_cost: float, job: Job
) -> NDArray[np.int64]:
    """Cheapest path as rows of (frame of first, frame of second), shape ``(n, 2)``, by time.

    Row ``i`` of the band holds the frames ``i + lag - reach`` to ``i + lag + reach`` of the second
    take. What one take has before or after the other is paid for by what was sung there, else the
    cheapest path would be the shortest.
    """
    width = 2 * reach + 1
    steps = np.zeros((first.size, width), dtype=np.int8)
    left_out = [_left_out(heights) for heights in (first, second)]
    total = np.full(width, np.inf)
    best_end = (math.inf, 0, 0)
    for i in range(first.size):
        if i % 1000 == 0:
            job.report(i / first.size, "aligning")
        columns = i + lag - reach + np.arange(width)
        inside = (columns >= 0) & (columns < second.size)
        values = second[np.clip(columns, 0, second.size - 1)]
        cost = _distance(first[i], values)
        dwell = np.where(np.isfinite(values) | np.isfinite(first[i]), step_cost, REST_STEP_COST)
        # The band moves on by a frame a row: "both" keeps the column, "first" comes from the next.
        both = total + cost
        stay = np.append(total[1:], np.inf) + cost + dwell
        enter = np.where(columns == 0, left_out[0][i], np.inf)
        if i == 0:
            enter = np.where(inside, left_out[1][np.clip(columns, 0, second.size)], np.inf)
        enter = enter + cost
        reached = np.where(inside, np.minimum(np.minimum(both, stay), enter), np.inf)
        step = np.where(enter <= reached, _ENTER, np.where(both <= reached, _BOTH, _FIRST))
        # "Second" moves within the row: the cheapest start and the cost of walking on from there.
        along = np.cumsum(np.where(inside, cost + dwell, 0.0))
        walked = np.minimum.accumulate(reached - along) + along
        walks = inside & (walked < reached - 1e-9)
        steps[i] = np.where(walks, _SECOND, step)
        total = np.where(walks, walked, reached)
        for column in _end_columns(i, first.size, second.size, i + lag - reach, width):
            frame = i + lag - reach + column
            end = total[column] + (left_out[0][-1] - left_out[0][i + 1])
            end += left_out[1][-1] - left_out[1][frame + 1]
            if end < best_end[0]:
                best_end = (float(end), i, frame)
    return _walked_back(steps, best_end[1], best_end[2], lag - reach)


def _left_out(heights: RealArray) -> RealArray:
    """Cost of leaving out the frames before each frame, shape ``(n_frames + 1,)``."""
    return np.concatenate(([0.0], np.cumsum(np.where(np.isfinite(heights), LEFT_OUT_COST, 0.0))))


def _end_columns(i: int, n_first: int, n_second: int, band_start: int, width: int) -> range:
    """Columns of row ``i`` where a path may end: the last frame of either take."""
    if i == n_first - 1:
        return range(max(0, -band_start), min(width, n_second - band_start))
    last = n_second - 1 - band_start
    return range(last, last + 1) if 0 <= last < width else range(0)


def _walked_back(
    steps: NDArray[np.int8], row: int, frame: int, band_offset: int
) -> NDArray[np.int64]:
    path = []
    while True:
        path.append((row, frame))
        step = steps[row, frame - row - band_offset]
        if step == _ENTER:
            break
        row -= step != _SECOND
        frame -= step != _FIRST
    return np.array(path[::-1], dtype=np.int64)


def _from_path(
    path: NDArray[np.int64], frame_s: float, first: RealArray, moved: RealArray, shift: int
) -> Alignment:
    """Anchors a quarter of a second apart, and how well the pitches agree along the path."""
    difference = (first[path[:, 0]] - moved[path[:, 1]] + 6.0) % 12.0 - 6.0
    difference = difference[np.isfinite(difference)]
    near = difference[np.abs(difference) <= 1.0]
    tuning = float(np.median(near)) if near.size else 0.0
    agreement = float(np.mean(np.abs(difference - tuning) <= 1.0)) if difference.size else 0.0
    times_s = path * frame_s
    middle_s = times_s.mean(axis=1)
    group = ((middle_s - middle_s[0]) // ANCHOR_S).astype(int)
    count = np.bincount(group)
    kept = count > 0
    anchors = np.stack(
        [np.bincount(group, weights=times_s[:, side])[kept] / count[kept] for side in (0, 1)]
    )
    rising = np.concatenate(([True], (np.diff(anchors, axis=1) > 1e-6).all(axis=0)))
    anchors = anchors[:, rising]
    if anchors.shape[1] < 2:
        anchors = np.concatenate((anchors, anchors[:, -1:] + 1.0), axis=1)
    return Alignment(
        kind="warp",
        first_s=read_only(anchors[0].copy()),
        second_s=read_only(anchors[1].copy()),
        transposition_semitones=shift,
        agreement=agreement,
    )


def _likeness(
    path: NDArray[np.int64], first: RealArray, moved: RealArray, agreement: float
) -> float:
    """How much the path looks like one song: pitches agree, both takes go on, little is left."""
    together = np.isfinite(first[path[:, 0]]) & np.isfinite(moved[path[:, 1]])
    longest = max(np.isfinite(first).sum(), np.isfinite(moved).sum())
    matched = min(1.0, float(together.sum() / longest))
    straight = float((np.diff(path, axis=0).min(axis=1) == 1).mean()) if len(path) > 1 else 0.0
    return agreement * straight * matched


def _constant(first: PitchTrack, second: PitchTrack, found: Alignment) -> Alignment:
    """The same alignment with one offset, measured on frames of ten milliseconds."""
    heights = [_resampled(track, FINE_FRAME_S) for track in (first, second)]
    moved = heights[1] - found.transposition_semitones
    middle = round(found.offset_s / FINE_FRAME_S)
    reach = round(OFFSET_TOLERANCE_S / FINE_FRAME_S)
    lags = np.arange(middle - reach, middle + reach + 1)
    costs = np.array([_mean_cost(heights[0], moved, int(lag)) for lag in lags])
    place = int(costs.argmin())
    offset_s = float(lags[place]) * FINE_FRAME_S
    if 0 < place < costs.size - 1:
        before, at, after = costs[place - 1 : place + 2]
        bend = before - 2.0 * at + after
        if bend > 0:
            offset_s += 0.5 * (before - after) / bend * FINE_FRAME_S
    ends_s = np.array([found.first_s[0], found.first_s[-1]])
    return Alignment(
        kind="offset",
        first_s=read_only(ends_s),
        second_s=read_only(ends_s + offset_s),
        transposition_semitones=found.transposition_semitones,
        agreement=found.agreement,
    )


def _mean_cost(first: RealArray, second: RealArray, lag: int) -> float:
    start = max(0, -lag)
    end = min(first.size, second.size - lag)
    if end <= start:
        return 1.0
    return float(_distance(first[start:end], second[start + lag : end + lag]).mean())


def _mapped(times_s: RealArray | float, known_s: RealArray, wanted_s: RealArray) -> RealArray:
    times = np.asarray(times_s, dtype=np.float64)
    inside = np.interp(times, known_s, wanted_s)
    inside = np.where(times < known_s[0], times - known_s[0] + wanted_s[0], inside)
    return np.asarray(np.where(times > known_s[-1], times - known_s[-1] + wanted_s[-1], inside))
