"""What goes through the pipe from the recorder to the window: samples and states."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, BinaryIO, Final

from singcoach.audio.recorder.values import RecorderState, RecordingSettings
from singcoach.errors import DeviceError, InputError, OutputError, SingCoachError

SAMPLES: Final = b"A"
"""An 8-byte position in frames, then float32 samples of one channel."""
STATE: Final = b"S"
"""A :class:`RecorderState`."""
DONE: Final = b"D"
"""A mapping with the figures of the finished file."""

_HEAD = struct.Struct("<cI")
_POSITION = struct.Struct("<Q")
_LONGEST = 1 << 24
_FAULTS: Final[Mapping[str, type[SingCoachError]]] = {
    kind.__name__: kind for kind in (DeviceError, InputError, OutputError)
}


def pack(kind: bytes, content: bytes) -> bytes:
    """Return one message."""
    return _HEAD.pack(kind, len(content)) + content


def pack_samples(position_frames: int, samples: bytes) -> bytes:
    """Return samples whose first one is frame ``position_frames`` of the take."""
    return pack(SAMPLES, _POSITION.pack(position_frames) + samples)


def position_of(content: bytes) -> int:
    """Return the frame number of the first sample in a message of samples."""
    return int(_POSITION.unpack_from(content)[0])


def samples_of(content: bytes) -> bytes:
    """Return the float32 samples in a message of samples."""
    return content[_POSITION.size :]


def receive(pipe: BinaryIO) -> tuple[bytes, bytes] | None:
    """Wait for the next message: its kind and content; None at the end of the pipe."""
    head = _exactly(pipe, _HEAD.size)
    if head is None:
        return None
    kind, length = _HEAD.unpack(head)
    if length > _LONGEST:
        return None
    content = _exactly(pipe, length)
    return None if content is None else (kind, content)


def _exactly(pipe: BinaryIO, n_bytes: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < n_bytes:
        got = pipe.read(n_bytes - len(parts))
        if not got:
            return None
        parts += got
    return bytes(parts)


def state_to_json(state: RecorderState) -> bytes:
    """Return a state as JSON; the fault as its sentence."""
    row: dict[str, Any] = {
        field.name: getattr(state, field.name) for field in fields(state) if field.name != "fault"
    }
    row["fault"] = None if state.fault is None else fault_to_row(state.fault)
    return json.dumps(row).encode()


def state_from_json(content: bytes) -> RecorderState:
    """Return what :func:`state_to_json` wrote."""
    row = json.loads(content)
    row["fault"] = fault_from_row(row["fault"])
    return RecorderState(**row)


def fault_to_row(fault: SingCoachError) -> dict[str, str]:
    """Return a fault as plain values."""
    kind = next((name for name in _FAULTS if isinstance(fault, _FAULTS[name])), "DeviceError")
    return {"kind": kind, "message": fault.message, "hint": fault.hint, "detail": fault.detail}


def fault_from_row(row: Mapping[str, str] | None) -> SingCoachError | None:
    """Return what :func:`fault_to_row` gave."""
    if row is None:
        return None
    kind = _FAULTS.get(row["kind"], DeviceError)
    return kind(row["message"], hint=row["hint"], detail=row["detail"])


def settings_to_row(settings: RecordingSettings) -> dict[str, Any]:
    """Return settings as values that JSON knows."""
    row = asdict(settings)
    row["backing"] = None if settings.backing is None else str(settings.backing)
    row["clicks_s"] = list(settings.clicks_s)
    return row


def settings_from_row(row: Mapping[str, Any]) -> RecordingSettings:
    """Return what :func:`settings_to_row` gave."""
    values = dict(row)
    values["backing"] = None if values["backing"] is None else Path(values["backing"])
    values["clicks_s"] = tuple(values["clicks_s"])
    return RecordingSettings(**values)
