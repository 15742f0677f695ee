from __future__ import annotations

import dataclasses

import pytest
from roformers import SMALL, TINY

from singcoach.errors import ModelError
from singcoach.models.roformer.config import expected_shapes
from singcoach.models.roformer.network import MelBandRoformer
from singcoach.models.roformer.safetensors_writer import write_safetensors
from singcoach.models.roformer.synthetic import tensor_reader, write_checkpoint
from singcoach.models.roformer.torch_form import load_network

torch = pytest.importorskip("torch")


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "weights.safetensors"
    write_checkpoint(path, SMALL, form=".safetensors")
    return path


def spectrum(config):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(1, config.freqs * config.channels, 50, 2, generator=generator)


def test_the_network_is_that_of_the_file(weights):
    expected = MelBandRoformer(SMALL).eval()
    read = tensor_reader(SMALL)
    expected.load_state_dict(
        {name: torch.from_numpy(read(name)) for name in expected_shapes(SMALL)}
    )
    loaded = load_network(weights, SMALL)
    assert not loaded.training
    assert not any(p.requires_grad or p.is_meta for p in loaded.parameters())
    with torch.inference_mode():
        torch.testing.assert_close(loaded(spectrum(SMALL)), expected(spectrum(SMALL)))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_less_precision_halves_the_weights_but_not_the_angles(weights, dtype):
    exact, half = load_network(weights, SMALL), load_network(weights, SMALL, dtype=dtype)
    for name, parameter in half.named_parameters():
        wanted = torch.float32 if name.endswith("rotary_embed.freqs") else getattr(torch, dtype)
        assert parameter.dtype == wanted, name
    with torch.inference_mode():
        a, b = exact(spectrum(SMALL)), half(spectrum(SMALL))
    assert float((a - b).norm() / a.norm()) < 0.05


def test_weights_of_another_network_are_refused(weights, tmp_path):
    for config in (TINY, dataclasses.replace(SMALL, depth=1), dataclasses.replace(SMALL, heads=2)):
        with pytest.raises(ModelError, match="does not hold the weights"):
            load_network(weights, config)
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ModelError, match="does not hold the weights"):
        load_network(damaged, SMALL)
    with pytest.raises(ModelError, match="does not hold the weights"):
        load_network(tmp_path / "missing.safetensors", SMALL)


def test_a_tensor_too_many_is_refused(tmp_path):
    shapes = {**expected_shapes(TINY), "zzz": (1,)}
    read = tensor_reader(TINY)
    path = tmp_path / "weights.safetensors"
    write_safetensors(path, shapes, lambda name: [1.0] if name == "zzz" else read(name))
    with pytest.raises(ModelError, match="does not hold the weights"):
        load_network(path, TINY)
