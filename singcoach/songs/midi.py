"""MIDI and karaoke (``.kar``) files: the melody that is sung and the words under it.

A file says rarely which of its tracks is the song. The notes whose starts meet the words are taken;
without words a track that is called after the voice; otherwise the one that is most like a tune:
one note at a time, in the range of voices. Of notes that sound together the highest counts.
"""

from __future__ import annotations

import io
import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from singcoach.core.music import Song, SongNote
from singcoach.errors import InputError
from singcoach.files import reading
from singcoach.songs.decoding import decode

LARGEST_BYTES = 8_000_000
_MOST_NOTES = 200_000
_LATEST_S = 6 * 3600.0
_SHORTEST_S = 0.03
_WORD_REACH_S = 0.08
_LINE_REST_S = 1.2
_LONGEST_LINE_NOTES = 24
_VOICE_RANGE = (40, 88)
_DRUMS = 9
_NAMES = re.compile(
    r"vocal|voice|melod|lead|sing|gesang|stimme|chant|voix|voz|canto|メロ|歌|ボーカル",
    re.IGNORECASE,
)
_FAULTS = (OSError, EOFError, ValueError, LookupError, TypeError, ArithmeticError)
_HINT = "Give a MIDI file (.mid, .midi or .kar) with a melody."


@dataclass(slots=True, kw_only=True)
class _Part:
    """The notes of one channel of one track."""

    name: str
    channel: int
    notes: list[tuple[float, float, int]] = field(default_factory=list)
    """Onset and offset in seconds and pitch."""


@dataclass(slots=True, kw_only=True)
class _Words:
    events: list[tuple[float, str]] = field(default_factory=list)
    title: str = ""
    artist: str = ""


def read_midi(path: Path) -> Song:
    """Read the melody and the words of a MIDI file.

    Returns
    -------
    Song
        Notes in order of onset, without overlaps; syllables are empty where no words are.

    Raises
    ------
    InputError
        Not readable, no MIDI file, or no notes.
    """
    with reading(path, kind="a MIDI file", hint=_HINT) as file:
        content = file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise InputError(f"{path.name} is too large for a MIDI file", hint=_HINT)
    return parse_midi(content, name=path.name)


def parse_midi(content: bytes, *, name: str = "The MIDI file") -> Song:
    """Parse the bytes of a MIDI file; see :func:`read_midi`."""
    midi = _opened(content, name)
    parts, words = _collected(midi)
    parts = [part for part in parts if part.notes and part.channel != _DRUMS]
    if not parts:
        raise InputError(f"{name} holds no notes", hint=_HINT)
    events = words.events
    melody = _skyline(max(parts, key=lambda part: _fitness(part, events)).notes)
    warnings: tuple[str, ...] = ()
    if len(parts) > 1:
        warnings = (f"The file has {len(parts)} parts; the one most like the voice was taken.",)
    return Song(
        title=words.title,
        artist=words.artist,
        language="",
        notes=_worded(melody, events),
        warnings=warnings,
    )


def _opened(content: bytes, name: str) -> Any:
    import mido  # type: ignore[import-untyped]

    if not content.startswith(b"MThd") and not content.startswith(b"RIFF"):
        raise InputError(f"{name} is no MIDI file", hint=_HINT)
    if content.startswith(b"RIFF"):
        start = content.find(b"MThd")
        content = content[max(0, start) :]
    try:
        return mido.MidiFile(file=io.BytesIO(content), clip=True)
    except (*_FAULTS, mido.KeySignatureError) as error:
        raise InputError(f"{name} is damaged", hint=_HINT, detail=str(error)) from error


def _collected(midi: Any) -> tuple[list[_Part], _Words]:
    """Return the notes of every channel of every track, and the words."""
    clock = _TickClock(midi)
    parts: list[_Part] = []
    lyrics, texts = _Words(), _Words()
    total = 0
    for track in midi.tracks:
        name = ""
        tick = 0
        mine: dict[int, _Part] = {}
        sounding: dict[tuple[int, int], float] = {}
        for message in track:
            tick += message.time
            kind = message.type
            if kind == "track_name":
                name = _text(message.name)
            elif kind == "lyrics":
                lyrics.events.append((clock.seconds(tick), _text(message.text)))
            elif kind == "text":
                _add_text(texts, clock.seconds(tick), _text(message.text))
            elif kind in ("note_on", "note_off"):
                part = mine.setdefault(message.channel, _Part(name=name, channel=message.channel))
                at_s = clock.seconds(tick)
                begun_s = sounding.pop((message.channel, message.note), None)
                if begun_s is not None and at_s - begun_s >= _SHORTEST_S and at_s <= _LATEST_S:
                    part.notes.append((begun_s, at_s, message.note))
                    total += 1
                if kind == "note_on" and message.velocity > 0:
                    sounding[message.channel, message.note] = at_s
            if total > _MOST_NOTES:
                break
        for part in mine.values():
            part.name = name
            part.notes.sort()
            parts.append(part)
    words = lyrics if lyrics.events else texts
    words.title, words.artist = texts.title, texts.artist
    words.events.sort(key=lambda event: event[0])
    return parts, words


