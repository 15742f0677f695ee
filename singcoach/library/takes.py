"""Takes of the library: keeping recordings, listing them, their results, deleting with undo."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from singcoach.errors import InputError, SingCoachError
from singcoach.jobs import NO_JOB, Job
from singcoach.library.curves import TakeCurves, load_curves
from singcoach.library.folders import (
    ASSESSMENT,
    CURVES,
    TAKE_RECORD,
    new_id,
    read_record,
    write_record,
)
from singcoach.library.incoming import Incoming
from singcoach.library.keeping import (
    Belongings,
    insert_notes,
    insert_take,
    is_assessment,
    store_scores,
)
from singcoach.library.records import Row, record_of
from singcoach.library.searching import words_of
from singcoach.library.shelf import Shelf, checked_id, clean_line, clean_name, moment, now, stamp
from singcoach.library.values import (
    LibraryTake,
    Order,
    Origin,
    TakeRow,
    TakeState,
    UndoToken,
)

_JOINED: Final = """
    FROM takes
    JOIN singers ON singers.id = takes.singer_id
    LEFT JOIN songs ON songs.id = takes.song_id
    LEFT JOIN (SELECT take_id, max(id) AS id FROM queue GROUP BY take_id) AS latest
        ON latest.take_id = takes.id
    LEFT JOIN queue ON queue.id = latest.id
"""
_COLUMNS: Final = """
    SELECT takes.*, singers.name AS singer, songs.title AS song,
           queue.state AS queue_state, queue.message AS queue_message,
           (SELECT count(*) FROM notes WHERE notes.take_id = takes.id) AS n_notes
