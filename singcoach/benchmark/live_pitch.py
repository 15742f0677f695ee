"""How well and how soon the live pitch follows, beside the tracker of takes.

    python -m singcoach.benchmark.live_pitch [RECORDING ...]

Without arguments the shipped solo recording is used. Of every recording, where both find a pitch:
the share of frames within 50 cents of the tracker of takes, that share when octaves are forgiven,
the share more than 200 cents off, what is missed and what is shown where the tracker is silent.
Delay: notes of a buzzing voice change at known samples; from the first sample of the new note to
the return of the block that shows it, in blocks of 10 ms. Time: as a ratio to the tracker's time in
the same run.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from singcoach.audio.reading import read_audio
from singcoach.chain.demo import demo_recording
from singcoach.core.arrays import ANALYSIS_RATE, BoolArray, FloatArray
from singcoach.core.music import PitchTrack
from singcoach.pitch.live import LivePitch, LivePitchPoint

LIVE_RATE = 48_000
BLOCK_S = 0.010
_NEAR_CENTS = 50.0
_GROSS_CENTS = 200.0
_LONGEST_S = 120.0
_NOTE_S = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """How alike the live pitch and the tracker of takes are.

    Attributes
    ----------
    frames
        How many frames have a pitch by both.
    near, near_any_octave, gross
        Shares of those: within 50 cents, the same with octaves forgiven, beyond 200 cents.
    missed, extra
        Share of the tracker's voiced frames without a live pitch; of its silent ones with one.
    """

    frames: int
    near: float
    near_any_octave: float
    gross: float
    missed: float
    extra: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """Milliseconds from the first sample of a new note to the point that shows it."""

    notes: int
    median_ms: float
    most_ms: float
    """What 95 of 100 stay below."""
    worst_ms: float


def follow(audio: FloatArray, sample_rate: int) -> list[LivePitchPoint]:
    """Return the live points of a whole recording, pushed in blocks of 10 ms."""
    live = LivePitch(sample_rate)
    size = round(BLOCK_S * sample_rate)
    points: list[LivePitchPoint] = []
    for start in range(0, audio.size, size):
        points += live.push(audio[start : start + size])
    return points


def compare(points: Sequence[LivePitchPoint], track: PitchTrack) -> Likeness:
    """Compare live points with the pitch track of the same recording, frame by frame."""
    times_s = np.array([point.time_s for point in points])
    f0_hz = np.array([point.f0_hz for point in points])
    if times_s.size < 2 or not track.times_s.size:
        return Likeness(frames=0, near=0.0, near_any_octave=0.0, gross=0.0, missed=0.0, extra=0.0)
    after = np.clip(np.searchsorted(times_s, track.times_s), 1, times_s.size - 1)
    is_before = track.times_s - times_s[after - 1] < times_s[after] - track.times_s
    live_hz = f0_hz[after - is_before]
    live, truly = ~np.isnan(live_hz), track.voiced
    both = live & truly
    cents = 1200.0 * np.log2(live_hz[both] / track.f0_hz[both])
    folded = (cents + 600.0) % 1200.0 - 600.0
    return Likeness(
        frames=int(both.sum()),
        near=_share(np.abs(cents) <= _NEAR_CENTS),
        near_any_octave=_share(np.abs(folded) <= _NEAR_CENTS),
        gross=_share(np.abs(cents) > _GROSS_CENTS),
        missed=_share(~live[truly]),
        extra=_share(live[~truly]),
    )


def measure_delay(*, sample_rate: int = LIVE_RATE, seed: int = 1) -> Delay:
    """Measure how long after a change of note, or after silence, the new pitch is shown.

    Notes of a voice-like buzz between E2 and A5 in an order of chance, every fourth followed by
    silence.
    """
    rng = np.random.default_rng(seed)
    midis = rng.permutation(np.repeat(np.arange(40, 82), 2)).astype(np.float64)
    starts: list[int] = []
    heights: list[float] = []
    at = 0
    for index, midi in enumerate(midis):
        if heights and midi == heights[-1]:
            continue
        starts.append(at)
        heights.append(float(midi))
        # A fraction of a block, so that every place within blocks and frames occurs.
        at += round((_NOTE_S + rng.uniform(0.0, 0.02)) * sample_rate)
        if index % 4 == 3:
            at += round(0.2 * sample_rate)
    audio = np.zeros(at, dtype=np.float32)
    for start, midi in zip(starts, heights, strict=True):
        audio[start : start + round(_NOTE_S * sample_rate)] = _buzz(midi, sample_rate)
    live = LivePitch(sample_rate)
    size = round(BLOCK_S * sample_rate)
    shown: list[tuple[int, float, float]] = []
    for first in range(0, audio.size, size):
        end = min(audio.size, first + size)
        shown += [(end, p.f0_hz, p.time_s) for p in live.push(audio[first:end])]
    delays = []
    for start, midi in zip(starts, heights, strict=True):
        wanted_hz = 440.0 * 2.0 ** ((midi - 69.0) / 12.0)
        seen = [
            end
            for end, f0_hz, _ in shown
            if end > start and abs(1200.0 * np.log2(f0_hz / wanted_hz)) <= _NEAR_CENTS
        ]
        delays.append(1000.0 * (seen[0] - start) / sample_rate if seen else np.inf)
    return Delay(
        notes=len(delays),
        median_ms=float(np.median(delays)),
        most_ms=float(np.quantile(delays, 0.95)),
        worst_ms=float(np.max(delays)),
    )


def _buzz(midi: float, sample_rate: int) -> FloatArray:
    hz = 440.0 * 2.0 ** ((midi - 69.0) / 12.0)
    times_s = np.arange(round(_NOTE_S * sample_rate)) / sample_rate
    voice = np.zeros(times_s.size)
    for partial in range(1, int(5000.0 / hz) + 1):
        voice += np.sin(2.0 * np.pi * partial * hz * times_s + 0.7 * partial**2) / partial
    return np.asarray(0.1 * voice, dtype=np.float32)


def _share(mask: BoolArray) -> float:
    return float(mask.mean()) if mask.size else 0.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the arguments, measure, and print one line for each recording."""
    from singcoach.models.catalogue import Catalogue
    from singcoach.models.sessions import open_session
    from singcoach.pitch.f0 import track_pitch

    parser = argparse.ArgumentParser(prog="python -m singcoach.benchmark.live_pitch")
    parser.add_argument("recordings", type=Path, nargs="*", metavar="RECORDING")
    paths = parser.parse_args(arguments).recordings or [demo_recording().path]
    session = open_session(Catalogue.default().require("pitch"))
    rows: list[Likeness] = []
    live_s = track_s = 0.0
    sys.stdout.write(
        "recording                 frames  within 50 c  any octave  gross  missed  extra\n"
    )
    for path in paths:
        begun = time.perf_counter()
        track = track_pitch(_mono(path, ANALYSIS_RATE), session=session)
        track_s += time.perf_counter() - begun
        audio = _mono(path, LIVE_RATE)
        begun = time.perf_counter()
        points = follow(audio, LIVE_RATE)
        live_s += time.perf_counter() - begun
        rows.append(compare(points, track))
        sys.stdout.write(_line(path.name, rows[-1]))
    if len(rows) > 1:
        sys.stdout.write(_line("all", _mean(rows)))
    delay = measure_delay()
    sys.stdout.write(
        f"delay over {delay.notes} notes: median {delay.median_ms:.0f} ms, "
        f"95 % within {delay.most_ms:.0f} ms, worst {delay.worst_ms:.0f} ms "
        f"(window, hop and a block of {1000 * BLOCK_S:.0f} ms)\n"
        f"time: {live_s / max(track_s, 1e-9):.2f} of the tracker of takes in this run\n"
    )
    return 0


def _mono(path: Path, sample_rate: int) -> FloatArray:
    audio = read_audio(path, sample_rate=sample_rate, channels=1)
    mono = audio[0] if audio.ndim == 2 else audio
    return mono[: round(_LONGEST_S * sample_rate)]


def _mean(rows: Sequence[Likeness]) -> Likeness:
    """Return the mean over recordings, each of equal weight."""

    def mean(values: list[float]) -> float:
        return float(np.mean(np.asarray(values, dtype=np.float64)))

    return Likeness(
        frames=sum(row.frames for row in rows),
        near=mean([row.near for row in rows]),
        near_any_octave=mean([row.near_any_octave for row in rows]),
        gross=mean([row.gross for row in rows]),
        missed=mean([row.missed for row in rows]),
        extra=mean([row.extra for row in rows]),
    )


def _line(name: str, row: Likeness) -> str:
    return (
        f"{name[:24]:24} {row.frames:7d} {row.near:12.3f} {row.near_any_octave:11.3f}"
        f" {row.gross:6.3f} {row.missed:7.3f} {row.extra:6.3f}\n"
    )


if __name__ == "__main__":
    raise SystemExit(main())
