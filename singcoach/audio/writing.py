"""Sound into files: whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import io
import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal

import numpy as np
import soundfile

from singcoach.core.arrays import FloatArray
from singcoach.errors import OutputError
from singcoach.files import cannot_write, make_temporary, publish, write_whole

Subtype = Literal["FLOAT", "PCM_16", "PCM_24", "DOUBLE"]

_WAV_LIMIT_BYTES = 4_000_000_000
_BYTES = {"FLOAT": 4, "PCM_16": 2, "PCM_24": 3, "DOUBLE": 8}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A short encoded sound for embedding in a page."""

    content: bytes
    mime: str


class WavWriter:
    """Writes a wav block by block; the file appears under its name only when all went well.

    Use as a context manager. On any exception, a stop included, nothing is left behind. Files
    beyond 4 GB become RF64, which :mod:`singcoach.audio.reading` reads too.

    Parameters
    ----------
    path
        The file to write; replaced if it exists.
    sample_rate
        In Hz.
    channels
        Number of channels.
    subtype
        ``"FLOAT"`` keeps every bit of float32 audio; ``"PCM_16"`` and ``"PCM_24"`` clip to [-1, 1].
    expected_samples
        Number of samples per channel if known, to choose RF64 for huge files.

    Raises
    ------
    OutputError
        No permission, no such folder, a folder in the way, disk full.
    """

    def __init__(
        self,
        path: Path,
        *,
        sample_rate: int,
        channels: int,
        subtype: Subtype = "FLOAT",
        expected_samples: int = 0,
    ) -> None:
        self._path = path
        self._channels = channels
        self._temporary: Path | None = None
        self._file: soundfile.SoundFile | None = None
        huge = expected_samples * channels * _BYTES[subtype] > _WAV_LIMIT_BYTES
        if path.is_dir():
            raise OutputError(f"{path} is a folder", hint="Give a file name.")
        try:
            self._temporary = make_temporary(path)
            self._file = soundfile.SoundFile(
                str(self._temporary),
                "w",
                samplerate=sample_rate,
                channels=channels,
                subtype=subtype,
                format="RF64" if huge else "WAV",
            )
        except (OSError, soundfile.SoundFileError) as error:
            self._discard()
            raise cannot_write(path, error) from None

    def write(self, audio: FloatArray) -> None:
        """Append ``audio`` of shape ``(channels, n_samples)`` (or ``(n_samples,)`` for mono)."""
        block = np.atleast_2d(audio)
        if block.shape[0] != self._channels:
            raise ValueError(f"{block.shape[0]} channels given, {self._channels} expected")
        if self._file is None:
            raise ValueError("the writer is closed")
        try:
            self._file.write(np.ascontiguousarray(block.T))
        except (OSError, soundfile.SoundFileError) as error:
            raise cannot_write(self._path, error) from None

    def __enter__(self) -> WavWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._discard()
            return
        try:
            self._finish()
        except (OSError, soundfile.SoundFileError) as fault:
            self._discard()
            raise cannot_write(self._path, fault) from None
        except BaseException:
            self._discard()
            raise

    def _finish(self) -> None:
        if self._file is None or self._temporary is None:
            return
        expected = self._file.frames
        self._file.close()
        self._file = None
        # libsndfile drops a failed last write silently on some systems: look at what lies there.
        if soundfile.info(str(self._temporary)).frames != expected:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        publish(self._temporary, self._path)
        self._temporary = None

    def _discard(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError, soundfile.SoundFileError):
                self._file.close()
            self._file = None
        if self._temporary is not None:
            with contextlib.suppress(OSError):
                self._temporary.unlink(missing_ok=True)
            self._temporary = None


def write_wav(
    path: Path, audio: FloatArray, *, sample_rate: int, subtype: Subtype = "FLOAT"
) -> None:
    """Write ``audio`` of shape ``(channels, n_samples)`` or ``(n_samples,)`` whole or not at all.

    Raises
    ------
    OutputError
        No permission, no such folder, a folder in the way, disk full.
    """
    block = np.atleast_2d(audio)
    with WavWriter(
        path,
        sample_rate=sample_rate,
        channels=block.shape[0],
        subtype=subtype,
        expected_samples=block.shape[1],
    ) as writer:
        writer.write(block)


def encode_clip(audio: FloatArray, *, sample_rate: int) -> Clip:
    """Encode a short mono clip for a web page, small enough to embed.

    mp3 at a constant 64 kbit/s (8 kB a second), which every browser plays; wav with 16 bit
    (``2 * sample_rate`` bytes a second) where libsndfile was built without an mp3 encoder.

    Parameters
    ----------
    audio
        Float32 of shape ``(n_samples,)``; clipped to [-1, 1].
    sample_rate
        One of the mp3 rates: 16000, 22050, 24000, 32000, 44100, 48000 Hz.
    """
    mono = np.clip(np.asarray(audio, np.float32).reshape(-1), -1.0, 1.0)
    target = io.BytesIO()
    if "MP3" in soundfile.available_formats():
        # The level 0..1 maps linearly onto the standard's bit rates from high to low.
        highest, lowest = (320.0, 32.0) if sample_rate >= 32_000 else (160.0, 8.0)
        level = (highest - 64.0) / (highest - lowest)
        with soundfile.SoundFile(
            target,
            "w",
            samplerate=sample_rate,
            channels=1,
            format="MP3",
            subtype="MPEG_LAYER_III",
            bitrate_mode="CONSTANT",
            compression_level=level,
        ) as file:
            file.write(mono)
        return Clip(content=target.getvalue(), mime="audio/mpeg")
    soundfile.write(target, mono, sample_rate, format="WAV", subtype="PCM_16")
    return Clip(content=target.getvalue(), mime="audio/wav")


def write_flac(path: Path, audio: FloatArray, *, sample_rate: int) -> None:
    """Write mono ``audio`` of shape ``(n_samples,)`` as FLAC with 16 bit, whole or not at all.

    Samples beyond [-1, 1] are clipped.

    Raises
    ------
    OutputError
        No permission, no such folder, a folder in the way, disk full.
    """
    mono = np.clip(np.asarray(audio, np.float32).reshape(-1), -1.0, 1.0)
    target = io.BytesIO()
    soundfile.write(target, mono, sample_rate, format="FLAC", subtype="PCM_16")
    write_whole(path, target.getvalue())
