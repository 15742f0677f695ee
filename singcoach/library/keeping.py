"""Takes as rows of the database: what belongs to one, and how it is put in."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from singcoach.core.scores import DIMENSIONS
from singcoach.library.records import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongings:
    """What comes into the library with a recording.

    ``files`` are moved beside it by the names they get; ``notes`` are rows without their take.
    """

    singer: Row
    song: Row | None
    notes: Sequence[Row] = ()
    files: Mapping[str, Path] = field(default_factory=dict)
    document: Mapping[str, Any] | None = None


def insert_take(connection: sqlite3.Connection, row: Mapping[str, Any]) -> None:
    """Put the row of a take into the database."""
    connection.execute(
        "INSERT INTO takes (id, title, singer_id, song_id, made_s, added_s, origin, duration_s,"
        " recording, deleted_s) VALUES (:id, :title, :singer_id, :song_id, :made_s, :added_s,"
        " :origin, :duration_s, :recording, :deleted_s)",
        dict(row),
    )


def insert_notes(connection: sqlite3.Connection, take_id: str, notes: Sequence[Row]) -> None:
    """Put notes on a take into the database; those that are there already stay as they are."""
    connection.executemany(
        "INSERT OR IGNORE INTO notes (id, take_id, start_s, end_s, text, made_s)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [
            (note["id"], take_id, note["start_s"], note["end_s"], note["text"], note["made_s"])
            for note in notes
        ],
    )


def store_scores(connection: sqlite3.Connection, take_id: str, document: Mapping[str, Any]) -> None:
    """Put the scores of an assessment into their columns."""
    overall = document["overall"]
    connection.execute(
        "UPDATE takes SET analysed = 1, overall = ?, low = ?, high = ?, verdict = ? WHERE id = ?",
        (
            overall["score"],
            overall["low"],
            overall["high"],
            document["screening"]["verdict"],
            take_id,
        ),
    )
    connection.executemany(
        "INSERT OR REPLACE INTO scores (take_id, dimension, score, low, high)"
        " VALUES (?, ?, ?, ?, ?)",
        [
            (take_id, name, score["score"], score["low"], score["high"])
            for name, score in (
                *((name, document["dimensions"][name]) for name in DIMENSIONS),
                ("overall", overall),
            )
        ],
    )


def is_assessment(document: Mapping[str, Any]) -> bool:
    """Whether a file that was read is an assessment as a whole."""
    from singcoach.report.document import validate_document

    try:
        validate_document(document)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return False
    return True
