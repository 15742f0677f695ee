"""Songs to choose from, and new ones from the files that somebody has. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from singcoach.errors import InputError
from singcoach.jobs import NO_JOB, Job
from singcoach.songs.sheet import SUFFIXES as SHEET_SUFFIXES
from singcoach.songs.sheet import read_sheet

if TYPE_CHECKING:
    from singcoach.library.store import Library
    from singcoach.library.values import LibrarySong

SOUND_SUFFIXES: Final = (
    ".mp3",
    ".m4a",
    ".flac",
    ".ogg",
    ".opus",
    ".wav",
    ".wma",
    ".aac",
    ".mp4",
    ".mkv",
    ".webm",
    ".aiff",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSong:
    """What the chosen files make together."""

    title: str
    artist: str
    audio: Path | None
    lyrics: Path | None


def song_of_files(paths: Sequence[Path]) -> NewSong:
    """Return the song that files make: a sound, notes or words, or both.

    To a sound, a file of notes or words of the same name beside it is taken along; to an UltraStar
    file, the sound that it names.

    Raises
    ------
    InputError
        Neither a sound nor a file of notes or words is among them.
    """
    lyrics = next((path for path in paths if path.suffix.lower() in SHEET_SUFFIXES), None)
    audio = next((path for path in paths if path.suffix.lower() not in SHEET_SUFFIXES), None)
    if lyrics is None and audio is not None:
        lyrics = next(
            (p for suffix in SHEET_SUFFIXES if (p := audio.with_suffix(suffix)).is_file()), None
        )
    title = artist = ""
    if lyrics is not None:
        try:
            sheet = read_sheet(lyrics)
            title, artist = sheet.title, sheet.artist
        except InputError:
            if audio is None or lyrics in paths:
                raise
            lyrics, sheet = None, None
        if audio is None and lyrics is not None:
            audio = _sound_beside(lyrics, sheet.song.audio_name if sheet and sheet.song else "")
    if audio is None and lyrics is None:
        raise InputError("No song was chosen", hint="Choose a recording of the song.")
    named = (audio or lyrics or Path("song")).stem
    if not title and " - " in named:
        artist, _, title = (part.strip() for part in named.partition(" - "))
    return NewSong(title=title or named, artist=artist, audio=audio, lyrics=lyrics)


def add_song(library: Library, paths: Sequence[Path], job: Job = NO_JOB) -> LibrarySong:
    """Add the song that ``paths`` make to the library; see :func:`song_of_files`."""
    new = song_of_files(paths)
    return library.add_song(new.title, new.artist, audio=new.audio, lyrics=new.lyrics, job=job)


def _sound_beside(lyrics: Path, name: str) -> Path | None:
    # The name stands in a file from anywhere: only its last part, only beside the file.
    last = name.replace("\\", "/").rpartition("/")[2]
    if last and (lyrics.parent / last).is_file():
        return lyrics.parent / last
    return next((p for s in SOUND_SUFFIXES if (p := lyrics.with_suffix(s)).is_file()), None)
