"""What stands beside every recording, so that a take is found again without the database."""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast, get_args

from singcoach.library.folders import FORMAT, from_text, is_id, new_id, to_text
from singcoach.library.shelf import LONGEST_NOTE, clean_line, clean_text, moment, stamp
from singcoach.library.values import Origin

_RECORDING: Final = re.compile(r"recording(\.[a-z0-9]{1,7})?")
Row = sqlite3.Row | Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeRecord:
    """A take as its folder tells it; moments are seconds since 1970."""

    id: str
    title: str
    singer_id: str
    singer: str
    song_id: str | None
    song: str
    artist: str
    made_s: float
    added_s: float
    origin: Origin
    duration_s: float
    recording: str
    deleted_s: float | None
    notes: tuple[dict[str, Any], ...]


def record_of(
    take: Row, singer: Row | None, song: Row | None, *, notes: Iterable[Row]
) -> dict[str, Any]:
    """Return the record of a take, ready for JSON."""
    return {
        "format": FORMAT,
        "id": take["id"],
        "title": take["title"],
        "singer": None if singer is None else {"id": singer["id"], "name": singer["name"]},
        "song": None
        if song is None
        else {"id": song["id"], "title": song["title"], "artist": song["artist"]},
        "made_at": to_text(moment(take["made_s"])),
        "added_at": to_text(moment(take["added_s"])),
        "origin": take["origin"],
        "duration_s": take["duration_s"],
        "recording": take["recording"],
        "deleted_at": None if take["deleted_s"] is None else to_text(moment(take["deleted_s"])),
        "notes": [
            {
                "id": note["id"],
                "start_s": note["start_s"],
                "end_s": note["end_s"],
                "text": note["text"],
                "made_at": to_text(moment(note["made_s"])),
            }
            for note in notes
        ],
    }


def parse_record(record: Mapping[str, Any]) -> TakeRecord:
    """Read the record of a take, whoever wrote it.

    Raises
    ------
    ValueError
        It is not one; nothing in it leads out of the take's folder.
    """
    try:
        return _parse(record)
    except (KeyError, TypeError, AttributeError, OverflowError, OSError) as error:
        raise ValueError(f"no record of a take: {error!r}") from error


def _parse(record: Mapping[str, Any]) -> TakeRecord:
    if record["format"] != FORMAT:
        raise ValueError(f"format {record['format']!r}")
    if record["origin"] not in get_args(Origin):
        raise ValueError(f"origin {record['origin']!r}")
    recording = str(record["recording"])
    if not is_recording(recording):
        raise ValueError(f"recording {recording!r}")
    singer = record["singer"] or {"id": new_id(), "name": ""}
    song = record["song"]
    for identity in (record["id"], singer["id"], *([song["id"]] if song else [])):
        if not is_id(str(identity)):
            raise ValueError(f"id {identity!r}")
    return TakeRecord(
        id=str(record["id"]),
        title=clean_line(str(record["title"])) or "Take",
        singer_id=str(singer["id"]),
        singer=clean_line(str(singer["name"])),
        song_id=str(song["id"]) if song else None,
        song=clean_line(str(song["title"])) if song else "",
        artist=clean_line(str(song["artist"])) if song else "",
        made_s=stamp(from_text(record["made_at"])),
        added_s=stamp(from_text(record["added_at"])),
        origin=cast("Origin", record["origin"]),
        duration_s=_seconds(record["duration_s"]),
        recording=recording,
        deleted_s=None if record["deleted_at"] is None else stamp(from_text(record["deleted_at"])),
        notes=tuple(_note(note) for note in record["notes"]),
    )


def is_recording(name: str) -> bool:
    """Whether a file's name is one that the library gives to a recording."""
    return _RECORDING.fullmatch(name) is not None


def _note(note: Mapping[str, Any]) -> dict[str, Any]:
    identity = str(note["id"])
    if not is_id(identity):
        raise ValueError(f"id {identity!r}")
    start_s = _seconds(note["start_s"])
    return {
        "id": identity,
        "start_s": start_s,
        "end_s": max(start_s, _seconds(note["end_s"])),
        "text": clean_text(str(note["text"]))[:LONGEST_NOTE],
        "made_s": stamp(from_text(note["made_at"])),
    }


def _seconds(value: Any) -> float:
    seconds = float(value)
    if not math.isfinite(seconds) or seconds < 0.0:
        raise ValueError(f"{seconds} s")
    return seconds
