"""Choosing and testing microphone and loudspeaker, as plain values."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from singcoach.audio.devices import AudioDevice, choose_input, choose_output, pair_key
from singcoach.core.arrays import FloatArray
from singcoach.errors import DeviceError
from singcoach.gui.settings import StoredLatency
from singcoach.gui.texts import text

QUIET_DB: Final = -42.0
"""A voice whose mean level stays below is too quiet to be judged well."""
HEARD_DB: Final = -58.0
"""Below this nobody sings; what is there is the room."""
CLIP_DB: Final = -0.3
GOOD_QUALITY: Final = 0.5

_SILENT_S = 1.5
_LISTEN_S = 2.5
_WINDOW_S = 4.0
_CLIP_SHOWN_S = 3.0
_KEPT_S = 8.0

Advice = Literal["starting", "sing", "silent", "quiet", "good", "loud"]
Direction = Literal["input", "output"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceChoiceRow:
    """A line of a list of devices: its key (None: what the system uses) and its words."""

    key: str | None
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayView:
    """What is known of the delay of the pair in use.

    Attributes
    ----------
    value_ms
        None when it was never measured.
    words
        One sentence on how good it is, or why to measure.
    good
        Whether it may be relied on.
    """

    value_ms: float | None
    words: str
    good: bool


class SoundSetup:
    """The devices that are there and the pair that is in use.

    Parameters
    ----------
    devices
        As :func:`singcoach.audio.devices.list_devices` returns them.
    input_key, output_key
        What the user chose; None is what the system uses.
    latencies
        Calibrations by :func:`singcoach.audio.devices.pair_key`.
    """

    def __init__(
        self,
        devices: Sequence[AudioDevice],
        *,
        input_key: str | None,
        output_key: str | None,
        latencies: Mapping[str, StoredLatency],
    ) -> None:
        self._devices = tuple(devices)
        self._keys: dict[Direction, str | None] = {"input": input_key, "output": output_key}
        self._latencies = latencies

    def has(self, direction: Direction) -> bool:
        """Whether there is any device at all."""
        return bool(self._able(direction))

    def key(self, direction: Direction) -> str | None:
        """What the user chose."""
        return self._keys[direction]

    def rows(self, direction: Direction) -> list[DeviceChoiceRow]:
        """Return the list to choose from; a chosen device that is gone is its last line."""
        able = self._able(direction)
        default = next((device for device in able if _is_default(device, direction)), None)
        words = (
            text("sound.system")
            if default is None
            else text("sound.system_named", name=_name(default, able))
        )
        rows = [DeviceChoiceRow(key=None, words=words)]
        rows += [DeviceChoiceRow(key=device.key, words=_name(device, able)) for device in able]
        chosen = self._keys[direction]
        if chosen is not None and all(device.key != chosen for device in able):
            name = chosen.partition("|")[2] or chosen
            rows.append(DeviceChoiceRow(key=chosen, words=text("sound.not_connected", name=name)))
        return rows

    @property
    def pair(self) -> str | None:
        """The key under which the delay of the pair in use is kept; None without a pair."""
        try:
            source = choose_input(self._devices, self._keys["input"])
            sink = choose_output(self._devices, self._keys["output"])
        except DeviceError:
            return None
        return pair_key(source, sink)

    def delay(self) -> DelayView:
        """Return what is known of the delay of the pair in use."""
        pair = self.pair
        stored = None if pair is None else self._latencies.get(pair)
        if stored is None:
            words = text("sound.delay_changed") if self._latencies else ""
            return DelayView(value_ms=None, words=words, good=False)
        good = stored.quality >= GOOD_QUALITY
        words = text("sound.delay_good") if good else text("sound.delay_fair")
        return DelayView(value_ms=stored.latency_ms, words=words, good=good)

    def _able(self, direction: Direction) -> list[AudioDevice]:
        if direction == "input":
            return [device for device in self._devices if device.inputs > 0]
        return [device for device in self._devices if device.outputs > 0]


class MicrophoneTest:
    """What to say while somebody sings into the microphone, and the last seconds of it."""

    def __init__(self) -> None:
        self._levels: deque[tuple[float, float]] = deque()
        self._clipped = 0
        self._clipped_at_s = float("-inf")
        self._sound: deque[FloatArray] = deque()
        self._frames = 0

    def note(
        self,
        *,
        time_s: float,
        started: bool,
        level_db: float,
        peak_db: float,
        clipped_samples: int,
        silent_s: float,
    ) -> Advice:
        """Take in how it goes at second ``time_s`` of the recording and return the advice."""
        if not started:
            return "starting"
        if clipped_samples > self._clipped or peak_db >= CLIP_DB:
            self._clipped, self._clipped_at_s = clipped_samples, time_s
        self._levels.append((time_s, level_db))
        while self._levels and self._levels[0][0] < time_s - _WINDOW_S:
            self._levels.popleft()
        if silent_s >= _SILENT_S:
            return "silent"
        if time_s - self._clipped_at_s < _CLIP_SHOWN_S:
            return "loud"
        loudest_db = max(level for _, level in self._levels)
        if loudest_db >= QUIET_DB:
            return "good"
        if loudest_db >= HEARD_DB and time_s >= _LISTEN_S:
            return "quiet"
        return "sing"

    def keep(self, samples: FloatArray, sample_rate: int) -> None:
        """Keep ``samples`` of the last seconds, to be heard afterwards."""
        if samples.shape[0] == 0:
            return
        self._sound.append(samples)
        self._frames += samples.shape[0]
        while self._frames - self._sound[0].shape[0] > _KEPT_S * max(1, sample_rate):
            self._frames -= self._sound.popleft().shape[0]

    @property
    def sound(self) -> FloatArray:
        """The last seconds, mono."""
        return np.concatenate(self._sound) if self._sound else np.zeros(0, np.float32)


def sample_sound(sample_rate: int) -> FloatArray:
    """Return three soft notes of a major triad, to hear whether a loudspeaker works."""
    parts = []
    for frequency_hz in (261.63, 329.63, 392.0):
        times_s = np.arange(round(0.45 * sample_rate)) / sample_rate
        envelope = np.minimum(1.0, times_s / 0.02) * np.exp(-3.0 * times_s)
        tone = np.sin(2 * np.pi * frequency_hz * times_s)
        tone += 0.3 * np.sin(4 * np.pi * frequency_hz * times_s)
        parts.append(0.25 * envelope * tone)
    return np.concatenate(parts).astype(np.float32)


def _is_default(device: AudioDevice, direction: Direction) -> bool:
    return device.is_default_input if direction == "input" else device.is_default_output


def _name(device: AudioDevice, among: Sequence[AudioDevice]) -> str:
    """Return the name, with the host API only where another device has the same name."""
    alike = [other for other in among if other.name == device.name]
    return device.name if len(alike) == 1 else f"{device.name} ({device.host_api})"
