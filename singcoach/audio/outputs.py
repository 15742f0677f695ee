"""Where played sound goes: a loudspeaker, or a clock where there is none."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import numpy as np

from singcoach.audio.device_faults import from_portaudio, is_wrong_rate, no_sound_system
from singcoach.audio.devices import AudioDevice, choose_output, devices_here, index_of
from singcoach.core.arrays import FloatArray
from singcoach.errors import DeviceError

BUFFER_S = 0.15
"""Sound that waits at the loudspeaker; a stutter of the computer below this is not heard."""
_GONE_S = 3.0


class Output(Protocol):
    """Takes sound at its own pace."""

    latency_s: float
    """Seconds from :meth:`write` to the ear."""

    def write(self, block: FloatArray) -> None:
        """Take ``block`` of shape ``(n, channels)``; waits while enough is queued.

        Raises
        ------
        DeviceError
            The device is gone.
        """

    def halt(self) -> None:
        """Drop what is queued, at once."""

    def close(self) -> None:
        """Let the device go."""


OpenOutput: TypeAlias = Callable[[int, int], Output]
"""Takes a sample rate in Hz and a number of channels; raises DeviceError."""


class SilentOutput:
    """Plays nothing in the time that playing would take.

    Parameters
    ----------
    sample_rate
        In Hz.
    """

    latency_s = 0.0

    def __init__(self, sample_rate: int, _channels: int) -> None:
        self._rate = sample_rate
        self._due_s = 0.0

    def write(self, block: FloatArray) -> None:
        """Wait as long as ``block`` lasts."""
        now_s = time.monotonic()
        self._due_s = max(self._due_s, now_s) + block.shape[0] / self._rate
        time.sleep(max(0.0, self._due_s - now_s))

    def halt(self) -> None:
        """Forget what was queued."""
        self._due_s = 0.0

    def close(self) -> None:
        """Nothing to let go of."""


class Loudspeaker:
    """An output of this machine, found anew each time so that it may come and go.

    Parameters
    ----------
    wanted
        :attr:`AudioDevice.key`; None is the system's default.
    sample_rate, channels
        Of what will be written; another rate of the device is met by resampling.

    Raises
    ------
    DeviceError
        No such device, busy, no sound system.
    """

    def __init__(self, wanted: str | None, sample_rate: int, channels: int) -> None:
        try:
            import sounddevice
        except (ImportError, OSError) as error:
            raise no_sound_system(str(error)) from error
        self._sd: Any = sounddevice
        self._resampler: Any = None
        device = _found(wanted, sounddevice)
        self._name = device.name
        try:
            self._stream = self._open(device, sample_rate, channels)
        except sounddevice.PortAudioError as error:
            if not is_wrong_rate(error):
                raise from_portaudio(error, self._name) from error
            self._stream = self._converting(device, sample_rate, channels)
        self.latency_s = float(self._stream.latency)

    def write(self, block: FloatArray) -> None:
        """Play ``block``; waits while enough is queued."""
        if self._resampler is not None:
            block = self._resampler.resample_chunk(np.ascontiguousarray(block))
        try:
            if not self._stream.active:
                self._stream.start()
            self._wait_for_room(block.shape[0])
            self._stream.write(np.ascontiguousarray(block, np.float32))
        except self._sd.PortAudioError as error:
            raise from_portaudio(error, self._name) from error

    def halt(self) -> None:
        """Drop what is queued, at once."""
        with contextlib.suppress(self._sd.PortAudioError):
            self._stream.abort()

    def close(self) -> None:
        """Let the device go."""
        with contextlib.suppress(self._sd.PortAudioError):
            self._stream.close()

    def _wait_for_room(self, n_frames: int) -> None:
        """Wait without holding the device, so that one that is gone does not hold us."""
        end_s = time.monotonic() + _GONE_S
        while self._stream.write_available < min(n_frames, self._room):
            if time.monotonic() > end_s:
                raise DeviceError(
                    f"{self._name} takes no sound any more",
                    hint="Plug it in again, or choose another device",
                )
            time.sleep(0.005)

    def _open(self, device: AudioDevice, sample_rate: int, channels: int) -> Any:
        extra = None
        if device.host_api == "Windows WASAPI":
            extra = self._sd.WasapiSettings(auto_convert=True)
        stream = self._sd.OutputStream(
            device=index_of(device, self._sd),
            samplerate=sample_rate,
            channels=channels,
            dtype="float32",
            latency=BUFFER_S,
            extra_settings=extra,
        )
        stream.start()
        self._room = max(1, int(stream.write_available) // 2)
        return stream

    def _converting(self, device: AudioDevice, sample_rate: int, channels: int) -> Any:
        import soxr

        rate = device.default_rate
        self._resampler = soxr.ResampleStream(sample_rate, rate, channels, dtype="float32")
        try:
            return self._open(device, rate, channels)
        except self._sd.PortAudioError as error:
            raise from_portaudio(error, self._name) from error


def _found(wanted: str | None, sounddevice: Any) -> AudioDevice:
    """Return the device; PortAudio looks again when it does not know it (only we use it here)."""
    try:
        return choose_output(devices_here(sounddevice), wanted)
    except DeviceError:
        sounddevice._terminate()
        sounddevice._initialize()
        return choose_output(devices_here(sounddevice), wanted)
