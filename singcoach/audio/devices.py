"""Microphones and loudspeakers, identified by what stays the same when they come back.

PortAudio numbers devices anew at every start and never notices that one was plugged in, so the
list is read by a fresh process each time, and a device is known by its name and host API.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from singcoach.audio.device_faults import no_input, no_output, no_sound_system, unknown_device
from singcoach.errors import DeviceError

_LIST_TIMEOUT_S = 20.0
_BEST_WINDOWS_API = "Windows WASAPI"
_ALSA_PLUGINS = frozenset(
    (
        *("a52", "cards", "dmix", "dsnoop", "front", "hdmi", "iec958", "jack", "lavrate", "modem"),
        *("null", "oss", "phoneline", "samplerate", "samplerate_best", "samplerate_linear"),
        *("samplerate_medium", "samplerate_order", "spdif", "speex", "speexrate", "surround21"),
        *("surround40", "surround41", "surround50", "surround51", "surround71", "sysdefault"),
        *("upmix", "usbstream", "vdownmix"),
    )
)
"""Recipes for devices, which PortAudio lists beside the devices of ALSA."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioDevice:
    """A microphone, a loudspeaker, or both.

    Attributes
    ----------
    name, host_api
        As the system calls them; together they identify the device (:attr:`key`).
    inputs, outputs
        Number of channels; 0 means that it cannot record or cannot play.
    default_rate
        Its own sample rate in Hz.
    is_default_input, is_default_output
        Whether the system uses it when nobody chooses.
    """

    name: str
    host_api: str
    inputs: int
    outputs: int
    default_rate: int
    is_default_input: bool
    is_default_output: bool

    @property
    def key(self) -> str:
        """What settings remember: ``"ALSA|pulse"``."""
        return f"{self.host_api}|{self.name}"

    @property
    def is_default(self) -> bool:
        """Whether the system uses it in either direction when nobody chooses."""
        return self.is_default_input or self.is_default_output


def list_devices() -> list[AudioDevice]:
    """Return the devices that are there now, the defaults first.

    Takes about a third of a second (a process of its own asks, so that a driver that hangs or
    crashes harms nothing); call it beside the window's thread. Empty without any sound card.

    Raises
    ------
    DeviceError
        The sound system cannot be asked at all.
    """
    command = [sys.executable, "-P", "-m", "singcoach.audio.devices"]
    try:
        answer = subprocess.run(
            command,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_LIST_TIMEOUT_S,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise no_sound_system(str(error)) from error
    try:
        rows = json.loads(answer.stdout.decode("utf-8").splitlines()[-1])
        devices = [AudioDevice(**row) for row in rows]
    except (ValueError, TypeError, IndexError) as error:
        detail = answer.stderr.decode("utf-8", "replace")[-400:]
        raise no_sound_system(detail or str(error)) from error
    return sorted(devices, key=lambda device: not device.is_default)


def pair_key(input_device: AudioDevice, output_device: AudioDevice) -> str:
    """Return the name under which the latency of a pair of devices is kept."""
    return f"{input_device.key} + {output_device.key}"


def choose_input(devices: Sequence[AudioDevice], wanted: str | None = None) -> AudioDevice:
    """Return the microphone with the key (or name) ``wanted``, or the default one.

    Raises
    ------
    DeviceError
        There is no microphone at all, or not this one.
    """
    able = [device for device in devices if device.inputs > 0]
    if not able:
        raise no_input()
    return _choose(able, wanted, [device for device in able if device.is_default_input])


def choose_output(devices: Sequence[AudioDevice], wanted: str | None = None) -> AudioDevice:
    """Return the loudspeaker with the key (or name) ``wanted``, or the default one.

    Raises
    ------
    DeviceError
        There is no loudspeaker at all, or not this one.
    """
    able = [device for device in devices if device.outputs > 0]
    if not able:
        raise no_output()
    return _choose(able, wanted, [device for device in able if device.is_default_output])


def _choose(
    able: Sequence[AudioDevice], wanted: str | None, defaults: Sequence[AudioDevice]
) -> AudioDevice:
    if wanted is None:
        return (*defaults, *able)[0]
    for device in able:
        if device.key == wanted:
            return device
    lowered = wanted.casefold()
    for matches in (
        [device for device in able if device.name.casefold() == lowered],
        [device for device in able if lowered in device.key.casefold()],
    ):
        if matches:
            return matches[0]
    raise unknown_device(wanted)


def devices_here(sounddevice: Any) -> list[AudioDevice]:
    """Return what PortAudio knows in this process; ``sounddevice`` is the module."""
    apis = list(sounddevice.query_hostapis())
    found = list(sounddevice.query_devices())
    usable = [
        index
        for api in _worthwhile(apis)
        for index in api["devices"]
        if not _is_recipe(api["name"], found[index]["name"])
    ]
    chosen_input, chosen_output = (int(index) for index in sounddevice.default.device)
    default_input, default_output = (
        _default(apis, chosen, kind)
        for chosen, kind in ((chosen_input, "input"), (chosen_output, "output"))
    )
    return [
        AudioDevice(
            name=str(found[index]["name"]),
            host_api=str(apis[found[index]["hostapi"]]["name"]),
            inputs=int(found[index]["max_input_channels"]),
            outputs=int(found[index]["max_output_channels"]),
            default_rate=round(found[index]["default_samplerate"]),
            is_default_input=index == default_input,
            is_default_output=index == default_output,
        )
        for index in usable
    ]


def index_of(device: AudioDevice, sounddevice: Any) -> int:
    """Return PortAudio's number of ``device`` in this process.

    Raises
    ------
    DeviceError
        It is no longer there.
    """
    apis = sounddevice.query_hostapis()
    for index, row in enumerate(sounddevice.query_devices()):
        if row["name"] == device.name and apis[row["hostapi"]]["name"] == device.host_api:
            return index
    raise unknown_device(device.key)


def _worthwhile(apis: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out the older ways to the same devices on Windows."""
    rows = [api for api in apis if api["devices"]]
    best = [api for api in rows if api["name"] == _BEST_WINDOWS_API]
    return best or rows


def _default(apis: Sequence[dict[str, Any]], chosen: int, kind: str) -> int:
    best = [api for api in apis if api["name"] == _BEST_WINDOWS_API and api["devices"]]
    return int(best[0][f"default_{kind}_device"]) if best else chosen


def _is_recipe(api: str, name: str) -> bool:
    return api == "ALSA" and name in _ALSA_PLUGINS


def _main() -> int:
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        sys.stderr.write(str(error))
        return 1
    rows = [asdict(device) for device in devices_here(sounddevice)]
    sys.stdout.write("\n" + json.dumps(rows) + "\n")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(_main())
    except DeviceError as fault:
        sys.stderr.write(fault.message)
        sys.exit(fault.exit_code)
