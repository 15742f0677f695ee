"""Recording that cannot lose a take: a process of its own writes to the disk all the time."""

from singcoach.audio.recorder.control import Recording, start_recording
from singcoach.audio.recorder.session import discard_take, forget_note, recover_takes
from singcoach.audio.recorder.values import (
    RecordedTake,
    RecorderState,
    RecordingSettings,
    RecoveredTake,
)

__all__ = [
    "RecordedTake",
    "RecorderState",
    "Recording",
    "RecordingSettings",
    "RecoveredTake",
    "discard_take",
    "forget_note",
    "recover_takes",
    "start_recording",
]
