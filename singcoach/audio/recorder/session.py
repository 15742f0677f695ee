"""The note beside a recording that tells what it is, should nobody be left who knows."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from singcoach.audio.recorder.values import RecordedTake, RecoveredTake
from singcoach.audio.recorder.wav import repair
from singcoach.errors import InputError, OutputError
from singcoach.files import write_whole

_NOTE = ".recording.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One recording as the note beside it tells.

    Attributes
    ----------
    made_at
        When it was started, ISO 8601 with the zone.
    sample_rate, backing, backing_offset_s
        As in :class:`RecordedTake`.
    done
        Whether it was ended in order.
    recorder, window
        The processes that write it and that it was made for.
    """

    made_at: str
    sample_rate: int
    backing: Path | None
    backing_offset_s: float
    done: bool
    recorder: tuple[int, float]
    window: tuple[int, float]


def new_recording(folder: Path) -> Path:
    """Return a name for a recording that nothing in ``folder`` has."""
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    return folder / f"take-{stamp}-{secrets.token_hex(3)}.wav"


def now() -> str:
    """Return the time with its zone, ISO 8601."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def identity(pid: int | None = None) -> tuple[int, float]:
    """Return a process's number and start, which together never come back."""
    number = os.getpid() if pid is None else pid
    try:
        return number, float(psutil.Process(number).create_time())
    except psutil.Error:
        return number, 0.0


def write_session(recording: Path, session: Session) -> None:
    """Put the note beside ``recording``. Raises OutputError."""
    row = {
        "format": _FORMAT,
        "made_at": session.made_at,
        "sample_rate": session.sample_rate,
        "backing": None if session.backing is None else str(session.backing),
        "backing_offset_s": session.backing_offset_s,
        "done": session.done,
        "recorder": list(session.recorder),
        "window": list(session.window),
    }
    write_whole(note_of(recording), json.dumps(row, indent=1))


def note_of(recording: Path) -> Path:
    """Return the path of the note beside a recording."""
    return recording.with_name(recording.stem + _NOTE)


def recover_takes(folder: Path) -> list[RecoveredTake]:
    """Return the recordings in ``folder`` that no library took over, oldest first.

    Headers are repaired on the way. What another running window or recorder still works on is
    left alone, and notes whose recording was taken over are cleared away.
    """
    takes = [take for recording in _recordings(folder) if (take := _recover(recording)) is not None]
    return sorted(takes, key=lambda take: take.made_at)


def discard_take(take: RecordedTake | RecoveredTake) -> None:
    """Delete a recording and its note for good.

    Raises
    ------
    OutputError
        It cannot be deleted.
    """
    if take.path is not None:
        remove(take.path)


def remove(recording: Path) -> None:
    """Delete a recording and its note. Raises OutputError."""
    try:
        recording.unlink(missing_ok=True)
        note_of(recording).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"{recording.name} cannot be deleted", hint="Close what uses it", detail=str(error)
        ) from error


def forget_note(recording: Path) -> None:
    """Take the note away of a recording that was given another name or place."""
    with contextlib.suppress(OSError):  # the next recovery clears it away
        note_of(recording).unlink(missing_ok=True)


def _recordings(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):  # no folder yet: no recordings
        notes = sorted(folder.glob(f"*{_NOTE}"))
        yield from (note.with_name(note.name.removesuffix(_NOTE) + ".wav") for note in notes)
        for recording in sorted(folder.glob("take-*.wav")):
            if not note_of(recording).exists():
                yield recording


def _recover(recording: Path) -> RecoveredTake | None:
    session = read_session(recording)
    if session is not None and _in_use(session):
        return None
    try:
        if not recording.exists():
            remove(recording)
            return None
        length = repair(recording)
        if length.frames == 0:
            remove(recording)
            return None
        made_at = datetime.fromtimestamp(recording.stat().st_ctime).astimezone()
    except (InputError, OutputError, OSError):
        # Unreadable for now: it stays where it is, and the next start looks again.
        return None
    return RecoveredTake(
        path=recording,
        duration_s=length.duration_s,
        sample_rate=length.sample_rate,
        made_at=made_at.isoformat(timespec="seconds") if session is None else session.made_at,
        interrupted=session is None or not session.done,
        backing=None if session is None else session.backing,
        backing_offset_s=0.0 if session is None else session.backing_offset_s,
    )


def read_session(recording: Path) -> Session | None:
    """Return the note beside a recording; None when there is none that can be read."""
    try:
        row: Any = json.loads(note_of(recording).read_text("utf-8"))
        backing = row["backing"]
        return Session(
            made_at=str(datetime.fromisoformat(row["made_at"]).isoformat(timespec="seconds")),
            sample_rate=int(row["sample_rate"]),
            backing=None if backing is None else Path(str(backing)),
            backing_offset_s=float(row["backing_offset_s"]),
            done=bool(row["done"]),
            recorder=_process(row["recorder"]),
            window=_process(row["window"]),
        )
    except (OSError, ValueError, TypeError, KeyError, IndexError):
        return None


def _process(row: Any) -> tuple[int, float]:
    return int(row[0]), float(row[1])


def _in_use(session: Session) -> bool:
    if not session.done and _runs(session.recorder):
        return True
    return session.window[0] != os.getpid() and _runs(session.window)


def _runs(process: tuple[int, float]) -> bool:
    pid, started = process
    try:
        found = psutil.Process(pid)
        return (
            abs(float(found.create_time()) - started) < 1.0
            and found.status() != psutil.STATUS_ZOMBIE
        )
    except (psutil.Error, ValueError, OverflowError):
        return False
