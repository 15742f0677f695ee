"""Two takes side by side: laid over each other in time, scores held against their ranges. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from singcoach.coaching.languages import catalogue_of
from singcoach.coaching.numbers import half_points
from singcoach.core.scores import DimensionScore
from singcoach.errors import InputError
from singcoach.gui.texts import language, number, points, text
from singcoach.gui.view_models.review import Review, Subject, dimension_name, review_of
from singcoach.gui.view_models.review_data import sections_of, track_of
from singcoach.gui.view_models.timeline import octave_shift, semitones_of
from singcoach.gui.view_models.timeline_content import (
    Overlay,
    TimelineContent,
    timeline_content,
)
from singcoach.jobs import NO_JOB, Job
from singcoach.library.curves import TakeCurves
from singcoach.library.folders import VOCALS
from singcoach.library.values import LibraryTake, TakeRow
from singcoach.report.alignment import Alignment, align_takes
from singcoach.report.comparison import ScoreDifference, Verdict, compare_scores
from singcoach.report.pitch_sections import PitchSections

if TYPE_CHECKING:
    from singcoach.library.store import Library

MOST_CHOICES: Final = 400
_SMALL_OFFSET_S: Final = 0.05

Source = Literal["recording", "voice"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two takes."""

    take: LibraryTake
    review: Review
    curves: TakeCurves
    voice: Path | None

    @property
    def name(self) -> str:
        """What the take is called."""
        return self.take.title or self.take.song or text("review.this_take")


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceLine:
    """One score of both takes, and what may be said about the difference.

    ``words`` never claims a difference that the ranges do not show.
    """

    subject: Subject
    name: str
    first: DimensionScore
    second: DimensionScore
    first_value: str
    second_value: str
    verdict: Verdict
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareData:
    """Two takes, read and laid over each other.

    Attributes
    ----------
    content
        Timeline of the first take with the pitch of the second over it.
    sections, beside
        Pitch by section of the first take, and the second's accuracy in the same music.
    aligned
        How they were laid over each other, in words.
    summary
        What can be said of the scores as a whole, in words.
    """

    first: Side
    second: Side
    alignment: Alignment
    content: TimelineContent
    lines: tuple[DifferenceLine, ...]
    sections: PitchSections
    beside: tuple[float | None, ...]
    aligned: str
    summary: str


def load_compare(library: Library, first_id: str, second_id: str, job: Job = NO_JOB) -> CompareData:
    """Read two takes and lay them over each other.

    Raises
    ------
    InputError
        A take is missing or was not analysed.
    """
    first = _side(library, first_id)
    second = _side(library, second_id)
    job.report(0.1, "reading")
    same_song = first.take.song_id is not None and first.take.song_id == second.take.song_id
    alignment = align_takes(
        track_of(first.curves), track_of(second.curves), same_song=same_song, job=job.part(0.1, 0.7)
    )
    overlay = overlay_of(first.curves, second, alignment)
    sections = sections_of(first.curves, job.part(0.7, 0.85))
    others = sections_of(second.curves, job.part(0.85, 1.0))
    lines = difference_lines(first.review, second.review)
    return CompareData(
        first=first,
        second=second,
        alignment=alignment,
        content=timeline_content(first.curves, overlay=overlay),
        lines=lines,
        sections=sections,
        beside=beside_sections(sections, others, alignment),
        aligned=alignment_words(alignment),
        summary=summary_words(lines),
    )


def judged_takes(library: Library) -> tuple[TakeRow, ...]:
    """Return the takes that can be compared, the newest first."""
    rows = library.takes(limit=MOST_CHOICES)
    return tuple(row for row in rows if row.state == "done")


def partner_for(rows: Sequence[TakeRow], take_id: str) -> str | None:
    """Propose what to set beside a take: of its song, of its singer, else the newest other."""
    this = next((row for row in rows if row.id == take_id), None)
    others = [row for row in rows if row.id != take_id]
    if this is None or not others:
        return others[0].id if others else None
    best = min(
        others,
        key=lambda row: (
            this.song_id is None or row.song_id != this.song_id,
            row.title != this.title,
            row.singer_id != this.singer_id,
            abs((row.made_at - this.made_at).total_seconds()),
        ),
    )
    return best.id


