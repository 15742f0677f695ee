"""Where in the backing a take lies, heard from the backing that reached the microphone.

The calibrated latency of a pair of devices is good to a few milliseconds, because sound servers
start with another delay now and then. Where the loudspeaker was on, the take itself tells exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from singcoach.audio.recorder.values import RecordedTake
from singcoach.audio.sounds import Sound, open_sound
from singcoach.core.arrays import FloatArray, RealArray
from singcoach.jobs import NO_JOB, Job

REACH_S = 0.4
"""How far from what was expected the take may lie."""

SLIP_S = 0.002
"""Places of a take that differ by more did not keep step with the rest."""

_WINDOW_S = 4.0
_WINDOWS = 12
_FOUND_RATIO = 7.0
_WINDOW_RATIO = 6.0
_WHITENING = 0.8
_LOWEST_HZ, _HIGHEST_HZ = 100.0, 12_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeAlignment:
    """How a take lies in its backing.

    Attributes
    ----------
    backing_offset_s
        ``backing time = take time + backing_offset_s``, for most of the take.
    windows, agreeing
        In how many places the backing was looked for, and in how many it lies where the rest does.
    drift_samples
        How much further apart they are at the end than at the beginning, in samples.
    slipped_s
        Largest departure of a place in which the backing was heard clearly.
    """

    backing_offset_s: float
    windows: int
    agreeing: int
    drift_samples: float
    slipped_s: float

    @property
    def certain(self) -> bool:
        """Whether the backing was heard in most of the places, always at the same distance."""
        return self.agreeing >= 2 and self.agreeing * 2 > self.windows


def align_take(
    take: Path,
    backing: Path,
    *,
    expected_offset_s: float,
    reach_s: float = REACH_S,
    job: Job = NO_JOB,
) -> TakeAlignment | None:
    """Return where ``take`` lies in ``backing``; None where the backing cannot be heard in it.

    Twelve places of four seconds are compared by their whitened cross-correlation (Knapp and
    Carter 1976, doi:10.1109/TASSP.1976.1162830, here with the magnitude taken to the power 0.2
    instead of 0), to a fraction of a sample.

    Parameters
    ----------
    expected_offset_s
        As recorded: :attr:`singcoach.audio.recorder.RecordedTake.backing_offset_s`.

    Raises
    ------
    InputError
        One of the files cannot be read.
    """
    sound = open_sound(take, job=job.part(0.0, 0.2))
    try:
        other = open_sound(backing, sample_rate=sound.sample_rate, job=job.part(0.2, 0.7))
        try:
            return _align(sound, other, expected_offset_s, reach_s, job.part(0.7, 1.0))
        finally:
            other.close()
    finally:
        sound.close()


def refine_offset(take: RecordedTake, backing: Path, *, job: Job = NO_JOB) -> RecordedTake:
    """Return ``take`` with the offset that is heard in it, or as it is where none is certain.

    Takes a second or two for a song; call it beside the window's thread.

    Raises
    ------
    InputError
        One of the files cannot be read.
    """
    if take.path is None:
        return take
    expected_s = take.backing_offset_s
    alignment = align_take(take.path, backing, expected_offset_s=expected_s, job=job)
    if alignment is None or not alignment.certain:
        return take
    warnings = take.warnings
    if alignment.slipped_s > SLIP_S:
        warnings += (
            f"Voice and backing are apart by up to {1_000 * alignment.slipped_s:.0f} ms in places.",
        )
    return replace(take, backing_offset_s=alignment.backing_offset_s, warnings=warnings)


def _align(
    take: Sound, backing: Sound, expected_s: float, reach_s: float, job: Job
) -> TakeAlignment | None:
    rate = take.sample_rate
    expected, reach = round(expected_s * rate), round(reach_s * rate)
    starts = _places(take, backing, expected)
    total = np.zeros(2 * reach + 1)
    curves: list[RealArray] = []
    for number, start in enumerate(starts):
        job.report(number / len(starts), "aligning")
        curve = _correlation(take, backing, start, expected, reach)
        curves.append(curve)
        total += curve
    if not curves:
        return None
    peak = _peak(np.abs(total))
    if peak is None or peak.ratio < _FOUND_RATIO:
        return None
    found = [(start, _peak(np.abs(curve))) for start, curve in zip(starts, curves, strict=True)]
    clear = [(start, one) for start, one in found if one and one.ratio >= _WINDOW_RATIO]
    middle = (
        float(np.median([one.position for _, one in clear])) if len(clear) > 1 else peak.position
    )
    near = [(start, one) for start, one in clear if abs(one.position - middle) <= SLIP_S * rate]
    return TakeAlignment(
        backing_offset_s=(expected + middle - reach) / rate,
        windows=len(starts),
        agreeing=len(near),
        drift_samples=_drift(near),
        slipped_s=max((abs(one.position - middle) / rate for _, one in clear), default=0.0),
    )


def _places(take: Sound, backing: Sound, expected: int) -> list[int]:
    """Return the first frames of the windows, where take and backing overlap."""
    window = round(_WINDOW_S * take.sample_rate)
    first = max(0, -expected)
    last = min(take.n_frames, backing.n_frames - expected) - window
    if last < first:
        return []
    number = min(_WINDOWS, 1 + 2 * (last - first) // window)
    return [round(place) for place in np.linspace(first, last, number)]


def _correlation(take: Sound, backing: Sound, start: int, expected: int, reach: int) -> RealArray:
    """Return the whitened correlation, normalised to its own noise, of lags -reach..reach."""
    rate = take.sample_rate
    window = round(_WINDOW_S * rate)
    heard = _mono(take, start, window)
    played = _mono(backing, start + expected - reach, window + 2 * reach)
    n_fft = 1 << (played.shape[0] + window).bit_length()
    cross = np.fft.rfft(played, n_fft) * np.conj(np.fft.rfft(heard, n_fft))
    cross /= np.maximum(np.abs(cross), 1e-12) ** _WHITENING
    frequencies_hz = np.fft.rfftfreq(n_fft, 1.0 / rate)
    cross[(frequencies_hz < _LOWEST_HZ) | (frequencies_hz > _HIGHEST_HZ)] = 0.0
    curve: RealArray = np.fft.irfft(cross, n_fft)[: 2 * reach + 1]
    noise = float(np.sqrt(np.mean(np.square(curve))))
    return curve / noise if noise > 0.0 else curve


def _mono(sound: Sound, start: int, n_frames: int) -> FloatArray:
    lead = min(n_frames, max(0, -start))
    block = sound.read(max(0, start), n_frames - lead).mean(axis=1)
    mono = np.zeros(n_frames, np.float32)
    mono[lead : lead + block.shape[0]] = block
    return mono


@dataclass(frozen=True, slots=True, kw_only=True)
class _Peak:
    position: float
    ratio: float
    """Height over the median of the rest."""


def _peak(curve: RealArray) -> _Peak | None:
    index = int(np.argmax(curve))
    typical = float(np.median(curve)) / 0.6745
    if not curve[index] > 0.0 or typical <= 0.0:
        return None
    position = float(index)
    if 0 < index < curve.shape[0] - 1:
        left, middle, right = (float(curve[index + step]) for step in (-1, 0, 1))
        bend = left - 2.0 * middle + right
        position += 0.5 * (left - right) / bend if bend < 0.0 else 0.0
    ratio = float(curve[index]) / typical
    return _Peak(position=position, ratio=ratio if math.isfinite(ratio) else 0.0)


def _drift(places: list[tuple[int, _Peak]]) -> float:
    if len(places) < 2:
        return 0.0
    starts = np.array([start for start, _ in places], np.float64)
    positions = np.array([peak.position for _, peak in places])
    slope = np.polyfit(starts - starts[0], positions, 1)[0]
    return float(slope * (starts[-1] - starts[0]))
