"""The thread that tells the window what the microphone hears; it may wait, the recording not."""

from __future__ import annotations

import threading
import time
from typing import BinaryIO

import numpy as np

from singcoach.audio.recorder import messages
from singcoach.audio.recorder.capture import Capture

_PAUSE_S = 0.006
_STATE_S = 0.05
_MOST_FRAMES = 1 << 15


class Feed:
    """Sends samples as they come and a state twenty times a second.

    A window that stands still fills the pipe, and then this thread waits. The recording goes on;
    afterwards the window gets the newest samples and learns from their position what it missed.

    Parameters
    ----------
    capture
        The running recording.
    pipe
        To the window.
    """

    def __init__(self, capture: Capture, pipe: BinaryIO) -> None:
        self._capture = capture
        self._pipe = pipe
        self._position = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
        self.window_gone = False
        """Whether nobody reads any more."""

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def finish(self, timeout_s: float = 1.0) -> bool:
        """End; False when the window does not read, so that the pipe may not be used."""
        self._stop.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive() and not self.window_gone

    def _run(self) -> None:
        told_s = 0.0
        try:
            while not self._stop.wait(_PAUSE_S):
                self._send_samples()
                now_s = time.monotonic()
                if now_s - told_s >= _STATE_S:
                    content = messages.state_to_json(self._capture.state())
                    self._send(messages.pack(messages.STATE, content))
                    told_s = now_s
        except (OSError, ValueError):
            self.window_gone = True

    def _send_samples(self) -> None:
        ring, meter = self._capture.ring, self._capture.meter
        if ring is None or meter is None:
            return
        piece = ring.read(self._position, _MOST_FRAMES)
        n_frames = piece.block.shape[0]
        if n_frames == 0:
            return
        first = self._position + piece.lost
        self._position = first + n_frames
        meter.push(piece.block)
        mono = piece.block.mean(axis=1, dtype=np.float32)
        self._send(messages.pack_samples(first, np.asarray(mono, "<f4").tobytes()))

    def _send(self, message: bytes) -> None:
        self._pipe.write(message)
        self._pipe.flush()
