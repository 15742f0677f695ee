"""What every part of the library shares: the database, the folder, the clock."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from singcoach.errors import InputError
from singcoach.library.database import Database
from singcoach.library.folders import is_id

LONGEST_NAME = 300
LONGEST_NOTE = 20_000


class Shelf:
    """A part of the library. ``folder`` holds ``takes``, ``songs`` and ``singers``."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.folder = folder
        self._database = database

    def _require(self, table: str, identity: str, what: str) -> sqlite3.Row:
        """Return the row of something that has to be there and not deleted."""
        row = self._database.read_one(f"SELECT * FROM {table} WHERE id = ?", (identity,))  # noqa: S608 - our own names
        if row is None or row["deleted_s"] is not None:
            raise InputError(f"This {what} is no longer in the library", hint="Look for it again")
        return row


def clean_name(text: str, what: str) -> str:
    """Return a name on one line, without what cannot be stored; raises InputError when empty."""
    name = clean_line(text)
    if not name:
        raise InputError(f"The {what} needs a name", hint="Write one and try again")
    return name


def clean_line(text: str) -> str:
    """Return text on one line of at most ``LONGEST_NAME`` characters, valid Unicode."""
    return " ".join(clean_text(text).split())[:LONGEST_NAME].strip()


def clean_text(text: str) -> str:
    """Return text as valid Unicode without control characters other than line ends and tabs."""
    valid = text.encode("utf-8", "replace").decode("utf-8", "replace")
    return "".join(c for c in valid if c in "\n\t" or (ord(c) >= 32 and ord(c) != 127))


def now() -> datetime:
    """Return this moment in UTC."""
    return datetime.now(UTC)


def moment(seconds: float) -> datetime:
    """Return the moment of a stored number."""
    return datetime.fromtimestamp(seconds, UTC)


def stamp(when: datetime) -> float:
    """Return the number that stores a moment.

    Raises
    ------
    ValueError
        When it names no time zone.
    """
    if when.tzinfo is None:
        raise ValueError(f"{when!r} names no time zone; datetime.now(UTC) would work")
    return when.timestamp()


def checked_id(identity: str, what: str) -> str:
    """Return an id that is one; a foreign string never becomes part of a path."""
    if not is_id(identity):
        raise InputError(f"This {what} is no longer in the library", hint="Look for it again")
    return identity
