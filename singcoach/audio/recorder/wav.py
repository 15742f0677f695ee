"""A wav file that is whole at every moment, and the repair of one that was cut off.

The header leaves room for the sizes of RF64 (EBU Tech 3306), so that a file that outgrows 4 GB
needs no rewriting. The sizes are brought up to date at every flush; what a crash leaves is at most
an old size and a broken last frame, which :func:`repair` sets right from the file's length.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np

from singcoach.core.arrays import FloatArray
from singcoach.errors import InputError

_BYTES_PER_SAMPLE = 3
_FULL_SCALE = (1 << 23) - 1
_DS64_BYTES = 28
_HEADER_BYTES = 12 + 8 + _DS64_BYTES + 8 + 16 + 8
_LARGEST_RIFF = (1 << 32) - 1 - _HEADER_BYTES
_PCM = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class WavLength:
    """How much sound a file holds: samples per channel at a rate in Hz."""

    frames: int
    sample_rate: int
    channels: int

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate


class StreamingWav:
    """A wav of 24 bits that grows; every :meth:`flush` leaves a file that any player opens.

    Parameters
    ----------
    path
        A file that does not exist yet.
    sample_rate, channels
        Of the sound.

    Raises
    ------
    OSError
        From every method: the disk is full, the drive is gone, no permission.
    """

    def __init__(self, path: Path, *, sample_rate: int, channels: int) -> None:
        self._rate = sample_rate
        self._channels = channels
        self._data_bytes = 0
        self._file: BinaryIO = path.open("xb", buffering=0)
        try:
            self._write(_header(0, sample_rate=sample_rate, channels=channels))
        except BaseException:
            self._file.close()
            raise

    @property
    def frames(self) -> int:
        """Samples per channel written so far."""
        return self._data_bytes // (_BYTES_PER_SAMPLE * self._channels)

    @property
    def bytes_per_s(self) -> int:
        """What one second takes on the disk."""
        return self._rate * self._channels * _BYTES_PER_SAMPLE

    def write(self, block: FloatArray) -> None:
        """Append ``block`` of shape ``(n_frames, channels)``, clipped to [-1, 1]."""
        self._write(to_pcm24(block))

    def flush(self, *, sync: bool = True) -> None:
        """Bring the header up to date; ``sync`` waits until the drive has everything."""
        header = _header(self._data_bytes, sample_rate=self._rate, channels=self._channels)
        self._file.seek(0)
        self._file.write(header)
        self._file.seek(_HEADER_BYTES + self._data_bytes)
        if sync:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Bring the header up to date and let go of the file, even where that fails."""
        try:
            self.flush()
        finally:
            self._file.close()

    def __enter__(self) -> StreamingWav:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _write(self, content: bytes) -> None:
        # A full disk may take part of it: what is counted is what lies there.
        is_header = self._file.tell() < _HEADER_BYTES
        view = memoryview(content)
        while view:
            taken = self._file.write(view) or 0
            view = view[taken:]
            if not is_header:
                self._data_bytes += taken


def to_pcm24(block: FloatArray) -> bytes:
    """Return float samples as little-endian integers of 24 bits; NaN becomes silence."""
    finite = np.nan_to_num(np.asarray(block, np.float32), nan=0.0, posinf=1.0, neginf=-1.0)
    scaled = np.rint(np.clip(finite, -1.0, 1.0).astype(np.float64) * _FULL_SCALE)
    return scaled.astype("<i4").reshape(-1, 1).view(np.uint8)[:, :_BYTES_PER_SAMPLE].tobytes()


def repair(path: Path) -> WavLength:
    """Set the sizes in the header of a file of :class:`StreamingWav` right, and return its length.

    A broken last frame is cut off. A file that is whole already stays as it is.

    Raises
    ------
    InputError
        The file is not one of ours, or ends within its header.
    OSError
        It cannot be read or written.
    """
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        old = file.read(_HEADER_BYTES)
        sample_rate, channels = _read_format(old, path)
        frame = _BYTES_PER_SAMPLE * channels
        frames = (size - _HEADER_BYTES) // frame
        data_bytes = frames * frame
        new = _header(data_bytes, sample_rate=sample_rate, channels=channels)
        if new != old or size != _HEADER_BYTES + data_bytes:
            file.truncate(_HEADER_BYTES + data_bytes)
            file.seek(0)
            file.write(new)
            file.flush()
            os.fsync(file.fileno())
    return WavLength(frames=frames, sample_rate=sample_rate, channels=channels)


def _header(data_bytes: int, *, sample_rate: int, channels: int) -> bytes:
    huge = data_bytes > _LARGEST_RIFF
    frame = _BYTES_PER_SAMPLE * channels
    riff_bytes = _HEADER_BYTES - 8 + data_bytes
    unknown = 0xFFFFFFFF
    return b"".join(
        (
            struct.pack(
                "<4sI4s", b"RF64" if huge else b"RIFF", unknown if huge else riff_bytes, b"WAVE"
            ),
            struct.pack("<4sI", b"ds64" if huge else b"JUNK", _DS64_BYTES),
            struct.pack("<QQQI", riff_bytes, data_bytes, data_bytes // frame, 0)
            if huge
            else bytes(_DS64_BYTES),
            struct.pack(
                "<4sIHHIIHH",
                b"fmt ",
                16,
                _PCM,
                channels,
                sample_rate,
                sample_rate * frame,
                frame,
                8 * _BYTES_PER_SAMPLE,
            ),
            struct.pack("<4sI", b"data", unknown if huge else data_bytes),
        )
    )


def _read_format(header: bytes, path: Path) -> tuple[int, int]:
    """Return sample rate and channels."""
    fault = InputError(
        f"{path.name} holds no recording that could be saved",
        hint="It was interrupted before the first sound arrived",
    )
    if len(header) < _HEADER_BYTES or header[:4] not in (b"RIFF", b"RF64"):
        raise fault
    kind, channels, sample_rate = struct.unpack_from("<HHI", header, 12 + 8 + _DS64_BYTES + 8)
    bits = struct.unpack_from("<H", header, _HEADER_BYTES - 8 - 2)[0]
    if (kind, bits) != (_PCM, 8 * _BYTES_PER_SAMPLE) or not channels or not sample_rate:
        raise fault
    return sample_rate, channels
