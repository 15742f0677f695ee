"""Voice and accompaniment, or voice and room, with a MelBand Roformer, as a stream.

The network gives a complex mask for the spectrum of some seconds of audio. Chunks overlap; by
default a tenth of each is cross-faded into the next, which costs half as much as the two looks at
every second that the common tools take (``overlap=overlap_of(2)`` does as they do). What the
masked spectrum leaves of the mixture is the other stem, so both always add up to it.

Source: Wang, Lu, Won, "Mel-Band RoFormer for music source separation", arXiv 2310.01809.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from singcoach.core.arrays import FloatArray
from singcoach.dsp.stft import ComplexArray
from singcoach.errors import ModelError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.roformer.config import RoformerConfig
from singcoach.separation.centred_stft import chunk_signal, chunk_spectrum
from singcoach.separation.chunked import Chunk, ChunkAdder, chunks, plan_chunks
from singcoach.separation.spleeter import Stems

DEFAULT_OVERLAP = 0.1
"""Share of a chunk that is cross-faded into the next: 1.11 networks' work for every second."""

_SEPARATING = "separating the voice"
_DRYING = "removing the room"
_POLL_S = 0.1


class MaskSession(Protocol):
    """The part of a session that is needed: ``spectrum`` in, ``masks`` out.

    ``spectrum`` is float32 ``(batch, n_rows, n_frames, 2)``, ``masks``
    ``(batch, n_stems, n_rows, n_frames, 2)``; see the network.
    """

    def run(self, inputs: Mapping[str, NDArray[Any]], /) -> list[NDArray[Any]]:
        """Run the network once."""
        ...

    def stop(self) -> None:
        """End the run under way in another thread."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DryVoice:
    """A stretch of a voice without its room and what was removed, each float32 ``(c, n)``."""

    dry: FloatArray
    removed: FloatArray


def overlap_of(num_overlap: int) -> float:
    """Return the overlap with which every moment is looked at ``num_overlap`` times."""
    if num_overlap < 1:
        raise ValueError(f"num_overlap is {num_overlap}; 1 or more would work")
    return 1.0 - 1.0 / num_overlap


def separate_roformer(
    blocks: Iterable[FloatArray],
    *,
    session: MaskSession,
    config: RoformerConfig,
    overlap: float = DEFAULT_OVERLAP,
    n_samples: int | None = None,
    batch: int = 1,
    job: Job = NO_JOB,
) -> Iterator[Stems]:
    """Separate a stream of audio into vocals and accompaniment.

    The result does not depend on how the stream is cut into blocks, and its stretches add up to
    the length of the stream.

    Parameters
    ----------
    blocks
        float32 blocks ``(2, n)`` or ``(1, n)`` in [-1, 1], finite, any length, at
        ``config.sample_rate``.
    session
        The network. It runs in a thread of its own; a stop of the job ends it there.
    config
        The network's configuration; ``chunk_size`` samples are looked at together.
    overlap
        Share of a chunk that it has in common with the next, 0 to 0.95.
    n_samples
        Expected length, for the progress only.
    batch
        Chunks that go through the network at once; more than one pays on accelerators.
    job
        Reports ten times a second, and may cancel there.

    Yields
    ------
    Stems
        Consecutive stretches with the channels of the input; nothing for an empty stream.

    Raises
    ------
    ValueError
        When a block has another shape or a number is out of range.
    ModelError
        When the network fails or answers with values that are no numbers.

    Notes
    -----
    The first stem of the network is the voice. Mono audio goes through a stereo network as two
    equal channels, stereo audio through a mono network one channel after the other. A stream
    shorter than a chunk is filled up to one, mirrored or with silence, as the common tools do.
    Memory beside the network: about 30 MB for each chunk of 8 s in the batch.
    """
    for part in _targets(blocks, session, config, overlap, n_samples, batch, _SEPARATING, job):
        yield Stems(vocals=part.target, accompaniment=part.heard - part.target)


def dereverb_roformer(
    blocks: Iterable[FloatArray],
    *,
    session: MaskSession,
    config: RoformerConfig,
    overlap: float = DEFAULT_OVERLAP,
    n_samples: int | None = None,
    batch: int = 1,
    job: Job = NO_JOB,
) -> Iterator[DryVoice]:
    """Take the room out of a stream of a voice; as :func:`separate_roformer` in all else."""
    for part in _targets(blocks, session, config, overlap, n_samples, batch, _DRYING, job):
        yield DryVoice(dry=part.target, removed=part.heard - part.target)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    heard: FloatArray
    target: FloatArray


def _targets(
    blocks: Iterable[FloatArray],
    session: MaskSession,
    config: RoformerConfig,
    overlap: float,
    n_samples: int | None,
    batch: int,
    stage: str,
    job: Job,
) -> Iterator[_Part]:
    """Yield the mixture and the network's first stem, stretch by stretch."""
    if batch < 1:
        raise ValueError(f"batch is {batch}; 1 or more would work")
    plan = plan_chunks(config.chunk_size, overlap)
    counted = _Counted(blocks)
    adder = ChunkAdder(plan)
    n_done = 0
    with _Worker(session) as worker:
        for group in _groups(chunks(counted.pass_on(), plan), batch):
            fraction = n_done / max(n_samples or counted.n_read, 1)
            results = _estimate(group, worker, config, job=job, fraction=fraction, stage=stage)
            for chunk, result in zip(group, results, strict=True):
                target = adder.add(chunk, result)
                start = chunk.skip_samples
                heard = chunk.audio[:, start : start + target.shape[1]]
                n_done += target.shape[1]
                job.report(n_done / max(n_samples or counted.n_read, 1), stage)
                yield _Part(heard=heard, target=target)


