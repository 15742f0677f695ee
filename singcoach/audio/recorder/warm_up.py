"""The first moments of a stream, in which sound servers stutter.

A sound server that ran dry while it started keeps less in store than was asked for, for as long as
the stream lives: the delay is another one than was calibrated, and the next stutter is near. So a
stream that does not start clean is started again.
"""

from __future__ import annotations

import time
from collections.abc import Callable

STEADY_S = 0.3
"""How long a stream must run at its pace before a take begins."""
PATIENCE_S = 3.0
"""A stream that never finds its pace is used from here on all the same."""
ANSWER_S = 4.0
"""A stream that does not call at all within this is started again."""
MOST_STARTS = 4

_GAP_S = 0.1
_TOLERANCE = 0.35
_LOOK_S = 0.01


class WarmUp:
    """Watches the calls of the sound card until they come at the pace of the clock.

    Parameters
    ----------
    sample_rate
        In Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._window_s = 0.0
        self._last_s = 0.0
        self._frames = 0
        self.steady = False
        """Whether samples come at the pace of the clock."""
        self.disturbed = False
        """Whether the sound server ran dry or over."""

    def note(self, n_frames: int, *, lost: bool, now_s: float) -> None:
        """Take note of a call that brought ``n_frames``."""
        self.disturbed = self.disturbed or lost
        if self._last_s == 0.0 or now_s - self._last_s > _GAP_S:
            self._window_s, self._frames = now_s, 0
        self._last_s = now_s
        elapsed_s = now_s - self._window_s
        if elapsed_s >= STEADY_S:
            pace = self._frames / self._rate / elapsed_s
            self.steady = self.steady or abs(pace - 1.0) <= _TOLERANCE
            self._window_s, self._frames = now_s, 0
        self._frames += n_frames

    @property
    def heard(self) -> bool:
        """Whether the sound card called at all."""
        return self._last_s > 0.0


def start_clean(
    warm_up: WarmUp,
    *,
    start: Callable[[], None],
    halt: Callable[[], None],
    given_up: Callable[[], bool],
    first_sound_s: float,
) -> None:
    """Start a stream, again if it does not start clean, and return when it runs.

    Parameters
    ----------
    start, halt
        Start the stream and halt it so that it may be started again.
    given_up
        Whether there is no need any more.
    first_sound_s
        How long to try, in all, with a sound card that does not call.
    """
    deadline_s = time.monotonic() + first_sound_s
    for number in range(MOST_STARTS):
        warm_up.reset()
        start()
        began_s = time.monotonic()
        while not (warm_up.steady or warm_up.disturbed or given_up()):
            if time.monotonic() - began_s > (PATIENCE_S if warm_up.heard else ANSWER_S):
                break
            time.sleep(_LOOK_S)
        if given_up() or (warm_up.heard and not warm_up.disturbed):
            return
        if number == MOST_STARTS - 1 or (not warm_up.heard and time.monotonic() > deadline_s):
            return
        halt()
