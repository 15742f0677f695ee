"""What takes the room out of a voice, ours and others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from singcoach.core.arrays import ANALYSIS_RATE, FloatArray
from singcoach.dsp.rooms import Response, decay_time_s
from singcoach.dsp.stft import OverlapAdder, spectra
from singcoach.models.catalogue import Catalogue
from singcoach.models.sessions import open_session
from singcoach.separation.dereverb import dereverb

Method = Callable[[FloatArray, Response | None], FloatArray]
"""From the voice in a room to the voice; the response is for those that are told the room."""

LATE_S = 0.05
LEAST_GAIN = 10 ** (-14 / 20)


def untouched() -> Method:
    """Return the voice as it is."""
    return lambda wet, _: wet


def prediction() -> Method:
    """Return WPE alone, the default before there was a network."""
    return lambda wet, _: dereverb(wet)


def network() -> Method:
    """Return the shipped stage: prediction led by the network."""
    session = open_session(Catalogue.default().require("dereverb"), threads=1)
    return lambda wet, _: dereverb(wet, session=session)


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
    """Return WPE and then a statistical suppressor that is told the true decay time.

    Late power is the smoothed power 50 ms ago, decayed by the room; spectral subtraction with a
    floor of -14 dB. Source: Lebart et al., Acta Acustica 87(3), 2001; Habets, 2007.
    """

    def work(wet: FloatArray, response: Response | None) -> FloatArray:
        out = dereverb(wet)
        if response is None:  # no room: it would do nothing at a decay time of zero
            return out
        t60_s = decay_time_s(response.full, ANALYSIS_RATE)
        n_fft, hop = 1024, 256
        spectrum = next(
            iter(spectra([out[None]], n_fft=n_fft, hop=hop, batch_frames=out.size // hop + 4))
        )[0]
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
    "wpe": prediction,
    "wpe+suppression": suppression,
    "network": network,
}
