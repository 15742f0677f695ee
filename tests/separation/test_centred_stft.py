from __future__ import annotations

import numpy as np
import pytest

from singcoach.separation.centred_stft import chunk_frames, chunk_signal, chunk_spectrum

SHAPES = [
    {"n_fft": 2048, "hop": 441, "win": 2048},
    {"n_fft": 512, "hop": 128, "win": 512},
    {"n_fft": 512, "hop": 100, "win": 400},
    {"n_fft": 64, "hop": 32, "win": 64},
]


def noise(n_samples: int) -> np.ndarray:
    rng = np.random.default_rng(n_samples)
    return rng.uniform(-1, 1, (2, n_samples)).astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n_samples", [1025, 4410, 4411, 4999, 22050])
def test_the_chunk_comes_back(shape, n_samples):
    audio = noise(n_samples)
    spectrum = chunk_spectrum(audio, **shape)
    assert spectrum.shape == (
        shape["n_fft"] // 2 + 1, 2, chunk_frames(n_samples, hop=shape["hop"])
    )  # fmt: skip
    assert spectrum.dtype == np.complex64
    back = chunk_signal(spectrum, n_samples, **shape)
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, audio, atol=2e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_torch_gives_the_same(shape):
    torch = pytest.importorskip("torch")
    audio = noise(10_007)
    window = torch.hann_window(shape["win"])
    options = {"n_fft": shape["n_fft"], "hop_length": shape["hop"], "win_length": shape["win"]}
    theirs = torch.stft(torch.from_numpy(audio), **options, window=window, return_complex=True)
    ours = chunk_spectrum(audio, **shape)
    scale = float(theirs.abs().max())
    np.testing.assert_allclose(ours, theirs.numpy().transpose(1, 0, 2), atol=1e-6 * scale)
    # What no signal has as its spectrum: both look for the nearest signal.
    rng = np.random.default_rng(0)
    odd = (ours * rng.uniform(0, 1, ours.shape)).astype(np.complex64)
    signal = torch.istft(
        torch.from_numpy(odd.transpose(1, 0, 2).copy()), **options, window=window, length=10_007
    )
    np.testing.assert_allclose(chunk_signal(odd, 10_007, **shape), signal.numpy(), atol=3e-6)
