"""The buffer between the sound card, which never waits, and everybody who may."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from singcoach.core.arrays import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What a reader got: ``lost`` frames were overwritten before ``block`` ``(n, channels)``."""

    block: FloatArray
    lost: int


class Ring:
    """Preallocated; one writer that never waits, any number of readers that keep their own place.

    Positions count frames since the start and never wrap. A reader that falls more than the ring's
    length behind is told how many frames it lost; the writer never notices.

    Parameters
    ----------
    frames, channels
        Size of the buffer.
    guard_frames
        Nothing within this distance of being overwritten is read, so that a write that happens
        during a read cannot reach what is copied.
    """

    def __init__(self, frames: int, channels: int, *, guard_frames: int) -> None:
        if not 0 <= guard_frames < frames:
            raise ValueError(f"a guard of {guard_frames} frames in a ring of {frames}")
        self._data = np.zeros((frames, channels), np.float32)
        self._data += 0.0  # touches every page now, so that the callback never has to
        self._readable = frames - guard_frames
        self.channels = channels
        self.written = 0
        """Frames written since the start."""

    def write(self, block: FloatArray) -> None:
        """Copy ``block`` of shape ``(n, channels)`` in; allocates nothing, waits for nobody."""
        size = self._data.shape[0]
        end = self.written + block.shape[0]
        block = block[-size:]
        start = (end - block.shape[0]) % size
        first = min(block.shape[0], size - start)
        self._data[start : start + first] = block[:first]
        if first < block.shape[0]:
            self._data[: block.shape[0] - first] = block[first:]
        self.written = end

    def read(self, position: int, most: int | None = None) -> Piece:
        """Return what was written from frame ``position`` on, at most ``most`` frames."""
        end = self.written
        begin = min(max(position, end - self._readable), end)
        if most is not None:
            end = min(end, begin + most)
        size = self._data.shape[0]
        start, n_frames = begin % size, end - begin
        first = min(n_frames, size - start)
        block = np.concatenate((self._data[start : start + first], self._data[: n_frames - first]))
        return Piece(block=block, lost=begin - position)
