"""Opening microphone and loudspeaker, in one stream wherever that is possible."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

from singcoach.audio.device_faults import from_portaudio, is_wrong_rate, no_sound_system
from singcoach.audio.devices import AudioDevice, devices_here, index_of
from singcoach.core.arrays import FloatArray
from singcoach.errors import DeviceError

OnAudio: TypeAlias = Callable[[FloatArray | None, FloatArray | None, bool], None]
"""Called with input ``(n, channels)``, output to fill, and whether sound was lost before this.

In one stream for both, input and output are there together and belong together; otherwise one of
them is None.
"""

_LONGEST_LATENCY_S = 0.05
_BACKING_LATENCY_S = 0.3
"""On Linux the sound server runs dry with less whenever the computer is busy, and every such gap
moves the rest of the backing against the voice. Nobody hears a backing's constant delay."""
_CLOSE_S = 1.0
_OTHER_RATES = (48_000, 44_100)


class Stream(Protocol):
    """A running connection to the sound card."""

    sample_rate: int
    input_channels: int
    output_channels: int
    output_latency_s: float
    """Time from the callback to the loudspeaker in seconds, as the driver states it."""
    one_clock: bool
    """Whether input and output come together in one callback."""

    def start(self) -> None:
        """Begin to call. Raises DeviceError."""

    def halt(self) -> None:
        """Stop calling; :meth:`start` begins anew."""

    @property
    def active(self) -> bool:
        """False once the sound card has gone away."""

    def close(self) -> None:
        """End within about a second, whatever the driver does."""


class Backend(Protocol):
    """A sound system."""

    def devices(self) -> list[AudioDevice]:
        """Return what is connected."""

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
        """Connect; ``channels`` counts those of the input, ``prompt`` wants a quick output.

        Raises DeviceError or WrongRateError.
        """


class WrongRateError(Exception):
    """The devices do not work at the rate that was asked for."""


def open_stream(
    backend: Backend,
    *,
    input_device: AudioDevice,
    output_device: AudioDevice | None,
    wanted_rate: int | None,
    channels: int,
    prompt: bool,
    on_audio: OnAudio,
) -> Stream:
    """Open at the wanted rate, or at the next best one that the devices know.

    Raises
    ------
    DeviceError
        Busy, gone, no permission, or no usable rate.
    """
    rates = [wanted_rate, input_device.default_rate]
    rates += [output_device.default_rate] if output_device is not None else []
    last: WrongRateError | None = None
    for rate in dict.fromkeys((*rates, *_OTHER_RATES)):
        if not rate:
            continue
        try:
            return backend.open(
                input_device=input_device,
                output_device=output_device,
                sample_rate=rate,
                channels=min(channels, input_device.inputs),
                prompt=prompt,
                on_audio=on_audio,
            )
        except WrongRateError as error:
            last = error
    raise DeviceError(
        f"{input_device.name} does not work at any usual sample rate",
        hint="Choose 44100 or 48000 Hz in the system's sound settings",
        detail=str(last),
    )


class PortAudio:
    """The sound system of this machine.

    Raises
    ------
    DeviceError
        PortAudio or the package that reaches it is missing.
    """

    def __init__(self) -> None:
        try:
            import sounddevice
        except (ImportError, OSError) as error:
            raise no_sound_system(str(error)) from error
        self._sd = sounddevice

    def devices(self) -> list[AudioDevice]:
        """Return what is connected, as of the start of this process."""
        return devices_here(self._sd)

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
        """Connect in one stream, or in two where the devices belong to different systems."""
        asked = _Asked(
            sd=self._sd,
            input_device=input_device,
            output_device=output_device,
            sample_rate=sample_rate,
            channels=channels,
            prompt=prompt,
            on_audio=on_audio,
        )
        try:
            if output_device is None:
                return _Streams([asked.input_only], asked)
            if output_device.host_api == input_device.host_api:
                with contextlib.suppress(_CombinationError):
                    return _Streams([asked.both], asked)
            return _Streams([asked.input_only, asked.output_only], asked)
        except self._sd.PortAudioError as error:
            if is_wrong_rate(error):
                raise WrongRateError(str(error)) from error
            raise from_portaudio(error, input_device.name) from error


class _CombinationError(Exception):
    pass


