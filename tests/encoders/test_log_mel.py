from __future__ import annotations

import numpy as np
import pytest

from singcoach.encoders.log_mel import HOP_SAMPLES, log_mel, mel_filters
from singcoach.errors import Cancelled
from singcoach.jobs import Job


def test_filters_are_slaneys():
    librosa = pytest.importorskip("librosa")
    expected = librosa.filters.mel(sr=16_000, n_fft=400, n_mels=80)
    np.testing.assert_allclose(mel_filters(), expected, atol=1e-6 * expected.max())


@pytest.mark.parametrize("n_samples", [16_000, 123_457, 640_000])
def test_picture_agrees_with_librosa(n_samples: int):
    librosa = pytest.importorskip("librosa")
    rng = np.random.default_rng(n_samples)
    times_s = np.arange(n_samples) / 16_000
    audio = 0.3 * np.sin(2 * np.pi * 220 * times_s * (1 + 0.01 * np.sin(5 * times_s)))
    audio = (audio + 0.001 * rng.standard_normal(n_samples)).astype(np.float32)
    power = np.abs(librosa.stft(audio, n_fft=400, hop_length=160, pad_mode="reflect")) ** 2
    bands = librosa.filters.mel(sr=16_000, n_fft=400, n_mels=80) @ power
    expected = np.log10(np.maximum(bands[:, : n_samples // HOP_SAMPLES], 1e-10))
    expected = (np.maximum(expected, expected.max() - 8) + 4) / 4
    np.testing.assert_allclose(log_mel(audio), expected, atol=2e-3)


@pytest.mark.parametrize("n_samples", [1, 2, 159, 160, 161, 399, 400])
def test_very_short_audio_has_a_picture(n_samples: int):
    picture = log_mel(np.full(n_samples, 0.1, dtype=np.float32))
    assert picture.shape == (80, max(1, n_samples // 160))
    assert np.isfinite(picture).all()


def test_empty_and_silent_audio():
    assert log_mel(np.zeros(0, dtype=np.float32)).shape == (80, 0)
    assert np.all(log_mel(np.zeros(16_000, dtype=np.float32)) == -1.5)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(bad: float):
    audio = np.zeros(16_000, dtype=np.float32)
    audio[8_000] = bad
    with pytest.raises(ValueError, match="finite"), np.errstate(invalid="ignore"):
        log_mel(audio)


def test_stereo_is_refused():
    with pytest.raises(ValueError, match="n_samples"):
        log_mel(np.zeros((2, 100), dtype=np.float32))


def test_a_job_can_stop_it():
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        log_mel(np.zeros(16_000, dtype=np.float32), job=job)


@pytest.mark.parametrize("n_mels", [80, 128])
def test_picture_agrees_with_transformers(n_mels: int):
    import warnings

    pytest.importorskip("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        transformers = pytest.importorskip("transformers", reason="the referee is not installed")
        extract = transformers.WhisperFeatureExtractor(feature_size=n_mels)
    rng = np.random.default_rng(n_mels)
    times_s = np.arange(480_000) / 16_000
    audio = 0.3 * np.sin(2 * np.pi * 220 * times_s * (1 + 0.01 * np.sin(5 * times_s)))
    audio = (audio + 0.001 * rng.standard_normal(audio.size)).astype(np.float32)
    expected = extract(audio, sampling_rate=16_000, return_tensors="np").input_features[0]
    ours = log_mel(audio, n_mels=n_mels)
    assert ours.shape == expected.shape == (n_mels, 3000)
    # The last column of ours is mirrored at the end of the recording, theirs too.
    np.testing.assert_allclose(ours, expected, atol=2e-3)
