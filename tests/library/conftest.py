"""A library in a folder of its own, and recordings to put into it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from singcoach.audio.writing import write_wav
from singcoach.library.store import Library
from singcoach.library.values import Singer


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "library"


@pytest.fixture
def library(home: Path) -> Iterator[Library]:
    with Library.open(home) as opened:
        yield opened


@pytest.fixture
def singer(library: Library) -> Singer:
    return library.add_singer("Ana")


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    times = np.arange(16_000) / 16_000
    path = tmp_path / "Café song.wav"
    write_wav(path, (0.1 * np.sin(2750.0 * times)).astype(np.float32)[None], sample_rate=16_000)
    return path
