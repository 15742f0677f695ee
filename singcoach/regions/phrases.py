"""Phrases: what is sung between two rests or breaths."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from singcoach.core.arrays import ANALYSIS_RATE, BoolArray, FloatArray, RealArray
from singcoach.core.music import Phrase, PitchTrack, Region
from singcoach.dsp.anchors import find_anchor
from singcoach.dsp.runs import runs_of
from singcoach.regions.detector import HOP_S, HOP_SAMPLES
from singcoach.regions.levels import close_gaps, moving_mean
from singcoach.regions.regions import FLOOR_DB, at_frames, relative_levels_db

SHORTEST_REST_S = 0.3
"""A gap in the voice from which a phrase ends: quick breaths take 0.3 s, consonants less."""
SHORTEST_PHRASE_S = 0.4
LONGEST_PHRASE_S = 15.0
"""About what one breath lasts in singing; longer runs are split at their deepest dips."""
JOIN_GAP_S = 0.6
"""A scrap shorter than a phrase joins a neighbour that is this near."""
_EDGE_S = 3.0
"""A long run is not cut nearer than this to its ends: no crumbs."""
_SAME_DEPTH_DB = 1.0
"""Dips that differ by less are alike; the one nearest the middle is then the best to cut at."""


def find_phrases(
    vocal: FloatArray,
    *,
    sample_rate: int,
    pitch: PitchTrack,
    regions: Sequence[Region],
) -> tuple[Phrase, ...]:
    """Return the phrases in order; they do not overlap and lie inside the take.

    A phrase ends where the voice has no pitch, or is 40 dB below the singing, for 0.3 s or more.
    Runs over 15 s (an organ-like stem, heavy reverb) are split at their deepest dips in level, or
    into about equal parts where there are none.
    Scraps under 0.4 s join a neighbour within 0.6 s or are dropped.

    Parameters
    ----------
    vocal
        Mono voice at ``sample_rate`` (16 kHz), shape ``(n_samples,)``.
    regions
        From :func:`singcoach.regions.regions.find_regions`; only singing makes phrases.

    Raises
    ------
    ValueError
        When the sample rate is not 16 kHz.
    """
    if sample_rate != ANALYSIS_RATE:
        raise ValueError(f"phrases are found at {ANALYSIS_RATE} Hz, not {sample_rate}")
    if vocal.size == 0:
        return ()
    phase = find_anchor(vocal).phase(HOP_SAMPLES)
    level_db = relative_levels_db(vocal, phase=phase)
    voiced = at_frames(pitch.voiced.astype(np.float64), pitch, level_db.size, phase) > 0.5
    sung = voiced & (level_db > FLOOR_DB) & _inside(regions, level_db.size, phase)
    whole = close_gaps(sung, longest_frames=round(SHORTEST_REST_S / HOP_S) - 1)
    runs: list[tuple[int, int]] = []
    sung_db = np.where(sung, level_db, FLOOR_DB)
    for run in _joined(runs_of(whole)):
        runs.extend(split_run(run, sung_db))
    return tuple(
        Phrase(
            start_s=(phase + start * HOP_SAMPLES) / sample_rate,
            end_s=min(phase + end * HOP_SAMPLES, vocal.size) / sample_rate,
        )
        for start, end in runs
    )


def _inside(regions: Sequence[Region], n_frames: int, phase: int) -> BoolArray:
    mask = np.zeros(n_frames, dtype=np.bool_)
    offset_s = phase / ANALYSIS_RATE
    for region in regions:
        if region.kind == "singing":
            first, last = (
                max(0, round((time_s - offset_s) / HOP_S))
                for time_s in (region.start_s, region.end_s)
            )
            mask[first:last] = True
    return mask


def _joined(runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    shortest = round(SHORTEST_PHRASE_S / HOP_S)
    near = round(JOIN_GAP_S / HOP_S)
    joined: list[tuple[int, int]] = []
    for start, end in runs:
        scrap = end - start < shortest or (joined and joined[-1][1] - joined[-1][0] < shortest)
        if joined and scrap and start - joined[-1][1] <= near:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return [(start, end) for start, end in joined if end - start >= shortest]


def split_run(run: tuple[int, int], level_db: RealArray) -> list[tuple[int, int]]:
    """Cut a run of frames until no piece is longer than a phrase; return the pieces in order.

    Parameters
    ----------
    run
        First frame, and the one after the last.
    level_db
        Level of every frame of the take, at the floor where nothing is sung.
    """
    start, end = run
    longest, edge = round(LONGEST_PHRASE_S / HOP_S), round(_EDGE_S / HOP_S)
    if end - start <= longest:
        return [run]
    smooth = moving_mean(level_db[start:end], n_frames=11)
    pieces: list[tuple[int, int]] = []
    waiting = [(0, end - start)]
    while waiting:
        first, last = waiting.pop()
        if last - first <= longest:
            pieces.append((start + first, start + last))
            continue
        cut = first + edge + _place_of_cut(_dip_depths_db(smooth[first:last])[edge:-edge])
        waiting += [(cut, last), (first, cut)]
    return pieces


def _dip_depths_db(level_db: RealArray) -> RealArray:
    """How far each frame lies below the loudest frame on either side of it, shape ``(n,)``.

    0 where the level only rises or only falls: a swell has no dip in it, however soft it begins.
    """
    before = np.maximum.accumulate(level_db)
    after = np.maximum.accumulate(level_db[::-1])[::-1]
    return np.asarray(np.minimum(before, after) - level_db)


def _place_of_cut(depths_db: RealArray) -> int:
    """Of the dips about as deep as the deepest, the one nearest the middle."""
    deep = np.flatnonzero(depths_db >= depths_db.max() - _SAME_DEPTH_DB)
    return int(deep[np.abs(2 * deep - (depths_db.size - 1)).argmin()])
