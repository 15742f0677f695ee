"""Hearing a take: the program's player with loops, slow playing and a position that moves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal

from singcoach.errors import SingCoachError
from singcoach.gui.context import AppContext
from singcoach.gui.tasks import Task
from singcoach.jobs import Job

if TYPE_CHECKING:
    from singcoach.audio.sounds import Sound

_TICK_MS: Final = 33
_LEAD_S: Final = 0.15
"""Played before and after a moment, so that its edges are heard."""


class Playback(QObject):
    """Plays a take, or one of two that are compared, and tells where it is.

    What is asked before the file is open is done as soon as it is.

    Parameters
    ----------
    context
        Its player is used while this is open, and left silent and empty by :meth:`close`.
    """

    moved = Signal(float)
    """The play head is at this second of the first recording."""
    changed = Signal()
    """It began or stopped playing, or was opened."""
    failed = Signal(object)
    """The recording cannot be opened: a SingCoachError."""

    def __init__(self, context: AppContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._opening: Task[tuple[Sound, ...]] | None = None
        self._turn = 0
        self._ready = False
        self._wanted: tuple[float, float | None] | None = None
        self._span: tuple[float, float | None] = (0.0, None)
        self._loop = False
        self._speed = 1.0
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._on_tick)

    # --- opening ------------------------------------------------------------------------------

    def open(self, first: Path, second: Path | None = None, *, offset_s: float = 0.0) -> None:
        """Open a recording, and one that belongs to it, beside the window.

        Parameters
        ----------
        offset_s
            The moment ``t`` of the first belongs to ``t + offset_s`` of the second.
        """
        self.close()
        turn = self._turn

        def work(job: Job) -> tuple[Sound, ...]:
            return _opened(first, second, job)

        def done(sounds: tuple[Sound, ...]) -> None:
            self._opening = None
            if turn != self._turn:
                for sound in sounds:
                    sound.close()
                return
            self._context.player.set_sounds(*sounds, offset_s=offset_s)
            self._ready = True
            wanted, self._wanted = self._wanted, None
            if wanted is not None:
                self.play(*wanted)
            self.changed.emit()

        def failed(error: SingCoachError) -> None:
            self._opening = None
            if turn == self._turn:
                self.failed.emit(error)

        self._opening = self._context.tasks.run(work, done, failed, owner=self)

    def close(self) -> None:
        """Stop, and let go of the files."""
        self._turn += 1
        self._timer.stop()
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        self._wanted = None
        if self._ready:
            self._ready = False
            self._context.player.unload()
            self.changed.emit()

    # --- playing ------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether the recording is open."""
        return self._ready

    @property
    def playing(self) -> bool:
        """Whether it plays."""
        return self._ready and self._context.player.playing

    @property
    def position_s(self) -> float:
        """Where it is."""
        return self._context.player.position_s if self._ready else 0.0

    @property
    def loop(self) -> bool:
        """Whether the seconds are played again and again."""
        return self._loop

    def play(self, start_s: float, end_s: float | None = None) -> None:
        """Play seconds, or from a second to the end."""
        self._span = (start_s, end_s)
        if not self._ready:
            self._wanted = (start_s, end_s)
            return
        self._context.player.play(start_s, end_s, loop=self._loop, speed=self._speed)
        self.moved.emit(start_s)
        self._started()

    def play_moment(self, start_s: float, end_s: float) -> None:
        """Play a moment with a little before and after."""
        self.play(max(0.0, start_s - _LEAD_S), end_s + _LEAD_S)

    def toggle(self, selection: tuple[float, float] | None = None) -> None:
        """Play on or pause; with chosen seconds only those are played."""
        if self.playing:
            self.pause()
            return
        at_s = self.position_s
        if selection is not None:
            inside = selection[0] <= at_s < selection[1] - 0.05
            self.play(*selection)
            if inside:
                self._context.player.seek(at_s)
            return
        ended = self._ready and at_s >= self._context.player.duration_s - 0.05
        self.play(0.0 if ended else at_s)

    def pause(self) -> None:
        """Stop where it is."""
        if self._ready:
            self._context.player.pause()
        self._timer.stop()
        self.changed.emit()

    def seek(self, position_s: float) -> None:
        """Go somewhere else, playing on if it plays."""
        if self._ready:
            self._context.player.seek(position_s)
        self.moved.emit(position_s)

    def set_loop(self, loop: bool) -> None:
        """Play the seconds again and again, or not."""
        self._loop = loop
        self._play_on()

    def set_speed(self, speed: float) -> None:
        """Play slower (below 1) at the same pitch."""
        self._speed = speed
        self._play_on()

    def choose(self, index: int) -> None:
        """Hear the first (0) or the second (1) of two recordings."""
        if self._ready:
            self._context.player.choose(index)

    def set_offset(self, offset_s: float) -> None:
        """Let the moment ``t`` of the first belong to ``t + offset_s`` of the second."""
        if self._ready:
            self._context.player.set_offset(offset_s)

    def _play_on(self) -> None:
        """Let a new loop or speed act on what plays, from where it is."""
        if not self.playing:
            return
        at_s = self.position_s
        start_s, end_s = self._span
        self._context.player.play(start_s, end_s, loop=self._loop, speed=self._speed)
        self._context.player.seek(at_s)
        self._started()

    def _started(self) -> None:
        self._timer.start()
        fault = self._context.player.take_fault()
        if fault is not None:
            self._context.tell_fault(fault)
        self.changed.emit()

    def _on_tick(self) -> None:
        self.moved.emit(self.position_s)
        fault = self._context.player.take_fault()
        if fault is not None:
            self._context.tell_fault(fault)
        if not self.playing:
            self._timer.stop()
            self.changed.emit()


def _opened(first: Path, second: Path | None, job: Job) -> tuple[Sound, ...]:
    from singcoach.audio.sounds import open_sound

    if second is None:
        return (open_sound(first, job=job),)
    sound = open_sound(first, job=job.part(0.0, 0.5))
    try:
        other = open_sound(second, sample_rate=sound.sample_rate, job=job.part(0.5, 1.0))
    except BaseException:
        sound.close()
        raise
    return (sound, other)
