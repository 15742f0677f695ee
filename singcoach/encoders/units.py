"""Soft speech units of a whole take: what HuBERT-soft hears, 256 numbers every 20 ms."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from singcoach.core.arrays import FeatureArray, FloatArray, read_only
from singcoach.encoders.song import fade_in, window_starts
from singcoach.jobs import NO_JOB, Job

FRAME_SAMPLES = 320
N_UNITS = 256
WINDOW_FRAMES = 750
OVERLAP_FRAMES = 150
_RECEPTIVE_SAMPLES = 400
_PAD_SAMPLES = (_RECEPTIVE_SAMPLES - FRAME_SAMPLES) // 2


class UnitEncoder(Protocol):
    """The part of a session that is needed.

    Input ``audio`` ``(1, n_samples)``, first output ``(1, (n_samples - 80) // 320, 256)``.
    """

    def run(self, inputs: dict[str, NDArray[Any]], /) -> list[NDArray[Any]]:
        """Run the network once."""
        ...


def encode_units(audio: FloatArray, *, session: UnitEncoder, job: Job = NO_JOB) -> FeatureArray:
    """Return the soft units of a whole take, one row every 20 ms.

    Windows of 15 s that overlap by 3 s and are cross-faded; each sees 40 samples more on either
    side, silence at the ends of the take, so that row ``i`` covers the samples from ``320 i``.

    Parameters
    ----------
    audio
        Mono at 16 kHz in [-1, 1], shape ``(n_samples,)``; finite.
    session
        A HuBERT-soft network.

    Returns
    -------
    float16, read-only, shape ``(n_samples // 320, 256)``; empty below 20 ms.

    Raises
    ------
    ValueError
        When ``audio`` is not one-dimensional or not finite.
    """
    if audio.ndim != 1 or not np.isfinite(audio).all():
        raise ValueError("audio must be (n_samples,) and finite")
    n_rows = audio.size // FRAME_SAMPLES
    if n_rows == 0:
        return read_only(np.zeros((0, N_UNITS), dtype=np.float16))
    padded = np.pad(audio.astype(np.float32, copy=False), _PAD_SAMPLES)
    units = np.zeros((n_rows, N_UNITS), dtype=np.float16)
    starts = window_starts(n_rows, n_window=WINDOW_FRAMES, n_overlap=OVERLAP_FRAMES)
    for i, start in enumerate(starts):
        job.report(i / len(starts), "listening to the words")
        end = min(n_rows, start + WINDOW_FRAMES)
        samples = padded[start * FRAME_SAMPLES : end * FRAME_SAMPLES + 2 * _PAD_SAMPLES]
        encoded = session.run({"audio": np.ascontiguousarray(samples[None])})[0][0]
        n_shared = starts[i - 1] + WINDOW_FRAMES - start if i else 0
        if n_shared:
            rise = fade_in(n_shared)[:, None]
            shared = units[start : start + n_shared].astype(np.float32)
            units[start : start + n_shared] = shared + rise * (encoded[:n_shared] - shared)
        units[start + n_shared : end] = encoded[n_shared:]
    job.report(1.0, "listening to the words")
    return read_only(units)
