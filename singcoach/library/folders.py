"""The folders of the library: whole files, copies that reach the disk, records to rebuild from."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from singcoach.errors import InputError
from singcoach.files import cannot_write, make_temporary, publish, reading
from singcoach.jobs import NO_JOB, Job
from singcoach.models.packs.locking import sync_folder

TAKE_RECORD: Final = "take.json"
SONG_RECORD: Final = "song.json"
ASSESSMENT: Final = "assessment.json"
CURVES: Final = "curves.npz"
VOCALS: Final = "vocals.flac"
FORMAT: Final = 1

_BLOCK_BYTES = 1 << 20
_LARGEST_RECORD_BYTES = 64 << 20
_PART = ".part"


def new_id() -> str:
    """Return the name of something new."""
    return str(uuid.uuid4())


def is_id(text: str) -> bool:
    """Whether a name is one that :func:`new_id` could have made (and so no way out of a folder)."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write JSON to ``path``, whole or not at all, and onto the disk before it returns.

    Raises
    ------
    OutputError
        No permission, disk full.
    """
    text = json.dumps(record, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
    write_durably(path, text.encode("utf-8", "replace"))


def write_durably(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``, whole or not at all, and onto the disk before it returns."""
    temporary: Path | None = None
    try:
        temporary = make_temporary(path)
        with temporary.open("wb") as file:
            file.write(content)
            _sync(file.fileno())
        publish(temporary, path)
        temporary = None
        sync_folder(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def read_record(path: Path) -> dict[str, Any] | None:
    """Return a JSON object, or None when it is missing, damaged or absurdly large."""
    try:
        if path.stat().st_size > _LARGEST_RECORD_BYTES:
            return None
        record = json.loads(path.read_bytes().decode("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def copy_durably(source: Path, target: Path, job: Job = NO_JOB) -> None:
    """Copy a recording so that ``target`` appears only once all of it is on the disk.

    Raises
    ------
    InputError
        ``source`` cannot be read.
    OutputError
        ``target`` cannot be written; nothing is left of it.
    Cancelled
        ``job`` was stopped; nothing is left of it.
    """
    part = target.with_name(target.name + _PART)
    try:
        with reading(source, kind="a recording", hint="Choose a recording") as file:
            expected = os.fstat(file.fileno()).st_size
            _refuse_too_large(target, expected)
            _copy(file, part, expected, target, job)
        _put(part, target)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def move_durably(source: Path, target: Path, job: Job = NO_JOB) -> bool:
    """Bring ``source`` to ``target``; return whether it was moved, not copied.

    On one drive the name changes and nothing is copied. Between drives it is copied, and the
    original stays until the caller removes it.
    """
    try:
        source.replace(target)
    except FileNotFoundError as error:
        raise InputError(
            f"{source.name} does not exist", hint="Check the name and the folder"
        ) from error
    except OSError:
        copy_durably(source, target, job)
        return False
    _sync_both(source, target)
    return True


def remove_tree(folder: Path) -> bool:
    """Remove a folder with all that is in it; return whether it is gone."""
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def to_text(moment: datetime) -> str:
    """Write a moment as ISO 8601 in UTC."""
    return moment.astimezone(UTC).isoformat()


def from_text(text: object) -> datetime:
    """Read what :func:`to_text` wrote; raises ValueError."""
    moment = datetime.fromisoformat(str(text))
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone")
    return moment.astimezone(UTC)


def _refuse_too_large(target: Path, n_bytes: int) -> None:
    """Say that the disk is full before minutes of copying, not after."""
    try:
        free = shutil.disk_usage(target.parent).free
    except OSError:
        return
    if n_bytes > free:
        raise cannot_write(target, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))


def _copy(file: Any, part: Path, expected: int, target: Path, job: Job) -> None:
    done = 0
    while True:
        job.report(done / max(1, expected), "copying")
        block = file.read(_BLOCK_BYTES)  # what fails here is the source's fault
        try:
            with part.open("ab" if done else "wb") as sink:
                sink.write(block)
                if not block:
                    _sync(sink.fileno())
        except OSError as error:
            raise cannot_write(target, error) from error
        if not block:
            return
        done += len(block)


def _put(part: Path, target: Path) -> None:
    try:
        part.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        raise cannot_write(target, error) from error


def _sync_both(source: Path, target: Path) -> None:
    for folder in (target.parent, source.parent):
        with contextlib.suppress(OSError):
            sync_folder(folder)


def _sync(handle: int) -> None:
    os.fsync(handle)
