from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from singcoach.dsp.stft import OverlapAdder, frame_count, hann, spectra


def noise(n_samples: int, n_channels: int = 2) -> np.ndarray:
    rng = np.random.default_rng(n_samples)
    return rng.uniform(-1, 1, (n_channels, n_samples)).astype(np.float32)


def cut(audio: np.ndarray, lengths: list[int]) -> list[np.ndarray]:
    edges = np.minimum(np.cumsum([0, *lengths]), audio.shape[1])
    return [audio[:, a:b] for a, b in itertools.pairwise([*edges, audio.shape[1]])]


@pytest.mark.parametrize(("n_fft", "hop"), [(64, 16), (64, 32), (64, 8), (4096, 1024)])
@pytest.mark.parametrize("n_samples", [1, 7, 15, 16, 17, 63, 500, 9000])
def test_what_is_taken_apart_comes_together_again(n_fft, hop, n_samples):
    audio = noise(n_samples)
    adder = OverlapAdder(n_fft=n_fft, hop=hop, n_channels=2)
    parts = [adder.add(s) for s in spectra([audio], n_fft=n_fft, hop=hop, batch_frames=4)]
    again = np.concatenate(parts, axis=1)
    assert again.shape[1] >= n_samples
    np.testing.assert_allclose(again[:, :n_samples], audio, atol=3e-6)
    np.testing.assert_allclose(again[:, n_samples:], 0, atol=3e-6)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 900), st.lists(st.integers(0, 300), max_size=8), st.integers(1, 9))
def test_the_cut_into_blocks_does_not_show(n_samples, lengths, batch_frames):
    audio = noise(n_samples)
    options = {"n_fft": 64, "hop": 16, "batch_frames": batch_frames}
    whole = list(spectra([audio], **options))
    pieces = list(spectra(cut(audio, lengths), **options))
    assert [s.shape for s in whole] == [s.shape for s in pieces]
    for a, b in zip(whole, pieces, strict=True):
        np.testing.assert_array_equal(a, b)
    assert sum(s.shape[1] for s in whole) == frame_count(n_samples, n_fft=64, hop=16)


def test_spectra_are_those_of_the_textbook():
    audio = noise(3000, 1)
    (spectrum,) = spectra([audio], n_fft=256, hop=64, batch_frames=1000)
    padded = np.pad(audio[0].astype(np.float64), (128, 400))
    for frame in (0, 1, 20, 46):
        expected = np.fft.rfft(padded[frame * 64 : frame * 64 + 256] * np.hanning(257)[:256])
        np.testing.assert_allclose(spectrum[0, frame], expected, atol=2e-4)
    assert spectrum.dtype == np.complex64


def test_an_empty_stream_has_no_spectra():
    assert list(spectra([], n_fft=64, hop=16, batch_frames=4)) == []
    assert list(spectra([noise(0)], n_fft=64, hop=16, batch_frames=4)) == []
    assert frame_count(0, n_fft=64, hop=16) == 0


def test_the_window_is_periodic():
    np.testing.assert_allclose(hann(8), np.hanning(9)[:8], atol=1e-7)
