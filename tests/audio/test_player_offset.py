"""Two recordings in step whose distance changes while they play."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from singcoach.audio.player import Player
from singcoach.audio.sounds import ArraySound
from singcoach.core.arrays import FloatArray

RATE = 8000


class Ear:
    """Hears quickly what is played."""

    latency_s = 0.0

    def __init__(self, sample_rate: int, channels: int) -> None:
        self.heard: list[float] = []
        self.lock = threading.Lock()

    def write(self, block: FloatArray) -> None:
        with self.lock:
            self.heard += block[:, 0].tolist()
        time.sleep(0.005)

    def halt(self) -> None:
        with self.lock:
            self.heard.clear()

    def close(self) -> None:
        with self.lock:
            self.heard.clear()


def ramp(n_s: float) -> FloatArray:
    """A sound whose value tells the second: 0.01 a second."""
    return (np.arange(int(n_s * RATE)) / RATE * 0.01).astype(np.float32)


@pytest.mark.parametrize("offset_s", [0.0, 2.5, -1.5])
def test_offset_says_where_the_second_is(offset_s: float) -> None:
    ears: list[Ear] = []

    def open_output(sample_rate: int, channels: int) -> Ear:
        ears.append(Ear(sample_rate, channels))
        return ears[-1]

    player = Player(open_output=open_output)
    try:
        player.set_sounds(
            ArraySound(ramp(10), sample_rate=RATE), ArraySound(ramp(10), sample_rate=RATE)
        )
        player.set_offset(offset_s)
        player.choose(1)
        player.play(4.0, 5.0)
        until_s = time.monotonic() + 5.0
        while (not ears or len(ears[-1].heard) < RATE // 10) and time.monotonic() < until_s:
            time.sleep(0.01)
        with ears[-1].lock:
            first = ears[-1].heard[RATE // 20]
        assert first == pytest.approx(0.01 * (4.0 + offset_s + 0.05), abs=0.0005)
    finally:
        player.close()
