"""Voices whose regions are known."""

from __future__ import annotations

import numpy as np

from singcoach.core.arrays import FloatArray
from singcoach.core.music import PitchTrack
from singcoach.regions.detector import EventTrack

RATE = 16_000
HOP_S = 0.016


class Voice:
    """A tone that sounds in the given spans, with the pitch track and events it should have."""

    def __init__(
        self,
        spans: list[tuple[float, float]],
        duration_s: float,
        *,
        probabilities: tuple[float, float, float] = (0.0, 0.9, 0.0),
        glide_cents_per_s: float = 0.0,
    ) -> None:
        time_s = np.arange(round(duration_s * RATE)) / RATE
        on = np.zeros(time_s.size, dtype=np.bool_)
        for start_s, end_s in spans:
            on |= (time_s >= start_s) & (time_s < end_s)
        self.audio: FloatArray = np.where(on, 0.3 * np.sin(2 * np.pi * 220.0 * time_s), 0.0).astype(
            np.float32
        )
        times_s = np.arange(-(-time_s.size // 256)) * HOP_S
        sung = np.zeros(times_s.size, dtype=np.bool_)
        for start_s, end_s in spans:
            sung |= (times_s >= start_s) & (times_s < end_s)
        f0_hz = 220.0 * 2.0 ** (glide_cents_per_s * (times_s % 1.0) / 1200.0)
        self.pitch = PitchTrack(
            times_s=times_s,
            f0_hz=np.where(sung, f0_hz, np.nan),
            confidence=np.where(sung, 0.95, 0.0),
            hop_s=HOP_S,
        )
        n_frames = -(-time_s.size // 160)
        self.events = EventTrack(
            probabilities=np.tile(np.array(probabilities, dtype=np.float32), (n_frames, 1))
        )