def difference_lines(first: Review, second: Review) -> tuple[DifferenceLine, ...]:
    """Say of each score whether the takes differ by more than their ranges."""
    found = compare_scores(first.assessment.scores, second.assessment.scores)
    return tuple(
        DifferenceLine(
            subject=difference.subject,
            name=dimension_name(difference.subject),
            first=difference.first,
            second=difference.second,
            first_value=first.line(difference.subject).short,
            second_value=second.line(difference.subject).short,
            verdict=difference.verdict,
            words=_difference_words(difference),
        )
        for difference in found
    )


def summary_words(lines: Sequence[DifferenceLine]) -> str:
    """Say in one sentence what the scores show."""
    if all(line.verdict == "unknown" for line in lines):
        return text("compare.nothing_known")
    higher = [line.name for line in lines if line.verdict == "higher"]
    lower = [line.name for line in lines if line.verdict == "lower"]
    if not higher and not lower:
        return text("compare.no_difference_at_all")
    between = "、" if language() in ("ja", "zh") else ", "
    parts = []
    if higher:
        parts.append(text("compare.second_higher", names=between.join(higher)))
    if lower:
        parts.append(text("compare.second_lower", names=between.join(lower)))
    return _sentences(parts)


def alignment_words(alignment: Alignment) -> str:
    """Say how the takes were laid over each other."""
    if alignment.kind == "none":
        return text("compare.not_aligned")
    if alignment.kind == "warp":
        words = text("compare.aligned_warp")
    elif abs(alignment.offset_s) < _SMALL_OFFSET_S:
        words = text("compare.aligned_same")
    else:
        side = "later" if alignment.offset_s > 0 else "earlier"
        words = text(f"compare.aligned_{side}", seconds=number(abs(alignment.offset_s), 1))
    shift = alignment.transposition_semitones
    if shift:
        side = "higher" if shift > 0 else "lower"
        moved = text(f"compare.transposed_{side}", count=abs(shift))
        return _sentences((words, moved))
    return words


def overlay_of(first: TakeCurves, second: Side, alignment: Alignment) -> Overlay:
    """Return the second take's pitch at the times, and in the key and octave, of the first."""
    semitones = semitones_of(second.curves.f0_hz) - alignment.transposition_semitones
    own = semitones_of(first.f0_hz)
    shift = octave_shift(own[np.isfinite(own)].tolist(), semitones[np.isfinite(semitones)].tolist())
    return Overlay(
        name=second.name,
        times_s=alignment.to_first(second.curves.times_s),
        semitones=semitones + shift,
    )


def beside_sections(
    sections: PitchSections, others: PitchSections, alignment: Alignment
) -> tuple[float | None, ...]:
    """Return the second take's accuracy in each section of the first; None where it has none.

    Its own sections are cut elsewhere, so each counts by how long it lies within.
    """
    if alignment.kind == "none" or sections.reference is None:
        return ()
    found: list[float | None] = []
    for section in sections.sections:
        start_s, end_s = alignment.to_second(np.array([section.start_s, section.end_s])).tolist()
        weights, values = [], []
        for other in others.sections:
            within_s = min(end_s, other.end_s) - max(start_s, other.start_s)
            if other.accuracy is not None and within_s > 0.25 * (end_s - start_s):
                weights.append(within_s)
                values.append(other.accuracy)
        found.append(float(np.average(values, weights=weights)) if values else None)
    return tuple(found)


def _sentences(said: Sequence[str]) -> str:
    return catalogue_of(language()).between_sentences.join(said)


def _side(library: Library, take_id: str) -> Side:
    take = library.take(take_id)
    document = library.assessment(take_id)
    curves = library.curves(take_id)
    if document is None or curves is None:
        raise InputError(
            text("compare.not_analysed", title=take.title or take.song),
            hint=text("compare.not_analysed_hint"),
        )
    voice = library.folder_of(take_id) / VOCALS
    return Side(
        take=take,
        review=review_of(document, notes=curves.notes),
        curves=curves,
        voice=voice if curves.kind == "mixture" and voice.is_file() else None,
    )


def _difference_words(difference: ScoreDifference) -> str:
    if difference.verdict == "unknown" or difference.change is None:
        return text("compare.unknown")
    if difference.verdict == "no_difference":
        return text("compare.no_difference")
    size = points(half_points(abs(difference.change)))
    return text(f"compare.{difference.verdict}", points=size)
