"""The faults of sound devices, each said in one sentence with what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from singcoach.errors import DeviceError

_NOT_INITIALISED = -10_000
_UNANTICIPATED = -9_999
_BAD_CHANNELS = -9_998
_BAD_RATE = -9_997
_BAD_DEVICE = -9_996
_BAD_COMBINATION = -9_993
_TIMED_OUT = -9_987
_UNAVAILABLE = -9_985

_CODES: Mapping[int, tuple[str, str]] = {
    _BAD_CHANNELS: (
        "{name} cannot give that many channels",
        "Record in mono, or choose another device",
    ),
    _BAD_RATE: (
        "{name} does not work at this sample rate",
        "Choose another sample rate in the system's sound settings, or another device",
    ),
    _BAD_DEVICE: ("{name} is no longer there", "Plug it in again, or choose another device"),
    _BAD_COMBINATION: (
        "This microphone and this loudspeaker cannot be used together",
        "Choose a microphone and a loudspeaker of the same kind",
    ),
    _TIMED_OUT: ("{name} does not answer", "Unplug it and plug it in again"),
    _UNAVAILABLE: (
        "{name} is in use by another program or may not be used",
        "Close the other program; allow SingCoach to use the microphone in the privacy settings",
    ),
    _UNANTICIPATED: (
        "{name} could not be opened",
        "Unplug it and plug it in again, or choose another device",
    ),
}


def no_input() -> DeviceError:
    """Return the fault of a machine without a microphone."""
    return DeviceError(
        "No microphone was found",
        hint="Plug one in; recordings that you have can be imported and assessed without one",
    )


def no_output() -> DeviceError:
    """Return the fault of a machine without a loudspeaker."""
    return DeviceError(
        "No loudspeaker or headphones were found",
        hint="Plug some in; takes can be assessed without, but not heard",
    )


def no_sound_system(detail: str) -> DeviceError:
    """Return the fault of a machine whose sound system cannot be asked."""
    return DeviceError(
        "The sound system of this machine cannot be used",
        hint="Install PortAudio (on Debian and Ubuntu: libportaudio2) and the package sounddevice",
        detail=detail,
    )


def unknown_device(key: str) -> DeviceError:
    """Return the fault of a device that was chosen once and is not there now."""
    name = key.partition("|")[2] or key
    return DeviceError(
        f"{name} is not connected", hint="Plug it in again, or choose another device"
    )


def device_lost(name: str) -> DeviceError:
    """Return the fault of a device that stopped while it was used."""
    return DeviceError(
        f"{name} stopped giving sound; what was recorded until then is kept",
        hint="Plug it in again, or choose another device",
    )


def no_answer(name: str) -> DeviceError:
    """Return the fault of a device that was opened and never gave a sample."""
    return DeviceError(
        f"{name} was opened but gives no sound",
        hint="Unplug it and plug it in again, or choose another device",
    )


def from_portaudio(error: Exception, name: str) -> DeviceError:
    """Return the sentence for an error of PortAudio, met while opening or starting ``name``."""
    message, hint = _CODES.get(code_of(error), _CODES[_UNANTICIPATED])
    return DeviceError(message.format(name=name), hint=hint, detail=str(error))


def is_wrong_rate(error: Exception) -> bool:
    """Whether another sample rate may help."""
    return code_of(error) == _BAD_RATE


def code_of(error: Exception) -> int:
    """Return PortAudio's error number, or 0."""
    arguments: tuple[Any, ...] = error.args
    code = arguments[1] if len(arguments) > 1 else 0
    return code if isinstance(code, int) else 0
