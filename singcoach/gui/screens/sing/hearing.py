"""The microphone behind the stage: listening without a file, recording with one, the live pitch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from singcoach.audio.recorder.values import RecordedTake, RecorderState, RecordingSettings
from singcoach.core.arrays import FloatArray
from singcoach.pitch.live import LivePitch, LivePitchPoint


class Recorder(Protocol):
    """What is needed of :class:`singcoach.audio.recorder.Recording`."""

    @property
    def read_position_s(self) -> float:
        """Second of the take at the end of what was read last."""

    def poll(self) -> RecorderState:
        """Return how it goes."""

    def read_new(self) -> FloatArray:
        """Return the samples since the last call."""

    def stop(self) -> RecordedTake:
        """End it."""


StartRecording = Callable[[RecordingSettings, Path], Recorder]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What came from the microphone since the last look.

    Attributes
    ----------
    points
        New live points; their times count from ``base_s`` of the take.
    base_s
        Second of the take at which the live pitch's time 0 lies.
    """

    state: RecorderState
    points: Sequence[LivePitchPoint]
    base_s: float


class Hearing:
    """One open microphone at a time, for whichever purpose.

    Parameters
    ----------
    start
        Starts a recorder; :func:`singcoach.audio.recorder.start_recording` by default.
    """

    def __init__(self, start: StartRecording | None = None) -> None:
        self._start = start
        self._recorder: Recorder | None = None
        self._live: LivePitch | None = None
        self._pushed = 0
        self.keeps = False
        """Whether what is heard is being kept as a take."""

    @property
    def is_open(self) -> bool:
        """Whether a microphone is open or being opened."""
        return self._recorder is not None

    def open(self, settings: RecordingSettings, folder: Path) -> None:
        """Open the microphone; what was open before must have been closed or taken.

        Raises
        ------
        SingCoachError
            The recorder cannot be started at all.
        """
        if self._recorder is not None:
            raise ValueError("the microphone is open already")
        start = self._start
        if start is None:
            from singcoach.audio.recorder import start_recording

            start = start_recording
        self._recorder = start(settings, folder)
        self._live = None
        self._pushed = 0
        self.keeps = settings.keep

    def hear(self) -> Heard | None:
        """Return what is new; None while nothing is open."""
        recorder = self._recorder
        if recorder is None:
            return None
        state = recorder.poll()
        samples = recorder.read_new()
        points: list[LivePitchPoint] = []
        base_s = 0.0
        if state.sample_rate:
            if self._live is None:
                self._live = LivePitch(state.sample_rate)
            points = self._live.push(samples)
            self._pushed += samples.size
            base_s = recorder.read_position_s - self._pushed / state.sample_rate
        return Heard(state=state, points=points, base_s=base_s)

    def take(self) -> Recorder | None:
        """Hand the recorder over to who ends it; nothing is open afterwards."""
        recorder, self._recorder = self._recorder, None
        self._live = None
        self.keeps = False
        return recorder
