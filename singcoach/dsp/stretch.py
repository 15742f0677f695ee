"""Tempo without key, and key without tempo.

The engine is Signalsmith Stretch (MIT), a phase vocoder that treats tonal peaks, noise and attacks
apart, as wrapped by the package ``python-stretch``. Its published release takes a whole signal at a
time, so a stream is made of pieces of one second, each rendered with a fifth of a second more on
both sides. Two neighbours are joined inside of what both rendered: where they are alike and the
music is quiet, shifted by at most 8 ms, with a fade that keeps the power however alike they are.
Pieces lie on a grid of the source, so that the result does not depend on the lengths that are asked
for. The engine moves a key to within 7 cents.

Measured on the shipped song, slowed to 0.7..1.2 and back, against librosa's phase vocoder in the
same run: log-mel distance to the original 2.1..2.5 dB (librosa 7.3..7.7), energy of an attack that
stays in its place 100 % (librosa 60 %), time 0.5..1.0 of librosa's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from singcoach.core.arrays import FloatArray
from singcoach.jobs import NO_JOB, Job

SLOWEST, FASTEST = 0.25, 4.0
MOST_SEMITONES = 24.0
MOST_CHANNELS = 2

PIECE_S = 1.0
"""Length of a piece in the result."""
CONTEXT_S = 0.2
"""What is rendered beyond a piece, in the source or in the result, whichever is longer."""
_REACH_S = 0.1
"""How far from the border of two pieces they may be joined; what lies beyond, to the end of the
context, is within half a window of the engine and not used."""
_FADE_S = 0.03
_SHIFT_S = 0.008
_STEP_S = 0.01
_LOUDNESS_COST = 0.5
_SHIFT_COST = 0.2
_SILENT_POWER = 1e-12
_QUIET_SHARE = 1e-3
_COARSE = 4
"""The search for the join looks at every fourth sample."""
_SEED = 1
_READ_S = 0.5


def stretch(
    audio: FloatArray,
    sample_rate: int,
    *,
    tempo: float = 1.0,
    semitones: float = 0.0,
    job: Job = NO_JOB,
) -> FloatArray:
    """Return the audio at another tempo, in another key, or both.

    Parameters
    ----------
    audio
        float32, one or two channels, shape ``(n_samples,)`` or ``(n_channels, n_samples)``.
    tempo
        How many times faster, 0.25..4; 1 keeps the length.
    semitones
        How far up, -24..24; 0 keeps the key.

    Returns
    -------
    ndarray
        As many channels (and dimensions), ``round(n_samples / tempo)`` samples. With tempo 1 and 0
        semitones the same samples.

    Raises
    ------
    ValueError
        Not finite, too many channels, or tempo or semitones out of range.
    Cancelled
        When ``job`` was cancelled; looked at every half second of sound.
    """
    channels = audio[np.newaxis] if audio.ndim == 1 else audio
    stretcher = Stretcher(channels, sample_rate, tempo=tempo, semitones=semitones)
    n_samples = stretcher.n_samples
    parts: list[FloatArray] = []
    done = 0
    while True:
        job.report(done / max(1, n_samples), "stretching")
        part = stretcher.read(max(1, round(_READ_S * sample_rate)))
        if part.shape[1] == 0:
            break
        parts.append(part)
        done += part.shape[1]
    whole = np.concatenate(parts, axis=1) if parts else channels[:, :0].copy()
    return whole[0] if audio.ndim == 1 else whole


@dataclass(slots=True, kw_only=True)
class _Rendered:
    """A piece of the result: ``audio`` begins at the result's sample ``first``."""

    audio: FloatArray
    first: int

    @property
    def end(self) -> int:
        return self.first + int(self.audio.shape[1])


