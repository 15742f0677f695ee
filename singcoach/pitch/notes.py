"""Notes from a pitch track: where each starts and ends, and what was sung."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from singcoach.core.arrays import ANALYSIS_RATE, FloatArray, RealArray
from singcoach.core.music import Note, PitchTrack
from singcoach.dsp.anchors import find_anchor
from singcoach.dsp.runs import runs_of
from singcoach.jobs import NO_JOB, Job
from singcoach.pitch.contour import without_vibrato
from singcoach.pitch.frames import hz_to_cents
from singcoach.pitch.onsets import OnsetEvidence, onset_evidence
from singcoach.pitch.tuning import estimate_tuning
from singcoach.pitch.vibrato import measure_vibrato

# Chosen on vocadito_1 (CC BY 4.0), each in the middle of a plateau where it hardly matters; the
# strength that splits also on songs/on_the_run (CC BY-SA 2.5) for syllables repeated on one pitch.
GRID_CENTS = 25.0
MISFIT_LIMIT_CENTS = 120.0
CHANGE_COST = 5.0
CHEAPEST_CHANGE = 0.5
COST_PER_DB = 0.15
SPLIT_STRENGTH_DB = 5.0
SPLIT_REACH_FRAMES = 4
MIN_NOTE_FRAMES = 5
SAME_PITCH_CENTS = 60.0
SCOOP_FRAMES = 28
SCOOP_CENTS = 250.0
SCOOP_CENTS_PER_STEP = 90.0
STEP_FRAMES = 6
BRIDGE_CENTS = 150.0
BRIDGE_DIP_DB = 6.0


@dataclass(slots=True, kw_only=True)
class _Segment:
    """Frames ``start`` to ``end`` (exclusive) of a run, at one height, begun by ``strength_db``."""

    start: int
    end: int
    cents: float
    strength_db: float

    @property
    def n_frames(self) -> int:
        return self.end - self.start


def find_notes(
    pitch: PitchTrack,
    audio: FloatArray,
    *,
    sample_rate: int = ANALYSIS_RATE,
    tuning_cents: float | None = None,
    job: Job = NO_JOB,
) -> tuple[Note, ...]:
    """Return the notes of one voice in order of onset, with their vibrato.

    Each voiced run, its vibrato replaced by the middle line, is explained by the cheapest sequence
    of constant heights (a least-cost path with a price for every change of height, lower where the
    sound itself shows an onset). Onsets strong enough also part notes of one height. Heights are
    on a 25 cent grid and not on semitones: an untrained singer is between the keys.

    Parameters
    ----------
    pitch
        From :func:`singcoach.pitch.f0.track_pitch`.
    audio
        The same voice, shape ``(n_samples,)``.
    sample_rate
        16000.
    tuning_cents
        Offset of the scale that ``midi`` and ``cents_deviation`` refer to; by default the take's
        own (:func:`singcoach.pitch.tuning.estimate_tuning`). The sung height in cents is
        ``100 * midi + tuning_cents + cents_deviation``.

    Returns
    -------
    tuple of Note
        Non-overlapping, each at least 80 ms long; empty when nothing is sung.

    Raises
    ------
    ValueError
        When the pitch track and the audio differ in length.
    Cancelled
        When ``job`` was cancelled.
    """
    n_frames = pitch.f0_hz.size
    if tuning_cents is None:
        tuning = estimate_tuning(pitch)
        tuning_cents = tuning.cents if tuning is not None else 0.0
    first = _samples(float(pitch.times_s[0])) if n_frames else 0
    evidence = onset_evidence(audio, sample_rate=sample_rate, phase=first, job=job.part(0.0, 0.5))
    if evidence.level_db.size != n_frames:
        raise ValueError(
            f"pitch has {n_frames} frames, {audio.size} samples make {evidence.level_db.size}"
        )
    cents = hz_to_cents(pitch.f0_hz)
    # Times are whole samples over the rate, so that they do not depend on where a file begins.
    hop, start_sample = _samples(pitch.hop_s), find_anchor(audio).first_signal
    notes = []
    for start, end in _bridged_runs(cents, evidence):
        job.report(0.5 + 0.5 * start / n_frames, "notes")
        contour = _filled(cents[start:end])
        line = without_vibrato(contour, hop_s=pitch.hop_s)
        for segment in _segments(line, evidence.strength_db[start:end]):
            notes.append(
                _note(
                    line[segment.start : segment.end],
                    contour[segment.start : segment.end],
                    onset_s=max(start_sample, first + (start + segment.start) * hop - hop // 2)
                    / ANALYSIS_RATE,
                    offset_s=(first + (start + segment.end - 1) * hop + hop // 2) / ANALYSIS_RATE,
                    tuning_cents=tuning_cents,
                    hop_s=pitch.hop_s,
                )
            )
    job.report(1.0, "notes")
    return tuple(notes)


def _samples(time_s: float) -> int:
    return round(time_s * ANALYSIS_RATE)


def _note(
    line: RealArray,
    contour: RealArray,
    *,
    onset_s: float,
    offset_s: float,
    tuning_cents: float,
    hop_s: float,
) -> Note:
    height = float(np.median(line)) - tuning_cents
    midi = int(np.floor(height / 100.0 + 0.5))
    return Note(
        onset_s=onset_s,
        offset_s=offset_s,
        midi=midi,
        cents_deviation=height - 100.0 * midi,
        vibrato=measure_vibrato(contour, hop_s=hop_s),
    )


def _bridged_runs(cents: RealArray, evidence: OnsetEvidence) -> list[tuple[int, int]]:
    """Return the voiced runs, joined over a single frame lost without a dip or a step."""
    level_db = evidence.level_db
    joined: list[tuple[int, int]] = []
    for start, end in runs_of(~np.isnan(cents)):
        if joined and start - joined[-1][1] == 1:
            before, gap = joined[-1]
            step = abs(
                np.median(cents[start : start + 3]) - np.median(cents[max(before, gap - 3) : gap])
            )
            sides_db = min(
                level_db[max(before, gap - 5) : gap].max(), level_db[start:end][:5].max()
            )
            if step < BRIDGE_CENTS and level_db[gap] > sides_db - BRIDGE_DIP_DB:
                joined[-1] = (before, end)
                continue
        joined.append((start, end))
    return joined


def _filled(cents: RealArray) -> RealArray:
    known = np.flatnonzero(~np.isnan(cents))
    return np.asarray(np.interp(np.arange(cents.size), known, cents[known]), dtype=np.float64)


def _segments(line: RealArray, strength_db: RealArray) -> list[_Segment]:
    """Return the notes of one voiced run."""
    price = np.maximum(CHEAPEST_CHANGE, CHANGE_COST - COST_PER_DB * strength_db)
    cuts = {0, line.size, *_height_changes(line, price)}
    for frame in _same_pitch_onsets(strength_db):
        if min(abs(frame - cut) for cut in cuts) >= MIN_NOTE_FRAMES:
            cuts.add(frame)
    ordered = sorted(cuts)
    segments = [
        _Segment(
            start=start,
            end=end,
            cents=float(np.median(line[start:end])),
            strength_db=float(strength_db[start]) if start else np.inf,
        )
        for start, end in pairwise(ordered)
    ]
    while _join_alike(segments, line) or _absorb_shortest(segments):
        pass
    while _join_scoop(segments, line):
        pass
    return [segment for segment in segments if segment.n_frames >= MIN_NOTE_FRAMES]


def _height_changes(line: RealArray, price: RealArray) -> list[int]:
    """Return the frames where the least-cost sequence of heights changes (Viterbi, Potts model)."""
    lowest = np.floor(line.min() / GRID_CENTS) * GRID_CENTS
    heights = np.arange(lowest, line.max() + 2.0 * GRID_CENTS, GRID_CENTS)
    misfit = np.minimum(np.abs(line[:, np.newaxis] - heights), MISFIT_LIMIT_CENTS) / 100.0
    own = np.arange(heights.size)
    origin = np.empty((line.size, heights.size), dtype=np.int32)
    cost = misfit[0].copy()
    for frame in range(1, line.size):
        cheapest = int(cost.argmin())
        changed = cost[cheapest] + price[frame]
        change = changed < cost
        origin[frame] = np.where(change, cheapest, own)
        cost = np.where(change, changed, cost) + misfit[frame]
    state = int(cost.argmin())
    changes = []
    for frame in range(line.size - 1, 0, -1):
        previous = int(origin[frame, state])
        if previous != state:
            changes.append(frame)
        state = previous
    return changes


def _same_pitch_onsets(strength_db: RealArray) -> list[int]:
    """Return the frames of the onsets strong enough to part two notes of one height."""
    found = []
    reach = SPLIT_REACH_FRAMES
    for frame in np.flatnonzero(strength_db >= SPLIT_STRENGTH_DB):
        near = strength_db[max(0, frame - reach) : frame + reach + 1]
        if strength_db[frame] == near.max():
            found.append(int(frame))
    return found


def _join_alike(segments: list[_Segment], line: RealArray) -> bool:
    for index in range(len(segments) - 1):
        first, second = segments[index], segments[index + 1]
        if (
            abs(first.cents - second.cents) < SAME_PITCH_CENTS
            and second.strength_db < SPLIT_STRENGTH_DB
        ):
            first.end = second.end
            first.cents = float(np.median(line[first.start : first.end]))
            del segments[index + 1]
            return True
    return False


def _join_scoop(segments: list[_Segment], line: RealArray) -> bool:
    """Join the start of a run that creeps up to its note; a step between notes takes 100 ms."""
    if len(segments) < 2:
        return False
    first, second = segments[0], segments[1]
    rise = second.cents - first.cents
    if (
        first.n_frames > min(SCOOP_FRAMES, second.n_frames)
        or not 0.0 < rise <= SCOOP_CENTS
        or second.strength_db >= SPLIT_STRENGTH_DB
    ):
        return False
    around = line[max(0, first.end - STEP_FRAMES) : first.end + STEP_FRAMES]
    if around.size <= STEP_FRAMES:
        return False
    fastest = float((around[STEP_FRAMES:] - around[:-STEP_FRAMES]).max())
    if fastest >= SCOOP_CENTS_PER_STEP:
        return False
    first.end = second.end
    first.cents = second.cents
    del segments[1]
    return True


def _absorb_shortest(segments: list[_Segment]) -> bool:
    """Give the shortest segment that is no note to the neighbour of nearer height."""
    if len(segments) < 2:
        return False
    index = min(range(len(segments)), key=lambda i: segments[i].n_frames)
    short = segments[index]
    if short.n_frames >= MIN_NOTE_FRAMES:
        return False
    before = segments[index - 1] if index > 0 else None
    after = segments[index + 1] if index + 1 < len(segments) else None
    if before is not None and (
        after is None or abs(before.cents - short.cents) <= abs(after.cents - short.cents)
    ):
        before.end = short.end
    elif after is not None:
        after.start = short.start
        after.strength_db = short.strength_db
    del segments[index]
    return True
