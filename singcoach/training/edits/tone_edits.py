"""Faults of tone: breathiness, dullness, harshness."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.training.edits.kinds import Fault, over_phrases
from singcoach.training.edits.voice import SILENCE, Singing, shifted, smoothed, with_gain

Edited = tuple[Singing, tuple[Fault, ...]]

BREATHY_HZ = (0.0, 400.0, 1000.0, 2500.0, 8000.0)
BREATHY_SHARE = (0.08, 0.12, 0.3, 0.9, 0.98)
ROUGH_HZ = (0.0, 1000.0, 4000.0, 8000.0)
ROUGH_SHARE = (0.06, 0.12, 0.35, 0.6)
DULL_DB_OCTAVE = 7.0
DULL_FROM_HZ = 500.0
JITTER_CENTS = 38.0
SHIMMER_DB = 3.0
SHRILL_DB = 6.0


def breathiness(
    singing: Singing,
    severity: float,
    generator: np.random.Generator,  # noqa: ARG001 - one form for all
) -> Edited:
    """Let air pass through the tone.

    The share of noise in the power is raised, in dB as the severity to the power of 0.6 (so that
    prominence falls about evenly), to 8 % at the lowest
    harmonics, 30 % at 1 kHz and 90 % from 2.5 kHz at severity 1: aspiration noise replaces the
    upper harmonics and lowers cepstral prominence (Hillenbrand et al. 1994; Klatt and Klatt 1990).
    """
    noise = _noisier(singing, severity**0.6, BREATHY_HZ, BREATHY_SHARE)
    edited = replace(singing, aperiodicity=noise)
    return edited, over_phrases(singing, "breathiness", severity, severity, "share")


def dullness(
    singing: Singing,
    severity: float,
    generator: np.random.Generator,  # noqa: ARG001 - one form for all
) -> Edited:
    """Take the ring out of the voice.

    From 500 Hz the spectrum falls by 7 dB more an octave at severity 1 (19 dB at 3.3 kHz, where
    the singer's formant lies), at the same power. Weak partials in 2-4 kHz tell untrained from
    trained voices (Omori et al. 1996; Sundberg 1974).
    """
    octaves = np.log2(np.maximum(singing.bins_hz, DULL_FROM_HZ) / DULL_FROM_HZ)
    tilt_db = -DULL_DB_OCTAVE * severity * octaves
    dulled = singing.spectrum * 10.0 ** (tilt_db / 10.0)[np.newaxis, :]
    edited = replace(singing, spectrum=_as_loud(dulled, singing.spectrum, singing.voiced))
    return edited, over_phrases(
        singing, "dullness", severity, DULL_DB_OCTAVE * severity, "dB/octave"
    )


def harshness(singing: Singing, severity: float, generator: np.random.Generator) -> Edited:
    """Make the tone rough and shrill.

    At severity 1 the fundamental jumps by 38 cents and the level by 3 dB (standard deviations)
    from one 5 ms frame to the next, noise takes 6 to 12 % of the power up to 1 kHz, and 4 to 7 kHz
    rise by 6 dB: the acoustic marks of roughness and strain (Eskenazi et al. 1990; Omori et al.
    1997), as far as frames of 5 ms can carry them (no subharmonics).
    """
    jumps = np.clip(generator.standard_normal(singing.n_frames), -2.5, 2.5)
    shimmer = np.clip(generator.standard_normal(singing.n_frames), -2.5, 2.5)
    f0 = shifted(singing.f0_hz, JITTER_CENTS * severity * jumps)
    shrill_db = SHRILL_DB * severity * np.exp(-(((singing.bins_hz - 5500.0) / 1500.0) ** 2))
    gain = SHIMMER_DB * severity * shimmer * singing.voiced
    spectrum = with_gain(singing.spectrum, gain) * 10.0 ** (shrill_db / 10.0)[np.newaxis, :]
    noise = _noisier(singing, severity, ROUGH_HZ, ROUGH_SHARE)
    edited = replace(singing, f0_hz=f0, spectrum=spectrum, aperiodicity=noise)
    return edited, over_phrases(singing, "harshness", severity, JITTER_CENTS * severity, "cents")


def _noisier(
    singing: Singing,
    severity: float,
    places_hz: tuple[float, ...],
    shares: tuple[float, ...],
) -> RealArray:
    """Return the aperiodicity with its share of the power raised towards ``shares``, in dB."""
    wanted = np.log(np.interp(singing.bins_hz, places_hz, shares))[np.newaxis, :]
    share = 2.0 * np.log(np.maximum(singing.aperiodicity, 1e-4))
    raised = share + severity * np.maximum(0.0, wanted - share)
    kept = np.where(singing.voiced[:, np.newaxis], np.exp(0.5 * raised), singing.aperiodicity)
    return np.asarray(np.clip(kept, 0.0, 1.0))


def _as_loud(
    spectrum: RealArray, before: RealArray, voiced: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> RealArray:
    """Return ``spectrum`` with the power over 0.2 s that it had before, in the voiced frames."""
    was = smoothed(before.mean(axis=1) * voiced, seconds=0.1) + SILENCE
    now = smoothed(spectrum.mean(axis=1) * voiced, seconds=0.1) + SILENCE
    gain_db = 10.0 * np.log10(was / now)
    return with_gain(spectrum, np.clip(gain_db, 0.0, 20.0))
