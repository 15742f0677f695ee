"""The overlapping mel bands that a spectrum is cut into, and how their masks come together again.

A triangular mel filter bank (Slaney's scale) says which bins a band holds: those where its filter
is not zero. Every bin but the outermost lies in one or two bands.

Source: Wang, Lu, Won, "Mel-Band RoFormer for music source separation", arXiv 2310.01809, section 2.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from singcoach.core.arrays import FloatArray, RealArray, read_only

if TYPE_CHECKING:  # the configuration itself reads the bands
    from singcoach.models.roformer.config import RoformerConfig

_LINEAR_HZ_PER_MEL = 200.0 / 3.0
_LOG_FROM_HZ = 1000.0
_LOG_FROM_MEL = _LOG_FROM_HZ / _LINEAR_HZ_PER_MEL
_LOG_STEP = np.log(6.4) / 27.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BandLayout:
    """Which rows of a spectrum each band holds.

    A row is one bin of one channel: row ``bin * n_channels + channel``. Every band is a run of
    consecutive rows.

    Attributes
    ----------
    starts, stops
        First row of every band and the row after its last.
    indices
        int64 ``(sum of the bands' rows,)``, the rows of all bands one after the other.
    bands_per_row
        float32 ``(n_rows,)``, how many bands hold the row; at least 1.
    """

    starts: tuple[int, ...]
    stops: tuple[int, ...]
    indices: NDArray[np.int64]
    bands_per_row: FloatArray

    @property
    def n_rows(self) -> int:
        """Rows of the spectrum: bins times channels."""
        return int(self.bands_per_row.size)

    @property
    def widths(self) -> tuple[int, ...]:
        """Real values of each band in one frame: two for every row."""
        return tuple(
            2 * (stop - start) for start, stop in zip(self.starts, self.stops, strict=True)
        )


def band_layout(config: RoformerConfig) -> BandLayout:
    """Return the bands of a configuration.

    Raises
    ------
    ValueError
        When a band is empty or a bin in no band: too many bands for so few bins.
    """
    return _layout(
        config.sample_rate, config.stft_n_fft, config.num_bands, 2 if config.stereo else 1
    )


@functools.lru_cache(maxsize=64)
def _layout(sample_rate: int, n_fft: int, n_bands: int, n_channels: int) -> BandLayout:
    holds = mel_filters(sample_rate, n_fft, n_bands) > 0
    # The first bin lies on the lower edge of the first band and the last on the upper edge of the
    # last one, where the filter is zero but for rounding.
    holds[0, 0] = True
    holds[-1, -1] = True
    counts = holds.sum(axis=0)
    if not counts.all() or not holds.any(axis=1).all():
        raise ValueError(
            f"{n_bands} mel bands do not cover {n_fft // 2 + 1} bins; fewer bands would work"
        )
    first = holds.argmax(axis=1)
    last = holds.shape[1] - holds[:, ::-1].argmax(axis=1)
    if not np.array_equal(last - first, holds.sum(axis=1)):
        raise ValueError(f"{n_bands} mel bands of {n_fft // 2 + 1} bins have gaps")
    starts = tuple(int(start) * n_channels for start in first)
    stops = tuple(int(stop) * n_channels for stop in last)
    rows = [np.arange(start, stop) for start, stop in zip(starts, stops, strict=True)]
    return BandLayout(
        starts=starts,
        stops=stops,
        indices=read_only(np.concatenate(rows).astype(np.int64)),
        bands_per_row=read_only(np.repeat(counts, n_channels).astype(np.float32)),
    )


def mel_filters(sample_rate: int, n_fft: int, n_bands: int) -> FloatArray:
    """Return triangular filters of unit area on Slaney's mel scale.

    Parameters
    ----------
    sample_rate
        In Hz; the filters reach from 0 to half of it.
    n_fft, n_bands
        Length of the transform in samples, number of filters.

    Returns
    -------
    ndarray
        float32 ``(n_bands, n_fft // 2 + 1)``, as ``librosa.filters.mel`` gives it, which the
        public checkpoints were trained with; its import would take longer than a short take.
    """
    bins_hz = np.fft.rfftfreq(n_fft, 1.0 / sample_rate)
    edges_hz = _mel_to_hz(np.linspace(0.0, _hz_to_mel(sample_rate / 2), n_bands + 2))
    below, centre, above = edges_hz[:-2, None], edges_hz[1:-1, None], edges_hz[2:, None]
    rising = (bins_hz - below) / (centre - below)
    falling = (above - bins_hz) / (above - centre)
    triangles = np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)
    filters: FloatArray = triangles * (2.0 / (above - below)).astype(np.float32)
    return filters


def _hz_to_mel(hz: float) -> float:
    if hz < _LOG_FROM_HZ:
        return hz / _LINEAR_HZ_PER_MEL
    return float(_LOG_FROM_MEL + np.log(hz / _LOG_FROM_HZ) / _LOG_STEP)


def _mel_to_hz(mel: RealArray) -> RealArray:
    hz: RealArray = np.where(
        mel < _LOG_FROM_MEL,
        mel * _LINEAR_HZ_PER_MEL,
        _LOG_FROM_HZ * np.exp(_LOG_STEP * (mel - _LOG_FROM_MEL)),
    )
    return hz
