"""Work beside the window: one runner for the program's life, one queued signal, polled progress."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import shiboken6
from PySide6.QtCore import QObject, Qt, QTimer, Signal

from singcoach.errors import Cancelled, SingCoachError
from singcoach.gui.texts import text
from singcoach.jobs import Job

_POLL_MS = 50
_LOG = logging.getLogger(__name__)

Result = TypeVar("Result")
Function = Callable[[Job], Result]
OnProgress = Callable[[float, str], None]


class Task(Generic[Result]):
    """A piece of work under way. Keep it only to cancel it."""

    def __init__(
        self,
        function: Function[Result],
        *,
        owner: QObject | None,
        on_done: Callable[[Result], None] | None,
        on_failed: Callable[[SingCoachError], None] | None,
        on_progress: OnProgress | None,
        on_cancelled: Callable[[], None] | None,
    ) -> None:
        self.function = function
        self.owner = owner
        self.on_done = on_done
        self.on_failed = on_failed
        self.on_progress = on_progress
        self.on_cancelled = on_cancelled
        self.job = Job(self._note)
        self.thread: threading.Thread | None = None
        self.result: Any = None
        self.error: BaseException | None = None
        self._latest: tuple[float, str] | None = None

    def cancel(self) -> None:
        """Ask the work to stop; its thread ends within a second."""
        self.job.cancel()

    @property
    def finished(self) -> bool:
        """Whether its thread has ended."""
        return self.thread is not None and not self.thread.is_alive()

    def _note(self, fraction: float, stage: str) -> None:
        self._latest = (fraction, stage)

    def take_progress(self) -> tuple[float, str] | None:
        """Return what was reported since the last call."""
        latest, self._latest = self._latest, None
        return latest

    def wanted(self) -> bool:
        """Whether whoever asked is still there."""
        return self.owner is None or shiboken6.isValid(self.owner)


class TaskRunner(QObject):
    """Runs functions in threads and calls back in the window's thread.

    Results whose owner is gone are dropped. Faults that nobody handles go to :attr:`failed`.
    """

    failed = Signal(object)
    """A :class:`SingCoachError` for which the task named no handler."""

    _ended = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks: list[Task[Any]] = []
        self._ended.connect(self._on_ended, Qt.ConnectionType.QueuedConnection)
        self._poll = QTimer(self)
        self._poll.setInterval(_POLL_MS)
        self._poll.timeout.connect(self._on_poll_timeout)

    def run(
        self,
        function: Function[Result],
        on_done: Callable[[Result], None] | None = None,
        on_failed: Callable[[SingCoachError], None] | None = None,
        on_progress: OnProgress | None = None,
        *,
        on_cancelled: Callable[[], None] | None = None,
        owner: QObject | None = None,
    ) -> Task[Result]:
        """Start ``function(job)`` in a thread of its own.

        Parameters
        ----------
        on_done, on_failed, on_progress, on_cancelled
            Called in the window's thread, unless ``owner`` has been deleted by then.
        owner
            The screen or widget that the callbacks touch.
        """
        task = Task(
            function,
            owner=owner,
            on_done=on_done,
            on_failed=on_failed,
            on_progress=on_progress,
            on_cancelled=on_cancelled,
        )
        self._tasks.append(task)
        task.thread = threading.Thread(
            target=self._work, args=(task,), name="singcoach-task", daemon=True
        )
        task.thread.start()
        self._poll.start()
        return task

    @property
    def busy(self) -> bool:
        """Whether any work is under way."""
        return bool(self._tasks)

    def close(self, timeout_s: float = 3.0) -> bool:
        """Cancel everything and wait; returns whether all threads have ended."""
        for task in self._tasks:
            task.cancel()
        ended = True
        for task in list(self._tasks):
            if task.thread is not None:
                task.thread.join(timeout_s)
                ended = ended and not task.thread.is_alive()
        self._tasks.clear()
        self._poll.stop()
        return ended

    def _work(self, task: Task[Any]) -> None:
        try:
            task.result = task.function(task.job)
        except BaseException as error:  # noqa: BLE001 - carried over to the window's thread
            task.error = error
        if shiboken6.isValid(self):
            self._ended.emit(task)

    def _on_ended(self, task: Task[Any]) -> None:
        if task not in self._tasks:  # closed meanwhile
            return
        self._tasks.remove(task)
        if not self._tasks:
            self._poll.stop()
        if task.thread is not None:
            task.thread.join()
        if not task.wanted():
            return
        error = task.error
        if error is None:
            if task.on_done is not None:
                task.on_done(task.result)
        elif isinstance(error, Cancelled):
            if task.on_cancelled is not None:
                task.on_cancelled()
        else:
            told = as_fault(error)
            if task.on_failed is not None:
                task.on_failed(told)
            else:
                self.failed.emit(told)

    def _on_poll_timeout(self) -> None:
        for task in tuple(self._tasks):
            latest = task.take_progress()
            if latest is not None and task.on_progress is not None and task.wanted():
                task.on_progress(*latest)


def as_fault(error: BaseException) -> SingCoachError:
    """Return one sentence for any exception; a bug of ours goes to the log with its place."""
    if isinstance(error, SingCoachError):
        return error
    detail = "".join(traceback.format_exception(error))
    _LOG.error("a fault inside: %s", detail)
    return SingCoachError(
        text("common.inside_fault"), hint=text("common.inside_fault_hint"), detail=detail
    )