class Stretcher:
    """Audio at another tempo or key, read as it is needed.

    Parameters
    ----------
    audio
        float32, shape ``(n_channels, n_samples)``, one or two channels; not copied.
    tempo, semitones
        As in :func:`stretch`.
    start_sample
        Where in the source the result begins.

    Raises
    ------
    ValueError
        As :func:`stretch`.
    """

    def __init__(
        self,
        audio: FloatArray,
        sample_rate: int,
        *,
        tempo: float = 1.0,
        semitones: float = 0.0,
        start_sample: int = 0,
    ) -> None:
        _check(audio, sample_rate, tempo, semitones, start_sample)
        self._audio = audio[:, start_sample:]
        self._start_sample = start_sample
        self._sample_rate = sample_rate
        self._tempo = tempo
        self._semitones = semitones
        self._piece = max(1, round(PIECE_S * tempo * sample_rate))
        self._next_piece = 0
        self._ready: list[FloatArray] = []
        self._ready_samples = 0
        self._tail: _Rendered | None = None
        self._read = 0
        self.n_samples = round(self._audio.shape[1] / tempo)
        """Length of the result in samples."""

    @property
    def source_sample(self) -> int:
        """The sample of the source that the next sample of the result stands for."""
        passed = min(self._audio.shape[1], round(self._read * self._tempo))
        return int(self._start_sample + passed)

    def read(self, n_samples: int) -> FloatArray:
        """Return the next samples, ``(n_channels, n)``; fewer than asked at the end, then none."""
        wanted = max(0, min(n_samples, self.n_samples - self._read))
        if self._tempo == 1.0 and self._semitones == 0.0:
            part = self._audio[:, self._read : self._read + wanted].astype(np.float32, copy=True)
        else:
            while self._ready_samples < wanted:
                self._render_next()
            part = self._take(wanted)
        self._read += wanted
        return part

    def _take(self, wanted: int) -> FloatArray:
        parts = [self._audio[:, :0].astype(np.float32)]
        missing = wanted
        while missing > 0:
            first = self._ready.pop(0)
            parts.append(first[:, :missing])
            if first.shape[1] > missing:
                self._ready.insert(0, first[:, missing:])
            missing -= parts[-1].shape[1]
        self._ready_samples -= wanted
        return np.concatenate(parts, axis=1)

    def _put(self, audio: FloatArray) -> None:
        self._ready.append(audio)
        self._ready_samples += audio.shape[1]

    def _render_next(self) -> None:
        """Render one more piece and join it to the end of the one before."""
        start = self._next_piece * self._piece
        self._next_piece += 1
        new = self._rendered(start)
        border = round(start / self._tempo)
        joined = new if self._tail is None else self._joined(self._tail, new, border)
        next_border = round((start + self._piece) / self._tempo)
        if start + self._piece >= self._audio.shape[1]:
            self._tail = None
            self._put(_fitted(joined.audio, self.n_samples - joined.first))
            return
        # What the next join may touch stays behind.
        kept_from = next_border - self._samples(_REACH_S)
        self._put(joined.audio[:, : kept_from - joined.first])
        self._tail = _Rendered(audio=joined.audio[:, kept_from - joined.first :], first=kept_from)

    def _rendered(self, start: int) -> _Rendered:
        """Return the piece that begins at the source's sample ``start``, with its context."""
        context = self._samples(CONTEXT_S * max(1.0, self._tempo))
        first = max(0, start - context)
        source = self._audio[:, first : start + self._piece + context]
        engine = _engine(source.shape[0], self._sample_rate)
        engine.setTimeFactor(self._tempo)
        engine.setTransposeSemitones(self._semitones, 0.0)
        # A signal shorter than the engine's window is padded for it.
        room = max(0, engine.blockSamples() * 2 - source.shape[1])
        # The engine takes no array that is read-only: np.pad copies.
        audio = engine.process(np.pad(source.astype(np.float32, copy=False), ((0, 0), (0, room))))
        length = round(source.shape[1] / self._tempo)
        return _Rendered(
            audio=_fitted(np.asarray(audio, dtype=np.float32), length),
            first=round(first / self._tempo),
        )

    def _joined(self, tail: _Rendered, new: _Rendered, border: int) -> _Rendered:
        """Return ``tail`` going over into ``new`` near the border."""
        reach, fade, shift = (self._samples(s) for s in (_REACH_S, _FADE_S, _SHIFT_S))
        low = max(tail.first, border - reach, new.first + shift)
        high = min(tail.end - fade, border + reach - fade, new.end - fade - shift)
        places = range(low, high + 1, max(1, self._samples(_STEP_S)))
        powers = [float(np.square(tail.audio[:, a - tail.first :][:, :fade]).sum()) for a in places]
        loudest = max(powers, default=0.0) + 1e-12
        best, best_merit = _Join(at=max(low, min(border, high)), shift=0, likeness=0.0), -np.inf
        for at, power in zip(places, powers, strict=True):
            before = tail.audio[:, at - tail.first :][:, :fade]
            around = new.audio[:, at - shift - new.first :][:, : fade + 2 * shift]
            found = _best_shift(before, around, shift)
            # A quiet place hides a join, and an attack must not be played twice.
            quiet = power <= _QUIET_SHARE * loudest
            merit = 1.0 if quiet else found.likeness - _LOUDNESS_COST * power / loudest
            if merit > best_merit:
                best = _Join(at=at, shift=0 if quiet else found.shift, likeness=found.likeness)
                best_merit = merit
        at = best.at
        before = tail.audio[:, at - tail.first :][:, :fade]
        after = new.audio[:, at + best.shift - new.first :]
        return _Rendered(
            audio=np.concatenate(
                [
                    tail.audio[:, : at - tail.first],
                    _faded(before, after[:, : before.shape[1]], best.likeness),
                    after[:, before.shape[1] :],
                ],
                axis=1,
            ),
            first=tail.first,
        )

    def _samples(self, seconds: float) -> int:
        return round(seconds * self._sample_rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Join:
    at: int
    shift: int
    likeness: float


def _best_shift(before: FloatArray, around: FloatArray, shift: int) -> _Join:
    """Return the shift, within ``shift`` to both sides, at which ``around`` is like ``before``."""
    first = before.sum(axis=0, dtype=np.float64)[::_COARSE]
    second = around.sum(axis=0, dtype=np.float64)[::_COARSE]
    products = np.correlate(second, first, mode="valid")
    squares = np.concatenate(([0.0], np.cumsum(second**2)))
    power = (squares[first.size :] - squares[: -first.size]) * float(first @ first)
    likeness = products / np.sqrt(np.maximum(power, _SILENT_POWER))
    shifts = np.arange(likeness.size) * _COARSE - shift
    place = int(np.argmax(likeness - _SHIFT_COST * np.abs(shifts) / shift))
    return _Join(at=0, shift=int(shifts[place]), likeness=float(likeness[place]))


def _faded(before: FloatArray, after: FloatArray, likeness: float) -> FloatArray:
    """Fade from one to the other without a dip: the gains allow for how alike the two are."""
    rise = (np.arange(before.shape[1]) + 0.5) / max(1, before.shape[1])
    fall = 1.0 - rise
    power = rise**2 + fall**2 + 2.0 * max(0.0, min(1.0, likeness)) * rise * fall
    gain = 1.0 / np.sqrt(power)
    return np.asarray(before * (fall * gain) + after * (rise * gain), dtype=np.float32)


def _fitted(audio: FloatArray, n_samples: int) -> FloatArray:
    """Return exactly ``n_samples``, cut or followed by silence."""
    short = max(0, n_samples - audio.shape[1])
    return np.pad(audio, ((0, 0), (0, short))) if short else audio[:, : max(0, n_samples)]


def _engine(n_channels: int, sample_rate: int) -> Any:
    import python_stretch

    engine = python_stretch.Signalsmith.Stretch(_SEED)
    engine.preset(n_channels, float(sample_rate))
    return engine


def _check(
    audio: FloatArray, sample_rate: int, tempo: float, semitones: float, start_sample: int
) -> None:
    if audio.ndim != 2 or not 1 <= audio.shape[0] <= MOST_CHANNELS:
        raise ValueError(f"audio must have the shape (1 or 2, n_samples), not {audio.shape}")
    if not np.isfinite(audio).all():
        raise ValueError("audio holds NaN or infinite samples; clean it when it is read")
    if sample_rate <= 0:
        raise ValueError(f"sample_rate must be above 0, not {sample_rate}")
    if not SLOWEST <= tempo <= FASTEST:
        raise ValueError(f"tempo must lie in {SLOWEST}..{FASTEST}, not {tempo}; 1 keeps it")
    if not abs(semitones) <= MOST_SEMITONES:
        raise ValueError(f"semitones must lie within {MOST_SEMITONES}, not {semitones}")
    if not 0 <= start_sample <= audio.shape[1]:
        raise ValueError(f"start_sample must lie in 0..{audio.shape[1]}, not {start_sample}")