"""
_ORDERS: Final[Mapping[Order, str]] = {
    "newest": "takes.made_s DESC, takes.added_s DESC",
    "oldest": "takes.made_s, takes.added_s",
    "title": "fold(takes.title), takes.made_s DESC",
    "singer": "fold(singers.name), takes.made_s DESC",
    "song": "songs.title IS NULL, fold(songs.title), takes.made_s DESC",
    "best": "takes.overall IS NULL, takes.overall DESC, takes.made_s DESC",
}
_SEARCHED: Final = (
    "takes.title",
    "singers.name",
    "songs.title",
    "songs.artist",
    "(SELECT group_concat(text, ' ') FROM notes WHERE notes.take_id = takes.id)",
)


_SAME_NAMES: Final = (
    *("id", "title", "singer_id", "singer", "song_id", "duration_s"),
    *("overall", "low", "high", "verdict"),
)
"""Columns that a take tells under their own names."""


class TakeShelf(Shelf):
    """Everything about takes but notes, queue and progress."""

    _owner: str

    def add_take(
        self,
        recording: Path,
        *,
        singer_id: str,
        song_id: str | None = None,
        made_at: datetime | None = None,
        origin: Origin = "recorded",
        move: bool = False,
        title: str = "",
        duration_s: float | None = None,
        job: Job = NO_JOB,
    ) -> LibraryTake:
        """Keep a recording as a take.

        The file is in the library's folder, and on the disk, before the take is listed; what is
        reported as kept survives the end of the process at any moment. An imported file that is no
        recording is refused; a recorded one is kept whatever it holds.

        Parameters
        ----------
        made_at
            When it was sung, with a time zone; now without.
        move
            Take the file itself, not a copy. When anything goes wrong it is back at its place, or
            the next start of the library finds it.
        title
            The file's name without.
        duration_s
            Its length where known; else it is read from the file.

        Raises
        ------
        InputError
            The file is missing or no recording, or there is no such singer or song.
        OutputError
            Disk full or no permission; the original is where it was.
        Cancelled
            ``job`` was stopped while copying; the original is where it was.
        """
        singer = self._require("singers", singer_id, "singer")
        song = None if song_id is None else self._require("songs", song_id, "song")
        length_s = _length_s(recording, origin) if duration_s is None else float(duration_s)
        when = made_at or now()
        row: dict[str, Any] = {
            "id": new_id(),
            "title": clean_line(title) or clean_line(recording.stem) or "Take",
            "singer_id": singer_id,
            "song_id": song_id,
            "made_s": stamp(when),
            "added_s": stamp(now()),
            "origin": origin,
            "duration_s": max(0.0, length_s),
            "recording": f"recording{_suffix(recording)}",
            "deleted_s": None,
        }
        self._keep(recording, row, Belongings(singer=singer, song=song), move=move, job=job)
        return self.take(row["id"])

    def _keep(
        self, recording: Path, row: Mapping[str, Any], with_it: Belongings, *, move: bool, job: Job
    ) -> None:
        """Bring a recording and all that belongs to it in, and list it: everything or nothing."""
        incoming = Incoming(self.folder / "takes", row["id"], self._owner)
        try:
            record = record_of(row, with_it.singer, with_it.song, notes=with_it.notes)
            incoming.start(record)
            incoming.bring_beside(with_it.files)
            incoming.bring(recording, row["recording"], move=move, job=job)
            incoming.finish()
            with self._database.change() as connection:
                insert_take(connection, row)
                insert_notes(connection, row["id"], with_it.notes)
                if with_it.document is not None:
                    store_scores(connection, row["id"], with_it.document)
        except BaseException:
            incoming.give_back()
            raise
        incoming.forget_original()

    def keep_whole(
        self,
        recording: Path,
        row: Mapping[str, Any],
        *,
        notes: Sequence[Row],
        files: Mapping[str, Path],
        document: Mapping[str, Any] | None,
        job: Job = NO_JOB,
    ) -> None:
        """Keep a take that comes with all that belongs to it (``archive.py`` has looked at it).

        ``recording`` and ``files`` lie on the library's drive and are moved.
        """
        song = None if row["song_id"] is None else self._require("songs", row["song_id"], "song")
        belongings = Belongings(
            singer=self._require("singers", row["singer_id"], "singer"),
            song=song,
            notes=notes,
            files=files,
            document=document,
        )
        self._keep(recording, row, belongings, move=True, job=job)

    def has_take(self, take_id: str) -> bool:
        """Whether there is such a take, deleted or not."""
        return self._database.read_one("SELECT 1 FROM takes WHERE id = ?", (take_id,)) is not None

    def take(self, take_id: str) -> LibraryTake:
        """Return one take, deleted or not; raises InputError when there is none."""
        row = self._database.read_one(_COLUMNS + _JOINED + " WHERE takes.id = ?", (take_id,))
        if row is None:
            raise InputError("This take is no longer in the library", hint="Look for it again")
        return self._take(row)

    def takes(
        self,
        search: str = "",
        *,
        singer_id: str | None = None,
        song_id: str | None = None,
        order: Order = "newest",
        limit: int | None = None,
        offset: int = 0,
    ) -> list[TakeRow]:
        """Return the takes whose title, singer, song or notes hold every word of ``search``."""
        conditions, values = _chosen(search, singer_id, song_id)
        query = f"{_COLUMNS}{_JOINED}{conditions} ORDER BY {_ORDERS[order]}, takes.id"
        query += " LIMIT ? OFFSET ?"
        rows = self._database.read(query, [*values, -1 if limit is None else limit, offset])
        return [_row(row) for row in rows]

    def count_takes(
        self, search: str = "", *, singer_id: str | None = None, song_id: str | None = None
    ) -> int:
        """Return how many takes :meth:`takes` would list."""
        conditions, values = _chosen(search, singer_id, song_id)
        row = self._database.read(f"SELECT count(*) AS n {_JOINED}{conditions}", values)[0]
        return int(row["n"])

    def deleted_takes(self) -> list[LibraryTake]:
        """Return the deleted takes that can still be brought back, latest deletion first."""
        query = " WHERE takes.deleted_s IS NOT NULL ORDER BY takes.deleted_s DESC, takes.id"
        return [self._take(row) for row in self._database.read(_COLUMNS + _JOINED + query)]

    def folder_of(self, take_id: str) -> Path:
        """Return the folder of a take's files."""
        return self.folder / "takes" / checked_id(take_id, "take")

    def change_take(
        self,
        take_id: str,
        *,
        title: str | None = None,
        singer_id: str | None = None,
        song_id: str | None = None,
        without_song: bool = False,
    ) -> LibraryTake:
        """Change what is named of a take; the rest stays."""
        row = self._require("takes", take_id, "take")
        new_singer = row["singer_id"] if singer_id is None else singer_id
        self._require("singers", new_singer, "singer")
        if song_id is not None:
            self._require("songs", song_id, "song")
        new_song = None if without_song else row["song_id"] if song_id is None else song_id
        new_title = row["title"] if title is None else clean_name(title, "take")
        with self._database.change() as connection:
            connection.execute(
                "UPDATE takes SET title = ?, singer_id = ?, song_id = ? WHERE id = ?",
                (new_title, new_singer, new_song, take_id),
            )
        self.write_take_record(take_id)
        return self.take(take_id)

    def set_assessment(self, take_id: str, document: Mapping[str, Any]) -> None:
        """Keep the assessment of a take; its scores appear in lists and curves.

        Raises
        ------
        ValueError
            It is no "singcoach.assessment/1".
        InputError
            There is no such take.
        OutputError
            Disk full or no permission; the former assessment stays.
        """
        from singcoach.report.document import validate_document  # needed only once a result exists

        self._require("takes", take_id, "take")
        validate_document(dict(document))
        write_record(self.folder_of(take_id) / ASSESSMENT, document)
        with self._database.change() as connection:
            store_scores(connection, take_id, document)

    def assessment(self, take_id: str) -> Mapping[str, Any] | None:
        """Return the assessment of a take as JSON values; None without one or when damaged."""
        document = read_record(self.folder_of(take_id) / ASSESSMENT)
        return document if document is not None and is_assessment(document) else None

    def curves(self, take_id: str) -> TakeCurves | None:
        """Return what the window draws of a take; None without it or when damaged."""
        try:
            return load_curves(self.folder_of(take_id) / CURVES)
        except SingCoachError:
            return None

    def delete_take(self, take_id: str) -> UndoToken:
        """Delete a take: it is no longer listed, and its files stay until it is purged."""
        row = self._require("takes", take_id, "take")
        with self._database.change() as connection:
            connection.execute(
                "UPDATE takes SET deleted_s = ? WHERE id = ?", (stamp(now()), take_id)
            )
        self.write_take_record(take_id)
        return UndoToken(kind="take", id=take_id, name=row["title"])

    def write_take_record(self, take_id: str) -> None:
        """Write what is needed to find the take again without the database beside its recording.

        The database holds the truth; when this file cannot be written nothing is lost yet.
        """
        row = self._database.read_one("SELECT * FROM takes WHERE id = ?", (take_id,))
        if row is None:
            return
        read = self._database.read_one
        singer = read("SELECT * FROM singers WHERE id = ?", (row["singer_id"],))
        song = read("SELECT * FROM songs WHERE id = ?", (row["song_id"],))
        notes = self._database.read(
            "SELECT * FROM notes WHERE take_id = ? ORDER BY start_s", (take_id,)
        )
        with contextlib.suppress(SingCoachError):
            write_record(
                self.folder_of(take_id) / TAKE_RECORD, record_of(row, singer, song, notes=notes)
            )

    def _take(self, row: sqlite3.Row) -> LibraryTake:
        return LibraryTake(
            **_told(row),
            origin=row["origin"],
            recording=self.folder / "takes" / row["id"] / row["recording"],
            message=row["queue_message"] or "",
            deleted_at=None if row["deleted_s"] is None else moment(row["deleted_s"]),
        )