def _add_text(texts: _Words, at_s: float, text: str) -> None:
    """Add a text event of a karaoke file; ``@T`` names title and then artist."""
    if text.startswith("@"):
        if text[1:2] in ("T", "t") and not texts.title:
            texts.title = text[2:].strip()
        elif text[1:2] in ("T", "t") and not texts.artist:
            texts.artist = text[2:].strip()
    elif text.strip():
        texts.events.append((at_s, text))


class _TickClock:
    """Maps ticks to seconds under all the tempo changes of a file."""

    def __init__(self, midi: Any) -> None:
        per_beat = midi.ticks_per_beat
        changes: list[tuple[int, int]] = []
        for track in midi.tracks:
            tick = 0
            for message in track:
                tick += message.time
                if message.type == "set_tempo" and message.tempo > 0:
                    changes.append((tick, message.tempo))
        self._ticks, self._seconds = [0], [0.0]
        self._tick_s = [0.5 / per_beat if 0 < per_beat < 0x8000 else 1.0 / _smpte(per_beat)]
        if not 0 < per_beat < 0x8000:
            return
        for tick, tempo in sorted(changes, key=lambda change: change[0]):
            self._seconds.append(self.seconds(tick))
            self._ticks.append(tick)
            self._tick_s.append(tempo / 1e6 / per_beat)

    def seconds(self, tick: int) -> float:
        at = bisect_right(self._ticks, tick) - 1
        return self._seconds[at] + (tick - self._ticks[at]) * self._tick_s[at]


def _smpte(division: int) -> float:
    """Return ticks a second of a file that counts in frames of film."""
    word = division & 0xFFFF
    frames = 256 - (word >> 8)
    return float(max(1, frames) * max(1, word & 0xFF))


def _text(text: str) -> str:
    """Return the text of an event, which arrives one character per byte."""
    try:
        return decode(text.encode("latin-1"))[:200].strip("\0")
    except UnicodeEncodeError:
        return text[:200].strip("\0")


def _fitness(part: _Part, events: list[tuple[float, str]]) -> tuple[float, float, float]:
    """Order parts by how likely they are the voice: words, then name, then tune-likeness."""
    onsets = [note[0] for note in part.notes]
    met = sum(_is_near(onsets, at_s) for at_s, _ in events)
    # Chords that fall on every word are no melody: surplus notes count against it.
    share = met / max(1, len(events), len({round(onset, 2) for onset in onsets})) if events else 0.0
    named = 1.0 if _NAMES.search(part.name) else 0.0
    low, high = _VOICE_RANGE
    inside = sum(low <= note[2] <= high for note in part.notes) / len(part.notes)
    alone = len(_skyline(part.notes)) / len(part.notes)
    enough = min(1.0, len(part.notes) / 30)
    return (round(share, 1), named, inside * alone * enough)


def _is_near(onsets: list[float], at_s: float) -> bool:
    index = bisect_left(onsets, at_s - _WORD_REACH_S)
    return index < len(onsets) and onsets[index] <= at_s + _WORD_REACH_S


def _skyline(notes: list[tuple[float, float, int]]) -> list[tuple[float, float, int]]:
    """Return one note at a time: the highest of those that start together, cut by the next."""
    line: list[tuple[float, float, int]] = []
    for onset, offset, pitch in sorted(notes, key=lambda note: (note[0], -note[2])):
        if line and onset - line[-1][0] < _SHORTEST_S:
            continue
        if line and line[-1][1] > onset:
            line[-1] = (line[-1][0], onset, line[-1][2])
        line.append((onset, offset, pitch))
    return line


def _worded(
    melody: list[tuple[float, float, int]], events: list[tuple[float, str]]
) -> tuple[SongNote, ...]:
    """Put the words under the notes and part both into lines."""
    starts = [at_s for at_s, _ in events]
    spaced = any(text[:1] == " " or text[-1:] == " " for _, text in events)
    used = 0
    line, in_line = 0, 0
    broken = any(text[:1] in "/\\\r\n" or text[-1:] in "\r\n" for _, text in events)
    notes: list[SongNote] = []
    break_after = False
    for index, (onset, offset, pitch) in enumerate(melody):
        reach = bisect_right(starts, onset + _WORD_REACH_S)
        if index == len(melody) - 1:
            reach = len(starts)
        texts = [text for _, text in events[used:reach]]
        used = max(used, reach)
        rest_s = onset - notes[-1].offset_s if notes else 0.0
        begins = break_after or any(text[:1] in "/\\\r\n" for text in texts)
        if not broken:
            begins = rest_s > _LINE_REST_S or (in_line >= _LONGEST_LINE_NOTES and rest_s > 0.2)
        if notes and begins:
            line, in_line = line + 1, 0
        break_after = any(text[-1:] in ("\r", "\n") for text in texts)
        syllable = "".join(_spelt(text, spaced=spaced) for text in texts)
        notes.append(
            SongNote(
                onset_s=onset,
                offset_s=offset,
                midi=pitch,
                syllable=syllable if syllable or not events else "~",
                kind="normal",
                line=line,
            )
        )
        in_line += 1
    return tuple(notes)


def _spelt(text: str, *, spaced: bool) -> str:
    """Return the text of a syllable: marks of lines gone, hyphens of syllables gone."""
    text = re.sub(r"^[/\\]+|[\r\n]+", "", text)
    if spaced:
        return text
    return text[:-1] if text.endswith("-") and len(text) > 1 else f"{text} "
