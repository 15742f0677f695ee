"""A stream cut into chunks of one length that overlap, and results put together again.

Chunks start at multiples of one step, wherever the blocks of the stream end. The last one ends with
the stream: it reaches back for its context, but counts only from where the step would have put it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from singcoach.core.arrays import FloatArray

FADE_SHARE = 0.1
"""Longest fade at either end of a chunk, as a share of it: as the common tools have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkPlan:
    """Lengths in samples: of a chunk, from one start to the next, of a chunk's rise and fall."""

    chunk_samples: int
    step_samples: int
    fade_samples: int


def plan_chunks(chunk_samples: int, overlap: float) -> ChunkPlan:
    """Return how to cut.

    Parameters
    ----------
    chunk_samples
        Length of a chunk, at least 1.
    overlap
        Share of a chunk that it has in common with the next, 0 to 0.95. Up to 0.1 neighbours are
        cross-faded over all of it; above, chunks have equal weights but for their outer tenths.

    Raises
    ------
    ValueError
        When a value is out of range.
    """
    if chunk_samples < 1:
        raise ValueError(f"chunk_samples is {chunk_samples}; 1 or more would work")
    if not 0.0 <= overlap <= 0.95:
        raise ValueError(f"overlap is {overlap}; 0 to 0.95 would work")
    shared = min(round(overlap * chunk_samples), chunk_samples - 1)
    return ChunkPlan(
        chunk_samples=chunk_samples,
        step_samples=chunk_samples - shared,
        fade_samples=min(shared, int(FADE_SHARE * chunk_samples)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """One chunk of a stream.

    Attributes
    ----------
    audio
        float32 ``(n_channels, n)``; shorter than a chunk only when the whole stream is.
    skip_samples
        Samples at the front that are there for context only: others have decided on them.
    is_first, is_last
        Whether the stream starts and ends with it.
    """

    audio: FloatArray
    skip_samples: int
    is_first: bool
    is_last: bool


def chunks(blocks: Iterable[FloatArray], plan: ChunkPlan) -> Iterator[Chunk]:
    """Cut a stream into chunks, the same ones however it comes in blocks.

    Parameters
    ----------
    blocks
        float32 ``(n_channels, n)``, any length, all with as many channels.
    plan
        From :func:`plan_chunks`.

    Yields
    ------
    Chunk
        Nothing for an empty stream.

    Notes
    -----
    Memory: two chunks and a block.
    """
    n_chunk, n_step = plan.chunk_samples, plan.step_samples
    pieces: list[FloatArray] = []  # from one step before the coming chunk on, if there is one
    n_before = 0  # samples of ``pieces`` before the coming chunk
    n_held = 0
    for block in blocks:
        for at in range(0, block.shape[1], n_chunk):
            piece = block[:, at : at + n_chunk]
            pieces.append(piece.copy())
            n_held += piece.shape[1]
            # Only a chunk that is followed by something is known not to be the last.
            while n_held - n_before > n_chunk:
                held = np.concatenate(pieces, axis=1)
                yield Chunk(
                    audio=held[:, n_before : n_before + n_chunk],
                    skip_samples=0,
                    is_first=n_before == 0,
                    is_last=False,
                )
                pieces = [held[:, n_before:]]
                n_held -= n_before
                n_before = n_step
    if n_held == 0:
        return
    held = np.concatenate(pieces, axis=1)
    audio = held[:, -n_chunk:]
    yield Chunk(
        audio=audio,
        skip_samples=audio.shape[1] - (n_held - n_before),
        is_first=n_before == 0,
        is_last=True,
    )


class ChunkAdder:
    """Puts results for consecutive chunks together, each sample the weighted mean of its chunks."""

    def __init__(self, plan: ChunkPlan) -> None:
        self._plan = plan
        rise = (np.arange(plan.fade_samples, dtype=np.float32) + np.float32(0.5)) / np.float32(
            max(plan.fade_samples, 1)
        )
        self._rise = rise
        self._sum: FloatArray | None = None
        self._weights: FloatArray = np.zeros(0, np.float32)

    def add(self, chunk: Chunk, result: FloatArray) -> FloatArray:
        """Return the samples that are complete once this result is added.

        Parameters
        ----------
        chunk
            What the result is for; every chunk of the stream in turn.
        result
            float32 ``(n_channels, n)``, as long as the chunk's audio.

        Returns
        -------
        ndarray
            As many samples as one step, or what is left of the stream; they begin with the sample
            after ``chunk.skip_samples``.
        """
        own = result[:, chunk.skip_samples :]
        n_own = own.shape[1]
        weights = np.ones(n_own, np.float32)
        n_fade = self._plan.fade_samples
        if not chunk.is_first:
            weights[:n_fade] = self._rise[:n_own]
        if not chunk.is_last:
            weights[n_own - n_fade :] = self._rise[::-1]
        total = own * weights
        if self._sum is not None:
            n_shared = self._sum.shape[1]
            total[:, :n_shared] += self._sum
            weights[:n_shared] += self._weights
        n_done = n_own if chunk.is_last else self._plan.step_samples
        self._sum, self._weights = total[:, n_done:], weights[n_done:]
        done: FloatArray = total[:, :n_done] / weights[:n_done]
        return done
