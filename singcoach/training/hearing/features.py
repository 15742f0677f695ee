"""What Whisper's encoder hears in the takes of a corpus, kept in a form small enough to learn from.

A projector of the kind of Ultravox stacks rows of the encoder, norms them and maps them linearly.
Of the stacked rows of a second only slow waves are kept here (a cosine transform along time); a
linear map of the waves is a linear map of the rows, so nothing is approximated when the trained map
is written as a projector (:func:`spread`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from singcoach.audio.hashing import sha256_file
from singcoach.audio.reading import read_audio
from singcoach.core.arrays import ANALYSIS_RATE, FloatArray
from singcoach.encoders.log_mel import log_mel
from singcoach.files import make_folder
from singcoach.jobs import NO_JOB, Job
from singcoach.models.language.mmproj import NORM_EPSILON
from singcoach.models.language.mtmd import WINDOW_SAMPLES
from singcoach.training.corpus import Row, read_corpus
from singcoach.training.tensors import load_tensors, save_tensors

STACK: Final = 50
"""Rows of 20 ms that make one row for the language model: one for each second."""

N_WAVES: Final = 4
N_DIMS: Final = 512
N_FEATURES: Final = N_WAVES * N_DIMS
_PEAK: Final = 0.5
_VERSION: Final = 1


class Session(Protocol):
    """An encoder with the input ``mel``."""

    def run(self, inputs: dict[str, NDArray[Any]], /) -> list[NDArray[Any]]:
        """Run the network once."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """The first window of 30 s of a take, filled up with silence.

    ``features`` has the shape ``(30, N_FEATURES)``.
    """

    row: Row
    features: FloatArray


def waves() -> FloatArray:
    """Return the slow waves, float32, orthonormal rows, ``(N_WAVES, STACK)``."""
    places = (np.arange(STACK) + 0.5) / STACK
    table = np.cos(np.pi * np.arange(N_WAVES)[:, None] * places) * np.sqrt(2.0 / STACK)
    table[0] /= np.sqrt(2.0)
    return np.asarray(table, dtype=np.float32)


def spread(weights: FloatArray) -> FloatArray:
    """Return the map of stacked rows that equals a map of features.

    Parameters
    ----------
    weights
        ``(n_out, N_FEATURES)``.

    Returns
    -------
    FloatArray
        ``(n_out, STACK * N_DIMS)``.
    """
    split = weights.reshape(len(weights), N_WAVES, N_DIMS)
    spread_out = np.einsum("wf,owd->ofd", waves(), split)
    return np.ascontiguousarray(spread_out.reshape(len(weights), -1), dtype=np.float32)


def features_of(rows: FloatArray) -> FloatArray:
    """Return the normed slow waves of an encoder's rows, ``(n_rows / STACK, N_FEATURES)``.

    Parameters
    ----------
    rows
        ``(n_rows, N_DIMS)``.
    """
    stacked = rows.reshape(-1, STACK, N_DIMS).astype(np.float64)
    power = np.mean(np.square(stacked), axis=(1, 2), keepdims=True)
    normed = stacked / np.sqrt(power + NORM_EPSILON)
    found = np.einsum("wf,sfd->swd", waves(), normed)
    return np.asarray(found.reshape(len(stacked), -1), dtype=np.float32)


def hear_window(audio: FloatArray, session: Session) -> FloatArray:
    """Return the encoder's rows for at most 30 s, filled up with silence, ``(1500, 512)``."""
    padded = np.zeros(WINDOW_SAMPLES, dtype=np.float32)
    peak = float(np.max(np.abs(audio), initial=0.0))
    padded[: len(audio)] = audio * np.float32(_PEAK / peak if peak > 0 else 1.0)
    return np.asarray(session.run({"mel": log_mel(padded)[None]})[0][0], dtype=np.float32)


def hear_corpus(
    folder: Path,
    kept: Path,
    session: Session,
    *,
    model: str,
    least_severity: float = 0.0,
    job: Job = NO_JOB,
) -> tuple[Clip, ...]:
    """Hear the first 30 s of every take; what was heard before is read from ``kept``.

    Parameters
    ----------
    model
        The SHA-256 of the encoder; with another one everything is heard anew.
    least_severity
        Takes with a slighter fault are left out; those without one are not.

    Raises
    ------
    InputError
        When the folder is no corpus.
    """
    rows = [r for r in read_corpus(folder) if not 0.0 < r.severity < least_severity]
    make_folder(kept)
    clips = []
    for n, row in enumerate(rows):
        job.report(n / len(rows), f"hearing {row.item}")
        clips.append(Clip(row=row, features=_heard(row, folder, kept, session, model)))
    return tuple(clips)


def fingerprint(clips: Sequence[Clip]) -> str:
    """Return the SHA-256 of everything that was heard."""
    digest = hashlib.sha256()
    for clip in clips:
        digest.update(f"{clip.row}\n".encode())
        digest.update(np.ascontiguousarray(clip.features).tobytes())
    return digest.hexdigest()


def _heard(row: Row, folder: Path, kept: Path, session: Session, model: str) -> FloatArray:
    path = row.path(folder)
    key = f"{_VERSION} {STACK} {N_WAVES} {model} {sha256_file(path)}"
    place = kept / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.safetensors"
    if place.is_file():
        return load_tensors(place)[0]["features"]
    audio = read_audio(path, sample_rate=ANALYSIS_RATE, channels=1)[0][:WINDOW_SAMPLES]
    found = features_of(hear_window(audio, session))
    save_tensors(place, {"features": found}, {}, half=True)
    return load_tensors(place)[0]["features"]
