from __future__ import annotations

import numpy as np
import pytest
from roformers import FAMILY, SMALL, TINY

from singcoach.errors import Cancelled
from singcoach.jobs import Job
from singcoach.models.roformer.config import config_from_shapes, expected_shapes
from singcoach.models.roformer.safetensors_writer import write_safetensors
from singcoach.models.roformer.synthetic import tensor_reader, write_checkpoint
from singcoach.models.weights import open_weights

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("form", [".ckpt", ".safetensors"])
def test_a_made_up_checkpoint_is_read_as_a_published_one(tmp_path, form):
    path = tmp_path / f"made-up{form}"
    write_checkpoint(path, SMALL, 3, form=form)
    read = tensor_reader(SMALL, 3)
    with open_weights(path) as weights:
        assert dict(weights.shapes) == expected_shapes(SMALL)
        assert config_from_shapes(weights.shapes) is not None
        for name in weights.shapes:
            np.testing.assert_array_equal(weights.read(name), read(name))


def test_torch_loads_it_into_the_network(tmp_path):
    from singcoach.models.roformer.network import MelBandRoformer

    path = tmp_path / "made-up.ckpt"
    write_checkpoint(path, SMALL)
    network = MelBandRoformer(SMALL)
    network.load_state_dict(torch.load(path, weights_only=True), strict=True)


def test_the_frequencies_of_the_rotation_are_stored_once_for_each_axis(tmp_path):
    path = tmp_path / "made-up.ckpt"
    write_checkpoint(path, FAMILY["deep"])
    tensors = torch.load(path, weights_only=True)
    places = {t.data_ptr() for name, t in tensors.items() if name.endswith("rotary_embed.freqs")}
    assert len(places) == 2


def test_the_seed_decides(tmp_path):
    names = [f"{i}.safetensors" for i in range(3)]
    for name, seed in zip(names, (1, 1, 2), strict=True):
        write_checkpoint(tmp_path / name, TINY, seed, form=".safetensors")
    first, same, other = ((tmp_path / name).read_bytes() for name in names)
    assert first == same
    assert first != other


@pytest.mark.parametrize("name", ["small", "mono", "two stems", "deep"])
def test_masks_are_mostly_open_and_follow_the_music(name):
    from singcoach.models.roformer.network import MelBandRoformer

    config = FAMILY[name]
    read = tensor_reader(config)
    network = MelBandRoformer(config).eval()
    network.load_state_dict({k: torch.from_numpy(read(k)) for k in expected_shapes(config)})
    rng = np.random.default_rng(0)
    spectrum = rng.standard_normal((1, config.freqs * config.channels, 60, 2), dtype=np.float32)
    with torch.inference_mode():
        masks = network(torch.from_numpy(spectrum)).numpy()
    real, imaginary = masks[..., 0], masks[..., 1]
    assert 0.6 < real.mean() < 0.85
    assert abs(imaginary.mean()) < 0.05
    assert 0.05 < real.std(axis=3).mean() < 0.4
    assert np.abs(masks).max() < 3


@pytest.mark.parametrize("form", [".ckpt", ".safetensors"])
def test_writing_can_be_stopped(tmp_path, form):
    job = Job(lambda fraction, stage: job.cancel())
    with pytest.raises(Cancelled):
        write_checkpoint(tmp_path / "made-up", TINY, form=form, job=job)


def test_the_safetensors_library_reads_what_is_written(tmp_path):
    from safetensors import safe_open

    tensors = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "b": np.float32(7.5).reshape(()),
        "empty": np.zeros((0, 4), np.float32),
        "c.d": np.arange(10, dtype=np.float64).reshape(5, 2).T,
    }
    path = tmp_path / "x.safetensors"
    shapes = {name: tensor.shape for name, tensor in tensors.items()}
    write_safetensors(path, shapes, tensors.__getitem__, metadata={"made by": "a test"})
    with safe_open(path, framework="numpy") as file:
        assert file.metadata() == {"made by": "a test"}
        assert set(file.keys()) == set(tensors)
        for name, tensor in tensors.items():
            np.testing.assert_array_equal(file.get_tensor(name), tensor.astype(np.float32))


def test_a_tensor_of_another_shape_is_a_bug(tmp_path):
    with pytest.raises(ValueError, match="has shape"):
        write_safetensors(tmp_path / "x", {"a": (2, 3)}, lambda name: np.zeros((3, 2)))
