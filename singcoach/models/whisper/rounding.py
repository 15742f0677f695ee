"""Rounding of weight matrices to 8 bits so that every processor gives the same sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

PAIR_LIMIT = 128
_RANGES = (127, 120, 112, 104, 96, 88, 80, 72, 64)
_BLOCK_ELEMENTS = 1 << 17


@dataclass(frozen=True, slots=True)
class Rounded:
    """A matrix as ``values * scales[:, None]``: int8 ``(n_out, n_in)``, float32 ``(n_out,)``."""

    values: NDArray[np.int8]
    scales: NDArray[np.float32]


def round_matrix(matrix: NDArray[Any]) -> Rounded:
    """Round each row of ``matrix`` to 8 bits so that no processor saturates.

    AVX2 adds the products of two neighbouring weights with bytes of 0..255 in 16 bits. That is
    exact when two neighbours sum to at most 128 in size; the few pairs beyond are shortened, and
    each row takes the range out of nine that leaves the least squared error. So processors with
    and without 8-bit dot products give the same sums.
    """
    values = np.empty(matrix.shape, dtype=np.int8)
    scales = np.empty(len(matrix), dtype=np.float32)
    # Rows do not depend on one another: few at a time stay in the processor's cache.
    n_rows = max(1, _BLOCK_ELEMENTS // max(1, matrix.shape[1]))
    for start in range(0, len(matrix), n_rows):
        rows = slice(start, start + n_rows)
        values[rows], scales[rows] = _round_rows(matrix[rows].astype(np.float64))
    return Rounded(values, scales)


def _round_rows(exact: NDArray[np.float64]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    peaks = np.abs(exact).max(axis=1)
    peaks[peaks == 0] = 1.0
    values = np.zeros(exact.shape, dtype=np.int8)
    scales = np.ones(len(exact), dtype=np.float32)
    least = np.full(len(exact), np.inf)
    rounded = np.empty_like(exact)
    error = np.empty_like(exact)
    for largest in _RANGES:
        scale = (peaks / largest).astype(np.float32)
        wide = scale.astype(np.float64)[:, None]
        np.divide(exact, wide, out=rounded)
        np.rint(rounded, out=rounded)
        _shorten_pairs(rounded)
        np.multiply(rounded, wide, out=error)
        error -= exact
        total = np.einsum("ij,ij->i", error, error)
        better = total < least
        least[better] = total[better]
        values[better] = rounded[better]
        scales[better] = scale[better]
    return values, scales


def _shorten_pairs(rounded: NDArray[np.float64]) -> None:
    """Bring the pairs beyond the limit down to it, in place; both weights give alike."""
    pairs = rounded.reshape(len(rounded), -1, 2)
    total = pairs[..., 0] + pairs[..., 1]
    rows, places = np.nonzero(np.abs(total) > PAIR_LIMIT)
    excess = total[rows, places]
    excess -= np.copysign(PAIR_LIMIT, excess)
    half = np.fix(excess / 2)
    pairs[rows, places, 0] -= excess - half
    pairs[rows, places, 1] -= half
