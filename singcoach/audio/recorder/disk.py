"""The thread that brings what was captured to the disk."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from singcoach.audio.recorder.ring import Ring
from singcoach.core.arrays import FloatArray
from singcoach.errors import OutputError
from singcoach.files import cannot_write

_WRITE_S = 0.1
_FLUSH_S = 0.4


class Wav(Protocol):
    """A file that grows: :class:`singcoach.audio.recorder.wav.StreamingWav`."""

    @property
    def frames(self) -> int:
        """Samples per channel written so far."""

    @property
    def bytes_per_s(self) -> int:
        """What one second takes."""

    def write(self, block: FloatArray) -> None:
        """Append ``(n, channels)``."""

    def flush(self) -> None:
        """Make it whole on the disk."""

    def close(self) -> None:
        """Make it whole and let go."""


class DiskWriter:
    """Drains a ring into a file ten times a second and makes the file whole twice a second.

    A disk that does not keep up for longer than the ring holds leaves silence of the right
    length, so that what follows stays in time.

    Parameters
    ----------
    ring
        What the sound card fills.
    wav
        The open file.
    path
        Its name, for the words of a fault.
    on_fault
        Called once from the thread when the file can no longer be written.
    """

    def __init__(
        self, ring: Ring, wav: Wav, *, path: Path, on_fault: Callable[[OutputError], None]
    ) -> None:
        self._ring = ring
        self._wav = wav
        self._path = path
        self._on_fault = on_fault
        self._position = 0
        self._end: int | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="disk", daemon=True)
        self.lost_frames = 0
        """Frames that the disk was too slow for."""
        self.failed = False
        """Whether the file could not be written to the end."""

    @property
    def frames(self) -> int:
        """Frames in the file."""
        return self._wav.frames

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def finish(self, end: int) -> None:
        """Write everything before frame ``end`` of the ring, close the file, end the thread."""
        self._end = end
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            flushed_s = time.monotonic()
            while not self._stop.wait(_WRITE_S):
                self._drain(self._ring.written)
                if time.monotonic() - flushed_s >= _FLUSH_S:
                    self._wav.flush()
                    flushed_s = time.monotonic()
            self._drain(self._ring.written if self._end is None else self._end)
        except OSError as error:
            self._fail(error)
        try:
            self._wav.close()
        except OSError as error:
            self._fail(error)

    def _drain(self, end: int) -> None:
        while self._position < end:
            piece = self._ring.read(self._position, end - self._position)
            self._silence(piece.lost)
            self._wav.write(piece.block)
            self._position += piece.lost + piece.block.shape[0]

    def _silence(self, n_frames: int) -> None:
        self.lost_frames += n_frames
        while n_frames > 0:
            part = min(n_frames, 1 << 16)
            self._wav.write(np.zeros((part, self._ring.channels), np.float32))
            n_frames -= part

    def _fail(self, error: OSError) -> None:
        if self.failed:
            return
        self.failed = True
        fault = cannot_write(self._path, error)
        message = fault.message
        if message.startswith("The disk is full"):
            message = "The disk is full; what was recorded until then is kept"
        self._on_fault(OutputError(message, hint=fault.hint, detail=fault.detail))
