"""Which files a batch holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from singcoach.errors import InputError

AUDIO_SUFFIXES = frozenset(
    f".{suffix}"
    for suffix in (
        *("wav", "wave", "rf64", "aif", "aiff", "caf", "flac", "mp3", "m4a", "m4b", "aac"),
        *("ogg", "oga", "opus", "wma", "mp4", "mov", "mkv", "mka", "webm", "weba"),
    )
)


def list_audio(paths: Sequence[Path]) -> list[Path]:
    """Return the files of a batch in order; folders give the recordings below them, by name.

    Files that are named themselves are kept whatever their name, so that a wrong one is reported.

    Raises
    ------
    InputError
        A folder cannot be read or holds no recording.
    """
    files: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            found = sorted(_recordings(path))
            if not found:
                raise InputError(
                    f"the folder {path.name or path} holds no recordings",
                    hint="Recordings end in .wav, .mp3, .flac, .m4a, .ogg, .opus and the like",
                )
            files.update(dict.fromkeys(found))
        else:
            files[path] = None
    return list(files)


def _recordings(folder: Path) -> Iterator[Path]:
    try:
        for path in folder.rglob("*"):
            hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
            if path.suffix.lower() in AUDIO_SUFFIXES and not hidden and path.is_file():
                yield path
    except OSError as error:
        raise InputError(
            f"the folder {folder.name} cannot be read: {error.strerror}",
            hint="Check that you may open it",
        ) from error
