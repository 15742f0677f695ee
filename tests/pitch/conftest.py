"""The network and the recordings that the pitch tests share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray

from singcoach.core.arrays import ANALYSIS_RATE, FloatArray
from singcoach.core.music import PitchTrack
from singcoach.models.catalogue import Catalogue
from singcoach.models.sessions import open_session
from singcoach.pitch.f0 import PitchSession, track_pitch


@pytest.fixture(scope="session")
def pitch_session() -> PitchSession:
    return open_session(Catalogue.default().require("pitch"))


def _read(path: Path) -> FloatArray:
    audio, rate = soundfile.read(path, dtype="float32")
    mono: NDArray[Any] = audio if audio.ndim == 1 else audio.mean(axis=1)
    return np.asarray(soxr.resample(mono, rate, ANALYSIS_RATE), dtype=np.float32)


@pytest.fixture(scope="session")
def vocadito(shared_data: Path) -> Path:
    return shared_data / "vocadito"


@pytest.fixture(scope="session")
def take_1(vocadito: Path) -> FloatArray:
    return _read(vocadito / "Audio" / "vocadito_1.wav")


@pytest.fixture(scope="session")
def take_1_pitch(take_1: FloatArray, pitch_session: PitchSession) -> PitchTrack:
    return track_pitch(take_1, session=pitch_session)
