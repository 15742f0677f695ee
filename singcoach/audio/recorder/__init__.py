"""Recording that cannot lose a take: a process of its own writes to the disk all the time."""

from singcoach.audio.recorder.values import (
    RecordedTake,
    RecorderState,
    RecordingSettings,
    RecoveredTake,
)

__all__ = ["RecordedTake", "RecorderState", "RecordingSettings", "RecoveredTake"]
