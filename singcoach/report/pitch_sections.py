"""Pitch accuracy section by section, as karaoke singers know it, without its known faults.

What such displays are blamed for, and what is done here instead:

- *Expressive singing counts as unsteady.* A note is judged by the median of its pitch with the
  vibrato replaced by its middle line and without its first moments, so that neither vibrato nor a
  scoop nor a slide to the next note costs anything.
- *Stopping early scores full marks.* Against a written song every section counts, also those that
  nobody sang; those say "not sung". Without a written song nobody knows what was left out, so
  below five seconds of notes nothing is said.
- *Another octave or key counts as wrong.* Octaves are folded, and the take's key is its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.core.music import Key, Note, Phrase, PitchTrack, Region, Song, SongNote
from singcoach.jobs import NO_JOB, Job
from singcoach.screening.chroma import BINS_PER_SEMITONE, N_BINS
from singcoach.screening.pitch_accuracy import (
    BACKING_FIT_AT_0,
    BACKING_FIT_AT_1,
    SELF_FIT_AT_0,
    SELF_FIT_AT_1,
    steady_semitones,
)
from singcoach.screening.song_fit import KERNEL_CENTS, fit_to_song, pitched_notes
from singcoach.screening.tonality import (
    DIATONIC,
    DRIFT_PRICE,
    scale_credit,
    scale_kernel,
    scale_root,
)

MOST_SECTIONS: Final = 16
SHORTEST_SECTION_S: Final = 5.0
LEAST_NOTES: Final = 3
LEAST_SUNG_S: Final = 2.0
"""Below this a section is too little to judge."""
LEAST_WHOLE_S: Final = 5.0
LEAST_COVERAGE: Final = 0.2
"""A section of a song of which less was sung counts as not sung; below 0.8 it is sung in part."""
MOST_COVERAGE: Final = 0.8
EDGE_S: Final = 0.05
SCOOP_SHARE: Final = 0.25
"""Part of a note at its start that is left out, beside 50 ms at each end."""
CHANGE_PRICE_S: Final = 6.0
"""Seconds of credit that another scale must win before the song counts as having modulated."""
WINDOW_S: Final = 5.0
"""The scale may move from one window to the next."""

SectionState = Literal["sung", "part", "not_sung", "too_little"]
Reference = Literal["song", "backing", "scale"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PitchSection:
    """One section of a take.

    Attributes
    ----------
    accuracy
        0..1; None where too little was sung to say.
    state
        ``part`` and ``not_sung`` exist only against a written song.
    sung_s
        Length of the notes that were judged.
    n_notes
        How many those were.
    lean_cents
        Median deviation of the notes, positive = sharp; None where nothing was judged.
    """

    start_s: float
    end_s: float
    accuracy: float | None
    state: SectionState
    sung_s: float
    n_notes: int
    lean_cents: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PitchSections:
    """Sections in order of time and the take as a whole.

    ``accuracy`` is None for less than five seconds of notes. ``coverage`` is the share of the
    written note time that was sung, None without a written song. ``reference`` says what the
    pitch was compared with, None where nothing could be.
    """

    sections: tuple[PitchSection, ...]
    accuracy: float | None
    reference: Reference | None
    coverage: float | None


def pitch_sections(
    pitch: PitchTrack,
    *,
    notes: Sequence[Note],
    phrases: Sequence[Phrase],
    song: Sequence[SongNote] = (),
    backing_key: Key | None = None,
    job: Job = NO_JOB,
) -> PitchSections:
    """Say how well each section of a take was in tune.

    Against a written song a note earns a Gaussian of 50 cents around it (latency, transposition
    and octaves removed, as in :func:`singcoach.screening.song_fit.fit_to_song`). Otherwise a sung
    note earns by its distance from the nearest note of the scale: of the accompaniment's key where
    one is known, else of the scale that fits the take best, whose tuning may drift slowly and
    whose key may change for good. What chance earns on a scale is taken off with the constants of
    the screening, so that 0 is singing at random.

    Parameters
    ----------
    pitch, notes, phrases
        As analysed; an empty take gives no sections.
    song
        Notes of the written song.
    backing_key
        Key and tuning of the accompaniment.

    Returns
    -------
    PitchSections
        At most 16 sections of at least five seconds, cut between lines or phrases.
    """
    job.report(0.0, "sections")
    regions = [Region(start_s=p.start_s, end_s=p.end_s, kind="singing") for p in phrases]
    written = _written_song(song)
    if written is not None:
        against_song = _against_song(pitch, regions, written)
        if against_song is not None:
            job.report(1.0, "sections")
            return against_song
    heights = steady_semitones(pitch)
    job.report(0.6, "sections")
    sung = _sung_notes(pitch, heights, notes)
    found = _against_scale(sung, phrases, backing_key)
    job.report(1.0, "sections")
    return found


# Against the written song


def _written_song(notes: Sequence[SongNote]) -> Song | None:
    song = Song(title="", artist="", language="", notes=tuple(notes))
    return song if pitched_notes(song) else None


def _against_song(pitch: PitchTrack, regions: Sequence[Region], song: Song) -> PitchSections | None:
    fit = fit_to_song(pitch, regions=regions, song=song)
    if fit is None:
        return None
    notes = pitched_notes(song)
    length_s = np.array([n.offset_s - n.onset_s for n in notes])
    rest = fit.deviations_cents
    sung = np.isfinite(rest)
    credit = np.where(sung, np.exp(-0.5 * (np.nan_to_num(rest) / KERNEL_CENTS) ** 2), 0.0)
    sections = []
    for start, end in _song_cuts(notes):
        part = slice(start, end)
        total_s = float(length_s[part].sum())
        sung_s = float(length_s[part][sung[part]].sum())
        share = sung_s / total_s if total_s > 0 else 0.0
        state: SectionState = "sung"
        if share < LEAST_COVERAGE:
            state = "not_sung"
        elif share < MOST_COVERAGE:
            state = "part"
        deviations = rest[part][sung[part]]
        sections.append(
            PitchSection(
                start_s=notes[start].onset_s + fit.latency_s,
                end_s=notes[end - 1].offset_s + fit.latency_s,
                accuracy=None
                if state == "not_sung"
                else float(np.average(credit[part], weights=length_s[part])),
                state=state,
                sung_s=sung_s,
                n_notes=int(sung[part].sum()),
                lean_cents=float(np.median(deviations)) if deviations.size else None,
            )
        )
    enough = float(length_s[sung].sum()) >= LEAST_WHOLE_S
    return PitchSections(
        sections=tuple(sections),
        accuracy=fit.accuracy if enough else None,
        reference="song",
        coverage=fit.coverage,
    )


def _song_cuts(notes: Sequence[SongNote]) -> list[tuple[int, int]]:
    """Ranges of note indices: whole lines, joined until a section is long enough."""
    lines = []
    for _, group in groupby(range(len(notes)), key=lambda i: notes[i].line):
        indices = list(group)
        lines.append((indices[0], indices[-1] + 1))
    spans = [(notes[a].onset_s, notes[b - 1].offset_s) for a, b in lines]
    return [(lines[a][0], lines[b - 1][1]) for a, b in _grouped(spans)]


# Against a scale


@dataclass(frozen=True, slots=True)
class _Sung:
    """One value per note: start, end, height in semitones (finite), judged length."""

    start_s: RealArray
    end_s: RealArray
    semitones: RealArray
    length_s: RealArray


def _sung_notes(pitch: PitchTrack, heights: RealArray, notes: Sequence[Note]) -> _Sung:
    """Reduce each note to one height: the median of its core, so that ornaments cost nothing."""
    rows = []
    for note in notes:
        start_s = note.onset_s + max(EDGE_S, SCOOP_SHARE * note.duration_s)
        core = _between(pitch, heights, start_s, note.offset_s - EDGE_S)
        if core.size == 0:
            core = _between(pitch, heights, note.onset_s, note.offset_s)
        if core.size:
            rows.append((note.onset_s, note.offset_s, float(np.median(core)), note.duration_s))
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 4)
    return _Sung(table[:, 0], table[:, 1], table[:, 2], table[:, 3])


def _between(pitch: PitchTrack, heights: RealArray, start_s: float, end_s: float) -> RealArray:
    first, last = np.searchsorted(pitch.times_s, (start_s, end_s))
    piece = heights[first:last]
    return piece[np.isfinite(piece)]


def _against_scale(
    sung: _Sung, phrases: Sequence[Phrase], backing_key: Key | None
) -> PitchSections:
    spans = _sections_of(sung, phrases)
    if not spans:
        return PitchSections(sections=(), accuracy=None, reference=None, coverage=None)
    whole_s = float(sung.length_s.sum())
    section = _section_of_notes(sung, spans)
    reference: Reference = "scale" if backing_key is None else "backing"
    at_0, at_1 = (
        (SELF_FIT_AT_0, SELF_FIT_AT_1)
        if backing_key is None
        else (BACKING_FIT_AT_0, BACKING_FIT_AT_1)
    )
    root = _scale_roots(sung, backing_key=backing_key)
    credit = scale_credit(sung.semitones, root)
    lean = _lean_cents(sung.semitones, root)
    enough = whole_s >= LEAST_WHOLE_S
    found = []
    for index, (start_s, end_s) in enumerate(spans):
        inside = section == index
        sung_s = float(sung.length_s[inside].sum())
        judged = enough and int(inside.sum()) >= LEAST_NOTES and sung_s >= LEAST_SUNG_S
        fit = float(np.average(credit[inside], weights=sung.length_s[inside])) if judged else 0.0
        found.append(
            PitchSection(
                start_s=start_s,
                end_s=end_s,
                accuracy=_mapped(fit, at_0, at_1) if judged else None,
                state="sung" if judged else "too_little",
                sung_s=sung_s,
                n_notes=int(inside.sum()),
                lean_cents=float(np.median(lean[inside])) if judged else None,
            )
        )
    accuracy = None
    if enough:
        accuracy = _mapped(float(np.average(credit, weights=sung.length_s)), at_0, at_1)
    return PitchSections(
        sections=tuple(found),
        accuracy=accuracy,
        reference=reference if enough else None,
        coverage=None,
    )


def _sections_of(sung: _Sung, phrases: Sequence[Phrase]) -> list[tuple[float, float]]:
    """Sections as spans of time: phrases joined until they are long enough."""
    if sung.start_s.size == 0:
        return []
    spans = sorted((p.start_s, p.end_s) for p in phrases)
    if not spans:
        spans = [(float(a), float(b)) for a, b in zip(sung.start_s, sung.end_s, strict=True)]
    return [(spans[a][0], max(s[1] for s in spans[a:b])) for a, b in _grouped(spans)]


def _section_of_notes(sung: _Sung, spans: Sequence[tuple[float, float]]) -> RealArray:
    """Index of the section that each note belongs to, shape ``(n_notes,)``."""
    starts = np.array([start_s for start_s, _ in spans])
    middle_s = (sung.start_s + sung.end_s) / 2.0
    return np.maximum(0, np.searchsorted(starts, middle_s, side="right") - 1).astype(np.float64)


def _scale_roots(sung: _Sung, *, backing_key: Key | None) -> RealArray:
    """Root of the scale in force at every note, in semitones, octave folded.

    The best path over windows of five seconds (Viterbi). Without accompaniment the root is free
    and may drift by a little from window to window; with one it starts where the music is. Either
    may jump by whole semitones at the price of six seconds of credit, so that a change of key is
    followed and notes sung wrong are not explained away as one.
    """
    middle_s = (sung.start_s + sung.end_s) / 2.0
    window = ((middle_s - middle_s[0]) // WINDOW_S).astype(int)
    histograms = np.zeros((int(window.max()) + 1, N_BINS))
    bins = np.round(sung.semitones * BINS_PER_SEMITONE).astype(int) % N_BINS
    np.add.at(histograms, (window, bins), sung.length_s)
    kernel = np.conj(np.fft.rfft(scale_kernel()))
    scores = np.fft.irfft(np.fft.rfft(histograms, axis=1) * kernel, n=N_BINS, axis=1)
    jumps = [(round(step * BINS_PER_SEMITONE), CHANGE_PRICE_S) for step in range(1, 12)]
    if backing_key is None:
        drift_price = DRIFT_PRICE * float(histograms.sum()) / histograms.shape[0]
        moves = [(step, drift_price * abs(step)) for step in (0, -1, 1, -2, 2)] + jumps
        best = scores[0].copy()
    else:
        moves = [(0, 0.0), *jumps]
        root = scale_root(backing_key) + backing_key.tuning_cents / 100.0
        home = round(root * BINS_PER_SEMITONE)
        best = np.full(N_BINS, -np.inf)
        for step, price in moves:
            best[(home + step) % N_BINS] = scores[0][(home + step) % N_BINS] - price
    came_from = []
    for row in scores[1:]:
        moved = np.stack([np.roll(best, step) - price for step, price in moves])
        choice = moved.argmax(axis=0)
        came_from.append(np.array([step for step, _ in moves])[choice])
        best = moved[choice, np.arange(N_BINS)] + row
    path = [int(best.argmax())]
    for steps in reversed(came_from):
        path.append(int(path[-1] - steps[path[-1]]) % N_BINS)
    return np.asarray(np.array(path[::-1])[window] / BINS_PER_SEMITONE)


def _lean_cents(semitones: RealArray, root: RealArray) -> RealArray:
    """Signed distance in cents to the nearest note of the scale."""
    above = (semitones - root)[:, np.newaxis] - np.array(DIATONIC)
    distance = (above + 6.0) % 12.0 - 6.0
    nearest = np.abs(distance).argmin(axis=1)
    return np.asarray(100.0 * distance[np.arange(nearest.size), nearest])


def _grouped(spans: Sequence[tuple[float, float]]) -> list[tuple[int, int]]:
    """Join neighbours into at most 16 groups of at least eight seconds, index ranges."""
    if not spans:
        return []
    wanted_s = max(SHORTEST_SECTION_S, (spans[-1][1] - spans[0][0]) / MOST_SECTIONS)
    groups: list[tuple[int, int]] = []
    start = 0
    for index, (_, end_s) in enumerate(spans):
        if end_s - spans[start][0] >= wanted_s:
            groups.append((start, index + 1))
            start = index + 1
    if start < len(spans):
        short = spans[-1][1] - spans[start][0] < wanted_s / 2
        if groups and short:
            groups[-1] = (groups[-1][0], len(spans))
        else:
            groups.append((start, len(spans)))
    return groups


def _mapped(fit: float, at_0: float, at_1: float) -> float:
    return float(np.clip((fit - at_0) / (at_1 - at_0), 0.0, 1.0))
