"""Which recordings a list of files and folders holds."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from singcoach.errors import InputError

AUDIO_SUFFIXES = frozenset(
    f".{suffix}"
    for suffix in (
        *("wav", "wave", "rf64", "aif", "aiff", "caf", "flac", "mp3", "m4a", "m4b", "aac"),
        *("ogg", "oga", "opus", "wma", "mp4", "mov", "mkv", "mka", "webm", "weba"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The files of a batch in order, and the folders that give none with the reason."""

    files: tuple[Path, ...]
    faults: Mapping[Path, InputError]


def list_audio(paths: Sequence[Path]) -> Batch:
    """Return the files of a batch in order; folders give the recordings below them, by name.

    Files that are named themselves are kept whatever their name, so that a wrong one is reported.
    """
    files: dict[Path, None] = {}
    faults: dict[Path, InputError] = {}
    for path in paths:
        if not path.is_dir():
            files[path] = None
            continue
        found = _recordings(path, faults)
        files.update(dict.fromkeys(found))
        if not found and path not in faults:
            faults[path] = InputError(
                f"the folder {path.name or path} holds no recordings",
                hint="Recordings end in .wav, .mp3, .flac, .m4a, .ogg, .opus and the like",
            )
    return Batch(files=tuple(files), faults=faults)


def audio_in(folder: Path) -> tuple[Path, ...]:
    """Return the recordings of a folder that has to hold some, in order.

    Raises
    ------
    InputError
        It is no folder, cannot be read, or holds none.
    """
    if not folder.is_dir():
        raise InputError(
            f"{folder.name or folder} is not a folder", hint="Give the folder of the recordings"
        )
    listed = list_audio([folder])
    if not listed.files:
        raise next(iter(listed.faults.values()))
    return listed.files


def _recordings(folder: Path, faults: dict[Path, InputError]) -> list[Path]:
    def note(error: OSError) -> None:
        place = Path(error.filename) if error.filename else folder
        faults[place] = InputError(
            f"the folder {place.name or place} cannot be read: {error.strerror}",
            hint="Check that you may open it",
        )

    found = []
    for place, folders, names in os.walk(folder, onerror=note):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(place, name)
            if path.suffix.lower() in AUDIO_SUFFIXES and not name.startswith("."):
                found.append(path)
    return sorted(found)
