"""The network and the recordings that the pitch tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
from pitch_signals import read_mono

from singcoach.core.arrays import FloatArray
from singcoach.core.music import PitchTrack
from singcoach.models.catalogue import Catalogue
from singcoach.models.sessions import open_session
from singcoach.pitch.f0 import PitchSession, track_pitch


@pytest.fixture(scope="session")
def pitch_session() -> PitchSession:
    return open_session(Catalogue.default().require("pitch"))


@pytest.fixture(scope="session")
def vocadito(shared_data: Path) -> Path:
    return shared_data / "vocadito"


@pytest.fixture(scope="session")
def take_1(vocadito: Path) -> FloatArray:
    return read_mono(vocadito / "Audio" / "vocadito_1.wav")


@pytest.fixture(scope="session")
def take_1_pitch(take_1: FloatArray, pitch_session: PitchSession) -> PitchTrack:
    return track_pitch(take_1, session=pitch_session)
