"""UltraStar song files: a lenient reader.

The format has grown by habit. What is read here: header lines ``#KEY:VALUE``; notes
``: * F R G`` with start, length and pitch in beats and semitones; line breaks ``-`` with one or two
numbers; tempo changes ``B``; voices ``P1``/``P2``; the end ``E``. A beat lasts
``60 / (4 * BPM)`` seconds, pitch 0 is C4 (MIDI 60), the first beat falls on ``#GAP`` milliseconds.
``#VIDEOGAP`` and ``#START`` move pictures and playback, not notes.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path

from singcoach.core.music import Song, SongNote, SongNoteKind
from singcoach.errors import InputError
from singcoach.songs.decoding import read_text
from singcoach.songs.timing import BeatClock

_KINDS: dict[str, SongNoteKind] = {
    ":": "normal",
    "*": "golden",
    "F": "freestyle",
    "R": "rap",
    "G": "rap_golden",
}
_NUMBER = r"([+-]?\d{1,9}(?:[.,]\d{1,9})?)"
_NOTE = re.compile(
    rf"([:*]|[FRG](?=\s))\s*{_NUMBER}\s+{_NUMBER}\s+{_NUMBER}(?:[ \t](.*))?\s*$", re.DOTALL
)
_BREAK = re.compile(rf"-\s*{_NUMBER}(?:\s+{_NUMBER})?\s*$")
_TEMPO = re.compile(rf"B\s*{_NUMBER}\s+{_NUMBER}\s*$")
_VOICE = re.compile(r"P\s*([1-9])\s*$", re.IGNORECASE)
_LEADING_NUMBER = re.compile(rf"\s*{_NUMBER}")
_NEWLINE = re.compile(r"\r\n|\r|\n")

_LATEST_BEAT = 10_000_000.0
_LONGEST_BEATS = 100_000.0
_LOWEST_BPM, _HIGHEST_BPM = 1.0, 50_000.0
_LATEST_S = 6 * 3600.0
_MOST_WARNINGS = 20
_BOTH_VOICES = 3


@dataclass(slots=True)
class _Note:
    kind: SongNoteKind
    start: float
    length: float
    midi: int
    syllable: str
    line: int


@dataclass(slots=True)
class _Voice:
    base: float = 0.0
    line: int = 0
    notes: list[_Note] = field(default_factory=list)


@dataclass(slots=True)
class _Warnings:
    shown: list[str] = field(default_factory=list)
    more: int = 0

    def add(self, text: str) -> None:
        if len(self.shown) < _MOST_WARNINGS:
            self.shown.append(text)
        else:
            self.more += 1

    def all(self) -> tuple[str, ...]:
        rest = (f"{self.more} more faults in the song file.",) if self.more else ()
        return (*self.shown, *rest)


def read_song(path: Path, *, voice: int = 1) -> Song:
    """Read an UltraStar ``.txt`` file.

    Parameters
    ----------
    path
        UTF-8, UTF-16 or a Windows code page, any line ends.
    voice
        Which part of a duet, from 1.

    Raises
    ------
    InputError
        Not readable, no notes, no tempo, or no such voice.
    """
    return parse_song(read_text(path), voice=voice, name=path.name)


def parse_song(text: str, *, voice: int = 1, name: str = "The song file") -> Song:
    """Parse the text of an UltraStar file; see :func:`read_song`.

    Lines that make no sense are skipped and named in ``Song.warnings``. Notes come out in order of
    onset, without overlaps, none shorter than a hundredth of a second.
    """
    warnings = _Warnings()
    header, body = _split(text, warnings)
    gap_s = _number(header.get("GAP", "")) / 1000.0
    if not abs(gap_s) <= _LATEST_S:
        if "GAP" in header:
            warnings.add("The gap (#GAP) is not a sensible number; 0 was taken.")
        gap_s = 0.0
    relative = header.get("RELATIVE", "").strip().lower() in ("yes", "true", "1")
    voices, tempi = _read_body(body, relative, warnings)
    if not any(part.notes for part in voices.values()):
        raise InputError(f"{name} holds no notes", hint="Give an UltraStar song file (.txt).")
    bpm = _number(header.get("BPM", ""))
    if not _LOWEST_BPM <= bpm <= _HIGHEST_BPM:
        if not tempi:
            raise InputError(
                f"{name} states no usable tempo (#BPM)", hint="Correct the #BPM line of the file."
            )
        bpm = tempi[0][1]
        warnings.add("The tempo (#BPM) is missing; the first tempo change was taken.")
    notes = _choose(voices, voice, name, warnings).notes
    clock = BeatClock(bpm=bpm, gap_s=gap_s, changes=tempi)
    return Song(
        title=header.get("TITLE", ""),
        artist=header.get("ARTIST", ""),
        language=header.get("LANGUAGE", ""),
        notes=_timed(notes, clock, name, warnings),
        audio_name=header.get("AUDIO", "") or header.get("MP3", ""),
        bpm=bpm,
        gap_s=gap_s,
        warnings=warnings.all(),
    )


def _split(text: str, warnings: _Warnings) -> tuple[dict[str, str], list[tuple[int, str]]]:
    """Return the header by upper-case key (the first of each counts) and the numbered rest."""
    header: dict[str, str] = {}
    body: list[tuple[int, str]] = []
    for number, raw in enumerate(_NEWLINE.split(text), start=1):
        line = raw.lstrip(" \t\ufeff\0")
        if not line.strip(" \t\0\x1a"):
            continue
        if not line.startswith("#"):
            body.append((number, line))
            continue
        key, colon, value = line[1:].partition(":")
        if not colon:
            warnings.add(f"Line {number} was skipped: it is not a header line.")
            continue
        header.setdefault(key.strip().upper()[:40], value.strip(" \t\0")[:500])
    return header, body


def _read_body(
    body: list[tuple[int, str]], relative: bool, warnings: _Warnings
) -> tuple[dict[int, _Voice], list[tuple[float, float]]]:
    voices: dict[int, _Voice] = {1: _Voice()}
    current: tuple[int, ...] = (1,)
    tempi: list[tuple[float, float]] = []
    ended = False
    for number, line in body:
        if part := _VOICE.match(line):
            # 3 is the old way to write "both".
            which = int(part.group(1))
            current = (1, 2) if which == _BOTH_VOICES else (which,)
            for one in current:
                voices.setdefault(one, _Voice())
            ended = False
        elif ended:
            continue
        elif line[0] in "Ee" and not line[1:].strip():
            ended = True
        elif found := _NOTE.match(line):
            for one in current:
                _add_note(voices[one], found, number, relative, warnings)
        elif found := _BREAK.match(line):
            for one in current:
                voices[one].line += 1
                if relative:
                    step = _number(found.group(2) or found.group(1))
                    voices[one].base = min(_LATEST_BEAT, voices[one].base + max(0.0, step))
        elif found := _TEMPO.match(line):
            beat = _number(found.group(1)) + (voices[current[0]].base if relative else 0.0)
            bpm = _number(found.group(2))
            if _LOWEST_BPM <= bpm <= _HIGHEST_BPM and 0.0 <= beat <= _LATEST_BEAT:
                tempi.append((beat, bpm))
            else:
                warnings.add(f"Line {number} was skipped: the tempo is not sensible.")
        else:
            warnings.add(f"Line {number} was skipped: it is neither note nor line break.")
    return voices, tempi


def _add_note(
    voice: _Voice, found: re.Match[str], number: int, relative: bool, warnings: _Warnings
) -> None:
    start, length = _number(found.group(2)), _number(found.group(3))
    midi = 60 + round(_number(found.group(4)))
    start += voice.base if relative else 0.0
    if not 0 <= midi <= 127 or abs(start) > _LATEST_BEAT or length > _LONGEST_BEATS:
        warnings.add(f"Line {number} was skipped: the note is out of range.")
        return
    if length <= 0.0:
        warnings.add(f"Line {number}: the length {length:g} was taken as one beat.")
        length = 1.0
    voice.notes.append(
        _Note(
            kind=_KINDS[found.group(1)],
            start=start,
            length=length,
            midi=midi,
            syllable=(found.group(5) or "").strip("\0\x1a")[:200],
            line=voice.line,
        )
    )


def _choose(voices: dict[int, _Voice], wanted: int, name: str, warnings: _Warnings) -> _Voice:
    sung = sorted(which for which, part in voices.items() if part.notes)
    if wanted in sung:
        if len(sung) > 1:
            warnings.add(f"The song has {len(sung)} voices; voice {wanted} was taken.")
        return voices[wanted]
    if wanted != 1:
        raise InputError(f"{name} has no voice {wanted}", hint="Choose voice 1.")
    warnings.add(f"Voice 1 has no notes; voice {sung[0]} was taken.")
    return voices[sung[0]]


def _timed(
    notes: list[_Note], clock: BeatClock, name: str, warnings: _Warnings
) -> tuple[SongNote, ...]:
    """Turn beats into seconds; put in order, and cut where notes overlap."""
    timed: list[SongNote] = []
    shortened = dropped = 0
    for note in sorted(notes, key=lambda one: one.start):
        onset_s = clock.seconds(note.start)
        offset_s = clock.seconds(note.start + note.length)
        if onset_s < 0.0 or offset_s > _LATEST_S:
            dropped += 1
            continue
        if timed and timed[-1].offset_s > onset_s + 1e-9:
            before = timed.pop()
            if onset_s - before.onset_s >= 0.01:
                timed.append(_until(before, onset_s))
            shortened += 1
        timed.append(
            SongNote(
                onset_s=onset_s,
                offset_s=max(offset_s, onset_s + 0.01),
                midi=note.midi,
                syllable=note.syllable,
                kind=note.kind,
                line=note.line,
            )
        )
    if shortened:
        warnings.add(f"{shortened} notes overlapped the next one and were cut there.")
    if dropped:
        warnings.add(f"{dropped} notes lie outside the song and were left out.")
    if not timed:
        raise InputError(
            f"{name} holds no notes within the song", hint="Correct #GAP and #BPM of the file."
        )
    return tuple(timed)


def _until(note: SongNote, offset_s: float) -> SongNote:
    return SongNote(
        onset_s=note.onset_s,
        offset_s=offset_s,
        midi=note.midi,
        syllable=note.syllable,
        kind=note.kind,
        line=note.line,
    )


def _number(text: str) -> float:
    """Return a number written with point or comma; NaN when it is none."""
    match = _LEADING_NUMBER.match(text)
    return float(match.group(1).replace(",", ".")) if match else math.nan
