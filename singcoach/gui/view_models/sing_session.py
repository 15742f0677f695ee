"""Singing along as plain values: where the song is, what is sung against it, what to warn of.

Times without a further word are seconds of the song as it was recorded. What sounds runs at
another tempo; :meth:`SingSession.song_time` and :meth:`SingSession.heard_time` go between the two.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from singcoach.chain.guide import GuidedSong
from singcoach.core.music import SongNote
from singcoach.pitch.live import LivePitchPoint

LOWEST_KEY, HIGHEST_KEY = -7, 7
TEMPI = (0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15, 1.2)
COUNT_IN_BEATS = 4
HIT_CENTS = 50.0
NEAR_CENTS = 100.0
CLIP_DB = -0.3
QUIET_DB = -42.0

_GRACE_S = 0.12
_LEAST_SUNG_SHARE = 0.2
_KEPT_TRACE_S = 20.0
_CLIP_SHOWN_S = 2.5
_QUIET_AFTER_S = 2.5
_SILENT_AFTER_S = 2.0

Match = Literal["hit", "near", "off", "free"]
Warning_ = Literal["", "clip", "quiet", "silent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TracePoint:
    """One moment of the sung line.

    Attributes
    ----------
    time_s
        Second of the song.
    midi
        Sung height as it is drawn: moved by octaves towards the note that is on, if any.
    match
        Within 50 cents of that note, within 100, farther, or no note to compare with.
    """

    time_s: float
    midi: float
    match: Match


@dataclass(frozen=True, slots=True, kw_only=True)
class SongPhrase:
    """A line of the song that can be started from, repeated or looped."""

    start_s: float
    end_s: float
    words: str


@dataclass(slots=True)
class _Tally:
    """Frames of a note: how many there were, in how many was sung, how many were right."""

    hits: int = 0
    sung: int = 0
    total: int = 0

    @property
    def share(self) -> float:
        return self.hits / self.sung if self.sung > _LEAST_SUNG_SHARE * self.total else 0.0


class SingSession:
    """One song on the stage, or nothing but a microphone (``song=None``)."""

    def __init__(self, song: GuidedSong | None) -> None:
        self.song = song
        self.semitones = 0
        self.tempo = 1.0
        self.guide_level = 0.0
        self.count_in = True
        self.loop: tuple[int, int] | None = None
        """First and last phrase of the section that is practised."""
        self.position_s = 0.0
        self._written = song.notes if song is not None else ()
        self._onsets = [note.onset_s for note in self._written]
        self.phrases = _phrases(song)
        self._phrase_starts = [phrase.start_s for phrase in self.phrases]
        self._trace: deque[TracePoint] = deque()
        self._tallies: dict[int, _Tally] = {}
        self._begun_s = 0.0
        self._clip_until_s = -1.0
        self._quiet_s = 0.0
        self._silent_s = 0.0
        self._clock_s = 0.0

    # --- the song -----------------------------------------------------------------------------

    @property
    def duration_s(self) -> float:
        """Length of the song; 0 without one."""
        return self.song.duration_s if self.song is not None else 0.0

    @property
    def notes(self) -> tuple[SongNote, ...]:
        """The melody as written, not transposed; :attr:`semitones` is added where it is drawn."""
        return self._written

    def notes_between(self, start_s: float, end_s: float) -> list[tuple[int, SongNote]]:
        """Return the notes that touch a stretch of the song, each with its number."""
        first = max(0, bisect_right(self._onsets, start_s) - 2)
        last = bisect_right(self._onsets, end_s)
        return [
            (index, self._written[index])
            for index in range(first, last)
            if self._written[index].offset_s >= start_s
        ]

    def note_at(self, time_s: float) -> int | None:
        """Return the number of the note that is on, with a little grace at both ends."""
        index = bisect_right(self._onsets, time_s) - 1
        if index >= 0 and time_s <= self._written[index].offset_s:
            return index
        if index + 1 < len(self._onsets) and self._onsets[index + 1] - time_s <= _GRACE_S:
            return index + 1
        if index >= 0 and time_s - self._written[index].offset_s <= _GRACE_S:
            return index
        return None

    def song_time(self, heard_s: float) -> float:
        """Return the second of the song that a second of the sounding backing stands for."""
        return heard_s * self.tempo

    def heard_time(self, time_s: float) -> float:
        """Return the second of the sounding backing at which a second of the song comes."""
        return time_s / self.tempo

    # --- choices ------------------------------------------------------------------------------

    def change_key(self, semitones: int) -> int:
        """Sing higher or lower; returns what it became."""
        self.semitones = min(HIGHEST_KEY, max(LOWEST_KEY, semitones))
        return self.semitones

    def change_tempo(self, steps: int) -> float:
        """Go ``steps`` along the tempi; returns what it became."""
        at = min(range(len(TEMPI)), key=lambda i: abs(TEMPI[i] - self.tempo))
        self.tempo = TEMPI[min(len(TEMPI) - 1, max(0, at + steps))]
        return self.tempo

    def go_to(self, time_s: float) -> None:
        """Put the place where singing starts."""
        self.position_s = min(max(0.0, time_s), max(0.0, self.duration_s - 0.1))

    def phrase_at(self, time_s: float, *, grace_s: float = 0.0) -> int | None:
        """Return the phrase that is on or was last; None before the first."""
        index = bisect_right(self._phrase_starts, time_s + grace_s) - 1
        return index if index >= 0 else None

    def step_phrase(self, steps: int) -> None:
        """Go to the beginning of this phrase, of those before, or of those after."""
        if not self.phrases:
            self.go_to(self.position_s + 5.0 * steps)
            return
        at = self.phrase_at(self.position_s, grace_s=0.01)
        if at is None:
            at, steps = (0, max(0, steps - 1)) if steps > 0 else (0, 0)
            if steps == 0 and self.position_s < self.phrases[0].start_s:
                self.go_to(self.phrases[0].start_s)
                return
        elif steps < 0 and self.position_s - self.phrases[at].start_s > 1.0:
            steps += 1
        target = min(len(self.phrases) - 1, at + steps)
        self.go_to(self.phrases[target].start_s if target >= 0 else 0.0)

    def toggle_loop(self) -> tuple[int, int] | None:
        """Practise the phrase at the position, or stop practising."""
        if self.loop is not None or not self.phrases:
            self.loop = None
        else:
            at = self.phrase_at(self.position_s, grace_s=0.01) or 0
            self.loop = (at, at)
        return self.loop

    def widen_loop(self, steps: int) -> tuple[int, int] | None:
        """Let the practised section end later or earlier, by whole phrases."""
        if self.loop is not None:
            first, last = self.loop
            self.loop = (first, min(len(self.phrases) - 1, max(first, last + steps)))
        return self.loop

    @property
    def section(self) -> tuple[float, float] | None:
        """The practised seconds of the song, None without a loop."""
        if self.loop is None:
            return None
        first, last = self.loop
        after = self.phrases[last + 1].start_s if last + 1 < len(self.phrases) else self.duration_s
        end_s = min(self.phrases[last].end_s + 0.6, max(after, self.phrases[last].end_s))
        return self.phrases[first].start_s, end_s

    # --- starting -----------------------------------------------------------------------------

    @property
    def start_s(self) -> float:
        """Second of the song at which singing starts: of the section, else of the position."""
        return self.section[0] if self.section is not None else self.position_s

    @property
    def count_in_s(self) -> float:
        """Seconds to be heard before the start."""
        if self.song is None or not self.count_in:
            return 0.0
        return COUNT_IN_BEATS * self.song.beat_s / self.tempo

    def clicks_s(self) -> tuple[float, ...]:
        """Return the seconds of the sounding backing at which the count-in clicks."""
        if self.count_in_s == 0.0:
            return ()
        beat_s = self.count_in_s / COUNT_IN_BEATS
        start_s = self.heard_time(self.start_s)
        return tuple(start_s - beat_s * (COUNT_IN_BEATS - k) for k in range(COUNT_IN_BEATS))

    def beats_left(self, time_s: float) -> int:
        """Return the number to show while it is counted in: 4, 3, 2, 1, and 0 once it runs."""
        if self.song is None or not self.count_in or time_s >= self._begun_s:
            return 0
        left = (self._begun_s - time_s) / self.song.beat_s
        return min(COUNT_IN_BEATS, int(np.ceil(left - 1e-6)))

    def is_over(self, time_s: float) -> bool:
        """Whether the song, or the practised section, has ended."""
        if self.section is not None:
            return time_s >= self.section[1]
        return self.duration_s > 0.0 and time_s >= self.duration_s

    # --- what is sung -------------------------------------------------------------------------

    def begin(self) -> None:
        """Forget what was sung; a new pass starts at :attr:`start_s`."""
        self._begun_s = self.start_s
        self._trace.clear()
        self._tallies.clear()
        self._clip_until_s = -1.0
        self._quiet_s = self._silent_s = self._clock_s = 0.0

    def hear(self, points: Sequence[LivePitchPoint], *, offset_s: float) -> list[TracePoint]:
        """Take live points; ``offset_s`` is the second of the backing at their time 0."""
        made: list[TracePoint] = []
        for point in points:
            time_s = self.song_time(point.time_s + offset_s)
            if np.isnan(point.f0_hz):
                if time_s >= self._begun_s:
                    self._count(self.note_at(time_s), sung=False)
                continue
            midi = 69.0 + 12.0 * float(np.log2(point.f0_hz / 440.0))
            made.append(self._matched(time_s, midi))
        self._trace.extend(made)
        while self._trace and self._trace[-1].time_s - self._trace[0].time_s > _KEPT_TRACE_S:
            self._trace.popleft()
        return made

    @property
    def trace(self) -> Sequence[TracePoint]:
        """What was sung in the last seconds, in order of time."""
        return self._trace

    def hit_share(self, index: int) -> float | None:
        """Return which share of what was sung of a note was within 50 cents, octaves forgiven.

        None before the note came, 0 when it was left out. Consonants and breath within a note do
        not count against it. It is for the eye while singing; a take is judged by its analysis.
        """
        tally = self._tallies.get(index)
        return None if tally is None or tally.total == 0 else tally.share

    @property
    def overall_hits(self) -> float | None:
        """The same of all the notes so far, each by its length; None before the first."""
        total = sum(tally.total for tally in self._tallies.values())
        return sum(t.share * t.total for t in self._tallies.values()) / total if total else None

    def _matched(self, time_s: float, midi: float) -> TracePoint:
        tuned = midi - (self.song.tuning_cents / 100.0 if self.song is not None else 0.0)
        best: tuple[float, int, float] | None = None
        for index in self._notes_around(time_s):
            target = self._written[index].midi + self.semitones
            folded = target + (tuned - target + 6.0) % 12.0 - 6.0
            if best is None or abs(folded - target) < best[0] - 1e-9:
                best = (abs(folded - target), index, folded)
        if best is None:
            return TracePoint(time_s=time_s, midi=self._near_last(tuned), match="free")
        off_cents = 100.0 * best[0]
        match: Match = "hit" if off_cents <= HIT_CENTS else "off"
        if match == "off" and off_cents <= NEAR_CENTS:
            match = "near"
        self._count(best[1], sung=True, hit=match == "hit")
        return TracePoint(time_s=time_s, midi=best[2], match=match)

    def _notes_around(self, time_s: float) -> list[int]:
        """Return the notes to compare with, the one that is on first.

        Where one note goes over into another the voice may be early or late by a tenth of a second.
        """
        on = self.note_at(time_s)
        if on is None or time_s < self._begun_s - _GRACE_S:
            return []
        found = [on]
        if on > 0 and time_s - self._written[on - 1].offset_s <= _GRACE_S:
            found.append(on - 1)
        if on + 1 < len(self._written) and self._onsets[on + 1] - time_s <= _GRACE_S:
            found.append(on + 1)
        return [index for index in found if self._written[index].kind in ("normal", "golden")]

    def _near_last(self, midi: float) -> float:
        """Return a height between notes, in the octave in which the melody is drawn."""
        if not self._written:
            return midi
        anchor = self._trace[-1].midi if self._trace else self._middle()
        return anchor + (midi - anchor + 6.0) % 12.0 - 6.0

    def _middle(self) -> float:
        return float(np.median([note.midi for note in self._written])) + self.semitones

    def _count(self, index: int | None, *, sung: bool, hit: bool = False) -> None:
        if index is not None and self._written[index].kind in ("normal", "golden"):
            tally = self._tallies.setdefault(index, _Tally())
            tally.total += 1
            tally.sung += sung
            tally.hits += hit

    # --- the microphone -----------------------------------------------------------------------

    def listen(
        self, level_db: float, peak_db: float, *, seconds: float, silent_s: float
    ) -> Warning_:
        """Return what to warn of, having heard ``seconds`` more of the microphone.

        Too loud is told for 2.5 s after every clipped sample; too quiet after 2.5 s of sound
        below -42 dB in which a note was to be sung (or, without notes, something sounded).
        """
        self._clock_s += seconds
        if peak_db >= CLIP_DB:
            self._clip_until_s = self._clock_s + _CLIP_SHOWN_S
        wanted = self.note_at(self.position_s) is not None if self._written else level_db > -60.0
        if level_db >= QUIET_DB:
            self._quiet_s = 0.0
        elif wanted:
            self._quiet_s += seconds
        if silent_s >= _SILENT_AFTER_S:
            return "silent"
        if self._clock_s < self._clip_until_s:
            return "clip"
        return "quiet" if self._quiet_s >= _QUIET_AFTER_S else ""


def _phrases(song: GuidedSong | None) -> tuple[SongPhrase, ...]:
    """Return the lines of the words, or of the notes where there are no words."""
    if song is None:
        return ()
    if song.text is not None:
        return tuple(
            SongPhrase(start_s=line.start_s, end_s=line.end_s, words=line.text)
            for line in song.text.lines
        )
    lines: dict[int, list[SongNote]] = {}
    for note in song.notes:
        lines.setdefault(note.line, []).append(note)
    return tuple(
        SongPhrase(start_s=part[0].onset_s, end_s=part[-1].offset_s, words="")
        for part in sorted(lines.values(), key=lambda part: part[0].onset_s)
    )
