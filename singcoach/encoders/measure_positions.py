"""Measure what the embedded encoders answer at each place of a window whatever is sung.

Run as ``python -m singcoach.encoders.measure_positions DATA_FOLDER``, where DATA_FOLDER holds
``vocadito`` (CC BY 4.0), ``vocalset_1s`` (CC BY 4.0) and ``vocobox`` (MIT), the recordings whose
licences let the result ship. It rewrites ``whisper_base_positions.npz`` beside the recipe of the
model, which ``singcoach models build`` then puts into the model, and
``whisper_base_singing_positions.npz``, which the singing encoder gets when it is cut out. Half of
the variance of the answers depends on the place alone: the same bar of a song would look different
at another place.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import singcoach.models.build
import singcoach.models.whisper
from singcoach.audio.reading import read_audio
from singcoach.core.arrays import ANALYSIS_RATE
from singcoach.encoders.log_mel import log_mel
from singcoach.encoders.song import Encoder
from singcoach.models.catalogue import Catalogue, VerifiedModel
from singcoach.models.sessions import open_session
from singcoach.models.whisper.config import GENERAL, SINGING
from singcoach.models.whisper.products import PositionTable
from singcoach.models.whisper.truncated import N_BLOCKS, N_POSITIONS, POSITIONS_NAME, truncated

N_SHIFTS = 36
RANK = 48
_EVERY_NTH = {"vocadito": 1, "vocalset_1s": 3, "vocobox": 3}


def read_singing(data: Path) -> NDArray[np.float32]:
    """Return the clean-licence recordings in a row, 16 kHz mono, each with its peak at 0.5."""
    pieces = []
    for folder, step in _EVERY_NTH.items():
        found = sorted(p for p in (data / folder).rglob("*") if p.suffix in {".wav", ".flac"})
        for path in found[::step]:
            mono = read_audio(path, sample_rate=ANALYSIS_RATE, channels=1)[0]
            pieces.append(mono * (0.5 / max(1e-6, float(np.abs(mono).max()))))
    return np.concatenate(pieces).astype(np.float32)


def measure(
    singing: NDArray[np.float32], *, session: Encoder, n_window: int
) -> dict[str, NDArray[Any]]:
    """Return the table: the mean over ``N_SHIFTS`` starts of the singing joined to a ring."""
    ring = log_mel(singing)
    n_ring = ring.shape[1]
    mean = np.zeros((n_window, 512))
    for i in range(N_SHIFTS):
        columns = (n_ring * (2 * i + 1) // (2 * N_SHIFTS) + np.arange(2 * n_window)) % n_ring
        mean += session.run({"mel": np.ascontiguousarray(ring[None, :, columns])})[0][0]
    left, sizes, right = np.linalg.svd(mean / N_SHIFTS, full_matrices=False)
    return {
        "places": (left[:, :RANK] * sizes[:RANK]).astype(np.float16),
        "directions": right[:RANK].astype(np.float16),
    }


if __name__ == "__main__":
    recordings = read_singing(Path(sys.argv[1]))
    shipped = Catalogue.default().require("encoder_general")
    general = open_session(shipped)
    table = measure(recordings, session=general, n_window=GENERAL.window_rows)
    recipes = Path(singcoach.models.build.__file__).parent
    np.savez(recipes / "whisper_base_positions.npz", **table)  # type: ignore[arg-type]
    # What the table says now is taken away after the features are made, so it does not matter.
    none = PositionTable(np.zeros((N_POSITIONS, 1), np.float16), np.zeros((1, 512), np.float16))
    content = truncated(shipped.content, N_BLOCKS, places=none.places, directions=none.directions)
    first_blocks = open_session(VerifiedModel(entry=shipped.entry, content=content))
    table = measure(recordings, session=first_blocks, n_window=SINGING.window_rows)
    home = Path(singcoach.models.whisper.__file__).parent
    np.savez(home / POSITIONS_NAME, **table)  # type: ignore[arg-type]
