"""Figures that tell how like two signals are."""

from __future__ import annotations

import numpy as np


def si_sdr_db(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Scale-invariant signal-to-distortion ratio in dB (Le Roux et al., ICASSP 2019)."""
    reference = reference.ravel().astype(np.float64)
    estimate = estimate.ravel().astype(np.float64)
    target = reference * (reference @ estimate) / (reference @ reference)
    rest = estimate - target
    return float(10 * np.log10((target @ target) / (rest @ rest + 1e-300)))


def sdr_db(reference: np.ndarray, estimate: np.ndarray) -> float:
    reference = reference.ravel().astype(np.float64)
    rest = estimate.ravel().astype(np.float64) - reference
    return float(10 * np.log10((reference @ reference) / (rest @ rest + 1e-300)))


def power_db(audio: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(audio.astype(np.float64) ** 2) + 1e-300))
