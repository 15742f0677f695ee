"""Is the recording good enough to judge a singer by it: noise, clipping, DNSMOS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from singcoach.core.arrays import ANALYSIS_RATE, FloatArray, RealArray
from singcoach.core.music import Region
from singcoach.dsp.anchors import find_anchor
from singcoach.jobs import NO_JOB, Job

MOS_WINDOW_SAMPLES = 144_160
"""9.01 s, the network's fixed input."""
MOS_WINDOWS = 3
_NOTHING = 1e-30
"""Largest sample of a piece below which it is silence: what no file of integers can hold."""
_WORKING_RMS = 0.05  # -26 dBFS, the level of speech test material (ITU-T P.56)

# Maps the network's raw outputs to the five-point scale, published with DNSMOS P.835 (ICASSP 2022).
_OVERALL_POLYNOMIAL = (-0.06766283, 1.11546468, 0.04602535)
_OVERALL_COLUMN = 2

_FRAME_SAMPLES = 400
_PIECE_SAMPLES = 5 * ANALYSIS_RATE
_MOST_PIECES = 24
FLAT_TOP_RATIO = 1.5
"""How many more samples lie at the top than in the band below it when they are clipped. A sine
has 1.33; one of 179 solo recordings passes it, with 2.4 % (set on the shared recordings)."""
_TOP_QUANTILES = (0.999, 0.99, 0.97)
BEST_SNR_DB = 80.0


