"""Separated stems as files at the recording's own rate; their sum is the recording."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from singcoach.audio.chunks import Chunk
from singcoach.audio.reading import AudioFile, open_audio
from singcoach.audio.resampling import Converter
from singcoach.audio.writing import WavWriter
from singcoach.chain.engine import Engine
from singcoach.chain.separating import find_separator
from singcoach.core.arrays import FloatArray
from singcoach.files import make_folder, refuse_overwriting
from singcoach.jobs import NO_JOB, Job

BLOCK_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StemFiles:
    """The two files that were written and what was wrong with the recording."""

    vocals: Path
    accompaniment: Path
    warnings: tuple[str, ...]


def write_stems(path: Path, folder: Path, *, engine: Engine, job: Job = NO_JOB) -> StemFiles:
    """Write ``vocals.wav`` and ``accompaniment.wav`` into ``folder``, stereo, 32-bit float.

    The networks work at a rate of their own; at any other the voice is brought back to the
    recording's rate and the accompaniment is what remains of the recording, so that the sum is the
    recording. Bounded memory; both files appear together or not at all.

    Raises
    ------
    InputError
        The recording cannot be used.
    OutputError
        The folder cannot be written to.
    """
    make_folder(folder)
    files = StemFiles(
        vocals=folder / "vocals.wav", accompaniment=folder / "accompaniment.wav", warnings=()
    )
    for target in (files.vocals, files.accompaniment):
        refuse_overwriting(target, [path])
    with ExitStack() as stack:
        recording = stack.enter_context(open_audio(path))
        rate = recording.info.sample_rate
        n_expected = round(recording.info.duration_s * rate)
        writers = [
            stack.enter_context(
                WavWriter(target, sample_rate=rate, channels=2, expected_samples=n_expected)
            )
            for target in (files.vocals, files.accompaniment)
        ]
        for voice, mixture in _voices(recording, rate, engine, job):
            writers[0].write(voice)
            writers[1].write(mixture - voice)
        warnings = recording.warnings
    return StemFiles(vocals=files.vocals, accompaniment=files.accompaniment, warnings=warnings)


class _Kept:
    """Samples of the recording that wait for the voice of the same time."""

    def __init__(self) -> None:
        self._pieces: list[FloatArray] = []
        self.n_samples = 0

    def put(self, audio: FloatArray) -> None:
        self._pieces.append(audio)
        self.n_samples += audio.shape[1]

    def take(self, n_samples: int) -> FloatArray:
        joined = np.concatenate([*self._pieces, np.zeros((2, 0), np.float32)], axis=1)
        self._pieces = [joined[:, n_samples:]]
        self.n_samples = max(0, joined.shape[1] - n_samples)
        return joined[:, :n_samples]


def _voices(
    recording: AudioFile, rate: int, engine: Engine, job: Job
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield stretches of voice and mixture at the recording's rate, equally long, to its end."""
    kept = _Kept()
    separator = find_separator(engine, job)
    network_rate = separator.rate
    down = Converter(sample_rate=network_rate, channels=2)
    up = Converter(sample_rate=rate, channels=2)

    def at_network_rate() -> Iterator[FloatArray]:
        for block in recording.blocks(sample_rate=rate, channels=2, block_s=BLOCK_S):
            kept.put(block)
            yield from down.push(Chunk(audio=block, sample_rate=rate, layout=()))
        yield from down.finish()

    for stems in separator.stems(at_network_rate(), recording.info.duration_s, job):
        for voice in up.push(Chunk(audio=stems.vocals, sample_rate=network_rate, layout=())):
            yield from _matched(voice, kept)
    for voice in up.finish():
        yield from _matched(voice, kept)
    if kept.n_samples:  # a last sample that rounding between the rates took away
        rest = kept.take(kept.n_samples)
        yield np.zeros_like(rest), rest


def _matched(voice: FloatArray, kept: _Kept) -> Iterator[tuple[FloatArray, FloatArray]]:
    mixture = kept.take(voice.shape[1])
    if mixture.shape[1]:
        yield voice[:, : mixture.shape[1]], mixture
