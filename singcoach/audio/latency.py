"""The delay between loudspeaker and recording, measured with chirps through the air.

Measured in the same stream that records a take, with the same settings, so that it is the same
delay. It is kept by the pair of devices (:func:`singcoach.audio.devices.pair_key`).
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from singcoach.audio.chirps import Delay, estimate_delay, make_chirps
from singcoach.audio.reading import read_audio
from singcoach.audio.recorder import RecordedTake, RecordingSettings, start_recording
from singcoach.audio.writing import write_wav
from singcoach.errors import DeviceError
from singcoach.jobs import NO_JOB, Job

GOOD_QUALITY = 0.5
"""Below this the measurement should be done again."""
STEADY_MS = 4.0
"""Starts of the devices whose delays differ by less count as alike."""

_CHIRPS_RATE = 48_000
_TAIL_S = 1.0
_START_S = 12.0
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """The delay of a pair of devices.

    Attributes
    ----------
    ms
        From the loudspeaker to the recording, in milliseconds.
    quality
        0 to 1; below :data:`GOOD_QUALITY` it should be measured again.
    repeats
        How many chirps agreed.
    spread_ms
        Largest difference between the runs; each run opens the devices anew.
    """

    ms: float
    quality: float
    repeats: int
    spread_ms: float

    @property
    def good(self) -> bool:
        """Whether it may be relied on; otherwise it should be measured again."""
        return self.quality >= GOOD_QUALITY


def measure_latency(
    input_device: str | None = None,
    output_device: str | None = None,
    *,
    sample_rate: int | None = None,
    runs: int = 3,
    repeats: int = 6,
    job: Job = NO_JOB,
) -> Latency:
    """Play chirps, record them, and return the delay; takes about five seconds a run.

    Parameters
    ----------
    input_device, output_device
        Keys of the devices; None is the system's default.
    sample_rate
        As takes are recorded (:attr:`RecordingSettings.sample_rate`): another rate has another
        delay.
    runs
        How often the devices are opened anew.
    repeats
        Chirps of a run.

    Raises
    ------
    DeviceError
        A device cannot be used, or the chirps were not heard.
    Cancelled
        When ``job`` was cancelled.
    """
    settings = RecordingSettings(input=input_device, output=output_device, sample_rate=sample_rate)
    delays = [
        _run(settings, repeats, job.part(index / runs, (index + 1) / runs)) for index in range(runs)
    ]
    return combine(delays)


def combine(delays: Sequence[Delay]) -> Latency:
    """Return what several runs say together.

    Raises
    ------
    DeviceError
        No run heard the chirps.
    """
    heard = [delay for delay in delays if delay.repeats > 0]
    if not heard:
        raise DeviceError(
            "The test sounds were not heard",
            hint="Turn the loudspeaker up, or hold the headphones to the microphone",
        )
    values_ms = np.array([1_000.0 * delay.delay_s for delay in heard])
    middle_ms = float(np.median(values_ms))
    alike = np.abs(values_ms - middle_ms) <= STEADY_MS
    quality = float(np.mean([delay.quality for delay in heard]))
    return Latency(
        ms=float(np.median(values_ms[alike])) if alike.any() else middle_ms,
        quality=quality * int(np.count_nonzero(alike)) / len(delays),
        repeats=sum(delay.repeats for delay in heard),
        spread_ms=float(np.ptp(values_ms)),
    )


def _run(settings: RecordingSettings, repeats: int, job: Job) -> Delay:
    chirps = make_chirps(_CHIRPS_RATE, repeats=repeats)
    with tempfile.TemporaryDirectory(prefix="singcoach-") as name:
        folder = Path(name)
        played = folder / "chirps.wav"
        write_wav(played, chirps.audio, sample_rate=_CHIRPS_RATE)
        take = _record(settings, played, chirps.audio.shape[0] / _CHIRPS_RATE, folder, job)
        if take.fault is not None:
            raise take.fault
        if take.path is None:
            raise DeviceError(
                "The microphone gave no sound", hint="Choose another microphone, and try again"
            )
        recorded = read_audio(take.path, sample_rate=take.sample_rate, channels=1)[0]
    times_s = tuple(when_s - take.backing_offset_s for when_s in chirps.times_s)
    return estimate_delay(recorded, times_s, take.sample_rate)


def _record(
    settings: RecordingSettings, backing: Path, length_s: float, folder: Path, job: Job
) -> RecordedTake:
    wanted_s = length_s + _TAIL_S
    began_s = time.monotonic()
    with start_recording(replace(settings, backing=backing), folder) as recording:
        while not (state := recording.poll()).finished and state.position_s < wanted_s:
            job.report(max(0.0, state.position_s) / wanted_s, "measuring the delay")
            if not state.started and time.monotonic() - began_s > _START_S:
                break
            recording.read_new()
            time.sleep(_LOOK_S)
        return recording.stop()
