"""The audio that every stage of a speed run works on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from singcoach import resources
from singcoach.audio.reading import open_audio, read_audio
from singcoach.audio.writing import WavWriter
from singcoach.core.arrays import ANALYSIS_RATE, FloatArray
from singcoach.jobs import NO_JOB, Job

MIXTURE_RATE = 44_100
SHIPPED_SONG = "slow_motion_dream.mp3"
SHIPPED_TAKE = "vocadito_14.flac"


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Files of one run, in a folder of its own; the voice is there once it was prepared."""

    folder: Path
    threads: int

    @property
    def mixture(self) -> Path:
        """The song, 44.1 kHz stereo."""
        return self.folder / "mixture.wav"

    @property
    def vocal_path(self) -> Path:
        """The separated voice, 44.1 kHz mono."""
        return self.folder / "vocal.wav"

    @property
    def backing_path(self) -> Path:
        """The separated accompaniment, 44.1 kHz mono."""
        return self.folder / "backing.wav"

    def stereo(self) -> FloatArray:
        """Return the song, shape ``(2, n_samples)``."""
        return read_audio(self.mixture, sample_rate=MIXTURE_RATE, channels=2)

    def mono(self) -> FloatArray:
        """Return the song at 16 kHz, shape ``(n_samples,)``."""
        return read_mono(self.mixture)

    def vocal(self) -> FloatArray:
        """Return the separated voice at 16 kHz, shape ``(n_samples,)``."""
        return read_mono(self.vocal_path)

    def backing(self) -> FloatArray:
        """Return the separated accompaniment at 16 kHz, shape ``(n_samples,)``."""
        return read_mono(self.backing_path)


def read_mono(path: Path) -> FloatArray:
    """Return a recording at 16 kHz, its channels mixed, shape ``(n_samples,)``."""
    audio: FloatArray = read_audio(path, sample_rate=ANALYSIS_RATE, channels=1)[0]
    return audio


def shipped_song() -> Path:
    """Return the mixed song that ships, an excerpt of 11 s."""
    return resources.assets_dir() / SHIPPED_SONG


def shipped_take() -> Path:
    """Return the solo take that ships, 12 s."""
    return resources.assets_dir() / SHIPPED_TAKE


def repeat_to(source: Path, target: Path, *, duration_s: float, job: Job = NO_JOB) -> float:
    """Write ``source`` over and over until ``target`` (wav, 44.1 kHz stereo) is long enough.

    A ``duration_s`` of 0 writes it once. Returns the duration in seconds that was written.
    Memory is bounded by one block.

    Raises
    ------
    InputError
        When ``source`` cannot be read.
    OutputError
        When ``target`` cannot be written.
    """
    wanted = round(duration_s * MIXTURE_RATE)
    written = 0
    with WavWriter(target, sample_rate=MIXTURE_RATE, channels=2, subtype="PCM_16") as writer:
        while written == 0 or written < wanted:
            before = written
            for block in _blocks(source):
                piece = block[:, : wanted - written] if wanted else block
                writer.write(np.ascontiguousarray(piece))
                written += piece.shape[1]
                job.report(min(1.0, written / max(wanted, written)), "making the audio")
                if wanted and written >= wanted:
                    break
            if written == before:
                break
    return written / MIXTURE_RATE


def _blocks(source: Path) -> Iterator[FloatArray]:
    with open_audio(source) as audio:
        yield from audio.blocks(sample_rate=MIXTURE_RATE, channels=2)
