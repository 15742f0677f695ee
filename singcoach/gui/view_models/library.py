"""What the lists of the library say, line by line. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, overload

from singcoach.coaching.numbers import half_above, half_below, half_points
from singcoach.gui.texts import clock, day, day_and_time, points, text
from singcoach.library.values import (
    LibrarySong,
    LibraryTake,
    OpeningReport,
    Order,
    Singer,
    TakeRow,
    TakeState,
)

Tint = Literal["plain", "accent", "good", "warning", "danger"]
ORDERS: Final[tuple[Order, ...]] = ("newest", "oldest", "best", "title", "song", "singer")
KEPT_DAYS: Final = 30
"""How long what was deleted can be brought back (``library/recovery.py``)."""
_TINTS: Final[dict[TakeState, Tint]] = {
    "new": "plain",
    "waiting": "plain",
    "running": "accent",
    "failed": "danger",
}
_DOT: Final = " · "
_MOST_NAMES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreBar:
    """A score of 1..5 with its 80 % interval, as the line draws and says it."""

    score: float
    low: float
    high: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRow:
    """One line: two lines of text, a short word, perhaps a score.

    ``spoken`` is what a screen reader says of it.
    """

    key: str
    title: str
    detail: str
    tag: str = ""
    tint: Tint = "plain"
    bar: ScoreBar | None = None
    spoken: str = ""


class Lines(Sequence[ListRow]):
    """Lines that are put into words when they come into view: thousands cost no more than ten.

    Attributes
    ----------
    keys
        The key of every line.
    """

    def __init__(self, keys: Sequence[str], make: Callable[[int], ListRow]) -> None:
        self.keys = tuple(keys)
        self._make = make
        self._made: dict[int, ListRow] = {}

    def __len__(self) -> int:
        return len(self.keys)

    @overload
    def __getitem__(self, index: int) -> ListRow: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[ListRow]: ...

    def __getitem__(self, index: int | slice) -> ListRow | Sequence[ListRow]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        if number not in self._made:
            self._made[number] = self._make(number)
        return self._made[number]


def lines(rows: Sequence[ListRow]) -> Lines:
    """Return lines that are in words already."""
    return Lines([row.key for row in rows], lambda number: rows[number])


def take_rows(takes: Sequence[TakeRow]) -> Lines:
    """Return the lines of takes."""
    return Lines([take.id for take in takes], lambda number: _take_row(takes[number]))


def song_rows(songs: Sequence[LibrarySong]) -> Lines:
    """Return the lines of songs."""
    rows = []
    for song in songs:
        parts = [song.artist, text("library.takes_count", count=song.takes)]
        if song.lyrics is not None:
            parts.append(text("library.with_lyrics"))
        tag = "" if song.audio is not None else text("library.without_sound")
        rows.append(_row(song.id, song.title, parts, tag=tag))
    return lines(rows)


def singer_rows(singers: Sequence[Singer], chosen: str | None) -> Lines:
    """Return the lines of singers; ``chosen`` is who sings now."""
    rows = [
        _row(
            singer.id,
            singer.name,
            [text("library.takes_count", count=singer.takes)],
            tag=text("library.sings_now") if singer.id == chosen else "",
            tint="accent",
        )
        for singer in singers
    ]
    return lines(rows)


def deleted_rows(takes: Sequence[LibraryTake], now: datetime) -> Lines:
    """Return the lines of deleted takes with the days that are left."""
    rows = []
    for take in takes:
        gone = take.deleted_at or now
        left = max(0, (gone + timedelta(days=KEPT_DAYS) - now).days)
        parts = [take.singer, take.song, day(take.made_at.astimezone()), clock(take.duration_s)]
        rows.append(_row(take.id, take.title, parts, tag=text("library.days_left", count=left)))
    return lines(rows)


def opening_words(report: OpeningReport) -> list[str]:
    """Return what has to be told of a library that was put right when it was opened."""
    told = []
    if report.set_aside is not None:
        told.append(text("library.was_damaged", name=report.set_aside.name))
    elif report.rediscovered:
        told.append(text("library.were_found", count=report.rediscovered))
    if report.lost:
        names = ", ".join(report.lost[:_MOST_NAMES])
        more = "…" if len(report.lost) > _MOST_NAMES else ""
        told.append(text("library.are_lost", count=len(report.lost), names=names + more))
    return told


def interval_words(score: float, low: float, high: float) -> str:
    """Write a score in half points with its interval widened to them: ``3.5 (2.5 to 4)``."""
    return text(
        "library.interval",
        score=points(half_points(score)),
        low=points(half_below(low)),
        high=points(half_above(high)),
    )


def _take_row(take: TakeRow) -> ListRow:
    parts = [
        take.singer,
        take.song if take.song != take.title else "",
        day_and_time(take.made_at.astimezone()),
        clock(take.duration_s),
    ]
    if take.notes:
        parts.append(text("library.notes_count", count=take.notes))
    bar = None
    tag = "" if take.state == "done" else text(f"library.state_{take.state}")
    tint = _TINTS.get(take.state, "plain")
    if take.state == "done":
        if take.overall is None or take.low is None or take.high is None:
            tag = text("library.not_judged")
        else:
            bar = ScoreBar(
                score=take.overall,
                low=take.low,
                high=take.high,
                words=interval_words(take.overall, take.low, take.high),
            )
            if take.verdict == "weak":
                tag, tint = text("library.weak"), "warning"
    return _row(take.id, take.title, parts, tag=tag, tint=tint, bar=bar)


def _row(
    key: str,
    title: str,
    parts: Sequence[str],
    *,
    tag: str = "",
    tint: Tint = "plain",
    bar: ScoreBar | None = None,
) -> ListRow:
    detail = _DOT.join(part for part in parts if part)
    said = [title, detail.replace(_DOT, ", "), "" if bar is None else bar.words, tag]
    return ListRow(
        key=key,
        title=title,
        detail=detail,
        tag=tag,
        tint=tint,
        bar=bar,
        spoken=", ".join(part for part in said if part),
    )
