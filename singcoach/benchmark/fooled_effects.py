"""What anyone can do to a recording with a slider: equaliser, telephone, expander, offset."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from singcoach.core.arrays import ANALYSIS_RATE, FloatArray, RealArray

TREBLE_DB, TREBLE_HZ = 12.0, 1200.0
TELEPHONE_HZ = (300.0, 3400.0)
EXPANSION = 0.6
"""The gain is the envelope to this power: 10 dB less become 16."""
OFFSET_SHARE = 0.1
"""Of the largest sample: about half of the level of the singing."""

_ENVELOPE_S = 0.05


def more_treble(audio: FloatArray) -> FloatArray:
    """A shelf of 12 dB above 1.2 kHz, as an equaliser's slider makes it."""

    def gain(freqs_hz: RealArray) -> RealArray:
        # First order: half of the decibels at the corner, within an octave or two of it.
        share = freqs_hz**2 / (freqs_hz**2 + TREBLE_HZ**2)
        return np.asarray(10.0 ** (TREBLE_DB * share / 20.0))

    return _filtered(audio, gain)


def telephone(audio: FloatArray) -> FloatArray:
    """Nothing below 300 Hz and above 3.4 kHz, the band of a telephone (ITU-T G.712)."""
    low, high = TELEPHONE_HZ

    def gain(freqs_hz: RealArray) -> RealArray:
        below = 1.0 / np.sqrt(1.0 + (low / np.maximum(freqs_hz, 1.0)) ** 12)
        return np.asarray(below / np.sqrt(1.0 + (freqs_hz / high) ** 12))

    return _filtered(audio, gain)


def expanded(audio: FloatArray) -> FloatArray:
    """Soft made softer: the gain follows the envelope, the loudest moments stay as they are."""
    n_frame = round(_ENVELOPE_S * ANALYSIS_RATE)
    if audio.size < 2 * n_frame:
        return audio.copy()
    n_frames = audio.size // n_frame
    frames = audio[: n_frames * n_frame].astype(np.float64).reshape(n_frames, n_frame)
    level = np.sqrt(np.mean(np.square(frames), axis=1))
    loud = float(np.percentile(level, 95.0))
    if loud <= 0.0:
        return audio.copy()
    middles = (np.arange(n_frames) + 0.5) * n_frame
    envelope = np.interp(np.arange(audio.size), middles, np.minimum(level / loud, 1.0))
    return np.asarray(audio * envelope**EXPANSION, dtype=np.float32)


def with_offset(audio: FloatArray) -> FloatArray:
    """The offset of a cheap converter; as loud at its peak as before."""
    peak = float(np.max(np.abs(audio), initial=0.0))
    return np.asarray((1.0 - OFFSET_SHARE) * audio + OFFSET_SHARE * peak, dtype=np.float32)


EFFECTS: Mapping[str, Callable[[FloatArray], FloatArray]] = {
    "treble": more_treble,
    "telephone": telephone,
    "expander": expanded,
    "dc": with_offset,
}
"""Effects on the samples of a take."""


def _filtered(audio: FloatArray, gain: Callable[[RealArray], RealArray]) -> FloatArray:
    """Apply a gain by frequency without delay, and turn down what would clip."""
    if audio.size == 0:
        return audio.copy()
    size = 1 << (audio.size + ANALYSIS_RATE).bit_length()
    spectrum = np.fft.rfft(audio.astype(np.float64), size)
    freqs_hz = np.asarray(np.fft.rfftfreq(size, 1.0 / ANALYSIS_RATE), dtype=np.float64)
    sound = np.fft.irfft(spectrum * gain(freqs_hz), size)[: audio.size]
    return np.asarray(sound / max(1.0, float(np.abs(sound).max())), dtype=np.float32)
