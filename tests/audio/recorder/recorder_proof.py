"""The recorder's promises on a real sound server, as figures.

    python tests/audio/recorder/recorder_proof.py --minutes 10 --kills 50

Tests use the same functions with less time.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sound_card import RATE, running_sound_card

from singcoach.audio.alignment import TakeAlignment, align_take, refine_offset
from singcoach.audio.latency import Latency, measure_latency
from singcoach.audio.recorder import (
    RecordedTake,
    RecordingSettings,
    recover_takes,
    start_recording,
)
from singcoach.audio.writing import write_wav


@dataclass(frozen=True, slots=True, kw_only=True)
class LongTake:
    """A long take beside what was played."""

    latency: Latency
    take: RecordedTake
    refined: RecordedTake
    """The same with the offset that is heard in it."""
    alignment: TakeAlignment
    wrong_samples: int
    """Samples that differ from what was played, once the take is laid over it."""
    compared_samples: int

    @property
    def calibrated_offset_samples(self) -> float:
        """How far the calibrated offset is from the one that is heard."""
        difference_s = self.alignment.backing_offset_s - self.take.backing_offset_s
        return difference_s * self.take.sample_rate

    @property
    def refined_offset_samples(self) -> float:
        """How far the refined offset is from the one that is heard."""
        difference_s = self.alignment.backing_offset_s - self.refined.backing_offset_s
        return difference_s * self.take.sample_rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """A take whose recorder or window was killed."""

    lived_s: float
    recovered_s: float
    lost_s: float


def make_reference(path: Path, length_s: float) -> None:
    """Write noise in which every moment is unique."""
    noise = np.random.default_rng(5).uniform(-0.3, 0.3, round(length_s * RATE))
    write_wav(path, noise.astype(np.float32), sample_rate=RATE)


def record_long(folder: Path, length_s: float) -> LongTake:
    """Calibrate, record what is played for ``length_s``, and compare."""
    reference = folder / "reference.wav"
    make_reference(reference, length_s + 5.0)
    latency = measure_latency(sample_rate=RATE, runs=3)
    settings = RecordingSettings(
        backing=reference, sample_rate=RATE, latency_s=latency.ms / 1_000.0
    )
    with start_recording(settings, folder) as recording:
        while (state := recording.poll()).recorded_s < length_s and not state.finished:
            recording.read_new()
            time.sleep(0.05)
        take = recording.stop()
    if take.path is None:
        raise RuntimeError(str(take.fault))
    refined = refine_offset(take, reference)
    alignment = align_take(take.path, reference, expected_offset_s=refined.backing_offset_s)
    if alignment is None:
        raise RuntimeError("the reference is not heard in the take")
    wrong, compared = _compare(take.path, reference, refined, take.sample_rate)
    return LongTake(
        latency=latency,
        take=take,
        refined=refined,
        alignment=alignment,
        wrong_samples=wrong,
        compared_samples=compared,
    )


def _compare(take: Path, reference: Path, refined: RecordedTake, rate: int) -> tuple[int, int]:
    """Count the samples that are not those that were played, block by block."""
    import soundfile

    heard, _ = soundfile.read(take, dtype="float32")
    played, _ = soundfile.read(reference, dtype="float32")
    shift = round(refined.backing_offset_s * rate)
    first = max(0, -shift)
    last = min(heard.shape[0], played.shape[0] - shift)
    wrong = 0
    for start in range(first, last, rate):
        stop = min(start + rate, last)
        difference = np.abs(heard[start:stop] - played[start + shift : stop + shift])
        # The sound server keeps 16 bits and dithers nothing.
        wrong += int(np.count_nonzero(difference > 2.0**-13))
    return wrong, last - first


def kill_once(folder: Path, *, after_s: float) -> Kill:
    """Kill a recorder after ``after_s`` of its take and see what is recovered."""
    settings = RecordingSettings(sample_rate=RATE)
    recording = start_recording(settings, folder)
    while not recording.poll().started:
        if recording.poll().finished:
            raise RuntimeError(str(recording.poll().fault))
        time.sleep(0.01)
    time.sleep(after_s)
    lived_s = recording.poll().recorded_s
    recording._process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else 9)
    recording._process.wait()
    (recovered,) = recover_takes(folder)
    if not recovered.interrupted:
        raise RuntimeError("an interrupted take was taken for a finished one")
    recording.stop()
    recovered.path.unlink()
    return Kill(
        lived_s=lived_s,
        recovered_s=recovered.duration_s,
        lost_s=lived_s - recovered.duration_s,
    )


def kill_window_once(folder: Path, *, after_s: float) -> Kill:
    """Kill the window's process and see what its recorder leaves."""
    import subprocess

    program = (
        "import sys, time; from pathlib import Path\n"
        "from singcoach.audio.recorder import RecordingSettings, start_recording\n"
        f"r = start_recording(RecordingSettings(sample_rate={RATE}), Path(sys.argv[1]))\n"
        "while True:\n"
        "    r.read_new(); s = r.poll()\n"
        "    print(s.recorded_s, flush=True); time.sleep(0.02)\n"
    )
    window = subprocess.Popen(
        [sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, text=True
    )
    lived_s = 0.0
    for line in window.stdout or ():
        lived_s = float(line)
        if lived_s >= after_s:
            break
    os.kill(window.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else 9)
    window.wait()
    if window.stdout is not None:
        window.stdout.close()
    until_s = time.monotonic() + 20.0
    while not (takes := recover_takes(folder)) and time.monotonic() < until_s:
        time.sleep(0.05)
    (recovered,) = takes
    recovered.path.unlink()
    return Kill(
        lived_s=lived_s,
        recovered_s=recovered.duration_s,
        lost_s=lived_s - recovered.duration_s,
    )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--kills", type=int, default=50)
    options = parser.parse_args()
    chance = random.Random(7)
    with tempfile.TemporaryDirectory() as name, running_sound_card():
        folder = Path(name)
        for title, kill in (("recorder", kill_once), ("window", kill_window_once)):
            kills = [kill(folder, after_s=chance.uniform(0.2, 4.0)) for _ in range(options.kills)]
            if kills:
                lost = [one.lost_s for one in kills]
                print(
                    f"kill -9 of the {title}, {len(kills)} times: lost at most {max(lost):.3f} s, "
                    f"in the middle {statistics.median(lost):.3f} s",
                    flush=True,
                )
        if options.minutes > 0:
            print(describe(record_long(folder, options.minutes * 60.0)), flush=True)


def describe(long: LongTake) -> str:
    """Return the figures of a long take as lines."""
    return "\n".join(
        (
            f"calibration {long.latency}",
            f"take {long.take.duration_s:.1f} s, dropouts {long.take.dropouts}, "
            f"warnings {long.take.warnings}",
            f"calibrated offset is off by {long.calibrated_offset_samples:.2f} samples, "
            f"refined {long.refined_offset_samples:.4f}; "
            f"drift {long.alignment.drift_samples:.4f} samples, "
            f"slipped {long.alignment.slipped_s * RATE:.2f} samples, "
            f"{long.alignment.agreeing} of {long.alignment.windows} places agree",
            f"{long.wrong_samples} of {long.compared_samples} samples differ from what was played",
        )
    )


if __name__ == "__main__":
    main()
