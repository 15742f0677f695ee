"""The words of a song with their times, whatever file they came from."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from singcoach.core.music import Song

TextSource = Literal["ultrastar", "lrc", "enhanced_lrc", "midi"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Syllable:
    """A syllable or word: its text with the spaces around it, and when it is sung."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SungLine:
    """One line of the words; never without a syllable."""

    syllables: tuple[Syllable, ...]

    @property
    def text(self) -> str:
        """The line as it is read."""
        return "".join(syllable.text for syllable in self.syllables).strip()

    @property
    def start_s(self) -> float:
        """When its first syllable begins."""
        return self.syllables[0].start_s

    @property
    def end_s(self) -> float:
        """When its last syllable ends."""
        return self.syllables[-1].end_s


@dataclass(frozen=True, kw_only=True)
class SungText:
    """The words of a song in order of time.

    Attributes
    ----------
    words_timed
        Whether the times of single words or syllables are known; otherwise a line is one syllable.
    warnings
        What was passed over, English sentences.
    """

    lines: tuple[SungLine, ...]
    source: TextSource
    words_timed: bool
    title: str = ""
    artist: str = ""
    warnings: tuple[str, ...] = ()

    @cached_property
    def _starts(self) -> list[float]:
        return [line.start_s for line in self.lines]

    def line_at(self, time_s: float, *, ahead_s: float = 0.0) -> int | None:
        """Return which line is on: the last that has begun by ``time_s + ahead_s``, if any."""
        index = bisect_right(self._starts, time_s + ahead_s) - 1
        return index if index >= 0 else None


def text_of(song: Song, *, source: TextSource = "ultrastar") -> SungText | None:
    """Return the words that stand under a song's notes; None when it has none.

    ``~``, which draws the syllable before over one more note, makes that syllable longer.
    """
    lines: dict[int, list[Syllable]] = {}
    for note in song.notes:
        held = lines.get(note.line)
        if note.syllable.strip() in ("~", "-", "+") or not note.syllable.strip():
            if held:
                before = held.pop()
                trailing = " " if note.syllable.endswith(" ") else ""
                held.append(
                    Syllable(
                        text=before.text + trailing, start_s=before.start_s, end_s=note.offset_s
                    )
                )
            continue
        syllable = Syllable(
            text=note.syllable.replace("~", ""), start_s=note.onset_s, end_s=note.offset_s
        )
        lines.setdefault(note.line, []).append(syllable)
    found = sorted(
        (SungLine(syllables=tuple(part)) for part in lines.values() if part),
        key=lambda line: line.start_s,
    )
    if not found:
        return None
    return SungText(
        lines=tuple(found), source=source, words_timed=True, title=song.title, artist=song.artist
    )
