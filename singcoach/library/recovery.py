"""Putting the library right when it is opened: damaged lists, cut-off imports, lost rows.

Everything here runs under the lock of the library, so that two windows that start at once do it
one after the other. The recordings on the disk are the truth; the database is made to agree.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from singcoach.errors import InputError
from singcoach.files import cannot_write
from singcoach.library.database import (
    DamagedDatabase,
    Database,
    OpenedDatabase,
    open_database,
)
from singcoach.library.folders import (
    ASSESSMENT,
    SONG_RECORD,
    TAKE_RECORD,
    from_text,
    is_id,
    read_record,
    remove_tree,
    to_text,
)
from singcoach.library.incoming import PREFIX, UNPACKED
from singcoach.library.keeping import insert_notes, insert_take, is_assessment, store_scores
from singcoach.library.records import TakeRecord, is_recording, parse_record
from singcoach.library.salvage import move_aside, salvage
from singcoach.library.schema import MIGRATIONS
from singcoach.library.shelf import clean_line, moment, now, stamp
from singcoach.models.packs.locking import FileLock

KEPT_DELETED: Final = timedelta(days=30)
"""How long a deleted take can be brought back."""
TRASH: Final = ".trash-"
UNKNOWN_SINGER: Final = "?"
_NOBODY: Final = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """The opened database and what had to be done."""

    database: Database
    backup: Path | None
    set_aside: Path | None
    rediscovered: int
    requeued: int
    lost: tuple[str, ...]


def open_repaired(
    folder: Path, *, others: bool, migrations: Sequence[str] = MIGRATIONS
) -> Repaired:
    """Open the database of a library and make it agree with the folders.

    Parameters
    ----------
    others
        Whether another window has the library open: a damaged list is then left alone.

    Raises
    ------
    InputError
        Another window has a damaged list open, or a newer version made it.
    OutputError
        The folder cannot be written to.
    """
    path = folder / "library.db"
    set_aside: Path | None = None
    opened: OpenedDatabase
    try:
        opened = open_database(path, migrations=migrations)
    except DamagedDatabase as damage:
        if others:
            raise InputError(
                "The library's list of takes is damaged, and another SingCoach has it open",
                hint="Close every window of SingCoach and start it again",
                detail=str(damage),
            ) from damage
        set_aside = move_aside(path)
        opened = open_database(path, migrations=migrations)
        salvage(opened.database, set_aside)
    try:
        _finish_incoming(folder)
        rediscovered = _rediscover(opened.database, folder)
        _purge_old(opened.database, folder)
        return Repaired(
            database=opened.database,
            backup=opened.backup,
            set_aside=set_aside,
            rediscovered=rediscovered,
            requeued=_requeue(opened.database, folder),
            lost=_lost(opened.database, folder),
        )
    except BaseException:
        opened.database.close()
        raise


def is_alive(folder: Path, owner: str) -> bool:
    """Whether the window with this name still runs; the system lets its lock go when it dies."""
    path = folder / "windows" / f"{owner}.lock"
    if not is_id(owner) or not path.exists():
        return False
    lock = FileLock(path)
    try:
        if not lock.take():
            return True
    except OSError:
        return False
    lock.release(remove=True)
    return False


def purge_take(database: Database, folder: Path, take_id: str) -> None:
    """Remove a deleted take for good: first its name, then its files, then its row."""
    source = folder / "takes" / take_id
    trash = folder / "takes" / f"{TRASH}{take_id}"
    try:
        if source.exists():
            source.replace(trash)
    except OSError as error:
        raise cannot_write(source, error) from error
    remove_tree(trash)
    with database.change() as connection:
        connection.execute("DELETE FROM takes WHERE id = ? AND deleted_s IS NOT NULL", (take_id,))


def _finish_incoming(folder: Path) -> None:
    """Give what a dead window was bringing in its name, or take away the half of a copy."""
    for path in (folder / "takes").glob(f"{PREFIX}*"):
        identity, _, owner = path.name.removeprefix(PREFIX).partition(".")
        if is_alive(folder, owner):
            continue
        record = _record(path)
        complete = record is not None and (path / record.recording).is_file()
        if not complete or not is_id(identity):
            if not any(found.name.startswith("recording") for found in _files(path)):
                remove_tree(path)
            continue
        with contextlib.suppress(OSError):
            path.replace(folder / "takes" / identity)
    for path in (folder / "takes").glob(f"{UNPACKED}*"):
        if not is_alive(folder, path.name.partition(".")[2].partition(".")[2]):
            remove_tree(path)
    for path in (folder / "takes").glob(f"{TRASH}*"):
        remove_tree(path)


def _files(path: Path) -> list[Path]:
    """Return the whole files of a folder; halves of copies end in .part."""
    with contextlib.suppress(OSError):
        return [found for found in path.iterdir() if found.suffix != ".part"]
    return []


def _rediscover(database: Database, folder: Path) -> int:
    """List the takes and songs that are on the disk and not in the database."""
    _rediscover_named(database, folder)
    known = {row["id"] for row in database.read("SELECT id FROM takes")}
    found = 0
    for path in _folders(folder / "takes"):
        if path.name in known:
            continue
        record = _record(path) or _guessed(path)
        if record is not None and record.id == path.name and (path / record.recording).is_file():
            _list_take(database, record)
            found += 1
    analysed = database.read("SELECT id FROM takes WHERE analysed = 0 AND deleted_s IS NULL")
    for row in analysed:
        _list_scores(database, folder / "takes" / row["id"], row["id"])
    return found


def _rediscover_named(database: Database, folder: Path) -> None:
    """List the singers and songs that have a file of their own and no row."""
    singers = {row["id"] for row in database.read("SELECT id FROM singers")}
    for path in (folder / "singers").glob("*.json"):
        if path.stem not in singers and is_id(path.stem):
            record = read_record(path) or {}
            name = clean_line(str(record.get("name", "")))
            if name:
                _add_singer(database, path.stem, name, _when(record))
    songs = {row["id"] for row in database.read("SELECT id FROM songs")}
    for path in _folders(folder / "songs"):
        record = read_record(path / SONG_RECORD) or {}
        title = clean_line(str(record.get("title", "")))
        if path.name in songs or not title:
            continue
        names = [_inside(path, record.get(role)) for role in ("audio", "lyrics")]
        with database.change() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO songs (id, title, artist, audio, lyrics, made_s)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    path.name,
                    title,
                    clean_line(str(record.get("artist", ""))),
                    *names,
                    _when(record),
                ),
            )


def _inside(folder: Path, name: Any) -> str | None:
    """Return a file's name when it is one of the folder's own."""
    if not isinstance(name, str) or Path(name).name != name:
        return None
    return name if (folder / name).is_file() else None


def _list_take(database: Database, record: TakeRecord) -> None:
    with database.change() as connection:
        _add_singer(database, record.singer_id, record.singer or UNKNOWN_SINGER, record.made_s)
        if record.song_id is not None:
            connection.execute(
                "INSERT OR IGNORE INTO songs (id, title, artist, made_s, deleted_s)"
                " VALUES (?, ?, ?, ?, ?)",
                (record.song_id, record.song, record.artist, record.made_s, stamp(now())),
            )
        insert_take(
            connection,
            {
                "id": record.id,
                "title": record.title,
                "singer_id": record.singer_id,
                "song_id": record.song_id,
                "made_s": record.made_s,
                "added_s": record.added_s,
                "origin": record.origin,
                "duration_s": record.duration_s,
                "recording": record.recording,
                "deleted_s": record.deleted_s,
            },
        )
        insert_notes(connection, record.id, record.notes)


def _list_scores(database: Database, path: Path, take_id: str) -> None:
    document = read_record(path / ASSESSMENT)
    if document is not None and is_assessment(document):
        with database.change() as connection:
            store_scores(connection, take_id, document)


def _add_singer(database: Database, identity: str, name: str, made_s: float) -> None:
    with database.change() as connection:
        connection.execute(
            "INSERT OR IGNORE INTO singers (id, name, made_s) VALUES (?, ?, ?)",
            (identity, name, made_s),
        )
        connection.execute("UPDATE singers SET deleted_s = NULL WHERE id = ?", (identity,))


def _requeue(database: Database, folder: Path) -> int:
    """Let what a dead window was analysing wait again; return how many."""
    owners = {
        row["owner"]
        for row in database.read("SELECT DISTINCT owner FROM queue WHERE state = 'running'")
    }
    requeued = 0
    for owner in owners:
        if is_alive(folder, owner):
            continue
        with database.change() as connection:
            requeued += connection.execute(
                "UPDATE queue SET state = 'waiting', owner = '', message = ''"
                " WHERE state = 'running' AND owner = ?",
                (owner,),
            ).rowcount
    return requeued


def _purge_old(database: Database, folder: Path) -> None:
    limit = stamp(now() - KEPT_DELETED)
    for row in database.read("SELECT id FROM takes WHERE deleted_s < ?", (limit,)):
        with contextlib.suppress(Exception):
            purge_take(database, folder, row["id"])


def _lost(database: Database, folder: Path) -> tuple[str, ...]:
    present = {path.name for path in _folders(folder / "takes")}
    rows = database.read("SELECT id, title FROM takes WHERE deleted_s IS NULL ORDER BY made_s")
    return tuple(row["title"] for row in rows if row["id"] not in present)


def _record(path: Path) -> TakeRecord | None:
    record = read_record(path / TAKE_RECORD)
    try:
        return None if record is None else parse_record(record)
    except ValueError:
        return None


def _guessed(path: Path) -> TakeRecord | None:
    """Return what can be told of a take whose record is damaged too: its recording is there."""
    recordings = [found for found in _files(path) if is_recording(found.name)]
    if not recordings:
        return None
    when_s = recordings[0].stat().st_mtime
    return TakeRecord(
        id=path.name,
        title=to_text(moment(when_s))[:16].replace("T", " "),
        singer_id=_NOBODY,
        singer=UNKNOWN_SINGER,
        song_id=None,
        song="",
        artist="",
        made_s=when_s,
        added_s=when_s,
        origin="recorded",
        duration_s=0.0,
        recording=recordings[0].name,
        deleted_s=None,
        notes=(),
    )


def _folders(path: Path) -> list[Path]:
    """Return the folders below ``path`` whose name is an id, in one look at the disk."""
    with contextlib.suppress(OSError):
        return sorted(found for found in path.iterdir() if is_id(found.name))
    return []


def _when(record: dict[str, Any]) -> float:
    try:
        return stamp(from_text(record.get("made_at")))
    except ValueError:
        return stamp(now())
