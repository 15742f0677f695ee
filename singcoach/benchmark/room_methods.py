"""What takes the room out of a voice, ours and others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from singcoach.core.arrays import ANALYSIS_RATE, FloatArray
from singcoach.dsp.dereverb_bands import HOP, N_FFT
from singcoach.dsp.prediction import predicted
from singcoach.dsp.rooms import Response, decay_time_s
from singcoach.dsp.stft import OverlapAdder, spectra
from singcoach.separation.dereverb import dereverb

Method = Callable[[FloatArray, Response | None], FloatArray]
"""From the voice in a room to the voice; the response is for those that are told the room."""

LATE_S = 0.05
LEAST_GAIN = 10 ** (-14 / 20)


def untouched() -> Method:
    """Return the voice as it is."""
    return lambda wet, _: wet


def plain_prediction() -> Method:
    """Return WPE alone with weights without a floor, SingCoach's stage before this one.

    Nothing is done where it would take away less than -27.5 dB of the energy, everything from
    -25.5 dB.
    """

    def work(wet: FloatArray, _: Response | None) -> FloatArray:
        batch = wet.size // HOP + 4
        (spectrum,) = spectra([wet[None]], n_fft=N_FFT, hop=HOP, batch_frames=batch)
        room = predicted(spectrum[0].T, delays=range(2, 12), iterations=3, floor=1e-10).T
        adder = OverlapAdder(n_fft=N_FFT, hop=HOP, n_channels=1)
        removed = adder.add(np.ascontiguousarray(room)[None])[0, : wet.size]
        share_db = 10 * np.log10(float(np.vdot(removed, removed)) / float(np.vdot(wet, wet)))
        strength = np.interp(share_db, (-27.5, -25.5, -12.0, -9.0), (0.0, 1.0, 1.0, 0.0))
        out: FloatArray = wet - np.float32(strength) * removed
        return out

    return work


def shipped() -> Method:
    """Return the stage as the chain runs it."""
    return lambda wet, _: dereverb(wet)


def nara_wpe() -> Method:
    """Return nara-wpe with its usual settings for 16 kHz."""
    from nara_wpe.utils import istft, stft
    from nara_wpe.wpe import wpe

    def work(wet: FloatArray, _: Response | None) -> FloatArray:
        spectrum = stft(wet.astype(np.float64)[None], size=512, shift=128).transpose(2, 0, 1)
        dry = wpe(spectrum, taps=10, delay=3, iterations=5).transpose(1, 2, 0)
        out: FloatArray = istft(dry, size=512, shift=128)[0, : wet.size].astype(np.float32)
        return out

    return work


def suppression() -> Method:
    """Return plain WPE and then a statistical suppressor that is told the true decay time.

    Late power is the smoothed power 50 ms ago, decayed by the room; spectral subtraction with a
    floor of -14 dB. Source: Lebart et al., Acta Acustica 87(3), 2001; Habets, 2007.
    """
    before = plain_prediction()

    def work(wet: FloatArray, response: Response | None) -> FloatArray:
        out = before(wet, response)
        if response is None:  # no room: it would do nothing at a decay time of zero
            return out
        t60_s = decay_time_s(response.full, ANALYSIS_RATE)
        n_fft, hop = 1024, 256
        batch = out.size // hop + 4
        spectrum = next(spectra([out[None]], n_fft=n_fft, hop=hop, batch_frames=batch))[0]
        power = np.abs(spectrum) ** 2
        smooth = power.copy()
        for frame in range(1, power.shape[0]):
            smooth[frame] = 0.6 * smooth[frame - 1] + 0.4 * power[frame]
        n_late = round(LATE_S * ANALYSIS_RATE / hop)
        late = np.zeros_like(smooth)
        late[n_late:] = smooth[:-n_late] * 10 ** (-6 * n_late * hop / ANALYSIS_RATE / t60_s)
        wanted = np.maximum(1 - np.sqrt(late / np.maximum(smooth, 1e-20)), LEAST_GAIN)
        adder = OverlapAdder(n_fft=n_fft, hop=hop, n_channels=1)
        result: FloatArray = adder.add((spectrum * wanted)[None].astype(np.complex64))[
            0, : wet.size
        ]
        return result

    return work


METHODS: dict[str, Callable[[], Method]] = {
    "untouched": untouched,
    "nara-wpe": nara_wpe,
    "plain WPE": plain_prediction,
    "WPE+suppression": suppression,
    "SingCoach": shipped,
}
