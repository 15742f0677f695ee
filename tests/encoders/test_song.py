from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from singcoach.encoders.song import (
    EDGE_FRAMES,
    WINDOW_FRAMES,
    encode_song,
    fade_in,
    mean_features,
    window_starts,
)
from singcoach.errors import Cancelled
from singcoach.jobs import Job
from singcoach.models.whisper.config import Recipe


class PlaceEncoder:
    """Answers every second column plus its place, and says so in its second answer."""

    def run(self, inputs):
        features = np.swapaxes(inputs["mel"][:, :8, ::2], 1, 2)
        places = np.repeat(np.linspace(-1, 1, features.shape[1])[:, None], 8, axis=1)
        return [features + places, places]


@given(st.integers(1, 200_000))
def test_windows_cover_every_frame(n_frames: int):
    starts = window_starts(n_frames)
    assert starts[0] == 0
    assert starts[-1] == max(0, n_frames - WINDOW_FRAMES)
    assert all(0 < b - a <= WINDOW_FRAMES - 2 * EDGE_FRAMES for a, b in itertools.pairwise(starts))


@given(st.integers(1, 1000))
def test_fade_rises_from_the_old_to_the_new(n_frames: int):
    rise = fade_in(n_frames)
    assert rise.shape == (n_frames,)
    assert np.all(np.diff(rise) >= 0)
    np.testing.assert_allclose(rise + rise[::-1], 1, atol=1e-5)


@pytest.mark.parametrize("duration_s", [5.0, 20.0, 20.02, 35.0, 47.3])
def test_a_windowless_encoder_shows_no_borders(duration_s: float):
    audio = np.random.default_rng(1).standard_normal(int(16_000 * duration_s)) * 0.1
    audio = audio.astype(np.float32)
    from singcoach.encoders.log_mel import log_mel

    expected = log_mel(audio)[:8, ::2].T[: audio.size // 320]
    features = encode_song(audio, session=PlaceEncoder())
    assert features.shape == (audio.size // 320, 8)
    np.testing.assert_allclose(features, expected, atol=2e-3)


@pytest.mark.parametrize("n_samples", [1, 319, 320, 16_000])
def test_short_audio(shipped, n_samples: int):
    features = encode_song(np.full(n_samples, 0.01, dtype=np.float32), session=shipped)
    assert features.shape == (max(1, n_samples // 320), 512)
    assert np.isfinite(features).all()


def test_empty_and_silent_audio(shipped):
    assert len(encode_song(np.zeros(0, dtype=np.float32), session=shipped)) == 0
    assert mean_features(np.zeros((0, 0), dtype=np.float16)).shape == (0,)
    assert np.isfinite(encode_song(np.zeros(48_000, dtype=np.float32), session=shipped)).all()


def test_same_audio_gives_the_same_bits(shipped, singing):
    audio = singing[: 16_000 * 25]
    first, second = (encode_song(audio, session=shipped) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.dtype == np.float16
    assert not first.flags.writeable


def test_where_the_song_is_cut_changes_little(shipped, singing):
    shift_frames = 365  # 7.3 s
    whole = encode_song(singing, session=shipped)[shift_frames:].astype(np.float32)
    cut = encode_song(singing[shift_frames * 320 :], session=shipped).astype(np.float32)
    n_frames = min(len(whole), len(cut))
    whole, cut = whole[:n_frames], cut[:n_frames]
    cosines = (whole * cut).sum(axis=1)
    cosines /= np.linalg.norm(whole, axis=1) * np.linalg.norm(cut, axis=1)
    means = whole.mean(axis=0), cut.mean(axis=0)
    agreement = means[0] @ means[1] / np.linalg.norm(means[0]) / np.linalg.norm(means[1])
    print(f"frames: mean {cosines.mean():.3f}; averages over time: {agreement:.3f}")
    assert cosines.mean() > 0.8
    assert agreement > 0.95
    raw = shipped.run({"mel": np.zeros((1, 80, 2000), dtype=np.float32)})
    assert raw[1].shape == (1000, 512)


class PooledEncoder:
    """Answers the mean of four columns each, as a tower with pooling does."""

    def run(self, inputs):
        mel = inputs["mel"][:, :8]
        n_rows = mel.shape[2] // 4
        return [np.swapaxes(mel[:, :, : 4 * n_rows].reshape(1, 8, n_rows, 4).mean(axis=3), 1, 2)]


@pytest.mark.parametrize("n_samples", [1, 639, 640, 16_000 * 5, 16_000 * 20, 16_000 * 53 + 17])
def test_a_pooled_encoder_gives_a_row_every_40_ms(n_samples: int):
    from singcoach.encoders.log_mel import log_mel

    recipe = Recipe(name="qwen2-audio", n_mels=128, pooling=2)
    audio = np.random.default_rng(2).standard_normal(n_samples).astype(np.float32) * 0.1
    features = encode_song(audio, session=PooledEncoder(), recipe=recipe)
    n_rows = max(1, n_samples // 640)
    assert features.shape == (n_rows, 8)
    if n_samples >= 640:
        columns = log_mel(audio, n_mels=128)[:8, : 4 * n_rows]
        expected = columns.reshape(8, n_rows, 4).mean(axis=2).T
        np.testing.assert_allclose(features, expected, atol=2e-3)


def test_progress_and_stop():
    seen: list[float] = []
    audio = np.zeros(16_000 * 100, dtype=np.float32)
    encode_song(audio, session=PlaceEncoder(), job=Job(lambda fraction, _: seen.append(fraction)))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    job = Job(lambda fraction, _: job.cancel() if fraction > 0.3 else None)
    start_s = time.monotonic()
    with pytest.raises(Cancelled):
        encode_song(audio, session=PlaceEncoder(), job=job)
    assert time.monotonic() - start_s < 60
