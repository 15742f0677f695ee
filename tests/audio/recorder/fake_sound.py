"""A sound system that does what a test wants."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from singcoach.audio.devices import AudioDevice
from singcoach.audio.recorder.streams import OnAudio, Stream, WrongRateError
from singcoach.core.arrays import FloatArray
from singcoach.errors import SingCoachError

BLOCK_S = 0.01


def device(name: str = "Fake", **changes: object) -> AudioDevice:
    """Return a device with both directions, the default of the system."""
    values: dict[str, object] = {
        "name": name,
        "host_api": "Test",
        "inputs": 1,
        "outputs": 2,
        "default_rate": 48_000,
        "is_default_input": True,
        "is_default_output": True,
    }
    return AudioDevice(**{**values, **changes})  # type: ignore[arg-type]


class FakeStream:
    """Calls in the time of a clock; its microphone hears its loudspeaker some frames later."""

    def __init__(self, backend: FakeBackend, rate: int, channels: int, on_audio: OnAudio) -> None:
        self._backend = backend
        self._on_audio = on_audio
        self.sample_rate = rate
        self.input_channels = channels
        self.output_channels = 2
        self.output_latency_s = 0.0
        self.one_clock = True
        self.active = True
        self._halted = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._backend.start_fault is not None:
            raise self._backend.start_fault
        self._backend.starts += 1
        self._halted.clear()
        self._thread = threading.Thread(target=self._run, name="fake card")
        self._thread.start()

    def halt(self) -> None:
        self._halted.set()
        if self._thread is not None:
            self._thread.join()

    def close(self) -> None:
        self.halt()

    def _run(self) -> None:
        backend = self._backend
        n_frames = round(BLOCK_S * self.sample_rate)
        air = np.zeros(backend.delay_frames, np.float32)
        began_s = time.monotonic()
        calls = 0
        while not self._halted.is_set():
            calls += 1
            due_s = began_s + calls * BLOCK_S
            time.sleep(max(0.0, due_s - time.monotonic()))
            if backend.paused.is_set():
                began_s += BLOCK_S
                calls -= 1
                time.sleep(BLOCK_S)
                continue
            if calls * BLOCK_S > backend.dies_after_s:
                self.active = False
                return
            heard = air[:n_frames] + backend.voice(n_frames)
            played = np.full((n_frames, 2), 9.0, np.float32)
            incoming = np.repeat(heard[:, None], self.input_channels, axis=1)
            self._on_audio(incoming, played, backend.lost())
            air = np.concatenate((air[n_frames:], played[:, 0]))


@dataclass
class FakeBackend:
    """A sound system with the faults that are asked for."""

    connected: list[AudioDevice] = field(default_factory=lambda: [device()])
    rates: tuple[int, ...] = (48_000,)
    delay_frames: int = 480
    dies_after_s: float = float("inf")
    open_fault: SingCoachError | None = None
    start_fault: SingCoachError | None = None
    voice: Callable[[int], FloatArray] = lambda n: np.zeros(n, np.float32)
    lost: Callable[[], bool] = lambda: False
    paused: threading.Event = field(default_factory=threading.Event)
    starts: int = 0
    opened: list[FakeStream] = field(default_factory=list)

    def devices(self) -> list[AudioDevice]:
        return self.connected

    def open(
        self,
        *,
        input_device: AudioDevice,
        output_device: AudioDevice | None,
        sample_rate: int,
        channels: int,
        prompt: bool,
        on_audio: OnAudio,
    ) -> Stream:
        if self.open_fault is not None:
            raise self.open_fault
        if sample_rate not in self.rates:
            raise WrongRateError(str(sample_rate))
        self.opened.append(FakeStream(self, sample_rate, channels, on_audio))
        return self.opened[-1]
