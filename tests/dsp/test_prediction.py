from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from singcoach.dsp import dereverb_bands as bands
from singcoach.dsp.prediction import predicted


def noise(n_bins: int, n_frames: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    values = random.standard_normal((2, n_bins, n_frames)).astype(np.float32)
    return (values[0] + 1j * values[1]).astype(np.complex64)


def test_an_echo_of_known_delay_is_predicted_and_the_rest_is_not():
    dry = noise(8, 4000)
    dry *= np.random.default_rng(1).random(dry.shape) < 0.1  # sounds with rests between them
    dry += 1e-3 * noise(8, 4000, seed=2)
    wet = dry.copy()
    for frame in range(3, 4000):
        wet[:, frame] += 0.6 * wet[:, frame - 3]
    room = predicted(wet, delays=(2, 3, 5), iterations=3)
    error = np.linalg.norm(wet - room - dry) / np.linalg.norm(wet - dry)
    assert error < 0.3
    missed = predicted(wet, delays=(2, 5), iterations=3)
    assert np.linalg.norm(wet - missed - dry) > 3 * np.linalg.norm(wet - room - dry)


def test_the_prediction_is_that_of_the_reference_implementation():
    referee = pytest.importorskip("nara_wpe.wpe")
    random = np.random.default_rng(0)
    audio = scipy.signal.lfilter([1], [1, -0.97], random.standard_normal(60_000))
    spectrum = scipy.signal.stft(audio, nperseg=512, noverlap=256)[2].astype(np.complex64)
    ours = spectrum - predicted(spectrum, delays=range(2, 9), iterations=3)
    theirs = referee.wpe(spectrum[:, None].astype(np.complex128), taps=7, delay=2, iterations=3)
    assert np.linalg.norm(ours - theirs[:, 0]) < 0.05 * np.linalg.norm(spectrum)


def test_silence_and_few_frames_stay_finite():
    for spectrum in (
        np.zeros((4, 50), np.complex64),
        noise(4, 1),
        noise(4, 0),
        noise(4, 3) * 1e-20,
    ):
        room = predicted(spectrum, delays=(2, 3), iterations=2)
        assert room.shape == spectrum.shape
        assert np.isfinite(room).all()


def test_bands_cover_every_bin_once():
    values = np.random.default_rng(0).random((5, bands.N_BINS)).astype(np.float32)
    sums = bands.in_bands(values)
    assert sums.shape == (5, bands.N_BANDS)
    np.testing.assert_allclose(sums.sum(axis=1), values.sum(axis=1), rtol=1e-5)
    np.testing.assert_array_equal(bands.in_bins(sums)[:, 0], values[:, 0])
    assert bands.in_bins(sums).shape == values.shape
    assert bands.BAND_WIDTHS.sum() == bands.N_BINS


def test_high_bins_are_left_out_and_low_ones_are_predicted():
    random = np.random.default_rng(0)
    tone = np.exp(2j * np.pi * random.random(bands.N_BINS)) * np.ones((80, 1))
    room = bands.room_estimate(tone.astype(np.complex64))
    assert np.all(room[:, bands.PREDICTED_BINS :] == 0)
    late = room[30:, : bands.PREDICTED_BINS]
    np.testing.assert_allclose(late, tone[30:, : bands.PREDICTED_BINS], atol=0.05)
