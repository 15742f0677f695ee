"""The room taken out of a voice, blindly: prediction from the past, then a Wiener filter.

In every bin, what the past predicts of the present is reverberation, as long as the past lies far
enough back for the voice itself to have moved on: with frames of 64 ms and a gap of one whole frame
even sustained notes are hardly touched. What the prediction found is subtracted; and since it is
never found whole, what is left is lowered in proportion to it, band by band.

Whether there is a room is heard where the sound falls: between the notes of a dry voice the past
predicts nothing, in a room nearly everything. Up to a little of that nothing is changed, and a dry
take comes out as it went in; from there to a clear room the strength rises steadily. A held tone,
which its past predicts as well as any room, does not fall and is left alone.

Source of the prediction: Nakatani et al., "Speech dereverberation based on variance-normalized
delayed linear prediction", IEEE TASLP 18(7), 2010. One channel; blocks of 16 s instead of the whole
recording, and a floor under the weights (see :mod:`singcoach.dsp.prediction`).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from singcoach.core.arrays import ANALYSIS_RATE, FloatArray
from singcoach.dsp.dereverb_bands import HOP, N_FFT, in_bands, in_bins, power, room_estimate
from singcoach.dsp.stft import ComplexArray, OverlapAdder, spectra
from singcoach.jobs import NO_JOB, Job

BLOCK_S = 16.0
FADE_S = 2.0
SHORTEST_S = 5.0
"""Below this there are too few frames to learn a room from; the voice is left alone."""

LEAST_GAIN = 0.2
"""The Wiener filter goes down to -14 dB and no farther: silence between notes keeps its air."""

FALL_FRAMES = 3
FALL_SHARE = 0.25
AUDIBLE_SHARE = 1e-3
LEAST_SHARE = 1e-6
FEWEST_FALLS = 400
EDGE_FRAMES = 2
"""A place falls when its energy is 6 dB below what it was 96 ms before, which in turn lay within
30 dB of the loudest of its band and within 60 dB of the loudest of all. With fewer such places in a
block there is less to judge by, and the strength is lowered in proportion."""

DRY_FALL_DB = -1.5
WET_FALL_DB = -2.1
"""Mean change of level where the sound falls, had the prediction been subtracted: nothing is done
down to the first, everything from the second. Of 49 dry takes (vocadito, pesnq_edelweiss, gtsinger)
47 lie at -1.25 dB and above, two at -1.5 and -1.6; eight takes lie at -1.4 to -2.1 dB in a booth of
0.25 s and at -2.07 to -3.4 dB in eleven larger rooms. Set on these takes and rooms."""
_FALL_CLIP_DB = (-30.0, 10.0)

_STAGE = "removing the room"


def dereverb(
    vocal: FloatArray, *, sample_rate: int = ANALYSIS_RATE, job: Job = NO_JOB
) -> FloatArray:
    """Return the voice with less of its room.

    Parameters
    ----------
    vocal
        Mono float32 ``(n_samples,)``, finite; may be empty or silent.
    sample_rate
        Has to be 16000.
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

    Notes
    -----
    The figures are in docs/dereverb.md. Memory: about 100 MB beside the result, the same for 1 and
    for 30 minutes.
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
        block = _without_room(vocal[start:end])
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


def _without_room(block: FloatArray) -> FloatArray:
    """Return the block without what looks like a room."""
    peak = float(np.abs(block).max())
    if peak == 0.0:
        return block.copy()
    batch = block.size // HOP + 4
    (spectrum,) = spectra([block[None] / peak], n_fft=N_FFT, hop=HOP, batch_frames=batch)
    seen = spectrum[0]
    room = room_estimate(seen)
    rest = seen - room
    seen_energy = in_bands(power(seen))
    rest_energy = in_bands(power(rest))
    strength = _strength(seen_energy, rest_energy)
    if strength == 0.0:
        return block.copy()
    room_energy = in_bands(power(room))
    gains = rest_energy / np.maximum(rest_energy + room_energy, np.float32(1e-30))
    rest *= in_bins(np.maximum(gains, np.float32(LEAST_GAIN)))
    removed: ComplexArray = seen - rest
    adder = OverlapAdder(n_fft=N_FFT, hop=HOP, n_channels=1)
    change = adder.add(removed[None])[0, : block.size]
    result: FloatArray = block - np.float32(strength * peak) * change
    return result


def _strength(seen: FloatArray, rest: FloatArray) -> float:
    """Return how much to take away, 0..1.

    ``seen`` and ``rest`` are energies ``(n_frames, n_bands)`` of the voice, and of the voice
    without the predicted room.
    """
    # The first and last frames hold the edges of the block, where every band seems to fall.
    seen, rest = seen[EDGE_FRAMES:-EDGE_FRAMES], rest[EDGE_FRAMES:-EDGE_FRAMES]
    before, now = seen[:-FALL_FRAMES], seen[FALL_FRAMES:]
    loud = np.maximum(AUDIBLE_SHARE * seen.max(axis=0), LEAST_SHARE * seen.max())
    falls = (now < FALL_SHARE * before) & (before > loud)
    n_falls = int(np.count_nonzero(falls))
    if n_falls == 0:
        return 0.0
    tiny = np.float32(1e-30)
    ratio = (rest[FALL_FRAMES:][falls] + tiny) / (now[falls] + tiny)
    change_db = 10 * np.log10(ratio.astype(np.float64))
    mean_db = float(np.mean(np.clip(change_db, *_FALL_CLIP_DB)))
    strength = np.interp(mean_db, (WET_FALL_DB, DRY_FALL_DB), (1.0, 0.0))
    return float(strength) * min(1.0, n_falls / FEWEST_FALLS)
