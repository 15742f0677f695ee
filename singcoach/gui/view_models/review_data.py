"""Everything that the review of one take needs from the library, read beside the window. No Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from singcoach.core.music import PitchTrack
from singcoach.core.scores import DIMENSIONS, Dimension
from singcoach.errors import InputError
from singcoach.gui.texts import day, language, text
from singcoach.gui.view_models.radar import earlier_mean
from singcoach.gui.view_models.review import Review, review_of
from singcoach.gui.view_models.timeline_content import TimelineContent, timeline_content
from singcoach.jobs import NO_JOB, Job
from singcoach.library.curves import TakeCurves
from singcoach.library.folders import VOCALS
from singcoach.library.values import (
    LibraryTake,
    TakeNote,
    TakeRow,
)
from singcoach.report.pitch_sections import PitchSections, pitch_sections
from singcoach.report.wording import words_of

if TYPE_CHECKING:
    from singcoach.library.store import Library

MOST_EARLIER: Final = 5
MOST_BESIDE: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewData:
    """One take, read.

    Attributes
    ----------
    review
        None for a take without an assessment.
    content
        What the timeline shows; None without curves.
    earlier, n_earlier
        Mean scores of the singer's takes before this one, and of how many at most.
    beside
        Judged takes that may be shown beside it, the same song and singer first.
    voice
        The separated voice as a file; None for a voice alone.
    """

    take: LibraryTake
    review: Review | None
    curves: TakeCurves | None
    content: TimelineContent | None
    notes: tuple[TakeNote, ...]
    earlier: Mapping[Dimension, float]
    n_earlier: int
    beside: tuple[TakeRow, ...]
    voice: Path | None

    def with_notes(self, notes: tuple[TakeNote, ...]) -> ReviewData:
        """Return the same take with other notes."""
        content = self.content
        if content is not None and self.curves is not None:
            content = timeline_content(self.curves, moments=content.moments, notes=notes)
        return replace(self, notes=notes, content=content)


def load_review(library: Library, take_id: str, job: Job = NO_JOB) -> ReviewData:
    """Read one take with all that is shown of it.

    A damaged assessment counts as none, so that the take can be analysed again.

    Raises
    ------
    InputError
        There is no such take.
    """
    take = library.take(take_id)
    document = library.assessment(take_id)
    curves = library.curves(take_id)
    job.report(0.2, "reading")
    review = None
    if document is not None:
        try:
            review = review_of(document, notes=curves.notes if curves is not None else ())
        except InputError:
            review = None
    notes = tuple(library.notes(take_id))
    content = None
    if curves is not None:
        moments = review.moments if review is not None else ()
        content = timeline_content(curves, moments=moments, notes=notes)
    earlier = _earlier(library, take)
    voice = library.folder_of(take_id) / VOCALS
    job.report(1.0, "reading")
    return ReviewData(
        take=take,
        review=review,
        curves=curves,
        content=content,
        notes=notes,
        earlier=earlier_mean(list(earlier.values())),
        n_earlier=len(earlier),
        beside=others_beside(library, take),
        voice=voice
        if voice.is_file() and curves is not None and curves.kind == "mixture"
        else None,
    )


def track_of(curves: TakeCurves) -> PitchTrack:
    """Return the pitch of kept curves as a track."""
    times_s = curves.times_s
    hop_s = float(np.median(np.diff(times_s))) if times_s.size > 1 else 0.016
    return PitchTrack(
        times_s=times_s, f0_hz=curves.f0_hz, confidence=curves.confidence, hop_s=hop_s
    )


def sections_of(curves: TakeCurves, job: Job = NO_JOB) -> PitchSections:
    """Return the pitch by section of kept curves; takes seconds for a take of hours."""
    return pitch_sections(
        track_of(curves),
        notes=curves.notes,
        phrases=curves.phrases,
        song=curves.song,
        backing_key=curves.backing_key,
        job=job,
    )


def _earlier(library: Library, take: LibraryTake) -> dict[str, dict[Dimension, float]]:
    """Scores of the singer's last takes before this one, newest first."""
    found: dict[str, dict[Dimension, float]] = {}
    made = {}
    for name in DIMENSIONS:
        for point in library.progress(take.singer_id, name).points:
            if point.made_at < take.made_at and point.take_id != take.id:
                found.setdefault(point.take_id, {})[name] = point.score
                made[point.take_id] = point.made_at
    newest = sorted(found, key=lambda i: made[i], reverse=True)[:MOST_EARLIER]
    return {take_id: found[take_id] for take_id in newest}


def others_beside(library: Library, take: LibraryTake) -> tuple[TakeRow, ...]:
    """Return judged takes to set beside one, those of the same song and singer first."""
    rows = [r for r in library.takes(limit=400) if r.id != take.id and r.state == "done"]
    rows.sort(
        key=lambda r: (
            not (r.song_id == take.song_id and take.song_id is not None),
            r.singer_id != take.singer_id,
        )
    )
    return tuple(rows[:MOST_BESIDE])


def row_words(row: TakeRow | LibraryTake) -> str:
    """Name a take in a list: title, singer, day."""
    made = day(row.made_at.astimezone())
    return " · ".join(part for part in (row.title or row.song, row.singer, made) if part)


def take_words(take: LibraryTake, curves: TakeCurves | None) -> str:
    """Return the line below a take's title: singer, day, length, key."""
    words = words_of(language())
    parts = [take.singer, day(take.made_at.astimezone()), words.duration(take.duration_s)]
    if take.song and take.song != take.title:
        parts.insert(0, take.song)
    parts.append(text(f"review.origin_{take.origin}"))
    key = None if curves is None else curves.backing_key or curves.sung_key
    if key is not None:
        parts.append(text("review.key", name=words.key(key)))
    return " · ".join(part for part in parts if part)
