"""From sound to the parameters of a voice and back, by WORLD.

WORLD (Morise et al., IEICE Trans. 2016; MIT licence) describes a voice every 5 ms by its
fundamental, the power envelope (CheapTrick) and the share of noise (D4C). The fundamental is our
own network's, refined to the instantaneous frequency near it. Envelopes are taken at 32 kHz and the
lower half is kept: at 16 kHz D4C measures noise in a single band at 3 kHz and guesses the rest.
Noise below 3 kHz is measured by :mod:`singcoach.training.edits.periodicity` and added.
"""

from __future__ import annotations

import importlib.util
import warnings
from itertools import pairwise
from types import ModuleType

import numpy as np

from singcoach.core.arrays import ANALYSIS_RATE, FloatArray, RealArray
from singcoach.core.music import Note, PitchTrack
from singcoach.dsp.runs import runs_of
from singcoach.errors import ModelError
from singcoach.jobs import NO_JOB, Job
from singcoach.training.edits.periodicity import noise_amplitude
from singcoach.training.edits.voice import FRAME_S, SILENCE, Singing, phrases_of

N_FFT = 1024
N_BINS = N_FFT // 2 + 1
_FACTOR = 2
_MOST_REFINED_CENTS = 60.0
_NO_LOVE_TRAIN = 0.0
_THINNED = 2
_PIECE_S, _REACH_S = 15.0, 5.0


def is_installed() -> bool:
    """Whether WORLD is there; it comes with the extra ``training``."""
    return importlib.util.find_spec("pyworld") is not None


def load_world() -> ModuleType:
    """Import pyworld.

    Raises
    ------
    ModelError
        When it is not installed.
    """
    try:
        with warnings.catch_warnings():
            # It asks pkg_resources for its own version, which warns that it is on its way out.
            warnings.simplefilter("ignore")
            import pyworld
    except ImportError as error:
        raise ModelError(
            "Editing singing needs pyworld, which is not installed",
            hint='Install SingCoach with its training tools: pip install "singcoach[training]"',
            detail=str(error),
        ) from None
    return pyworld  # type: ignore[no-any-return]


def analyse_voice(
    audio: FloatArray,
    *,
    sample_rate: int,
    pitch: PitchTrack,
    notes: tuple[Note, ...],
    job: Job = NO_JOB,
) -> Singing:
    """Return the parameters of a solo voice.

    Parameters
    ----------
    audio
        Shape ``(n_samples,)``, 16 kHz.
    pitch, notes
        Of the same audio, from :mod:`singcoach.pitch`.

    Raises
    ------
    ValueError
        When the audio is not one channel at 16 kHz.
    ModelError
        When pyworld is not installed.

    Notes
    -----
    Cost: about 10 % of the length of the audio on one core; ``job`` is looked at between the steps,
    each about 3 % of that length.
    """
    if sample_rate != ANALYSIS_RATE or audio.ndim != 1:
        raise ValueError(f"a voice is analysed as one channel at {ANALYSIS_RATE} Hz")
    from scipy.signal import resample_poly

    world = load_world()
    fine = np.ascontiguousarray(resample_poly(audio.astype(np.float64), _FACTOR, 1))
    rate = _FACTOR * sample_rate
    n_frames = len(audio) // round(FRAME_S * sample_rate) + 1
    times = np.arange(n_frames, dtype=np.float64) * FRAME_S
    f0 = _refined(world, fine, rate, _at_frames(pitch, times), times)
    job.report(0.1, "analysing the voice")
    spectrum = world.cheaptrick(fine, f0, times, rate, fft_size=_FACTOR * N_FFT)
    job.report(0.4, "analysing the voice")
    noise = world.d4c(fine, f0, times, rate, threshold=_NO_LOVE_TRAIN, fft_size=_FACTOR * N_FFT)
    noise = noise[:, :N_BINS]
    bins_hz = np.linspace(0.0, sample_rate / 2.0, N_BINS)
    noise = np.maximum(noise, noise_amplitude(fine, rate, f0, bins_hz, job.part(0.7, 1.0)))
    # Power is the mean over the bins: half of the bins at half of the rate, so half as much each.
    kept = np.maximum(spectrum[:, :N_BINS] / _FACTOR, SILENCE)
    return Singing(
        f0_hz=f0,
        spectrum=kept,
        aperiodicity=np.clip(noise, 1e-3, 1.0),
        n_samples=len(audio),
        notes=notes,
        phrases=phrases_of(notes),
    )


