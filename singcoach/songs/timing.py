"""From beats of a song file to seconds of its audio."""

from __future__ import annotations

from bisect import bisect_right

_BEATS_PER_QUARTER = 4.0


class BeatClock:
    """Maps beats to seconds under a tempo that may change.

    Parameters
    ----------
    bpm
        Quarter notes a minute at the start; a file beat is a quarter of one.
    gap_s
        Time of beat 0 in the audio, in seconds.
    changes
        ``(beat, bpm)`` pairs in any order; of two at one beat the later in the list counts.
    """

    def __init__(self, *, bpm: float, gap_s: float, changes: list[tuple[float, float]]) -> None:
        self._beats = [0.0]
        self._seconds = [gap_s]
        self._beat_s = [60.0 / (_BEATS_PER_QUARTER * bpm)]
        for beat, new_bpm in sorted(changes, key=lambda change: change[0]):
            self._seconds.append(self.seconds(beat))
            self._beats.append(beat)
            self._beat_s.append(60.0 / (_BEATS_PER_QUARTER * new_bpm))

    def seconds(self, beat: float) -> float:
        """Return the time of ``beat`` in seconds; beats before 0 lie before the gap."""
        at = max(0, bisect_right(self._beats, beat) - 1)
        return self._seconds[at] + (beat - self._beats[at]) * self._beat_s[at]
