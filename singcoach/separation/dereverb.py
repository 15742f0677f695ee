"""The room taken out of a voice: prediction from the past, led by a small network.

In every bin, what the past predicts of the present is reverberation or a held note. The network
(:mod:`singcoach.models.build.dereverb_network`) sees the voice with and without that prediction and
says, for each band and frame, how much of it to take away and how far to lower what is left, so
that the tail of the note before goes and the note that sounds stays.

How much would be taken away in all also tells whether there is a room: where that is little,
nothing is changed, and a dry take comes out as it went in. Between dry and wet the strength rises
steadily.

Without the network (``session`` None) the prediction alone is taken away, more carefully: late
reverberation by weighted prediction error (WPE) with a gap of a whole frame.

Source of the prediction: Nakatani et al., "Speech dereverberation based on variance-normalized
delayed linear prediction", IEEE TASLP 18(7), 2010. Blocks of 16 s instead of the whole recording.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from singcoach.core.arrays import ANALYSIS_RATE, FloatArray
from singcoach.dsp.dereverb_bands import (
    DELAYS,
    HOP,
    ITERATIONS,
    N_FFT,
    features,
    in_bins,
    power,
    room_estimate,
)
from singcoach.dsp.prediction import predicted
from singcoach.dsp.stft import ComplexArray, OverlapAdder, spectra
from singcoach.jobs import NO_JOB, Job

BLOCK_S = 16.0
FADE_S = 2.0
SHORTEST_S = 5.0
"""Below this there are too few frames to learn a room from; the voice is left alone."""

DRY_REMOVED_DB = -20.0
WET_REMOVED_DB = -16.0
"""Share of the energy that would be taken away: nothing is done up to the first, everything from
the second."""

TONE_REMOVED_DB = (-3.0, -1.0)
"""Above this it is no room but a steady tone (a whistle, a synthesizer), which its past predicts
wholly: less is done from the first, nothing from the second."""

PLAIN_POINTS_DB = (-27.5, -25.5, -12.0, -9.0)
"""Without the network: dry, wet, strongest room, tone. Dry takes lie at -28 dB and below, rooms of
0.3 s at -25 and one of 1.2 s at -15 dB (vocadito, pesnq_edelweiss, nycu_first)."""

_STAGE = "removing the room"


class Session(Protocol):
    """What runs the network; :class:`singcoach.models.sessions.Session` is one."""

    def run(self, inputs: dict[str, FloatArray]) -> list[NDArray[np.float32]]:
        """Return the gains for the features."""
        ...


def dereverb(
    vocal: FloatArray,
    *,
    sample_rate: int = ANALYSIS_RATE,
    session: Session | None = None,
    job: Job = NO_JOB,
) -> FloatArray:
    """Return the voice with less of its room.

    Parameters
    ----------
    vocal
        Mono float32 ``(n_samples,)``, finite; may be empty or silent.
    sample_rate
        Has to be 16000.
    session
        The embedded network of the role ``dereverb``; None: the prediction alone.
    job
        Reports after every 14 s of audio, and may cancel there.

    Returns
    -------
    ndarray
        float32, same shape. Shorter than 5 s or dry: a copy of the input.

    Raises
    ------
    ValueError
        When ``vocal`` is not one-dimensional or the rate is not 16000 Hz.
    ModelError
        When the network fails while running.

    Notes
    -----
    The figures are in docs/dereverb.md. Memory: about 90 MB beside the result, however long it is.
    """
    if vocal.ndim != 1:
        raise ValueError(f"vocal has shape {vocal.shape}; (n_samples,) would work")
    if sample_rate != ANALYSIS_RATE:
        raise ValueError(f"sample_rate is {sample_rate}; {ANALYSIS_RATE} would work")
    vocal = np.asarray(vocal, dtype=np.float32)
    out = vocal.copy()
    if vocal.size < SHORTEST_S * sample_rate:
        return out
    n_fade = round(FADE_S * sample_rate)
    rise = np.linspace(0.0, 1.0, n_fade, dtype=np.float32)
    for start, end in _blocks(vocal.size, sample_rate):
        job.report(start / vocal.size, _STAGE)
        block = vocal[start:end]
        block = _plainly(block) if session is None else _with_network(block, session)
        if start > 0:  # the end of the block before is already in place
            before = out[start : start + n_fade]
            block[:n_fade] = before + rise * (block[:n_fade] - before)
        out[start:end] = block
    job.report(1.0, _STAGE)
    return out


def _blocks(n_samples: int, sample_rate: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of the blocks; the last reaches back so that it is as long as others."""
    n_block = round(BLOCK_S * sample_rate)
    n_step = n_block - round(FADE_S * sample_rate)
    start = 0
    while start + n_block < n_samples:
        yield start, start + n_block
        start += n_step
    yield max(0, n_samples - n_block), n_samples


def _with_network(block: FloatArray, session: Session) -> FloatArray:
    """Return the block without what the network takes for a room."""
    if not np.any(block):
        return block.copy()
    spectrum = _spectrum(block)
    room = room_estimate(spectrum)
    (gains,) = session.run({"features": features(spectrum, room)[None]})
    mask, share = in_bins(gains[0])
    room *= share
    room -= spectrum
    room *= mask
    room += spectrum  # what is taken away: spectrum - mask * (spectrum - share * room)
    removed_share = float(power(room).sum(dtype=np.float64)) / max(
        float(power(spectrum).sum(dtype=np.float64)), 1e-30
    )
    points_db = (DRY_REMOVED_DB, WET_REMOVED_DB, *TONE_REMOVED_DB)
    strength = _strength(removed_share, points_db)
    return block - np.float32(strength) * _audio(room, block.size)


def _plainly(block: FloatArray) -> FloatArray:
    """Return the block without what WPE predicts, as far as that looks like a room."""
    energy = float(np.vdot(block, block))
    if energy == 0.0:
        return block.copy()
    spectrum = _spectrum(block)
    room = predicted(spectrum.T, delays=DELAYS, iterations=ITERATIONS).T
    removed = _audio(np.ascontiguousarray(room), block.size)
    strength = _strength(float(np.vdot(removed, removed)) / energy, PLAIN_POINTS_DB)
    result: FloatArray = block - np.float32(strength) * removed
    return result


def _spectrum(block: FloatArray) -> ComplexArray:
    batch = block.size // HOP + 4
    (spectrum,) = spectra([block[None]], n_fft=N_FFT, hop=HOP, batch_frames=batch)
    mono: ComplexArray = spectrum[0]
    return mono


def _audio(spectrum: ComplexArray, n_samples: int) -> FloatArray:
    adder = OverlapAdder(n_fft=N_FFT, hop=HOP, n_channels=1)
    return adder.add(spectrum[None])[0, :n_samples]


def _strength(removed_share: float, points_db: tuple[float, ...]) -> float:
    """Return how much to take away, 0..1, from the share of energy that would go."""
    removed_db = 10 * np.log10(max(removed_share, 1e-30))
    return float(np.interp(removed_db, points_db, (0.0, 1.0, 1.0, 0.0)))
