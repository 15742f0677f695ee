"""A corpus of four singers whose takes last two seconds, and an encoder that hears simply."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from singcoach.training.corpus import Manifest, Row, Source, write_labels, write_manifest

EDITS = (("original", 0.0), ("neutral", 0.0), ("breathiness", 0.5), ("breathiness", 1.0))
EDITS += (("flat_dynamics", 1.0),)
SINGERS = ("anna", "ben", "cleo", "dan")


def write_corpus(folder: Path) -> Path:
    """Breathiness is noise and can be heard; flat dynamics change nothing."""
    (folder / "audio").mkdir(parents=True)
    rows = []
    times_s = np.arange(32_000) / 16_000
    for n, singer in enumerate(SINGERS):
        draw = np.random.default_rng(n)
        for edit, severity in EDITS:
            tone = 0.3 * np.sin(2.0 * np.pi * (180.0 + 40.0 * n) * times_s)
            level = 0.1 * severity if edit == "breathiness" else 0.0
            audio = tone + (0.001 + level) * draw.normal(size=len(times_s))
            item = f"{n}-{singer}-{edit}-{int(10 * severity)}"
            file = f"audio/{item}.flac"
            soundfile.write(folder / file, audio, 16_000)
            rows.append(
                Row(
                    item=item,
                    file=file,
                    corpus="made",
                    singer=singer,
                    song=f"song{n}",
                    group=f"{n}-{singer}",
                    edit=edit,
                    severity=severity,
                    split="train",
                )
            )
    write_labels(folder, rows)
    source = Source(name="made here", licence="CC0", attribution="nobody", files=("a",))
    write_manifest(folder, Manifest(seed=0, takes=len(rows), shippable=True, sources=(source,)))
    return folder


class SimpleEncoder:
    """Two frames of the picture become one row of 512 numbers."""

    def __init__(self) -> None:
        self.n_runs = 0
        self._map = np.random.default_rng(9).normal(size=(80, 512)).astype(np.float32) / 9.0

    def run(self, inputs: dict[str, NDArray[Any]], /) -> list[NDArray[Any]]:
        self.n_runs += 1
        mel = inputs["mel"][0]
        halved = mel[:, ::2] + mel[:, 1::2]
        return [np.tanh(halved.T @ self._map + 0.2)[None]]
