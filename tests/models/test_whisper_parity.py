"""The encoder beside other implementations with the same weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from whisper_referee import SMALL, SMALL_128, SMALL_TOWER, picture, referee

from singcoach.models.weights import open_weights
from singcoach.models.whisper.convert import convert
from singcoach.models.whisper.synthetic import write_checkpoint

LIMIT = 1e-3


def run(path: Path, mel):
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(["features"], {"mel": mel[None]})[0][0]


def converted(folder: Path, config, form, **options):
    if form == "openai":
        pytest.importorskip("torch")
    checkpoint = folder / ("model.pt" if form == "openai" else "model.safetensors")
    write_checkpoint(checkpoint, config, seed=5, form=form)
    with open_weights(checkpoint) as weights:
        return convert(weights, folder, **options)


def difference(ours, expected) -> float:
    assert ours.shape == expected.shape
    return float(np.linalg.norm(ours - expected) / np.linalg.norm(expected))


CASES = {
    "openai, 80 mels": (SMALL, "openai"),
    "openai, 128 mels": (SMALL_128, "openai"),
    "transformers, 80 mels": (SMALL, "transformers"),
    "transformers, 128 mels": (SMALL_128, "transformers"),
    "Qwen2-Audio's tower": (SMALL_TOWER, "qwen2-audio"),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("n_positions", [100, 62, 15])
def test_exact_network_agrees_with_transformers(case, n_positions, tmp_path):
    config, form = CASES[case]
    converted(tmp_path, config, form, precision="fp32")
    mel = picture(config, 2 * n_positions)
    encode = referee(config, seed=5, n_positions=n_positions, halves=form == "openai")
    error = difference(run(tmp_path / "encoder.onnx", mel), encode(mel))
    print(f"{case}, {n_positions} positions: {error:.1e}")
    assert error <= LIMIT


@pytest.mark.parametrize("case", ["openai, 80 mels", "transformers, 128 mels"])
def test_singing_encoder_is_the_first_three_quarters_of_the_blocks(case, tmp_path):
    config, form = CASES[case]
    (made,) = converted(tmp_path, config, form, roles=["encoder_singing"], precision="fp32")
    n_blocks = config.n_blocks - config.n_blocks // 4
    mel = picture(config, 150)
    encode = referee(config, seed=5, n_blocks=n_blocks, n_positions=75, halves=form == "openai")
    error = difference(run(tmp_path / made.file, mel), encode(mel))
    print(f"{case}, {n_blocks} of {config.n_blocks} blocks: {error:.1e}")
    assert error <= LIMIT


@pytest.mark.parametrize("case", CASES)
def test_rounded_network_keeps_the_answers(case, tmp_path):
    config, form = CASES[case]
    converted(tmp_path, config, form)
    mel = picture(config, 200)
    ours = run(tmp_path / "encoder.onnx", mel)
    expected = referee(config, seed=5, halves=form == "openai")(mel)
    cosines = (ours * expected).sum(axis=1)
    cosines /= np.linalg.norm(ours, axis=1) * np.linalg.norm(expected, axis=1)
    assert cosines.mean() >= 0.995
    assert cosines.min() >= 0.99


def test_a_silent_window_is_finite(tmp_path):
    converted(tmp_path, SMALL, "transformers")
    for value in (-1.5, 0.0):
        mel = np.full((80, 60), value, dtype=np.float32)
        assert np.isfinite(run(tmp_path / "encoder.onnx", mel)).all()


def test_same_checkpoint_gives_the_same_bytes(tmp_path):
    contents = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (made,) = converted(tmp_path / name, SMALL, "transformers")
        contents.append((tmp_path / name / made.file).read_bytes())
    assert contents[0] == contents[1]
