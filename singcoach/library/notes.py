"""Notes of a teacher on moments of a take."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence

from singcoach.errors import InputError
from singcoach.library.folders import new_id
from singcoach.library.keeping import insert_notes
from singcoach.library.records import Row
from singcoach.library.shelf import LONGEST_NOTE, clean_text, moment, now, stamp
from singcoach.library.takes import TakeShelf
from singcoach.library.values import TakeNote


class NoteShelf(TakeShelf):
    """Adding, listing, changing and deleting notes."""

    def notes(self, take_id: str) -> list[TakeNote]:
        """Return the notes of a take in order of time."""
        rows = self._database.read(
            "SELECT * FROM notes WHERE take_id = ? ORDER BY start_s, end_s, made_s", (take_id,)
        )
        return [_note(row) for row in rows]

    def add_note(self, take_id: str, start_s: float, end_s: float, text: str) -> TakeNote:
        """Write a note on the seconds ``start_s`` to ``end_s``.

        Raises
        ------
        InputError
            Nothing is written in it, or there is no such take.
        """
        self._require("takes", take_id, "take")
        start_s, end_s = _span(start_s, end_s)
        note = TakeNote(
            id=new_id(),
            take_id=take_id,
            start_s=start_s,
            end_s=end_s,
            text=_text(text),
            made_at=now(),
        )
        with self._database.change() as connection:
            connection.execute(
                "INSERT INTO notes (id, take_id, start_s, end_s, text, made_s)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (note.id, take_id, start_s, end_s, note.text, stamp(note.made_at)),
            )
        self.write_take_record(take_id)
        return note

    def change_note(
        self,
        note_id: str,
        *,
        text: str | None = None,
        start_s: float | None = None,
        end_s: float | None = None,
    ) -> TakeNote:
        """Change what is named of a note; raises InputError as :meth:`add_note` does."""
        old = self._note(note_id)
        start_s, end_s = _span(
            old.start_s if start_s is None else start_s, old.end_s if end_s is None else end_s
        )
        new_text = old.text if text is None else _text(text)
        with self._database.change() as connection:
            connection.execute(
                "UPDATE notes SET text = ?, start_s = ?, end_s = ? WHERE id = ?",
                (new_text, start_s, end_s, note_id),
            )
        self.write_take_record(old.take_id)
        return self._note(note_id)

    def delete_note(self, note_id: str) -> TakeNote:
        """Delete a note and return it, for :meth:`restore_note`."""
        note = self._note(note_id)
        with self._database.change() as connection:
            connection.execute("DELETE FROM notes WHERE id = ?", (note_id,))
        self.write_take_record(note.take_id)
        return note

    def restore_note(self, note: TakeNote) -> None:
        """Bring back a note that was deleted."""
        self._require("takes", note.take_id, "take")
        with self._database.change() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO notes (id, take_id, start_s, end_s, text, made_s)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    note.id,
                    note.take_id,
                    note.start_s,
                    note.end_s,
                    note.text,
                    stamp(note.made_at),
                ),
            )
        self.write_take_record(note.take_id)

    def add_missing_notes(self, take_id: str, notes: Sequence[Row]) -> None:
        """Add the notes of another copy of the take that this one does not have."""
        with self._database.change() as connection:
            insert_notes(connection, take_id, notes)
        self.write_take_record(take_id)

    def _note(self, note_id: str) -> TakeNote:
        row = self._database.read_one("SELECT * FROM notes WHERE id = ?", (note_id,))
        if row is None:
            raise InputError("This note is no longer in the library")
        return _note(row)


def _note(row: sqlite3.Row) -> TakeNote:
    return TakeNote(
        id=row["id"],
        take_id=row["take_id"],
        start_s=row["start_s"],
        end_s=row["end_s"],
        text=row["text"],
        made_at=moment(row["made_s"]),
    )


def _text(text: str) -> str:
    cleaned = clean_text(text).strip()[:LONGEST_NOTE]
    if not cleaned:
        raise InputError("The note is empty", hint="Write something")
    return cleaned


def _span(start_s: float, end_s: float) -> tuple[float, float]:
    if not (math.isfinite(start_s) and math.isfinite(end_s)):
        raise ValueError(f"a note from {start_s} to {end_s} s")
    start = max(0.0, float(start_s))
    return start, max(start, float(end_s))
