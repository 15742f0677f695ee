"""What a singer has on paper: notes, words or both, from whichever file there is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from singcoach.core.music import Song
from singcoach.errors import InputError
from singcoach.files import reading
from singcoach.songs.decoding import read_text
from singcoach.songs.lrc import parse_lrc
from singcoach.songs.lyrics import SungText, text_of
from singcoach.songs.midi import read_midi
from singcoach.songs.ultrastar import parse_song

SUFFIXES = (".txt", ".lrc", ".mid", ".midi", ".kar")
"""Files that :func:`read_sheet` is for."""

_HINT = "Give an UltraStar file (.txt), lyrics with times (.lrc) or a MIDI file (.mid, .kar)."


@dataclass(frozen=True, slots=True, kw_only=True)
class SongSheet:
    """Written notes and words of a song; at least one of them.

    ``warnings`` are English sentences about what was passed over.
    """

    song: Song | None
    text: SungText | None
    title: str
    artist: str
    warnings: tuple[str, ...]


def read_sheet(path: Path) -> SongSheet:
    """Read an UltraStar, LRC or MIDI file; what it is, its content decides.

    Raises
    ------
    InputError
        Not readable, or nothing that could be sung from.
    """
    with reading(path, kind="a song file", hint=_HINT) as file:
        head = file.read(16)
    if head.startswith(b"MThd") or (head.startswith(b"RIFF") and head[8:12] == b"RMID"):
        song = read_midi(path)
        return _sheet(song, text_of(song, source="midi"))
    content = read_text(path)
    if path.suffix.lower() == ".lrc":
        return _sheet(None, parse_lrc(content, name=path.name))
    try:
        song = parse_song(content, name=path.name)
    except InputError as fault:
        try:
            text = parse_lrc(content, name=path.name)
        except InputError:
            raise fault from None
        return _sheet(None, text)
    return _sheet(song, text_of(song))


def _sheet(song: Song | None, text: SungText | None) -> SongSheet:
    return SongSheet(
        song=song,
        text=text,
        title=(song.title if song else "") or (text.title if text else ""),
        artist=(song.artist if song else "") or (text.artist if text else ""),
        warnings=(*(song.warnings if song else ()), *(text.warnings if text else ())),
    )
