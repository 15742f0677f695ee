"""Work that reports how far it is and can be stopped, without knowing who watches."""

from __future__ import annotations

import threading
from collections.abc import Callable

from singcoach.errors import Cancelled


class Job:
    """Progress of one piece of work and the wish to stop it.

    Long functions take ``job: Job = NO_JOB`` as their last argument and call :meth:`report` at
    least every half second of work. Thread-safe: another thread may call :meth:`cancel`.

    Parameters
    ----------
    on_progress
        Called as ``on_progress(fraction, stage)`` with the fraction in [0, 1]; must be quick.
    """

    def __init__(self, on_progress: Callable[[float, str], None] | None = None) -> None:
        self._on_progress = on_progress
        self._cancel = threading.Event()

    def cancel(self) -> None:
        """Ask the work to stop at its next report."""
        self._cancel.set()

    @property
    def cancelled(self) -> bool:
        """Whether a stop was asked for."""
        return self._cancel.is_set()

    def report(self, fraction: float, stage: str) -> None:
        """Tell how much of ``stage`` is done; raises :class:`Cancelled` when asked to stop."""
        if self._cancel.is_set():
            raise Cancelled(f"stopped during {stage}")
        if self._on_progress is not None:
            self._on_progress(min(1.0, max(0.0, fraction)), stage)

    def part(self, start: float, end: float) -> Job:
        """Return a job whose 0..1 is ``start``..``end`` of this one; cancelling this cancels it."""
        return _Part(self, start, end)

    def aside(self) -> Job:
        """Return a job for work beside this one: it stops when this one is cancelled or itself is.

        It reports no progress, because this job's own work does.
        """
        return _Aside(self)


class _Part(Job):
    def __init__(self, whole: Job, start: float, end: float) -> None:
        super().__init__()
        self._whole = whole
        self._start = start
        self._span = end - start

    def cancel(self) -> None:
        self._whole.cancel()

    @property
    def cancelled(self) -> bool:
        return self._whole.cancelled

    def report(self, fraction: float, stage: str) -> None:
        self._whole.report(self._start + self._span * min(1.0, max(0.0, fraction)), stage)


class _Aside(Job):
    def __init__(self, main: Job) -> None:
        super().__init__()
        self._main = main

    @property
    def cancelled(self) -> bool:
        return self._cancel.is_set() or self._main.cancelled

    def report(self, fraction: float, stage: str) -> None:  # noqa: ARG002 - nothing is shown
        if self.cancelled:
            raise Cancelled(f"stopped during {stage}")


NO_JOB = Job()
"""A job that nobody watches and nobody cancels."""
