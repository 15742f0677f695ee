"""What recording is told and what it tells, as plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from singcoach.errors import SingCoachError


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingSettings:
    """How a take is recorded.

    Attributes
    ----------
    input, output
        :attr:`singcoach.audio.devices.AudioDevice.key` of the devices; None is the system's
        default. Without ``backing`` and ``monitor`` no output is opened at all.
    sample_rate
        Wanted rate in Hz; None takes the input's own. A device that refuses the wanted rate is
        opened at its own, and :attr:`RecorderState.sample_rate` says so.
    channels
        1 (the first microphone channel) or 2.
    backing
        A recording that is played in the same stream, so that take and backing keep step sample by
        sample up to the latency of the devices. None records alone.
    backing_gain_db
        Loudness of the backing; 0 plays it as it is.
    start_s
        Second of the backing at which singing starts.
    count_in_s
        Seconds before ``start_s`` that are counted in; recording already runs.
    clicks_s
        Seconds of the backing at which a click is mixed into it (count-in, metronome).
    preroll_backing
        Whether the backing sounds during the count-in.
    monitor
        Whether the singer hears the microphone through the output.
    latency_s
        Calibrated delay from the loudspeaker to the recording (:mod:`singcoach.audio.latency`), 0
        when unknown. Only :attr:`RecordedTake.backing_offset_s` depends on it.
    keep
        False listens without writing anything: the microphone test.
    """

    input: str | None = None
    output: str | None = None
    sample_rate: int | None = None
    channels: int = 1
    backing: Path | None = None
    backing_gain_db: float = 0.0
    start_s: float = 0.0
    count_in_s: float = 0.0
    clicks_s: tuple[float, ...] = ()
    preroll_backing: bool = False
    monitor: bool = False
    latency_s: float = 0.0
    keep: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderState:
    """How a running recording is, as of its last sign of life.

    Attributes
    ----------
    recorded_s
        Length of the take so far: what reached the disk or will within a second.
    position_s
        Second of the backing that is heard now (also counts without a backing, from
        ``start_s - count_in_s``); negative during a count-in before the song's start.
    backing_offset_s
        As in :class:`RecordedTake`: take time + this = backing time, latency included; without
        a backing the take begins at ``start_s - count_in_s``.
    level_db
        Mean level of the last tenth of a second, full scale = 0 dB; -120 is silence.
    peak_db
        Highest sample of the last half second, full scale = 0 dB.
    clipped_samples
        Samples at full scale so far.
    overflows
        How often the system reported that samples were lost, of the voice or of the backing.
    stalls
        How often the sound card called more than 0.2 s late or the backing was not ready in time.
    lost_s
        Estimate of the seconds that are missing from the take, from its length against a clock.
    silent_s
        Seconds for which the microphone has given exact zeros (muted, or no permission), up to now.
    disk_free_s
        Seconds that still fit on the disk.
    sample_rate
        Rate in Hz at which the take is recorded; 0 before the stream is open.
    fault
        Why the recording ended by itself, if it did; what was captured is kept.
    finished
        Whether recording has ended, by :meth:`Recording.stop` or by a fault.
    started
        Whether the first sound has come.
    """

    recorded_s: float = 0.0
    position_s: float = 0.0
    backing_offset_s: float = 0.0
    level_db: float = -120.0
    peak_db: float = -120.0
    clipped_samples: int = 0
    overflows: int = 0
    stalls: int = 0
    lost_s: float = 0.0
    silent_s: float = 0.0
    disk_free_s: float = float("inf")
    sample_rate: int = 0
    fault: SingCoachError | None = None
    finished: bool = False
    started: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedTake:
    """A finished recording.

    Attributes
    ----------
    path
        The wav file; None when nothing was kept (``keep=False``, or no sample ever came).
    duration_s, sample_rate
        Of the file.
    dropouts
        Overflows and stalls together; 0 is a recording without a gap.
    backing_offset_s
        Second of the backing that was heard at the take's first sample, latency included:
        ``backing time = take time + backing_offset_s``.
    latency_s
        The calibrated delay that :attr:`backing_offset_s` contains.
    warnings
        English sentences about what went wrong, if anything.
    fault
        Why the recording ended by itself, if it did.
    """

    path: Path | None
    duration_s: float
    sample_rate: int
    dropouts: int
    backing_offset_s: float
    latency_s: float
    warnings: tuple[str, ...] = ()
    fault: SingCoachError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveredTake:
    """A recording that no library knows yet, found on the disk.

    Attributes
    ----------
    path
        The wav file, its header repaired.
    made_at
        When it was started, ISO 8601 with the zone.
    interrupted
        Whether it was cut off; False when it was finished but never taken over.
    backing, backing_offset_s
        As in :class:`RecordedTake`.
    """

    path: Path
    duration_s: float
    sample_rate: int
    made_at: str
    interrupted: bool
    backing: Path | None
    backing_offset_s: float
