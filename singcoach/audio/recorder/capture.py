"""The recording itself: one callback that never waits, and threads that do what may wait."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from singcoach.audio.device_faults import device_lost, no_answer
from singcoach.audio.devices import choose_input, choose_output
from singcoach.audio.recorder.backing import Backing
from singcoach.audio.recorder.disk import DiskWriter, Wav
from singcoach.audio.recorder.meter import LossWatch, Meter
from singcoach.audio.recorder.ring import Ring
from singcoach.audio.recorder.session import Session, now, remove, write_session
from singcoach.audio.recorder.streams import Backend, Stream, open_stream
from singcoach.audio.recorder.values import RecorderState, RecordingSettings
from singcoach.audio.recorder.warm_up import WarmUp, start_clean
from singcoach.audio.recorder.wav import StreamingWav
from singcoach.core.arrays import FloatArray
from singcoach.errors import OutputError, SingCoachError
from singcoach.files import cannot_write

RING_S = 30.0
"""Longest time for which a disk may stand still without a sample being lost."""
_RING_GUARD_S = 1.0
_STALL_S = 0.2
_FIRST_SOUND_S = 6.0
_GONE_S = 3.0
_LOOK_S = 0.05
_DISK_LOOK_S = 1.0
_LEAST_FREE_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is left when a recording ends."""

    frames: int
    sample_rate: int
    dropouts: int
    backing_offset_s: float
    warnings: tuple[str, ...]
    fault: SingCoachError | None