class QualitySession(Protocol):
    """What :func:`recording_quality` needs of the loaded DNSMOS network."""

    @property
    def input_names(self) -> tuple[str, ...]:
        """Name of the one input, ``(N, 144160)`` samples at 16 kHz."""
        ...

    def run(self, inputs: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Return raw signal, background and overall quality, shape ``(N, 3)``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingFaults:
    """Measured faults of a recording.

    Attributes
    ----------
    clipped_share
        Share of the samples that sit at a flat top, 0..1.
    snr_db
        Level of the singing above the rests, at most 80; None when there are no rests.
    """

    clipped_share: float
    snr_db: float | None


def recording_quality(
    vocal_raw: FloatArray, *, session: QualitySession, job: Job = NO_JOB
) -> float | None:
    """Return the DNSMOS P.835 overall quality on the five-point scale, None for silence.

    Three windows of 9 s, evenly spread, brought to one level; a shorter take is repeated until it
    fills one. Counted from the first sound, so that silence before the singing does not move them.
    The network was trained on speech: it warns of bad recordings and says nothing
    about the singing.

    Parameters
    ----------
    vocal_raw
        The voice before dereverb, 16 kHz mono, shape ``(n_samples,)``.
    """
    pieces = [
        piece for piece in _mos_windows(_sounding(vocal_raw)) if np.abs(piece).max() > _NOTHING
    ]
    if not pieces:
        return None
    (name,) = session.input_names
    scores = []
    for index, piece in enumerate(pieces):
        job.report(index / len(pieces), "recording quality")
        power = np.square(piece, dtype=np.float64)
        gain = _WORKING_RMS / np.sqrt(power[power >= 0.1 * power.mean()].mean())
        gain = min(gain, 1.0 / float(np.abs(piece).max()))
        (raw,) = session.run({name: (piece * np.float32(gain))[np.newaxis, :]})
        scores.append(float(np.polyval(_OVERALL_POLYNOMIAL, float(raw[0, _OVERALL_COLUMN]))))
    job.report(1.0, "recording quality")
    return float(np.clip(np.mean(scores), 1.0, 5.0))


def find_faults(
    vocal_raw: FloatArray, *, sample_rate: int, regions: Sequence[Region]
) -> RecordingFaults:
    """Measure clipping and noise of the voice before dereverb.

    Clipping is seen by its flat top at whatever level: samples crowd within 6 % of it, more
    densely than in the band below it; less than about 1 % of clipped samples stays unseen. Noise
    is the median level of the rests, edges left out, against that of the singing.
    """
    return RecordingFaults(
        clipped_share=_clipped_share(vocal_raw), snr_db=_snr_db(vocal_raw, sample_rate, regions)
    )


def _mos_windows(audio: FloatArray) -> list[FloatArray]:
    if audio.size == 0:
        return []
    if audio.size <= MOS_WINDOW_SAMPLES:
        repeats = -(-MOS_WINDOW_SAMPLES // audio.size)
        return [np.tile(audio, repeats)[:MOS_WINDOW_SAMPLES]]
    n_windows = min(MOS_WINDOWS, audio.size // MOS_WINDOW_SAMPLES)
    starts = np.linspace(0, audio.size - MOS_WINDOW_SAMPLES, n_windows).astype(int)
    return [audio[start : start + MOS_WINDOW_SAMPLES] for start in starts]


def _sounding(audio: FloatArray) -> FloatArray:
    """Return a recording from its first sound on, without digital silence at its end."""
    if audio.size == 0:
        return audio
    last = audio.size - int((audio[::-1] != 0.0).argmax())
    return audio[find_anchor(audio).first_sound : last]


def _clipped_share(audio: FloatArray) -> float:
    size = np.abs(_spread_pieces(audio))
    size = size[size > 0.0]
    if size.size < _FRAME_SAMPLES:
        return 0.0
    found = 0.0
    for top in np.quantile(size, _TOP_QUANTILES):
        at_top = float(np.mean((size >= 0.94 * top) & (size <= 1.06 * top)))
        below = float(np.mean((size >= 0.82 * top) & (size < 0.94 * top)))
        above = float(np.mean(size > 1.06 * top))
        # Both bands are 12 % of the top wide. Resampling rings: some samples overshoot the top.
        if at_top > FLAT_TOP_RATIO * below and above < 0.5 * at_top:
            found = max(found, at_top)
    return found


def _spread_pieces(audio: FloatArray) -> FloatArray:
    if audio.size <= _MOST_PIECES * _PIECE_SAMPLES:
        return audio
    starts = np.linspace(0, audio.size - _PIECE_SAMPLES, _MOST_PIECES).astype(int)
    return np.concatenate([audio[start : start + _PIECE_SAMPLES] for start in starts])


def _snr_db(audio: FloatArray, sample_rate: int, regions: Sequence[Region]) -> float | None:
    edge_s = 0.15
    sung = [
        _frame_powers(audio, sample_rate, r.start_s, r.end_s)
        for r in regions
        if r.kind == "singing"
    ]
    rests = [
        _frame_powers(audio, sample_rate, region.start_s + edge_s, region.end_s - edge_s)
        for region in regions
        if region.kind == "silence"
    ]
    signal = np.concatenate(sung) if sung else np.zeros(0)
    noise = np.concatenate(rests) if rests else np.zeros(0)
    if signal.size == 0 or noise.size * _FRAME_SAMPLES < 0.3 * sample_rate:
        return None
    noise_power = float(np.median(noise))
    signal_power = float(np.median(signal))
    if signal_power <= 0.0:
        return None
    if noise_power <= signal_power * 10.0 ** (-BEST_SNR_DB / 10.0):
        return BEST_SNR_DB
    return 10.0 * float(np.log10(signal_power / noise_power))


def _frame_powers(audio: FloatArray, sample_rate: int, start_s: float, end_s: float) -> RealArray:
    first, last = max(0, round(start_s * sample_rate)), round(end_s * sample_rate)
    piece = audio[first : max(first, last)]
    n_frames = piece.size // _FRAME_SAMPLES
    frames = piece[: n_frames * _FRAME_SAMPLES].reshape(n_frames, _FRAME_SAMPLES)
    # About each frame's own mean: the offset of a cheap converter is no noise.
    return np.asarray(np.var(frames, axis=1, dtype=np.float64))
