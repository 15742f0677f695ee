"""HuBERT-soft beside the transformers library with the same made-up weights."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from singcoach.encoders.units import encode_units
from singcoach.errors import ModelError
from singcoach.models.weights import open_weights
from singcoach.models.whisper.hubert import (
    FILE_NAME,
    convert_hubert,
    hubert_config_from_shapes,
)

N_CHANNELS, N_DIMS, N_HIDDEN, N_BLOCKS, N_UNITS = 32, 128, 256, 3, 256


@pytest.fixture(scope="module")
def network():
    """The referee, and the same weights under the names of the published checkpoint."""
    torch = pytest.importorskip("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        transformers = pytest.importorskip("transformers", reason="the referee is not installed")
        torch.manual_seed(3)
        config = transformers.HubertConfig(
            hidden_size=N_DIMS,
            num_hidden_layers=N_BLOCKS,
            num_attention_heads=N_DIMS // 64,
            intermediate_size=N_HIDDEN,
            conv_dim=(N_CHANNELS,) * 7,
            num_conv_pos_embeddings=16,
            num_conv_pos_embedding_groups=4,
        )
        model = transformers.HubertModel(config).eval()
    rng = np.random.default_rng(4)
    with torch.no_grad():
        for name, values in model.named_parameters():
            if values.ndim == 1 and "norm" not in name:
                noise = rng.standard_normal(values.shape, dtype=np.float32)
                values.copy_(torch.from_numpy(0.05 * noise))
            elif values.ndim == 2:
                noise = rng.standard_normal(values.shape, dtype=np.float32)
                values.copy_(torch.from_numpy(noise * values.shape[1] ** -0.5))
    return model, _published(model.state_dict(), torch)


def _published(state, torch):
    names = {
        "feature_extractor.norm0": "feature_extractor.conv_layers.0.layer_norm",
        "feature_projection.norm": "feature_projection.layer_norm",
        "feature_projection.projection": "feature_projection.projection",
        "norm": "encoder.layer_norm",
    }
    found = {
        f"{ours}.{k}": state[f"{theirs}.{k}"]
        for ours, theirs in names.items()
        for k in ("weight", "bias")
    }
    for i in range(7):
        found[f"feature_extractor.conv{i}.weight"] = state[
            f"feature_extractor.conv_layers.{i}.conv.weight"
        ]
    conv = "encoder.pos_conv_embed.conv"
    found["positional_embedding.conv.bias"] = state[f"{conv}.bias"]
    found["positional_embedding.conv.weight_g"] = state[f"{conv}.parametrizations.weight.original0"]
    found["positional_embedding.conv.weight_v"] = state[f"{conv}.parametrizations.weight.original1"]
    for i in range(N_BLOCKS):
        ours, theirs = f"encoder.layers.{i}", f"encoder.layers.{i}"
        for kind in ("weight", "bias"):
            parts = [state[f"{theirs}.attention.{p}_proj.{kind}"] for p in "qkv"]
            found[f"{ours}.self_attn.in_proj_{kind}"] = torch.cat(parts)
            for own, name in (
                ("self_attn.out_proj", "attention.out_proj"),
                ("linear1", "feed_forward.intermediate_dense"),
                ("linear2", "feed_forward.output_dense"),
                ("norm1", "layer_norm"),
                ("norm2", "final_layer_norm"),
            ):
                found[f"{ours}.{own}.{kind}"] = state[f"{theirs}.{name}.{kind}"]
    generator = torch.Generator().manual_seed(1)
    found["proj.weight"] = torch.randn(N_UNITS, N_DIMS, generator=generator) * N_DIMS**-0.5
    found["proj.bias"] = torch.zeros(N_UNITS)
    found["masked_spec_embed"] = torch.zeros(N_DIMS)
    found["label_embedding.weight"] = torch.zeros(100, N_UNITS)
    return found


def expected_units(network, audio):
    import torch

    model, published = network
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hidden = model(torch.from_numpy(audio[None])).last_hidden_state[0]
        return (hidden @ published["proj.weight"].T + published["proj.bias"]).numpy()


class Network:
    def __init__(self, path: Path) -> None:
        onnxruntime = pytest.importorskip("onnxruntime")
        self._inner = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def run(self, inputs):
        return self._inner.run(None, inputs)


def converted(network, folder: Path, precision) -> Network:
    import torch

    named = {f"module.{name}": values for name, values in network[1].items()}
    torch.save({"hubert": named}, folder / "hubert-soft.pt")
    with open_weights(folder / "hubert-soft.pt") as weights:
        (made,) = convert_hubert(weights, folder, precision=precision)
    assert (made.role, made.part, made.file) == ("encoder_singing", "hubert", FILE_NAME)
    return Network(folder / made.file)


def voice(n_samples: int) -> np.ndarray:
    times_s = np.arange(n_samples) / 16_000
    rng = np.random.default_rng(n_samples)
    tone = 0.3 * np.sin(2 * np.pi * 220 * times_s) * np.sin(3 * times_s)
    return (tone + 0.02 * rng.standard_normal(n_samples)).astype(np.float32)


@pytest.mark.parametrize("n_samples", [400, 5_000, 16_000, 33_333])
def test_exact_network_agrees_with_transformers(network, n_samples, tmp_path):
    audio = voice(n_samples)
    ours = converted(network, tmp_path, "fp32").run({"audio": audio[None]})[0][0]
    expected = expected_units(network, audio)
    assert ours.shape == expected.shape == ((n_samples - 80) // 320, N_UNITS)
    error = np.linalg.norm(ours - expected) / np.linalg.norm(expected)
    print(f"HuBERT-soft, {n_samples} samples: {error:.1e}")
    assert error <= 1e-3


def test_rounded_network_keeps_the_answers(network, tmp_path):
    audio = voice(32_000)
    ours = converted(network, tmp_path, "int8").run({"audio": audio[None]})[0][0]
    expected = expected_units(network, audio)
    cosines = (ours * expected).sum(axis=1)
    cosines /= np.linalg.norm(ours, axis=1) * np.linalg.norm(expected, axis=1)
    assert cosines.min() >= 0.995


def test_a_short_take_is_one_window_with_its_own_padding(network, tmp_path):
    audio = voice(16_000 * 3 + 77)
    units = encode_units(audio, session=converted(network, tmp_path, "fp32"))
    expected = expected_units(network, np.pad(audio, 40))
    assert units.shape == (audio.size // 320, N_UNITS)
    np.testing.assert_allclose(units, expected[: len(units)], atol=5e-3)


def test_other_checkpoints_are_not_taken_for_one(network):
    shapes = {name: tuple(values.shape) for name, values in network[1].items()}
    config = hubert_config_from_shapes(shapes)
    assert config is not None
    assert (config.n_blocks, config.n_heads, config.n_groups) == (N_BLOCKS, 2, 4)
    assert hubert_config_from_shapes({"encoder.conv1.weight": (4, 80, 3)}) is None


@pytest.mark.parametrize(
    "missing",
    ["proj.weight", "encoder.layers.1.linear2.weight", "positional_embedding.conv.weight_g",
     "feature_extractor.conv4.weight", "encoder.layers.2.norm1.bias"],
)  # fmt: skip
def test_an_incomplete_checkpoint_is_refused(network, missing):
    shapes = {name: tuple(values.shape) for name, values in network[1].items()}
    del shapes[missing]
    with pytest.raises(ModelError, match="HuBERT-soft"):
        hubert_config_from_shapes(shapes)
