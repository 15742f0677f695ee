"""Pitch while somebody sings: a frame every 8 ms, known 16 ms after its middle was heard.

The tracker of takes (:mod:`singcoach.pitch.f0`) looks 176 ms ahead, which a singer who watches the
own line cannot wait for. Here a frame of 32 ms is compared with itself moved by every possible
period (the normalised square difference of McLeod and Wyvill, "A smarter way to find pitch", ICMC
2005). Of its peaks one is chosen by height, by a price for long periods (which are octaves too low)
and by nearness to where the voice was a moment ago; that last choice is ours. A first frame and a
leap wait for one frame that agrees, so that a lone wrong octave is never shown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from singcoach.core.arrays import FloatArray, RealArray

WINDOW_S = 0.032
HOP_S = 0.008
LOWEST_HZ = 65.0
"""C2, where the lowest male voices end; two periods fill the window."""
HIGHEST_HZ = 1320.0
SILENCE_DB = -120.0

_WORKING_RATE = 16_000
_CUTOFF_HZ = 3_000.0
_TAPS_S = 0.002
_KEEP_CLEARNESS = 0.72
_START_CLEARNESS = 0.82
# Chosen on eleven recordings (vocadito, nycu_first, pesnq) against the tracker of takes, amid
# a plateau: from 0.09 to 0.18 the share within 50 cents stays between 0.985 and 0.987.
_PERIOD_COST = 0.12
_LEAP_COST = 0.1
_MEMORY_S = 0.15
_LEAP_CENTS = 350.0
_AGREE_CENTS = 150.0
_FLOOR_DB = -62.0
_ABOVE_NOISE_DB = 6.0
_FAR_BELOW_DB = 22.0
_FAINT_CLEARNESS = 0.92
_LOUD_FALL_DB_PER_S = 2.0
_NOISE_RISE_DB_PER_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePitchPoint:
    """The pitch of one moment.

    Attributes
    ----------
    time_s
        Middle of the window, seconds since the first sample that was pushed.
    f0_hz
        Fundamental in Hz, NaN where nobody sings a pitch.
    clearness
        How exactly the sound repeats, 0..1.
    level_db
        Level of the window, full scale = 0 dB, at least -120.
    """

    time_s: float
    f0_hz: float
    clearness: float
    level_db: float


@dataclass(slots=True)
class _Candidate:
    time_s: float
    level_db: float
    f0_hz: float
    clearness: float


class LivePitch:
    """Follows one voice as its samples arrive.

    The points do not depend on how the samples are cut into blocks. A point is returned when the
    last sample of its window has come, or one hop (8 ms) later where a first frame waits.

    Parameters
    ----------
    sample_rate
        Of the samples that will be pushed, 8000..192000 Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        if not 8_000 <= sample_rate <= 192_000:
            raise ValueError(f"sample_rate must lie in 8000..192000, not {sample_rate}")
        self._step = max(1, round(sample_rate / _WORKING_RATE))
        self._rate = sample_rate / self._step
        self._taps = _lowpass(sample_rate)
        self._window = round(WINDOW_S * self._rate)
        self._hop = round(HOP_S * self._rate)
        self._low_lag = max(2, int(self._rate / HIGHEST_HZ))
        self._high_lag = min(self._window - 8, int(np.ceil(self._rate / LOWEST_HZ)) + 1)
        self._raw = np.zeros(self._taps.size - 1, dtype=np.float64)
        self._phase = 0
        self._kept = np.zeros(0, dtype=np.float64)
        self._frame = 0
        self._noise_db = -50.0
        self._loud_db = SILENCE_DB
        self._last_hz = np.nan
        self._last_time_s = -1.0
        self._waiting: _Candidate | None = None

    @property
    def hop_s(self) -> float:
        """Distance of the points in seconds."""
        return self._hop / self._rate

    def push(self, block: FloatArray) -> list[LivePitchPoint]:
        """Take the next samples, float32 mono ``(n_samples,)``, and return the points they end.

        Not-finite samples count as silence.
        """
        if block.ndim != 1:
            raise ValueError(f"block must have the shape (n_samples,), not {block.shape}")
        clean = np.nan_to_num(block.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
        self._kept = np.concatenate([self._kept, self._decimated(clean)])
        n_frames = max(0, (self._kept.size - self._window) // self._hop + 1)
        if n_frames == 0:
            return []
        frames = np.lib.stride_tricks.sliding_window_view(self._kept, self._window)
        frames = frames[: n_frames * self._hop : self._hop][:n_frames]
        frames = frames - frames.mean(axis=1, keepdims=True)
        power = np.square(frames).mean(axis=1)
        level_db = np.maximum(SILENCE_DB, 10.0 * np.log10(power + 1e-20))
        likeness = self._likeness(frames)
        points: list[LivePitchPoint] = []
        for row, level in zip(likeness, level_db, strict=True):
            points += self._next(row, float(level))
        self._kept = self._kept[n_frames * self._hop :]
        return points

    def _decimated(self, block: RealArray) -> RealArray:
        """Return the block at the working rate, below half of it."""
        raw = np.concatenate([self._raw, block])
        smooth = (
            np.convolve(raw, self._taps, mode="valid") if raw.size >= self._taps.size else raw[:0]
        )
        self._raw = raw[raw.size - (self._taps.size - 1) :]
        part = smooth[self._phase :: self._step]
        self._phase = (self._phase - smooth.size) % self._step
        return np.asarray(part, dtype=np.float64)

    def _likeness(self, frames: RealArray) -> RealArray:
        """Return the normalised square difference of each frame at every lag, 1 = repeats."""
        n = self._window
        size = 1 << int(2 * n - 1).bit_length()
        spectrum = np.fft.rfft(frames, size, axis=1)
        products = np.fft.irfft(np.square(np.abs(spectrum)), size, axis=1)[:, : self._high_lag + 2]
        squares = np.zeros((frames.shape[0], n + 1))
        np.cumsum(np.square(frames), axis=1, out=squares[:, 1:])
        lags = np.arange(self._high_lag + 2)
        both = squares[:, n - lags] + (squares[:, [n]] - squares[:, lags])
        return np.asarray(2.0 * products / np.maximum(both, 1e-12), dtype=np.float64)

    def _next(self, likeness: RealArray, level_db: float) -> list[LivePitchPoint]:
        """Judge one frame, and return it and perhaps the one that waited for it."""
        time_s = (self._frame * self._hop + self._window / 2) / self._rate
        time_s -= (self._taps.size - 1) / 2 / (self._rate * self._step)
        self._frame += 1
        found = self._chosen(likeness, time_s, level_db)
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            if self._is_steady(found):
                return [self._shown(found)]
            self._waiting = found
            return []
        if _agree(waiting, found):
            return [self._shown(waiting), self._shown(found)]
        unvoiced = LivePitchPoint(
            time_s=waiting.time_s,
            f0_hz=np.nan,
            clearness=waiting.clearness,
            level_db=waiting.level_db,
        )
        if self._is_steady(found):
            return [unvoiced, self._shown(found)]
        self._waiting = found
        return [unvoiced]

    def _is_steady(self, found: _Candidate) -> bool:
        """Whether a frame can be shown at once: nothing sung, or where the voice just was."""
        if np.isnan(found.f0_hz):
            return True
        if found.time_s - self._last_time_s > 2.5 * self.hop_s:
            return False
        return abs(_cents(found.f0_hz, self._last_hz)) <= _LEAP_CENTS

    def _shown(self, found: _Candidate) -> LivePitchPoint:
        if not np.isnan(found.f0_hz):
            self._last_hz, self._last_time_s = found.f0_hz, found.time_s
        return LivePitchPoint(
            time_s=found.time_s,
            f0_hz=found.f0_hz,
            clearness=found.clearness,
            level_db=found.level_db,
        )

    def _chosen(self, likeness: RealArray, time_s: float, level_db: float) -> _Candidate:
        """Return the pitch of a frame, unvoiced when it does not repeat or is too quiet."""
        unvoiced = _Candidate(time_s, level_db, np.nan, 0.0)
        quiet = level_db < max(_FLOOR_DB, self._noise_db + _ABOVE_NOISE_DB)
        self._noise_db = min(level_db, self._noise_db + _NOISE_RISE_DB_PER_S * self.hop_s)
        self._noise_db = max(self._noise_db, SILENCE_DB)
        self._loud_db = max(level_db, self._loud_db - _LOUD_FALL_DB_PER_S * self.hop_s)
        if level_db < _FLOOR_DB:
            return unvoiced
        lags, heights = _peaks(likeness, self._low_lag, self._high_lag)
        if not lags.size:
            return unvoiced
        unvoiced.clearness = float(np.clip(heights.max(), 0.0, 1.0))
        merits = heights - _PERIOD_COST * np.log2(lags / self._low_lag)
        since_s = time_s - self._last_time_s
        if since_s < _MEMORY_S:
            away = np.abs(1200.0 * np.log2(self._rate / lags / self._last_hz)) / 1200.0
            merits = merits - _LEAP_COST * (1.0 - since_s / _MEMORY_S) * np.minimum(away, 1.0)
        best = int(np.argmax(merits))
        clear = float(np.clip(heights[best], 0.0, 1.0))
        unvoiced.clearness = clear
        going_on = since_s < 3.5 * self.hop_s
        needed = _KEEP_CLEARNESS if going_on else _START_CLEARNESS
        # Echoes, breath and what separation left behind lie far below the voice.
        if level_db < self._loud_db - _FAR_BELOW_DB:
            needed = _FAINT_CLEARNESS
        if clear < needed or (quiet and not going_on and clear < 0.95):
            return unvoiced
        return _Candidate(time_s, level_db, float(self._rate / lags[best]), clear)


def _agree(first: _Candidate, second: _Candidate) -> bool:
    if np.isnan(second.f0_hz):
        return False
    return abs(_cents(first.f0_hz, second.f0_hz)) <= _AGREE_CENTS


def _cents(first_hz: float, second_hz: float) -> float:
    return float(1200.0 * np.log2(first_hz / second_hz))


def _peaks(likeness: RealArray, low: int, high: int) -> tuple[RealArray, RealArray]:
    """Return lag (between samples) and height of the peaks within ``low``..``high``."""
    left, middle, right = (likeness[low + k : high + k + 1] for k in (-1, 0, 1))
    at = np.flatnonzero((middle > left) & (middle >= right) & (middle > 0.4))
    a, b, c = left[at], middle[at], right[at]
    bend = a - 2.0 * b + c
    shift = np.where(bend < 0.0, 0.5 * (a - c) / np.where(bend < 0.0, bend, -1.0), 0.0)
    shift = np.clip(shift, -0.5, 0.5)
    lags = np.asarray(low + at + shift, dtype=np.float64)
    return lags, np.asarray(b - 0.25 * (a - c) * shift, dtype=np.float64)


def _lowpass(sample_rate: int) -> RealArray:
    """Return the taps that keep what lies below 3 kHz: the partials that tell the pitch.

    Higher ones would make peaks so narrow that a period between two samples looks worse than twice
    that period on a sample.
    """
    n_taps = 2 * round(_TAPS_S * sample_rate / 2) + 1
    at_s = (np.arange(n_taps) - n_taps // 2) / sample_rate
    taps = np.sinc(2.0 * _CUTOFF_HZ * at_s) * np.hanning(n_taps + 2)[1:-1]
    return np.asarray(taps / taps.sum(), dtype=np.float64)
