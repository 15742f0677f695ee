"""LRC and enhanced LRC: the words of a song with times in brackets, read leniently.

``[mm:ss.xx]`` stands in front of a line (several for a line that comes back), ``<mm:ss.xx>`` in
front of a word. ``[offset:ms]`` moves all times: a positive one shows the words earlier. ``[ti:]``
and ``[ar:]`` name title and artist. Hours, missing hundredths and a colon in the place of the point
are understood.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from singcoach.errors import InputError
from singcoach.songs.decoding import read_text
from singcoach.songs.lyrics import SungLine, SungText, Syllable

_TIME = r"(?:(\d{1,2}):(?=\d+:\d+[.,]))?(\d{1,3}):(\d{1,2})(?:[.:,](\d{1,3}))?"
_LINE_TIME = re.compile(rf"\s*\[\s*{_TIME}\s*\]")
_WORD_TIME = re.compile(rf"<\s*{_TIME}\s*>")
_TAG = re.compile(r"\s*\[\s*([A-Za-z#]{1,20})\s*:(.*)\]\s*$")
_PART = re.compile(r"^\s*[FMD]\s*:\s*(?=\S)")
_NEWLINE = re.compile(r"\r\n|\r|\n")

LONGEST_LINE_S = 10.0
"""A line whose end nothing tells, and the next one of which is far, is taken to last this long."""
_SHORTEST_S = 0.05
_LATEST_S = 6 * 3600.0
_MOST_LINES = 20_000
_MOST_WARNINGS = 20


@dataclass(slots=True, kw_only=True)
class _Line:
    start_s: float
    words: list[tuple[float, str]]
    """Start and text of each word; the last may be empty text: where the line ends."""
    timed: bool


def read_lrc(path: Path) -> SungText:
    """Read an ``.lrc`` file.

    Raises
    ------
    InputError
        Not readable, or without one timed line.
    """
    return parse_lrc(read_text(path), name=path.name)


def parse_lrc(text: str, *, name: str = "The lyrics file") -> SungText:
    """Parse the text of an LRC file; see :func:`read_lrc`.

    Lines come out in order of time; each ends where the next one begins, at the latest
    ``LONGEST_LINE_S`` after its last word. Text without a time is passed over and counted.
    """
    tags: dict[str, str] = {}
    lines: list[_Line] = []
    warnings: list[str] = []
    for number, raw in enumerate(_NEWLINE.split(text), start=1):
        starts, rest = _line_times(raw.strip("\ufeff\0 \t\x1a"))
        if starts:
            for start_s in starts:
                lines.append(_parsed(start_s, rest, starts[0]))
        elif tag := _TAG.match(rest):
            tags.setdefault(tag.group(1).lower(), tag.group(2).strip()[:500])
        elif rest and len(warnings) < _MOST_WARNINGS:
            warnings.append(f"Line {number} was skipped: it has no time.")
        if len(lines) > _MOST_LINES:
            raise InputError(f"{name} has too many lines for a song", hint="Give a lyrics file.")
    shift_s = _offset_s(tags, warnings)
    lines.sort(key=lambda line: line.start_s)
    sung = _ended(lines, shift_s)
    if not sung:
        raise InputError(
            f"{name} holds no timed lines", hint="Give a lyrics file with times such as [01:23.45]."
        )
    timed = any(line.timed for line in lines)
    return SungText(
        lines=sung,
        source="enhanced_lrc" if timed else "lrc",
        words_timed=timed,
        title=tags.get("ti", ""),
        artist=tags.get("ar", ""),
        warnings=tuple(warnings),
    )


def _line_times(line: str) -> tuple[list[float], str]:
    """Return the times in front of a line, and the rest of it."""
    starts: list[float] = []
    while found := _LINE_TIME.match(line):
        seconds = _seconds(found)
        if seconds <= _LATEST_S:
            starts.append(seconds)
        line = line[found.end() :]
    return starts, line


def _seconds(found: re.Match[str]) -> float:
    hours, minutes, seconds, part = found.groups()
    fraction = int(part) / 10 ** len(part) if part else 0.0
    return int(hours or 0) * 3600.0 + int(minutes) * 60.0 + int(seconds) + fraction


def _parsed(start_s: float, rest: str, first_s: float) -> _Line:
    """Return a line with its words; those of a line that comes back move along with it."""
    rest = _PART.sub("", rest)[:2000]
    marks = list(_WORD_TIME.finditer(rest))
    if not marks:
        return _Line(start_s=start_s, words=[(start_s, rest.strip())], timed=False)
    words: list[tuple[float, str]] = []
    head = rest[: marks[0].start()]
    if head.strip():
        words.append((start_s, head))
    ends = [mark.start() for mark in marks[1:]] + [len(rest)]
    for mark, end in zip(marks, ends, strict=True):
        words.append((_seconds(mark) + start_s - first_s, rest[mark.end() : end]))
    words.sort(key=lambda word: word[0])
    return _Line(start_s=start_s, words=words, timed=True)


def _offset_s(tags: dict[str, str], warnings: list[str]) -> float:
    """Return what is added to every time."""
    given = tags.get("offset", "")
    if not given:
        return 0.0
    try:
        milliseconds = float(given.replace(",", ".").removesuffix("ms"))
    except ValueError:
        milliseconds = float("nan")
    if not abs(milliseconds) <= 1000.0 * _LATEST_S:
        warnings.append("The offset is not a sensible number; 0 was taken.")
        return 0.0
    return -milliseconds / 1000.0


def _ended(lines: list[_Line], shift_s: float) -> tuple[SungLine, ...]:
    """Give every word its end; an empty line ends the one before it and is none itself."""
    sung: list[SungLine] = []
    for index, line in enumerate(lines):
        next_s = lines[index + 1].start_s if index + 1 < len(lines) else float("inf")
        last_s = line.words[-1][0]
        end_s = last_s if line.timed and not line.words[-1][1].strip() else next_s
        end_s = min(max(end_s, last_s + _SHORTEST_S), last_s + LONGEST_LINE_S)
        times = [word[0] for word in line.words] + [end_s]
        syllables = tuple(
            Syllable(
                text=text,
                start_s=max(0.0, start + shift_s),
                end_s=max(_SHORTEST_S, start + _SHORTEST_S + shift_s, end + shift_s),
            )
            for (_, text), (start, end) in zip(line.words, pairwise(times), strict=True)
            if text.strip()
        )
        if syllables:
            sung.append(SungLine(syllables=syllables))
    return tuple(sorted(sung, key=lambda line: line.start_s))
