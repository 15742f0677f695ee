"""Array types and the one way to make an array read-only."""

from __future__ import annotations

from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float32]
"""float32 samples or features."""

RealArray: TypeAlias = NDArray[np.float64]
"""float64 times, frequencies, cents."""

FeatureArray: TypeAlias = NDArray[np.float16]
"""float16 encoder output: an hour of it takes 184 MB."""

BoolArray: TypeAlias = NDArray[np.bool_]

BinArray: TypeAlias = NDArray[np.uint8]
"""Numbers of steps."""

ANALYSIS_RATE = 16_000
"""Sample rate in Hz of the mono signals that the analysis stages work on."""

A = TypeVar("A", bound=NDArray[Any])


def read_only(array: A) -> A:
    """Return ``array`` itself, no longer writable."""
    array.flags.writeable = False
    return array