def _chosen(search: str, singer_id: str | None, song_id: str | None) -> tuple[str, list[Any]]:
    conditions, words = words_of(search, _SEARCHED)
    values: list[Any] = list(words)
    where = " WHERE takes.deleted_s IS NULL" + conditions
    for column, identity in (("singer_id", singer_id), ("song_id", song_id)):
        if identity is not None:
            where += f" AND takes.{column} = ?"
            values.append(identity)
    return where, values


def _row(row: sqlite3.Row) -> TakeRow:
    return TakeRow(**_told(row), notes=row["n_notes"])


def _told(row: sqlite3.Row) -> dict[str, Any]:
    """Return what a line of the list and a whole take both tell."""
    return {
        **{name: row[name] for name in _SAME_NAMES},
        "song": row["song"] or "",
        "made_at": moment(row["made_s"]),
        "state": _state(row),
    }


def _state(row: sqlite3.Row) -> TakeState:
    queued = row["queue_state"]
    if queued == "waiting":
        return "waiting"
    if queued == "running":
        return "running"
    if row["analysed"]:
        return "done"
    return "failed" if queued == "failed" else "new"


def _length_s(recording: Path, origin: Origin) -> float:
    from singcoach.audio.reading import open_audio  # decoders are slow to import

    try:
        with open_audio(recording) as file:
            return float(file.info.duration_s)
    except InputError:
        if origin == "recorded" and recording.is_file():
            return 0.0
        raise


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    return suffix if suffix[1:].isascii() and suffix[1:].isalnum() and len(suffix) < 9 else ""