class _Asked:
    """What was asked for, and the ways to open it."""

    def __init__(
        self,
        *,
        sd: Any,
        input_device: AudioDevice,
        output_device: AudioDevice | None,
        sample_rate: int,
        channels: int,
        prompt: bool,
        on_audio: OnAudio,
    ) -> None:
        self._prompt = prompt
        self.sd = sd
        self.input_device = input_device
        self.output_device = output_device
        self.sample_rate = sample_rate
        self.input_channels = channels
        self.output_channels = 0 if output_device is None else min(2, output_device.outputs)
        self._on_audio = on_audio

    def both(self) -> Any:
        if self.output_device is None:
            raise ValueError("no output was asked for")

        def callback(indata: Any, outdata: Any, _frames: int, _time: Any, status: Any) -> None:
            lost = status.input_overflow or status.output_underflow
            self._on_audio(indata, outdata, bool(lost))

        source = index_of(self.input_device, self.sd)
        sink = index_of(self.output_device, self.sd)
        try:
            return self.sd.Stream(
                samplerate=self.sample_rate,
                device=(source, sink),
                channels=(self.input_channels, self.output_channels),
                dtype="float32",
                latency=(self._latency_s(source, "input"), self._latency_s(sink, "output")),
                callback=callback,
                extra_settings=self._extra(twice=True),
            )
        except self.sd.PortAudioError as error:
            if self.input_device.key != self.output_device.key and not self._each_works():
                raise
            if is_wrong_rate(error):
                raise
            raise _CombinationError from error

    def input_only(self) -> Any:
        def callback(indata: Any, _frames: int, _time: Any, status: Any) -> None:
            self._on_audio(indata, None, bool(status.input_overflow))

        index = index_of(self.input_device, self.sd)
        return self.sd.InputStream(
            samplerate=self.sample_rate,
            device=index,
            channels=self.input_channels,
            dtype="float32",
            latency=self._latency_s(index, "input"),
            callback=callback,
            extra_settings=self._extra(),
        )

    def output_only(self) -> Any:
        if self.output_device is None:
            raise ValueError("no output was asked for")

        def callback(outdata: Any, _frames: int, _time: Any, status: Any) -> None:
            self._on_audio(None, outdata, bool(status.output_underflow))

        index = index_of(self.output_device, self.sd)
        return self.sd.OutputStream(
            samplerate=self.sample_rate,
            device=index,
            channels=self.output_channels,
            dtype="float32",
            latency=self._latency_s(index, "output"),
            callback=callback,
            extra_settings=self._extra(),
        )

    def _each_works(self) -> bool:
        if self.output_device is None:
            return False
        try:
            self.sd.check_input_settings(
                device=index_of(self.input_device, self.sd),
                channels=self.input_channels,
                samplerate=self.sample_rate,
            )
            self.sd.check_output_settings(
                device=index_of(self.output_device, self.sd),
                channels=self.output_channels,
                samplerate=self.sample_rate,
            )
        except self.sd.PortAudioError:
            return False
        return True

    def _latency_s(self, index: int, kind: str) -> float:
        """Return the driver's safe latency, but none that a singer would notice on the screen."""
        row = self.sd.query_devices(index)
        if kind == "output" and not self._prompt and self.input_device.host_api == "ALSA":
            return _BACKING_LATENCY_S
        low, high = row[f"default_low_{kind}_latency"], row[f"default_high_{kind}_latency"]
        return float(min(high, max(low, _LONGEST_LATENCY_S)))

    def _extra(self, *, twice: bool = False) -> Any:
        """Let Windows convert the rate, as every other program there does."""
        if self.input_device.host_api != "Windows WASAPI":
            return None
        settings = self.sd.WasapiSettings(auto_convert=True)
        return (settings, settings) if twice else settings


class _Streams:
    """One stream of PortAudio, or one for each direction."""

    def __init__(self, openers: Sequence[Callable[[], Any]], asked: _Asked) -> None:
        self._openers = openers
        self._streams = [opener() for opener in openers]
        self.sample_rate = asked.sample_rate
        self.input_channels = asked.input_channels
        self.output_channels = asked.output_channels
        self.one_clock = len(openers) == 1
        self.output_latency_s = (
            _output_latency_s(self._streams[-1]) if asked.output_channels else 0.0
        )
        self._name = asked.input_device.name
        self._error: type[Exception] = asked.sd.PortAudioError

    def start(self) -> None:
        try:
            if not self._streams:
                self._streams = [opener() for opener in self._openers]
            for stream in self._streams:
                stream.start()
        except (self._error, _CombinationError) as error:
            self.close()
            raise from_portaudio(error, self._name) from error

    def halt(self) -> None:
        # Some sound servers answer no more to a stream that was stopped: open another one.
        self.close()
        self._streams = []

    @property
    def active(self) -> bool:
        return bool(self._streams) and all(bool(stream.active) for stream in self._streams)

    def close(self) -> None:
        # A driver whose device is gone may never come back from this: not our thread then.
        streams = list(self._streams)
        closer = threading.Thread(
            target=self._close, args=(streams,), name="close stream", daemon=True
        )
        closer.start()
        closer.join(_CLOSE_S)

    def _close(self, streams: Sequence[Any]) -> None:
        for stream in streams:
            with contextlib.suppress(self._error):
                stream.abort()
            with contextlib.suppress(self._error):
                stream.close()


def _output_latency_s(stream: Any) -> float:
    latency = stream.latency
    return float(latency[1] if isinstance(latency, tuple) else latency)
