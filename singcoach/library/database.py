"""The SQLite file: opened safely, checked, upgraded with a backup, and shared by threads."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from singcoach.errors import InputError, OutputError, SingCoachError
from singcoach.library.schema import MIGRATIONS, TABLES

BUSY_S = 15.0
"""How long one instance waits for another one's change."""
_BACKUPS_KEPT = 3
_HIGHEST_FORM = 10_000
"""A form beyond this is no newer version but a spoilt header."""


class DamagedDatabase(Exception):  # noqa: N818 - a finding on opening, never shown
    """The file is no SQLite database, or not a sound one."""


class Database:
    """One connection behind one lock, so that any thread may use it.

    Reads and changes take microseconds to milliseconds; whatever takes longer (copying, analysing)
    happens outside. Other processes may have the same file open: the write-ahead log lets them read
    while this one writes, and a change waits up to ``BUSY_S`` for theirs.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._connection = _connect(path)
        self.queries = 0

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        with self._lock:
            self._connection.close()

    def read(self, query: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """Return all rows of a query."""
        with self._lock, _translated():
            self.queries += 1
            rows: list[sqlite3.Row] = self._connection.execute(query, values).fetchall()
            return rows

    def read_one(self, query: str, values: Sequence[Any] = ()) -> sqlite3.Row | None:
        """Return the first row of a query, or None."""
        rows = self.read(query, values)
        return rows[0] if rows else None

    @contextlib.contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection inside a transaction: all of the block happens, or nothing.

        When the block ends the change is on the disk. Blocks of one thread may nest; the outermost
        one decides.
        """
        with self._lock, _translated():
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    def revision(self) -> tuple[int, int]:
        """Return two numbers that differ once this or another process changed something."""
        with self._lock, _translated():
            foreign = self._connection.execute("PRAGMA data_version").fetchone()[0]
            return int(foreign), self._connection.total_changes


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedDatabase:
    """A sound database in the newest form, and the copy made before it was upgraded."""

    database: Database
    backup: Path | None


def open_database(path: Path, *, migrations: Sequence[str] = MIGRATIONS) -> OpenedDatabase:
    """Open or make the database, check it, and bring it to the newest form.

    Call while no other process opens the same file. Before an upgrade the whole database is copied
    beside it; a fault during the upgrade leaves the old form.

    Raises
    ------
    DamagedDatabase
        It is no sound database.
    InputError
        A newer version of SingCoach made it.
    OutputError
        The folder cannot be written to, or the disk is full.
    """
    database = None
    looking = True
    try:
        database = Database(path)
        _check(database)
        looking = False
        backup = _upgrade(database, migrations)
        _check_tables(database)
        return OpenedDatabase(database=database, backup=backup)
    except BaseException as error:
        if database is not None:
            database.close()
        if isinstance(error, sqlite3.DatabaseError) and _is_damage(error, looking=looking):
            raise DamagedDatabase(str(error)) from error
        if looking and isinstance(error, UnicodeError):  # even the message was spoilt
            raise DamagedDatabase("unreadable") from error
        if isinstance(error, sqlite3.Error):
            raise _sentence(error) from error
        raise


def fold(text: str | None) -> str:
    """Return text for searching: no case, no accents, full-width letters as ordinary ones."""
    if not text:
        return ""
    bare = unicodedata.normalize("NFKD", text.casefold())
    marks = "".join(c for c in bare if unicodedata.category(c) != "Mn" or "\u3099" <= c <= "\u309a")
    return unicodedata.normalize("NFC", marks)


def _readable(stored: bytes) -> str:
    """Return stored text; a spoilt letter becomes a sign and does not hide the row."""
    return stored.decode("utf-8", "replace")


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    try:
        connection.row_factory = sqlite3.Row
        connection.text_factory = _readable
        connection.create_function("fold", 1, fold, deterministic=True)
        connection.execute("PRAGMA journal_mode = WAL")  # some drives know none; SQLite stays safe
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _check(database: Database) -> None:
    with database._lock:
        findings = database._connection.execute("PRAGMA integrity_check(3)").fetchall()
    told = "; ".join(str(row[0]) for row in findings)
    if told != "ok":
        raise DamagedDatabase(told)


def _check_tables(database: Database) -> None:
    found = {row[0] for row in database.read("SELECT name FROM sqlite_master WHERE type = 'table'")}
    missing = [name for name in TABLES if name not in found]
    if missing:
        raise DamagedDatabase(f"no table {missing[0]}")


def _upgrade(database: Database, migrations: Sequence[str]) -> Path | None:
    connection = database._connection
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if not 0 <= version <= _HIGHEST_FORM:
        raise DamagedDatabase(f"user_version {version}")
    if version > len(migrations):
        raise InputError(
            "The library was made by a newer version of SingCoach",
            hint="Install the newest version; nothing was changed",
            detail=f"user_version {version}, known {len(migrations)}",
        )
    if version == len(migrations):
        return None
    backup = _back_up(database, version) if version else None
    for number in range(version, len(migrations)):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in migrations[number].split(";"):
                if statement.strip():
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number + 1}")
            connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
    return backup


def _back_up(database: Database, version: int) -> Path:
    """Copy the database before it is upgraded; the last few copies are kept."""
    folder = database.path.parent / "backups"
    folder.mkdir(exist_ok=True)
    name = f"{database.path.stem}-form{version}"
    taken = {path.name for path in folder.iterdir()}
    number = 1
    while f"{name}-{number}.db" in taken:
        number += 1
    target = folder / f"{name}-{number}.db"
    part = target.with_suffix(".part")
    with contextlib.closing(sqlite3.connect(part)) as copy:
        database._connection.backup(copy)
    part.replace(target)
    older = sorted(folder.glob("*.db"), key=lambda path: path.stat().st_mtime)
    for path in older[:-_BACKUPS_KEPT]:
        path.unlink(missing_ok=True)
    return target


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.ProgrammingError:
        raise
    except sqlite3.Error as error:
        raise _sentence(error) from error


def _is_damage(error: sqlite3.DatabaseError, *, looking: bool) -> bool:
    """Whether a fault means that the file is spoilt.

    A general fault (``SQLITE_ERROR``) while only ``looking`` comes from a spoilt header; during an
    upgrade it would be a bug of ours, and no reason to set a sound file aside.
    """
    name = getattr(error, "sqlite_errorname", "") or ""
    if looking and name == "SQLITE_ERROR":
        return True
    return name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT"))


def _sentence(error: sqlite3.Error) -> SingCoachError:
    name = getattr(error, "sqlite_errorname", "") or ""
    detail = f"{name}: {error}"
    if name.startswith("SQLITE_FULL"):
        return OutputError(
            "The disk is full; the library was not changed", hint="Free some space", detail=detail
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return OutputError(
            "Another window of SingCoach is busy with the library",
            hint="Wait a moment and try again",
            detail=detail,
        )
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
        return OutputError(
            "The library may not be written to",
            hint="Give yourself the right to write there, or set SINGCOACH_HOME to another folder",
            detail=detail,
        )
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return InputError(
            "The library's list of takes is damaged",
            hint="Start SingCoach again; it finds the takes on the disk",
            detail=detail,
        )
    return OutputError(
        "The library could not be read or changed", hint="Check the drive", detail=detail
    )
