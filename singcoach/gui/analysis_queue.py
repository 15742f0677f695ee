"""The queue of analyses as the window sees it: one recording at a time, beside everything else."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QObject, QTimer, Signal

from singcoach.errors import SingCoachError
from singcoach.gui.tasks import Task
from singcoach.gui.view_models.import_queue import (
    Added,
    Analyser,
    Outcome,
    QueueWork,
    TimeLeft,
    add_paths,
)
from singcoach.jobs import Job
from singcoach.library.values import QueueItem

if TYPE_CHECKING:
    from singcoach.gui.context import AppContext

_IDLE_MS: Final = 120_000
"""How long the analysis process is kept with its networks after the last recording."""
_END_S: Final = 3.0


class AnalysisQueue(QObject):
    """Puts recordings into the queue and works it, one at a time, in the analysis process.

    What waits is in the library and goes on after a restart. Every signal comes in the window's
    thread.
    """

    changed = Signal()
    """The queue has other items, or one has another state."""
    progressed = Signal(int, float, str)
    """Item, share done, stage."""
    sentence = Signal(str, str)
    """Take and one sentence of the coach, as it is written."""
    added = Signal(object)
    """After :meth:`add_files`: an :class:`Added`."""
    ended = Signal(object)
    """An :class:`Outcome`."""
    _said = Signal(str, str)

    def __init__(self, context: AppContext, *, analyser: Analyser | None = None) -> None:
        super().__init__(context)
        self._context = context
        if analyser is None:
            from singcoach.chain.analysis_process import AnalysisProcess

            analyser = AnalysisProcess()
        self._analyser = analyser
        self._work = QueueWork(
            context.library,
            analyser,
            singer_id=context.singer_id,
            settings=lambda: context.settings,
        )
        self._task: Task[Outcome | None] | None = None
        self._closed = False
        self._again = False
        self._fraction, self._stage, self._started_s = 0.0, "", 0.0
        self._left = TimeLeft()
        self.providers: tuple[str, ...] = ()
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.setInterval(_IDLE_MS)
        self._idle.timeout.connect(self._on_idle_timeout)
        self._said.connect(self.sentence)

    # --- what there is ------------------------------------------------------------------------

    @property
    def paused(self) -> bool:
        """Whether nothing new is started."""
        return self._context.settings.queue_paused

    @property
    def running(self) -> bool:
        """Whether a recording is worked on now."""
        return self._task is not None

    def items(self) -> list[QueueItem]:
        """Return the whole queue in order."""
        return self._context.library.queue()

    @property
    def current(self) -> QueueItem | None:
        """The item that this window works on."""
        return self._work.current

    @property
    def progress(self) -> tuple[float, str]:
        """Share done and stage of the recording that is worked on."""
        return self._fraction, self._stage

    @property
    def process_id(self) -> int | None:
        """Number of the analysis process, for showing what it uses."""
        return getattr(self._analyser, "process_id", None)

    def seconds_left(self) -> float | None:
        """Return the seconds until the queue is empty; None while nothing is known."""
        waiting = sum(item.state == "waiting" for item in self.items())
        running = self._work.current is not None
        return self._left.seconds(
            waiting=waiting,
            elapsed_s=time.monotonic() - self._started_s if running else 0.0,
            fraction=self._fraction if running else 1.0,
        )

    # --- what can be done ---------------------------------------------------------------------

    def add_files(self, paths: Sequence[Path], **options: Any) -> None:
        """Put files and folders into the queue; :attr:`added` tells what was found.

        ``options`` are ``singer_id``, ``song_id``, ``song_file``, ``backing``, ``kind``.
        """
        chosen = [Path(path) for path in paths]
        values = _plain(options)

        def add(_job: Job) -> Added:
            return add_paths(self._context.library, chosen, values)

        def done(found: Added) -> None:
            for fault in found.faults:
                self._context.tell_fault(fault)
            self.added.emit(found)
            self.start()

        self._context.tasks.run(add, done, owner=self)

    def add_take(self, take_id: str, **options: Any) -> QueueItem:
        """Put a kept take into the queue (again); ``options`` as for :meth:`add_files`."""
        item = self._context.library.enqueue_take(take_id, _plain(options))
        self.start()
        return item

    def start(self) -> None:
        """Work on what waits, unless the user paused."""
        self.changed.emit()
        if self._closed or self.paused:
            return
        if self._task is not None:
            self._again = True
            return
        self._again = False
        self._idle.stop()
        self._fraction, self._stage, self._started_s = 0.0, "", time.monotonic()
        self._task = self._context.tasks.run(
            lambda job: self._work.next(job, on_sentence=self._on_sentence),
            self._on_work_done,
            self._on_work_failed,
            self._on_work_progress,
            owner=self,
        )

    def pause(self) -> None:
        """Stop at once; the recording that was worked on waits, and what it took is kept."""
        self._context.change_settings(queue_paused=True)
        if self._task is not None:
            self._work.put_back()
            self._task.cancel()
        self.changed.emit()

    def resume(self) -> None:
        """Go on."""
        self._context.change_settings(queue_paused=False)
        self.start()

    def cancel(self, item_id: int) -> None:
        """Stop one item or take it out of the row; the recording is kept."""
        current = self._work.current
        if current is not None and current.id == item_id and self._task is not None:
            self._task.cancel()
        else:
            item = self._context.library.queue_item(item_id)
            if item.state == "waiting":
                self._context.library.set_queue_state(item_id, "cancelled")
        self.changed.emit()

    def cancel_all(self) -> None:
        """Stop everything."""
        for item in self._context.library.queue(only_open=True):
            if item.state == "waiting":
                self._context.library.set_queue_state(item.id, "cancelled")
        if self._task is not None:
            self._task.cancel()
        self.changed.emit()

    def retry(self, item_id: int) -> None:
        """Let an item that failed or was cancelled wait again."""
        self._context.library.set_queue_state(item_id, "waiting")
        self.start()

    def clear(self) -> None:
        """Take what has ended out of the list."""
        self._context.library.clear_queue()
        self.changed.emit()

    def close(self) -> None:
        """Stop; what was worked on waits for the next start."""
        self._closed = True
        self._idle.stop()
        task = self._task
        if task is not None:
            self._work.put_back()
            task.cancel()
            if task.thread is not None:
                task.thread.join(_END_S)
        self._analyser.close()

    # --- what happens -------------------------------------------------------------------------

    def _on_sentence(self, _part: str, _place: int, words: str) -> None:
        take_id = self._work.current_take
        if take_id is not None:  # from the worker's thread: the signal is queued
            self._said.emit(take_id, words)

    def _on_work_progress(self, fraction: float, stage: str) -> None:
        if stage != self._stage:
            self.changed.emit()  # a new item has shown itself, or a new stage
        self._fraction, self._stage = fraction, stage
        current = self._work.current
        if current is not None:
            self.progressed.emit(current.id, fraction, stage)

    def _on_work_done(self, outcome: Outcome | None) -> None:
        self._task = None
        if outcome is None:
            if self._again:
                self.start()
                return
            self._idle.start()
            self.changed.emit()
            return
        if outcome.seconds is not None:
            self._left.note(outcome.seconds)
            self.providers = outcome.providers
        self.ended.emit(outcome)
        if outcome.take_id is not None:
            if outcome.item.take_id is None:
                self._context.library_changed.emit()
            self._context.take_changed.emit(outcome.take_id)
        self.start()

    def _on_work_failed(self, error: SingCoachError) -> None:
        """Tell a bug of ours, or a library that cannot be written to, once, and stop."""
        self._task = None
        self._context.tell_fault(error)
        self._idle.start()
        self.changed.emit()

    def _on_idle_timeout(self) -> None:
        if self._task is None:
            self._analyser.close()


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: str(value) if isinstance(value, Path) else value
        for name, value in options.items()
        if value is not None
    }