class Capture:
    """Records until told to stop or until that is impossible; what was captured stays.

    Parameters
    ----------
    settings
        What to record.
    path
        The wav file to make; None listens only.
    backend
        The sound system.
    window
        The process for which this happens, as :func:`singcoach.audio.recorder.session.identity`
        tells it.
    open_wav
        Makes the file; tests give one that fails.
    """

    def __init__(
        self,
        settings: RecordingSettings,
        *,
        path: Path | None,
        backend: Backend,
        window: tuple[int, float],
        recorder: tuple[int, float],
        open_wav: Callable[..., Wav] = StreamingWav,
    ) -> None:
        self._settings = settings
        self._path = path
        self._backend = backend
        self._processes = (recorder, window)
        self._open_wav = open_wav
        self._made_at = now()
        self._stop = threading.Event()
        self._stream: Stream | None = None
        self._name = "The microphone"
        self._backing: Backing | None = None
        self._disk: DiskWriter | None = None
        self._wav: Wav | None = None
        self.ring: Ring | None = None
        """What was captured in the last half minute, once the stream is open."""
        self.meter: Meter | None = None
        self._loss = LossWatch()
        self._monitor = settings.monitor
        self._gate = False
        self._warm_up = WarmUp(1)
        self._opened_s = 0.0
        self._first_s = 0.0
        self._last_s = 0.0
        self._played = 0
        self._output_shift: int | None = None
        self._overflows = 0
        self._stalls = 0
        self._free_s = float("inf")
        self._fault: SingCoachError | None = None
        self._finished = False

    # --- the callback -----------------------------------------------------------------------

    def on_audio(
        self, incoming: FloatArray | None, outgoing: FloatArray | None, lost: bool
    ) -> None:
        """Take samples from the sound card and give it some. Waits for nobody, writes no file."""
        ring, now_s = self.ring, time.monotonic()
        if ring is None or not self._gate:
            n_frames = 0 if incoming is None else incoming.shape[0]
            self._warm_up.note(n_frames, lost=lost, now_s=now_s)
            if outgoing is not None:
                outgoing.fill(0.0)
            return
        if incoming is not None:
            if self._last_s == 0.0:
                self._first_s = now_s
            elif now_s - self._last_s > _STALL_S:
                self._stalls += 1
            self._last_s = now_s
            ring.write(incoming)
        self._overflows += lost
        if outgoing is not None:
            self._play(outgoing, incoming, now_s, ring)

    def _play(
        self, outgoing: FloatArray, incoming: FloatArray | None, now_s: float, ring: Ring
    ) -> None:
        if self._output_shift is None:
            late_s = now_s - self._last_s if incoming is None and self._last_s else 0.0
            rate = self._stream.sample_rate if self._stream is not None else 0
            self._output_shift = 0 if incoming is not None else ring.written + round(late_s * rate)
        if self._backing is not None:
            self._backing.fill(self._played, outgoing)
        else:
            outgoing.fill(0.0)
        if self._monitor and incoming is not None:
            outgoing += incoming[:, :1]
        self._played += outgoing.shape[0]

    # --- the life of a recording ------------------------------------------------------------

    def open(self) -> None:
        """Find the devices, make the file, start the stream.

        Raises
        ------
        SingCoachError
            What stands in the way.
        """
        settings = self._settings
        devices = self._backend.devices()
        source = choose_input(devices, settings.input)
        self._name = source.name
        plays = settings.backing is not None or settings.clicks_s or settings.monitor
        output = choose_output(devices, settings.output) if plays else None
        stream = open_stream(
            self._backend,
            input_device=source,
            output_device=output,
            wanted_rate=settings.sample_rate,
            channels=settings.channels,
            prompt=settings.monitor,
            on_audio=self.on_audio,
        )
        try:
            self._start(stream)
        except BaseException:
            stream.close()
            self._close_backing()
            raise

    def _start(self, stream: Stream) -> None:
        settings, rate = self._settings, stream.sample_rate
        if settings.backing is not None or settings.clicks_s:
            self._backing = Backing(settings, sample_rate=rate, channels=stream.output_channels)
            self._backing.prepare()
        ring = Ring(
            round(RING_S * rate), stream.input_channels, guard_frames=round(_RING_GUARD_S * rate)
        )
        self._stream = stream
        self.meter = Meter(rate)
        self._warm_up = WarmUp(rate)
        start_clean(
            self._warm_up,
            start=stream.start,
            halt=stream.halt,
            given_up=self._stop.is_set,
            first_sound_s=_FIRST_SOUND_S,
        )
        if not self._warm_up.heard and not self._stop.is_set():
            raise no_answer(self._name)
        self._make_file(rate, stream.input_channels, ring)
        self._opened_s = time.monotonic()
        self.ring = ring
        self._gate = True
        if self._disk is not None:
            self._disk.start()

    def _make_file(self, sample_rate: int, channels: int, ring: Ring) -> None:
        path = self._path
        if path is None:
            return
        try:
            self._write_session(done=False)
            wav = self._open_wav(path, sample_rate=sample_rate, channels=channels)
        except OSError as error:
            raise cannot_write(path, error) from error
        self._wav = wav
        self._look_at_disk()
        if self._free_s < _LEAST_FREE_S:
            wav.close()
            remove(path)
            raise OutputError("The disk is full; nothing can be recorded", hint="Free some space")
        self._disk = DiskWriter(ring, wav, path=path, on_fault=self._on_fault)

    def stop(self) -> None:
        """Ask :meth:`run` to end; from any thread."""
        self._stop.set()

    def run(self) -> None:
        """Watch over the recording until :meth:`stop` or a fault; call after :meth:`open`."""
        looked_s = 0.0
        while not self._stop.wait(_LOOK_S) and self._fault is None:
            now_s = time.monotonic()
            self._watch(now_s)
            if now_s - looked_s > _DISK_LOOK_S:
                self._look_at_disk()
                looked_s = now_s

    def finish(self) -> Outcome:
        """Bring everything to the disk, then let the sound card go."""
        self._gate = False
        end = self.ring.written if self.ring is not None else 0
        if self._disk is not None:
            self._disk.finish(end)
        frames = end if self._disk is None else self._disk.frames
        outcome = self._outcome(frames)
        if self._path is not None and self._disk is not None:
            # A full disk may refuse even this; the recording is then offered as interrupted.
            with contextlib.suppress(SingCoachError):
                self._write_session(done=True)
        self._finished = True
        return outcome

    def close(self) -> None:
        """Let the sound card go; may take a second."""
        if self._stream is not None:
            self._stream.close()
        self._close_backing()

    def _close_backing(self) -> None:
        if self._backing is not None:
            self._backing.close()

    def _watch(self, now_s: float) -> None:
        stream, ring = self._stream, self.ring
        if stream is None or ring is None:
            return
        if self._last_s == 0.0:
            if now_s - self._opened_s > _GONE_S or not stream.active:
                self._on_fault(no_answer(self._name))
            return
        if now_s - self._last_s > _GONE_S or not stream.active:
            self._on_fault(device_lost(self._name))
            return
        captured_s = ring.written / stream.sample_rate
        self._loss.note(clock_s=now_s - self._first_s, captured_s=captured_s)

    def _look_at_disk(self) -> None:
        if self._path is None or self._wav is None:
            return
        with contextlib.suppress(OSError):  # a drive that cannot be asked says so when written to
            free = shutil.disk_usage(self._path.parent).free
            self._free_s = free / self._wav.bytes_per_s

    def _on_fault(self, fault: SingCoachError) -> None:
        if self._fault is None:
            self._fault = fault

    # --- what is known ----------------------------------------------------------------------

    @property
    def sample_rate(self) -> int:
        """Rate of the stream in Hz; 0 before it is open."""
        return 0 if self._stream is None else self._stream.sample_rate

    @property
    def backing_offset_s(self) -> float:
        """Second of the backing that was heard at the take's first sample."""
        settings = self._settings
        if self._backing is None:
            return settings.start_s - settings.count_in_s
        shift = self._output_shift or 0
        return self._backing.begin_s - shift / max(1, self.sample_rate) - settings.latency_s

    def state(self) -> RecorderState:
        """Return how it goes right now."""
        stream, ring, meter = self._stream, self.ring, self.meter
        if stream is None or ring is None or meter is None:
            return RecorderState(fault=self._fault, finished=self._finished)
        recorded_s = ring.written / stream.sample_rate
        late = 0 if self._backing is None else self._backing.late
        return RecorderState(
            recorded_s=recorded_s,
            position_s=self._position_s(recorded_s, stream),
            backing_offset_s=self.backing_offset_s,
            level_db=meter.level_db,
            peak_db=meter.peak_db,
            clipped_samples=meter.clipped_samples,
            overflows=self._overflows,
            stalls=self._stalls + late,
            lost_s=self._loss.lost_s,
            silent_s=meter.silent_s,
            disk_free_s=self._free_s,
            sample_rate=stream.sample_rate,
            fault=self._fault,
            finished=self._finished,
            started=ring.written > 0,
        )

    def _position_s(self, recorded_s: float, stream: Stream) -> float:
        if self._backing is None:
            return recorded_s + self.backing_offset_s
        played_s = self._played / stream.sample_rate
        return self._backing.begin_s + played_s - stream.output_latency_s

    def _outcome(self, frames: int) -> Outcome:
        state = replace(self.state(), fault=None)
        rate = max(1, self.sample_rate)
        late_frames = 0 if self._disk is None else self._disk.lost_frames
        warnings = []
        times = state.overflows + state.stalls
        if times:
            often = "once" if times == 1 else f"{times} times"
            warnings.append(f"The recording was disturbed {often} (the computer was too busy).")
        if state.lost_s > 0.0:
            warnings.append(f"About {state.lost_s:.1f} s of sound are missing.")
        if late_frames:
            warnings.append(
                f"The disk was too slow; {late_frames / rate:.1f} s were replaced by silence."
            )
        if self._stream is not None and not self._stream.one_clock and self._backing is not None:
            warnings.append(
                "Microphone and loudspeaker belong to different sound systems, so voice and "
                "backing may drift apart."
            )
        if self._backing is not None and self._backing.fault is not None:
            warnings.append(f"The backing ended early: {self._backing.fault.message}.")
        return Outcome(
            frames=frames,
            sample_rate=self.sample_rate,
            dropouts=times + bool(late_frames),
            backing_offset_s=self.backing_offset_s,
            warnings=tuple(warnings),
            fault=self._fault,
        )

    def _write_session(self, *, done: bool) -> None:
        if self._path is None:
            return
        recorder, window = self._processes
        session = Session(
            made_at=self._made_at,
            sample_rate=self.sample_rate,
            backing=self._settings.backing,
            backing_offset_s=self.backing_offset_s,
            done=done,
            recorder=recorder,
            window=window,
        )
        write_session(self._path, session)
