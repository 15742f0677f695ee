"""The window's end of a recording that runs in another process."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final

import numpy as np

from singcoach.audio.device_faults import no_sound_system
from singcoach.audio.recorder import messages
from singcoach.audio.recorder.session import (
    identity,
    new_recording,
    read_session,
    remove,
    write_session,
)
from singcoach.audio.recorder.values import RecordedTake, RecorderState, RecordingSettings
from singcoach.audio.recorder.wav import repair
from singcoach.core.arrays import FloatArray, read_only
from singcoach.errors import DeviceError, InputError, SingCoachError
from singcoach.files import make_folder

COMMAND: Final = (sys.executable, "-P", "-m", "singcoach.audio.recorder.process")
_STOP_S = 8.0
_KEPT_S = 10.0
_LONGEST_GUESS_S = 0.25


class Recording:
    """A recording that runs. Made by :func:`start_recording`; ends with :meth:`stop`.

    Leaving it as a context manager stops it. All methods are for one thread.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], settings: RecordingSettings, path: Path | None
    ) -> None:
        self._process = process
        self._settings = settings
        self._path = path
        self._lock = threading.Lock()
        self._state = RecorderState()
        self._heard_s = time.monotonic()
        self._samples: deque[tuple[int, FloatArray]] = deque()
        self._read_frames = 0
        self._done: dict[str, Any] | None = None
        self._take: RecordedTake | None = None
        self._thread = threading.Thread(target=self._listen, name="recording", daemon=True)
        self._thread.start()

    @property
    def settings(self) -> RecordingSettings:
        """What was asked for."""
        return self._settings

    @property
    def path(self) -> Path | None:
        """The file that grows; None when nothing is kept."""
        return self._path

    @property
    def read_position_s(self) -> float:
        """Second of the take at the end of what :meth:`read_new` returned last."""
        rate = self._state.sample_rate
        return self._read_frames / rate if rate else 0.0

    def poll(self) -> RecorderState:
        """Return how it goes; never waits. Times are carried forward to this moment."""
        with self._lock:
            state, heard_s = self._state, self._heard_s
        if state.finished or not state.started:
            return state
        since_s = min(time.monotonic() - heard_s, _LONGEST_GUESS_S)
        return replace(
            state,
            recorded_s=state.recorded_s + since_s,
            position_s=state.position_s + since_s,
        )

    def read_new(self) -> FloatArray:
        """Return the samples that came since the last call, mono, shape ``(n,)``; never waits.

        At most the last ten seconds are kept for who does not ask; :attr:`read_position_s` tells
        where in the take the returned samples end.
        """
        with self._lock:
            pieces, self._samples = self._samples, deque()
        if not pieces:
            return read_only(np.zeros(0, np.float32))
        position, last = pieces[-1]
        self._read_frames = position + last.shape[0]
        return read_only(np.concatenate([piece for _, piece in pieces]))

    def stop(self) -> RecordedTake:
        """End the recording and return it; takes a few tenths of a second.

        A recorder that ended by itself or was killed gives what it had written.
        """
        if self._take is None:
            self._command("stop")
            self._wait()
            self._take = self._finished_take()
        return self._take

    def discard(self) -> None:
        """End the recording and delete it. Raises OutputError when it cannot be deleted."""
        self.stop()
        if self._path is not None:
            remove(self._path)

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # --- the other process ------------------------------------------------------------------

    def _command(self, line: str) -> None:
        pipe = self._process.stdin
        if pipe is None or pipe.closed:
            return
        # Where it has ended already, the pipe from it says how.
        with contextlib.suppress(OSError), pipe:
            pipe.write(line.encode() + b"\n")

    def _wait(self) -> None:
        self._thread.join(_STOP_S)
        try:
            # Its file is finished; what it still does concerns the driver only.
            self._process.wait(2.0 if self._done is not None else 0.5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._thread.join(_STOP_S)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _listen(self) -> None:
        pipe = self._process.stdout
        if pipe is None:
            raise ValueError("the recorder was started without a pipe")
        try:
            while (message := messages.receive(_binary(pipe))) is not None:
                self._take_in(*message)
        except (OSError, ValueError) as error:
            self._end(_died(str(error)))
            return
        self._end(_died(""))

    def _take_in(self, kind: bytes, content: bytes) -> None:
        if kind == messages.SAMPLES:
            samples = np.frombuffer(messages.samples_of(content), "<f4")
            with self._lock:
                self._samples.append((messages.position_of(content), samples))
                rate = self._state.sample_rate or 48_000
                newest = self._samples[-1][0]
                while newest - self._samples[0][0] > _KEPT_S * rate:
                    self._samples.popleft()
        elif kind == messages.STATE:
            state = messages.state_from_json(content)
            with self._lock:
                self._state, self._heard_s = state, time.monotonic()
        elif kind == messages.DONE:
            self._done = json.loads(content)

    def _end(self, fault: SingCoachError) -> None:
        """Say that nothing comes any more; ``fault`` only where the recorder did not say why."""
        with self._lock:
            known = self._state.fault is not None or self._done is not None
            self._state = replace(
                self._state, finished=True, fault=self._state.fault if known else fault
            )

    def _finished_take(self) -> RecordedTake:
        state, settings = self._state, self._settings
        if self._done is not None:
            frames, rate = int(self._done["frames"]), int(self._done["sample_rate"])
            path = self._path if frames > 0 else None
            if path is None and self._path is not None:
                remove(self._path)
            return RecordedTake(
                path=path,
                duration_s=frames / rate if rate else 0.0,
                sample_rate=rate,
                dropouts=int(self._done["dropouts"]),
                backing_offset_s=float(self._done["backing_offset_s"]),
                latency_s=settings.latency_s,
                warnings=tuple(self._done["warnings"]),
                fault=messages.fault_from_row(self._done["fault"]),
            )
        return self._rescued(state)

    def _rescued(self, state: RecorderState) -> RecordedTake:
        """Return what a recorder that died had written."""
        duration_s, rate, path = 0.0, state.sample_rate, self._path
        if path is not None:
            try:
                length = repair(path)
                duration_s, rate = length.duration_s, length.sample_rate
            except (InputError, OSError):
                path = None
        session = None if path is None else read_session(path)
        if path is None or duration_s == 0.0:
            if self._path is not None:
                remove(self._path)
            path = None
        elif session is not None:
            write_session(path, replace(session, done=True))
        return RecordedTake(
            path=path,
            duration_s=duration_s,
            sample_rate=rate,
            dropouts=state.overflows + state.stalls,
            backing_offset_s=state.backing_offset_s
            if session is None
            else session.backing_offset_s,
            latency_s=self._settings.latency_s,
            fault=state.fault,
        )


def start_recording(settings: RecordingSettings, folder: Path) -> Recording:
    """Start to record into a new file in ``folder``; returns at once.

    The first sound comes about a second later (:attr:`RecorderState.started`). What stands in the
    way of the devices or the disk arrives as :attr:`RecorderState.fault`.

    Raises
    ------
    OutputError
        The folder cannot be made.
    DeviceError
        The recorder's process cannot be started.
    """
    path: Path | None = None
    if settings.keep:
        make_folder(folder)
        path = new_recording(folder.resolve())
    request = {
        "settings": messages.settings_to_row(settings),
        "path": None if path is None else str(path),
        "window": list(identity()),
    }
    try:
        process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            creationflags=_without_console(),
        )
        if process.stdin is not None:
            process.stdin.write(json.dumps(request).encode() + b"\n")
    except OSError as error:
        raise no_sound_system(str(error)) from error
    return Recording(process, settings, path)


def _without_console() -> int:
    return int(
        getattr(subprocess, "CREATE_NO_WINDOW", 0)
        | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    )


def _binary(pipe: Any) -> BinaryIO:
    stream: BinaryIO = pipe
    return stream


def _died(detail: str) -> DeviceError:
    return DeviceError(
        "The recorder ended unexpectedly; what was recorded until then is kept",
        hint="Record again; if it happens again, restart the computer's sound or choose "
        "another device",
        detail=detail,
    )
