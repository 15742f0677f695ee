"""A damaged database: out of the way, with every row that can still be read brought along."""

from __future__ import annotations

import contextlib
import math
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from singcoach.files import cannot_write
from singcoach.library.database import Database
from singcoach.library.folders import is_id
from singcoach.library.records import is_recording
from singcoach.library.schema import TABLES


def move_aside(path: Path) -> Path:
    """Rename the damaged database with its companions; return its new name."""
    number = 1
    while (target := path.with_name(f"{path.stem}-damaged-{number}.db")).exists():
        number += 1
    try:
        for suffix in ("-wal", "-shm", ""):
            companion = path.with_name(path.name + suffix)
            if companion.exists():
                companion.replace(target.with_name(target.name + suffix))
    except OSError as error:
        raise cannot_write(path, error) from error
    return target


def salvage(database: Database, damaged: Path) -> None:
    """Copy every row that can still be read out of a damaged database."""
    with contextlib.suppress(sqlite3.Error):
        source = sqlite3.connect(damaged)
        source.row_factory = sqlite3.Row
        with contextlib.closing(source):
            for table in TABLES:
                for row in _readable(source, table):
                    _insert(database, table, row)


def _readable(source: sqlite3.Connection, table: str) -> Iterable[sqlite3.Row]:
    """Yield the rows of a table up to the first that cannot be read, from both ends."""
    for order in ("rowid", "rowid DESC") if table != "scores" else ("1", "1 DESC"):
        with contextlib.suppress(sqlite3.Error, OverflowError, UnicodeError):
            yield from source.execute(f"SELECT * FROM {table} ORDER BY {order}")  # noqa: S608 - our own names


def _insert(database: Database, table: str, row: sqlite3.Row) -> None:
    """Put a row of a damaged database into the new one, unless it is damaged itself."""
    kinds = {
        column["name"]: column["type"]
        for column in database.read(f"SELECT name, type FROM pragma_table_info('{table}')")  # noqa: S608
    }
    names = [name for name in row.keys() if name in kinds]  # noqa: SIM118 - a Row has no __contains__
    if not all(_plausible(name, kinds[name], row[name]) for name in names):
        return
    marks = ", ".join("?" * len(names))
    with contextlib.suppress(sqlite3.Error), database.change() as connection:
        connection.execute(
            f"INSERT OR IGNORE INTO {table} ({', '.join(names)}) VALUES ({marks})",  # noqa: S608
            [row[name] for name in names],
        )


def _plausible(name: str, kind: str, value: object) -> bool:
    """Whether a stored value is one that the program could have written."""
    if value is None:
        return True
    if kind == "TEXT":
        if not isinstance(value, str):
            return False
        if name == "recording":
            return is_recording(value)
        return (
            is_id(value)
            if name == "id" or name.endswith("_id")
            else value.isprintable() or (name in ("text", "options", "message"))
        )
    return isinstance(value, int | float) and math.isfinite(value)
