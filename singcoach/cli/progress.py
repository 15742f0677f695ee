"""Progress with time left, on stderr, only where somebody watches."""

from __future__ import annotations

import shutil
import sys
import time
from types import TracebackType
from typing import TextIO

from singcoach.cli.console import printable
from singcoach.jobs import Job

_REDRAW_S = 0.1


class ConsoleProgress:
    """One line that is drawn over and over: stage, per cent, time left.

    As a context manager it gives the job that draws, and takes the line away at the end.

    Parameters
    ----------
    label
        What is worked on, such as the file's name.
    stream
        Defaults to stderr; nothing is drawn when it is not a terminal.
    """

    def __init__(self, label: str, *, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._label = printable(label).replace("\n", "?").replace("\t", " ")
        self._shown = self._stream.isatty()
        self._start_s = time.monotonic()
        self._drawn_s = 0.0
        self._width = 0

    def __enter__(self) -> Job:
        return self.job()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.clear()

    def job(self) -> Job:
        """Return a job that draws here."""
        return Job(self._on_progress)

    def clear(self) -> None:
        """Take the line away, so that other text can follow."""
        if self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()
            self._width = 0

    def _on_progress(self, fraction: float, stage: str) -> None:
        if not self._shown:
            return
        now_s = time.monotonic()
        if now_s - self._drawn_s < _REDRAW_S:
            return
        self._drawn_s = now_s
        width = shutil.get_terminal_size().columns - 1
        line = format_progress(self._label, stage, fraction, now_s - self._start_s)[:width]
        self._stream.write("\r" + line.ljust(self._width))
        self._stream.flush()
        self._width = len(line)


def format_progress(label: str, stage: str, fraction: float, elapsed_s: float) -> str:
    """Return one line such as ``song.mp3: separating voice  42 %, 8 s left``."""
    line = f"{label}: {stage} {100 * fraction:3.0f} %"
    if fraction > 0.05 and elapsed_s > 1.0:
        left_s = elapsed_s * (1.0 - fraction) / fraction
        minutes, seconds = divmod(round(left_s), 60)
        line += f", {minutes} min {seconds:02d} s left" if minutes else f", {seconds} s left"
    return line
