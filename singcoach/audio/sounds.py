"""Recordings to be played, read piece by piece so that two hours of them fit into memory."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile

from singcoach.audio.reading import open_audio
from singcoach.audio.sniffing import choose_reader, read_head
from singcoach.audio.writing import WavWriter
from singcoach.core.arrays import FloatArray
from singcoach.errors import InputError
from singcoach.files import cannot_write
from singcoach.jobs import NO_JOB, Job


class Sound(Protocol):
    """Something to play."""

    sample_rate: int
    channels: int
    n_frames: int

    def read(self, start_frame: int, n_frames: int) -> FloatArray:
        """Return frames from ``start_frame`` on, shape ``(n, channels)``; fewer at the end."""

    def close(self) -> None:
        """Let go of files."""


class ArraySound:
    """Audio that is in memory already.

    Parameters
    ----------
    audio
        float32, shape ``(channels, n_samples)`` or ``(n_samples,)``.
    sample_rate
        In Hz.
    """

    def __init__(self, audio: FloatArray, *, sample_rate: int) -> None:
        self._audio = np.atleast_2d(np.asarray(audio, np.float32))[:2]
        self.sample_rate = sample_rate
        self.channels = int(self._audio.shape[0])
        self.n_frames = int(self._audio.shape[1])

    def read(self, start_frame: int, n_frames: int) -> FloatArray:
        """Return frames from ``start_frame`` on, shape ``(n, channels)``; fewer at the end."""
        start = max(0, start_frame)
        return np.ascontiguousarray(self._audio[:, start : start + n_frames].T)

    def close(self) -> None:
        """Nothing to let go of."""


class FileSound:
    """A file that libsndfile reads from any place; channels beyond the second are left out.

    Parameters
    ----------
    path
        The file.
    temporary
        Whether to delete it when closed.

    Raises
    ------
    InputError
        It cannot be read.
    """

    def __init__(self, path: Path, *, temporary: bool = False) -> None:
        self._path = path
        self._temporary = temporary
        self._lock = threading.Lock()
        try:
            self._file = soundfile.SoundFile(str(path))
        except (OSError, soundfile.SoundFileError) as error:
            raise InputError(
                f"{path.name} cannot be played", hint="Import it again", detail=str(error)
            ) from error
        self.sample_rate = int(self._file.samplerate)
        self.channels = min(2, int(self._file.channels))
        self.n_frames = int(self._file.frames)

    def read(self, start_frame: int, n_frames: int) -> FloatArray:
        """Return frames from ``start_frame`` on, shape ``(n, channels)``; fewer at the end."""
        with self._lock:
            start = min(max(0, start_frame), self.n_frames)
            if self._file.closed:
                return np.zeros((0, self.channels), np.float32)
            try:
                self._file.seek(start)
                block = self._file.read(n_frames, dtype="float32", always_2d=True)
            except (OSError, soundfile.SoundFileError):  # the drive is gone: play silence
                return np.zeros((min(n_frames, self.n_frames - start), self.channels), np.float32)
        return np.ascontiguousarray(block[:, : self.channels], np.float32)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._file.close()
        if self._temporary:
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)


def open_sound(path: Path, *, sample_rate: int | None = None, job: Job = NO_JOB) -> Sound:
    """Open a recording of any kind to be played, on the same time axis as its analysis.

    What cannot be read from any place (m4a, mp3, ...) is decoded into a temporary file first,
    which takes a second or two a song; so is what has another rate than ``sample_rate``.

    Raises
    ------
    InputError
        As :func:`singcoach.audio.reading.open_audio`.
    OutputError
        There is no room for the temporary file.
    """
    head, _size = read_head(path)
    if choose_reader(head, path.name) == "sndfile":
        try:
            sound = FileSound(path)
        except InputError:
            return _decoded(path, sample_rate, job)
        if sound.n_frames > 0 and sample_rate in (None, sound.sample_rate):
            return sound
        sound.close()
    return _decoded(path, sample_rate, job)


def _decoded(path: Path, sample_rate: int | None, job: Job) -> Sound:
    try:
        handle, name = tempfile.mkstemp(prefix="singcoach-", suffix=".wav")
    except OSError as error:
        raise cannot_write(Path(tempfile.gettempdir()) / path.name, error) from error
    target = Path(name)
    try:
        with open(handle, "rb"), open_audio(path) as file:  # noqa: PTH123 - closes the handle
            rate = sample_rate or file.info.sample_rate
            channels = min(2, file.info.channels)
            with WavWriter(
                target,
                sample_rate=rate,
                channels=channels,
                subtype="PCM_16",
                expected_samples=round(file.info.duration_s * rate),
            ) as writer:
                for block in file.blocks(sample_rate=rate, channels=channels, job=job):
                    writer.write(block)
        return FileSound(target, temporary=True)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
