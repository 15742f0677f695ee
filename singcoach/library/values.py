"""What the library hands out: singers, songs, takes, notes, the queue and progress."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from singcoach.core.scores import Dimension
from singcoach.core.take import Verdict

Origin = Literal["recorded", "imported", "demo"]
Order = Literal["newest", "oldest", "title", "singer", "song", "best"]
TakeState = Literal["new", "waiting", "running", "done", "failed"]
"""``new``: nobody asked for an analysis yet; ``done``: it has an assessment."""
QueueState = Literal["waiting", "running", "done", "failed", "cancelled"]
Trend = Literal["up", "down", "steady", "not enough"]
Judged = Dimension | Literal["overall"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Singer:
    """Somebody who sings; ``takes`` counts what is kept and not deleted."""

    id: str
    name: str
    made_at: datetime
    takes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LibrarySong:
    """A song to sing, with the library's own copies of its sound and its words."""

    id: str
    title: str
    artist: str
    audio: Path | None
    lyrics: Path | None
    made_at: datetime
    takes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryTake:
    """One kept take with everything that the database knows of it."""

    id: str
    title: str
    singer_id: str
    singer: str
    song_id: str | None
    song: str
    made_at: datetime
    origin: Origin
    duration_s: float
    recording: Path
    overall: float | None
    low: float | None
    high: float | None
    verdict: Verdict | None
    state: TakeState
    message: str = ""
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeRow:
    """One line of the list of takes."""

    id: str
    title: str
    singer_id: str
    singer: str
    song_id: str | None
    song: str
    made_at: datetime
    duration_s: float
    overall: float | None
    low: float | None
    high: float | None
    verdict: Verdict | None
    state: TakeState
    notes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeNote:
    """What a teacher (or the singer) wrote on some seconds of a take."""

    id: str
    take_id: str
    start_s: float
    end_s: float
    text: str
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoToken:
    """What brings back something that was deleted, until it is purged."""

    kind: Literal["take", "song", "singer"]
    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """One recording that waits for its analysis, is being analysed, or was."""

    id: int
    path: Path
    take_id: str | None
    options: Mapping[str, Any]
    state: QueueState
    message: str
    added_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredScore:
    """A score with its 80 % interval, all None where the take allowed none."""

    score: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressPoint:
    """One judged take of a progress curve; ``low``/``high`` is its 80 % interval."""

    take_id: str
    title: str
    made_at: datetime
    score: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressCurve:
    """How one dimension went over time, and whether the change is more than noise.

    Attributes
    ----------
    points
        One for every judged take, oldest first.
    trend
        ``not enough`` below :data:`singcoach.library.trend.FEWEST_SITTINGS` sittings; ``steady``
        means that no change beyond the noise was shown, not that there is none.
    sittings
        Takes less than six hours apart count as one sitting.
    change, margin
        Late minus early sittings in points, and how much of it the intervals alone would explain
        (80 %); None when not enough.
    """

    singer_id: str
    dimension: Judged
    points: tuple[ProgressPoint, ...]
    trend: Trend
    sittings: int
    change: float | None = None
    margin: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningReport:
    """What the library had to put right when it was opened; empty on an ordinary day.

    Attributes
    ----------
    set_aside
        The damaged database, kept under this name; None when it was sound.
    backup
        The copy that was made before the database was brought to a newer form.
    rediscovered
        Takes that were on disk and not in the database.
    requeued
        Analyses that were cut off and wait again.
    lost
        Takes whose recording is no longer in its folder.
    """

    set_aside: Path | None = None
    backup: Path | None = None
    rediscovered: int = 0
    requeued: int = 0
    lost: tuple[str, ...] = field(default=())
