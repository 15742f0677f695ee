"""Recordings from files: every format singers have, streamed in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import TracebackType

import numpy as np
import soundfile

from singcoach.audio.av_decoder import AvDecoder
from singcoach.audio.chunks import MOST_CHANNELS, AudioInfo, Chunk, Decoder
from singcoach.audio.resampling import Converter
from singcoach.audio.sndfile_decoder import SndfileDecoder
from singcoach.audio.sniffing import (
    choose_reader,
    damaged,
    missing_bytes,
    no_sound,
    read_head,
    too_many_channels,
)
from singcoach.core.arrays import FloatArray, read_only
from singcoach.errors import InputError
from singcoach.jobs import NO_JOB, Job

__all__ = ["AudioFile", "AudioInfo", "open_audio", "read_audio"]

LONGEST_S = 2 * 3600.0
"""Longest recording that is accepted, in seconds."""
_LONGEST_TOLERANCE_S = 60.0
_FEWEST_BYTES_PER_S = 40
"""No codec in use is smaller than this; a header that promises more seconds is not believed."""

LOWEST_RATE, HIGHEST_RATE = 4_000, 768_000

_LOUDEST = 1e4
"""Float samples beyond this (80 dB over full scale) are damage, not sound."""
_NOT_NUMBERS = (
    "The file holds samples that are not numbers or are absurdly large; they were replaced by "
    "silence."
)


class AudioFile:
    """An open recording. Made by :func:`open_audio`; use it as a context manager.

    Attributes
    ----------
    info
        What is known about the file before it is decoded as a whole.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._name = path.name
        self._head, self._size = read_head(path)
        self._warnings: dict[str, None] = {}
        self._decoders: list[Decoder] = []
        self._decoded_s = 0.0
        decoder = self._decoder()
        try:
            first = self._first_sound(decoder)
        finally:
            decoder.close()
        self._check(first.sample_rate, first.audio.shape[0])
        if decoder.declared_is_exact:
            self._check_length(decoder.declared_s)
        self.info = AudioInfo(
            duration_s=decoder.declared_s,
            sample_rate=first.sample_rate,
            channels=first.audio.shape[0],
            codec=decoder.codec,
            container=decoder.container,
        )

    @property
    def decoded_s(self) -> float:
        """Length in seconds that the longest pass has decoded so far; exact once a pass ended."""
        return self._decoded_s

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was wrong with the file so far; complete once :meth:`blocks` has ended."""
        return tuple(self._warnings)

    def blocks(
        self, *, sample_rate: int, channels: int, block_s: float = 10.0, job: Job = NO_JOB
    ) -> Iterator[FloatArray]:
        """Decode, map channels and resample from the start, block by block.

        May be called again for another pass. The blocks joined are the same samples whatever
        ``block_s`` is.

        Parameters
        ----------
        sample_rate
            Wanted rate in Hz.
        channels
            1 or 2.
        block_s
            Length of every block but the last, in seconds.
        job
            Told the share of the file that was read; its stop acts within half a second of sound.

        Yields
        ------
        Float32 array of shape ``(channels, n_samples)``, finite, within about [-1, 1].

        Raises
        ------
        InputError
            The file turns out to be longer than two hours or to hold nothing usable.
        """
        if channels not in (1, 2):
            raise ValueError(f"channels is {channels}; ask for 1 or 2")
        if not LOWEST_RATE <= sample_rate <= HIGHEST_RATE:
            raise ValueError(f"sample_rate is {sample_rate} Hz; 16000 or 44100 would work")
        if not block_s > 0:
            raise ValueError(f"block_s is {block_s}; 10.0 would work")
        return self._blocks(sample_rate, channels, max(1, round(block_s * sample_rate)), job)

    def close(self) -> None:
        """Let go of the file; running passes end."""
        for decoder in self._decoders:
            decoder.close()
        self._decoders.clear()

    def __enter__(self) -> AudioFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _blocks(self, rate: int, channels: int, size: int, job: Job) -> Iterator[FloatArray]:
        converter = Converter(sample_rate=rate, channels=channels)
        waiting: list[FloatArray] = []
        n_waiting = 0
        n_total = 0
        for piece in self._pieces(converter, job):
            waiting.append(piece)
            n_waiting += piece.shape[1]
            n_total += piece.shape[1]
            if n_waiting >= size:
                joined = np.concatenate(waiting, axis=1)
                whole = n_waiting // size * size
                for start in range(0, whole, size):
                    yield np.ascontiguousarray(joined[:, start : start + size])
                waiting, n_waiting = [joined[:, whole:].copy()], n_waiting - whole
        if n_waiting:
            yield np.concatenate(waiting, axis=1)
        if n_total == 0:
            raise no_sound(self._name)

    def _pieces(self, converter: Converter, job: Job) -> Iterator[FloatArray]:
        decoder = self._decoder()
        self._decoders.append(decoder)
        read_s = 0.0
        with closing(decoder):
            for chunk in decoder.chunks():
                job.report(read_s / max(decoder.declared_s, read_s, 1.0), "reading")
                self._check(chunk.sample_rate, chunk.audio.shape[0])
                read_s += chunk.audio.shape[1] / chunk.sample_rate
                self._decoded_s = max(self._decoded_s, read_s)
                if read_s > LONGEST_S + _LONGEST_TOLERANCE_S:
                    raise self._too_long()
                yield from converter.push(self._cleaned(chunk))
            yield from converter.finish()
            self._note_losses(decoder, read_s)
        if decoder in self._decoders:
            self._decoders.remove(decoder)

    def _decoder(self) -> Decoder:
        if choose_reader(self._head, self._name) == "sndfile":
            try:
                decoder = SndfileDecoder(self._path)
            except (soundfile.SoundFileError, OSError, ValueError):
                return AvDecoder(self._path, self._head)
            # FFmpeg also tells which loudspeaker each channel belongs to, and reads a recording
            # whose recorder died before it could write the length.
            if decoder.channels <= 2 and decoder.declared_s > 0:
                return decoder
            try:
                better = AvDecoder(self._path, self._head)
            except InputError:
                return decoder
            decoder.close()
            return better
        return AvDecoder(self._path, self._head)

    def _first_sound(self, decoder: Decoder) -> Chunk:
        """Return the first stretch with at least one usable sample."""
        some = False
        for chunk in decoder.chunks():
            some = some or chunk.audio.size > 0
            if chunk.audio.size and _usable(chunk.audio).any():
                return chunk
        if some:
            raise InputError(
                f"{self._name} holds no usable samples (none of them is a number)",
                hint="Export the recording again, for instance as 24-bit wav.",
            )
        raise damaged(self._name) if decoder.found_damage else no_sound(self._name)

    def _cleaned(self, chunk: Chunk) -> Chunk:
        usable = _usable(chunk.audio)
        if usable.all():
            return chunk
        self._warnings[_NOT_NUMBERS] = None
        audio = np.where(usable, chunk.audio, np.float32(0.0))
        return Chunk(audio=audio, sample_rate=chunk.sample_rate, layout=chunk.layout)

    def _check(self, sample_rate: int, channels: int) -> None:
        if not LOWEST_RATE <= sample_rate <= HIGHEST_RATE:
            raise InputError(
                f"{self._name} has a sample rate of {sample_rate} Hz, which no recording has",
                hint="Export the recording again at 44100 or 48000 Hz.",
            )
        if channels > MOST_CHANNELS:
            raise too_many_channels(self._name, channels)

    def _check_length(self, declared_s: float) -> None:
        believable_s = self._size / _FEWEST_BYTES_PER_S
        if LONGEST_S + _LONGEST_TOLERANCE_S < declared_s <= believable_s:
            raise self._too_long()

    def _too_long(self) -> InputError:
        return InputError(
            f"{self._name} is longer than two hours",
            hint="Cut it into single songs and give those.",
        )

    def _note_losses(self, decoder: Decoder, read_s: float) -> None:
        for warning in decoder.warnings:
            self._warnings[warning] = None
        missing = missing_bytes(self._head, self._size)
        promised_s = read_s / (1.0 - missing) if missing < 1.0 else 0.0
        if decoder.declared_is_exact and missing <= 0.0:
            promised_s = decoder.declared_s
        if promised_s > read_s + max(0.1, 0.002 * promised_s):
            self._warnings[
                f"The file ends after {_clock(read_s)} although it promises {_clock(promised_s)}; "
                "what is there was read."
            ] = None


def open_audio(path: Path) -> AudioFile:
    """Open a recording and make sure that it holds sound.

    Raises
    ------
    InputError
        Missing, a folder, no permission, empty, not a sound file, damaged beyond reading, copy
        protected, without a sound track, without a sample, all NaN, longer than two hours.
    """
    return AudioFile(path)


def read_audio(path: Path, *, sample_rate: int, channels: int, job: Job = NO_JOB) -> FloatArray:
    """Return a whole recording, read-only, shape ``(channels, n_samples)``.

    Memory grows with the length (two hours of 16 kHz mono are 460 MB); stages that can work on
    blocks use :meth:`AudioFile.blocks`. Raises like :func:`open_audio`.
    """
    with open_audio(path) as file:
        blocks = list(file.blocks(sample_rate=sample_rate, channels=channels, job=job))
    return read_only(np.concatenate(blocks, axis=1))


def _usable(audio: FloatArray) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    # A comparison with NaN is False, so this is one pass.
    return np.abs(audio) <= _LOUDEST


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60.0)
    return f"{int(minutes)}:{rest:04.1f}"