def synthesise(singing: Singing, job: Job = NO_JOB) -> FloatArray:
    """Return the sound of the parameters, 16 kHz, shape ``(n_samples,)``.

    Made in pieces of about 15 s that are cut in rests, so that it can be stopped. The same
    parameters give the same samples: the noise of WORLD is drawn anew from one seed for every
    piece. Every second bin is used, which halves the cost and moves the spectrum by 0.02 dB. Cost:
    about 1.3 % of the length on one core.

    Raises
    ------
    ModelError
        When pyworld is not installed.
    """
    world = load_world()
    audio = np.zeros(singing.n_samples, dtype=np.float32)
    hop = round(FRAME_S * ANALYSIS_RATE)
    cuts = _cuts(singing)
    for first, last in pairwise(cuts):
        job.report(first / max(1, singing.n_frames), "making the sound")
        sound = world.synthesize(
            np.ascontiguousarray(singing.f0_hz[first:last], dtype=np.float64),
            np.ascontiguousarray(singing.spectrum[first:last, ::_THINNED], dtype=np.float64),
            np.ascontiguousarray(singing.aperiodicity[first:last, ::_THINNED], dtype=np.float64),
            ANALYSIS_RATE,
            FRAME_S * 1000.0,
        )
        room = audio[first * hop : singing.n_samples if last == cuts[-1] else last * hop]
        kept = min(len(sound), len(room))
        room[:kept] = sound[:kept]
    return audio


def _cuts(singing: Singing) -> list[int]:
    """Return the first frame, frames in rests about 15 s apart, and the one after the last."""
    step, reach = round(_PIECE_S / FRAME_S), round(_REACH_S / FRAME_S)
    cuts = [0]
    level = singing.level_db()
    while singing.n_frames - cuts[-1] > 2 * step:
        middle = cuts[-1] + step
        near = np.arange(middle - reach, middle + reach)
        cost = level[near] + 60.0 * singing.voiced[near]
        cuts.append(int(near[cost.argmin()]))
    return [*cuts, singing.n_frames]


def _at_frames(pitch: PitchTrack, times_s: RealArray) -> RealArray:
    """Return the fundamental at other times, 0 where unvoiced, half a hop kept at either edge."""
    f0 = np.zeros(times_s.size)
    for start, end in runs_of(pitch.voiced):
        first_s = float(pitch.times_s[start]) - pitch.hop_s / 2.0
        last_s = float(pitch.times_s[end - 1]) + pitch.hop_s / 2.0
        here = (times_s >= first_s) & (times_s < last_s)
        f0[here] = np.exp(
            np.interp(times_s[here], pitch.times_s[start:end], np.log(pitch.f0_hz[start:end]))
        )
    return f0


def _refined(
    world: ModuleType, audio: RealArray, rate: int, f0_hz: RealArray, times_s: RealArray
) -> RealArray:
    """Return the instantaneous frequency near ``f0_hz``; where it is far off, ``f0_hz`` itself."""
    fine: RealArray = world.stonemask(audio, f0_hz, times_s, rate)
    both = (fine > 0.0) & (f0_hz > 0.0)
    ratio = np.where(both, fine, 1.0) / np.where(both, f0_hz, 1.0)
    near = both & (np.abs(1200.0 * np.log2(ratio)) <= _MOST_REFINED_CENTS)
    return np.where(near, fine, f0_hz)