def _groups(stream: Iterator[Chunk], size: int) -> Iterator[list[Chunk]]:
    group: list[Chunk] = []
    for chunk in stream:
        group.append(chunk)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def _estimate(
    group: list[Chunk],
    worker: _Worker,
    config: RoformerConfig,
    *,
    job: Job,
    fraction: float,
    stage: str,
) -> list[FloatArray]:
    """Return the first stem of every chunk, with the chunk's channels and length."""
    n_chunk = config.chunk_size
    spectra = [_spectrum(_filled(chunk.audio, n_chunk), config) for chunk in group]
    batch = np.concatenate(spectra)
    masks = worker.run(_as_real(batch), job=job, fraction=fraction, stage=stage)
    if masks.ndim != 5 or masks.shape[0] != len(batch) or masks.shape[2:] != (*batch.shape[1:], 2):
        raise _unfit(f"masks {masks.shape} for spectra {batch.shape}")
    # The first stem; the others, where there are any, are not needed.
    mask = np.ascontiguousarray(masks[:, 0], dtype=np.float32).view(np.complex64)[..., 0]
    if not np.isfinite(mask).all():
        raise _unfit("the masks are not finite")
    batch *= mask
    results = []
    at = 0
    for chunk, spectrum in zip(group, spectra, strict=True):
        masked = batch[at : at + len(spectrum)]
        at += len(spectrum)
        n_channels, n_samples = chunk.audio.shape
        wave = _signal(masked, config)[:, :n_samples]
        if n_channels == 1 and len(wave) > 1:
            wave = wave.mean(axis=0, keepdims=True)
        elif n_channels > len(wave):
            wave = np.repeat(wave, n_channels, axis=0)
        results.append(wave)
    return results


def _filled(audio: FloatArray, n_samples: int) -> FloatArray:
    """Return audio of at least ``n_samples``: mirrored when it is most of that, else silence."""
    n_missing = n_samples - audio.shape[1]
    if n_missing <= 0:
        return audio
    mode = "reflect" if audio.shape[1] > n_samples // 2 + 1 else "constant"
    filled: FloatArray = np.pad(audio, ((0, 0), (0, n_missing)), mode=mode)  # type: ignore[call-overload]
    return filled


def _spectrum(audio: FloatArray, config: RoformerConfig) -> ComplexArray:
    """Return ``(n_inputs, n_rows, n_frames)``: one input of two channels, or one per channel."""
    if len(audio) == 2 and not config.stereo and np.array_equal(audio[0], audio[1]):
        audio = audio[:1]
    spectrum = chunk_spectrum(
        audio,
        n_fft=config.stft_n_fft,
        hop=config.stft_hop_length,
        win=config.stft_win_length,
    )
    if not config.stereo:
        return np.ascontiguousarray(spectrum.transpose(1, 0, 2))
    if spectrum.shape[1] == 1:
        spectrum = np.repeat(spectrum, 2, axis=1)
    return spectrum.reshape(1, -1, spectrum.shape[2])


def _signal(spectrum: ComplexArray, config: RoformerConfig) -> FloatArray:
    """Return the audio of what :func:`_spectrum` gave, ``(n_channels, chunk_size)``."""
    _, n_rows, n_frames = spectrum.shape
    # (bins, channels, frames)
    if config.stereo:
        spectrum = spectrum.reshape(n_rows // 2, 2, n_frames)
    else:
        spectrum = spectrum.transpose(1, 0, 2)
    return chunk_signal(
        spectrum,
        config.chunk_size,
        n_fft=config.stft_n_fft,
        hop=config.stft_hop_length,
        win=config.stft_win_length,
    )


def _as_real(spectrum: ComplexArray) -> FloatArray:
    real: FloatArray = spectrum.view(np.float32).reshape(*spectrum.shape, 2)
    return real


def _unfit(detail: str) -> ModelError:
    return ModelError(
        "The MelBand Roformer did not answer with usable masks",
        hint="Run 'singcoach models verify', or choose another device",
        detail=detail,
    )


class _Worker:
    """Runs the network in a thread of its own, so that the caller's thread can report and stop."""

    def __init__(self, session: MaskSession) -> None:
        self._session = session
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="roformer")

    def __enter__(self) -> _Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def run(self, spectrum: FloatArray, *, job: Job, fraction: float, stage: str) -> NDArray[Any]:
        """Return the masks; a stop of the job ends the network first."""
        job.report(fraction, stage)
        future = self._pool.submit(self._session.run, {"spectrum": spectrum})
        try:
            while not wait([future], timeout=_POLL_S).done:
                job.report(fraction, stage)
            return future.result()[0]
        except BaseException:
            self._end(future)
            raise

    def _end(self, future: Future[list[NDArray[Any]]]) -> None:
        """Stop the run and wait for it; it may have been on its way to the network just now."""
        while not future.cancel() and not future.done():
            self._session.stop()
            wait([future], timeout=_POLL_S)


class _Counted:
    """Checks blocks and counts their samples."""

    def __init__(self, blocks: Iterable[FloatArray]) -> None:
        self._blocks = blocks
        self._n_channels: int | None = None
        self.n_read = 0

    def pass_on(self) -> Iterator[FloatArray]:
        for block in self._blocks:
            if block.ndim != 2 or block.shape[0] not in (1, 2):
                raise ValueError(f"a block has shape {block.shape}; (2, n_samples) would work")
            if self._n_channels not in (None, block.shape[0]):
                raise ValueError("all blocks have to have as many channels as the first")
            self._n_channels = block.shape[0]
            self.n_read += block.shape[1]
            yield np.asarray(block, dtype=np.float32)
