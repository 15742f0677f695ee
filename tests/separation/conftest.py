"""The shipped networks, and songs whose parts are known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from singcoach import resources
from singcoach.models.catalogue import Catalogue
from singcoach.models.sessions import Session, open_session


@dataclass(frozen=True)
class Networks:
    vocals: Session
    accompaniment: Session

    @property
    def both(self) -> dict[str, Session]:
        return {"vocals": self.vocals, "accompaniment": self.accompaniment}


@dataclass(frozen=True)
class Song:
    """A mixture built from a voice and a band that are known, float32 ``(2, n)`` at 44.1 kHz."""

    voice: np.ndarray
    band: np.ndarray

    @property
    def mixture(self) -> np.ndarray:
        return self.voice + self.band


@pytest.fixture(scope="session")
def networks() -> Networks:
    catalogue = Catalogue([resources.models_dir()])
    return Networks(
        *(open_session(catalogue.require("separation", p)) for p in ("vocals", "accompaniment"))
    )


@pytest.fixture(scope="session")
def song(shared_data: Path) -> Song:
    """A real voice over a real band, equal power, 33 s."""
    voice = soundfile.read(shared_data / "vocadito/Audio/vocadito_1.wav", dtype="float32")[0]
    stems = [
        soundfile.read(shared_data / "stems_falcon69" / f"{name}.flac", dtype="float32")[0].T
        for name in ("drums", "bass", "other")
    ]
    band = np.sum(stems, axis=0)
    band = np.tile(band, -(-voice.size // band.shape[1]))[:, : voice.size]
    voice = np.stack([voice, voice])
    voice = voice / np.sqrt(np.mean(voice**2))
    band = band / np.sqrt(np.mean(band**2))
    gain = 0.9 / np.abs(voice + band).max()
    return Song(voice=(voice * gain).astype(np.float32), band=(band * gain).astype(np.float32))
