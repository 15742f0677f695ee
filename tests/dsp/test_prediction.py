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


def test_the_features_do_not_depend_on_the_level():
    spectrum = noise(bands.N_BINS, 40).T.copy()
    room = noise(bands.N_BINS, 40, seed=1).T * np.complex64(0.3)
    loud = bands.features(spectrum, room)
    quiet = bands.features(spectrum * np.complex64(2.0**-9), room * np.complex64(2.0**-9))
    np.testing.assert_allclose(loud, quiet, atol=1e-4)
    assert loud.shape == (bands.N_FEATURES, 40, bands.N_BANDS)


def test_the_envelopes_hold_what_was_loud_and_fall_like_rooms():
    spectrum = np.full((60, bands.N_BINS), 1e-4, np.complex64)
    spectrum[10] = 1.0
    logs = bands.features(spectrum, np.zeros_like(spectrum))
    for envelope, t60_s in zip(logs[2:], bands.MEMORY_T60_S, strict=True):
        start = 10 + bands.MEMORY_FRAMES
        assert envelope[start - 1, 0] < envelope[start, 0] == logs[1, 10, 0]
        fell = envelope[start, 0] - envelope[start + 3, 0]
        assert fell == pytest.approx(3 * 6 * bands.FRAME_S / t60_s, rel=0.01)


def test_silence_has_features():
    silence = np.zeros((6, bands.N_BINS), np.complex64)
    assert np.isfinite(bands.features(silence, silence)).all()
