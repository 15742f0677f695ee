"""Encoding of a whole song in windows whose borders do not show."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from singcoach.core.arrays import ANALYSIS_RATE, FeatureArray, FloatArray, read_only
from singcoach.encoders.log_mel import HOP_SAMPLES, log_mel
from singcoach.jobs import NO_JOB, Job
from singcoach.models.whisper.config import GENERAL, Recipe

FEATURE_RATE_HZ = GENERAL.rate_hz
WINDOW_FRAMES = GENERAL.window_rows
OVERLAP_FRAMES = int(GENERAL.overlap_s * FEATURE_RATE_HZ)
"""5 s in which neighbouring windows are faded into one another."""

EDGE_FRAMES = 25
"""Frames at a window's inner border that count for nothing: they lack half of their context."""

_COLUMNS_PER_FRAME = ANALYSIS_RATE // HOP_SAMPLES // int(FEATURE_RATE_HZ)


class Encoder(Protocol):
    """The part of a session that is needed: an encoder with the input ``mel``.

    Its first output is the features ``(1, n, n_dims)``; a second one, where there is one, is what
    it answers on average at each place of a window, ``(n, n_dims)``.
    """

    def run(self, inputs: dict[str, NDArray[Any]], /) -> list[NDArray[Any]]:
        """Run the network once."""
        ...


def encode_song(
    audio: FloatArray, *, session: Encoder, recipe: Recipe = GENERAL, job: Job = NO_JOB
) -> FeatureArray:
    """Return the features of a whole song, one row every 20 ms (40 ms where the model pools).

    Windows of 20 s start every 15 s, the last one ends with the song, and the overlaps are
    cross-faded. Whisper's answer depends on the place in its window about as much as on the sound
    (over half of its variance); the mean answer of each place is taken away, so that a bar looks
    much the same wherever the recording was cut. Nothing is padded: a song shorter than a window is
    one shorter window.

    Parameters
    ----------
    audio
        Mono at 16 kHz in [-1, 1], shape ``(n_samples,)``; finite.
    session
        A model of the role ``encoder_general`` or ``encoder_singing``.
    recipe
        How the model is run: ``Recipe.from_json(entry.config)``; the embedded general encoder's by
        default.

    Returns
    -------
    float16, read-only, shape ``(n_samples // 320, n_dims)``, row ``i`` centred at
    ``i * 0.02`` s (between 20 ms steps the two log-mel columns ``2 i`` and ``2 i + 1`` meet); with
    pooling half as many rows. Audio shorter than a row, but not empty, gives one row; empty audio
    gives ``(0, 0)``.

    Raises
    ------
    ValueError
        When ``audio`` is not one-dimensional or not finite.
    """
    picture = log_mel(audio, n_mels=recipe.n_mels, job=job.part(0.0, 0.05))
    if picture.shape[1] == 0:
        return read_only(np.zeros((0, 0), dtype=np.float16))
    n_columns = _COLUMNS_PER_FRAME * recipe.pooling
    if recipe.pooling > 1 and picture.shape[1] < n_columns:
        picture = np.pad(picture, ((0, 0), (0, n_columns - picture.shape[1])), mode="edge")
    n_rows = max(1, picture.shape[1] // n_columns)
    n_window, n_overlap = recipe.window_rows, int(recipe.overlap_s * recipe.rate_hz)
    edge = EDGE_FRAMES // recipe.pooling
    starts = window_starts(n_rows, n_window=n_window, n_overlap=n_overlap)
    features: FeatureArray | None = None
    for i, start in enumerate(starts):
        job.report(0.05 + 0.95 * i / len(starts), "listening to the song")
        end = min(n_rows, start + n_window)
        encoded = _encode_window(picture[:, n_columns * start : n_columns * end], session)
        if features is None:
            features = np.zeros((n_rows, encoded.shape[1]), dtype=np.float16)
        if i == 0:
            features[start:end] = encoded
            continue
        n_shared = starts[i - 1] + n_window - start
        rise = fade_in(n_shared, edge=edge)[:, None]
        shared = features[start : start + n_shared].astype(np.float32)
        features[start : start + n_shared] = shared + rise * (encoded[:n_shared] - shared)
        features[start + n_shared : end] = encoded[n_shared:]
    assert features is not None
    job.report(1.0, "listening to the song")
    return read_only(features)


def mean_features(features: FeatureArray) -> FloatArray:
    """Return the mean over time in full precision, shape ``(n_dims,)``; zeros when empty."""
    if len(features) == 0:
        return np.zeros(features.shape[1], dtype=np.float32)
    mean: FloatArray = features.mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean


def window_starts(
    n_rows: int, *, n_window: int = WINDOW_FRAMES, n_overlap: int = OVERLAP_FRAMES
) -> tuple[int, ...]:
    """Return the first row of every window; the last window ends at ``n_rows``."""
    last = max(0, n_rows - n_window)
    return (*range(0, last, n_window - n_overlap), last)


def fade_in(n_rows: int, *, edge: int = EDGE_FRAMES) -> FloatArray:
    """Return the rising weights of the later window over an overlap, shape ``(n_rows,)``."""
    edge = min(edge, (n_rows - 1) // 2)
    places = np.arange(n_rows, dtype=np.float32) - np.float32(edge - 0.5)
    rise: FloatArray = np.clip(places / np.float32(n_rows - 2 * edge), 0.0, 1.0)
    return rise


def _encode_window(picture: FloatArray, session: Encoder) -> FloatArray:
    outputs = session.run({"mel": np.ascontiguousarray(picture[None])})
    features: FloatArray = outputs[0][0]
    return features - outputs[1] if len(outputs) > 1 else features
