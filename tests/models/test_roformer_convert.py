from __future__ import annotations

import dataclasses

import numpy as np
import onnxruntime
import pytest
from roformers import FAMILY, SMALL, TINY

from singcoach.errors import Cancelled, ModelError, OutputError
from singcoach.jobs import Job
from singcoach.models.roformer.config import config_from_json, expected_shapes
from singcoach.models.roformer.convert import convert
from singcoach.models.roformer.synthetic import tensor_reader, write_checkpoint
from singcoach.models.weights import open_weights

torch = pytest.importorskip("torch")


class MadeUp:
    """Weights in memory, with some of them changed."""

    def __init__(self, config, **changed) -> None:
        self.shapes = expected_shapes(config)
        self.dtypes = dict.fromkeys(self.shapes, "float32")
        self._read = tensor_reader(config)
        self._changed = changed
        self.reads: list[str] = []

    def read(self, name):
        self.reads.append(name)
        return self._changed[name] if name in self._changed else self._read(name)


@pytest.mark.parametrize("name", ["small", "mono", "two stems"])
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_both_files_hold_the_network_of_the_checkpoint(tmp_path, name, precision):
    from singcoach.models.roformer.torch_form import load_network

    config = FAMILY[name]
    path = tmp_path / "published.ckpt"
    write_checkpoint(path, config)
    with open_weights(path) as weights:
        files = convert(weights, tmp_path, role="dereverb", precision=precision, config=config)
    network, plain = files
    assert [(f.role, f.part) for f in files] == [("dereverb", "network"), ("dereverb", "weights")]
    assert {f.sample_rate for f in files} == {44_100}
    assert all(config_from_json(f.config) == config for f in files)
    rng = np.random.default_rng(0)
    spectrum = rng.standard_normal((1, config.freqs * config.channels, 61, 2), dtype=np.float32)
    session = onnxruntime.InferenceSession(
        tmp_path / network.file, providers=["CPUExecutionProvider"]
    )
    assert [i.name for i in session.get_inputs()] == [t.name for t in network.inputs]
    assert [o.name for o in session.get_outputs()] == [t.name for t in network.outputs]
    (masks,) = session.run(None, {"spectrum": spectrum})
    with torch.inference_mode():
        expected = load_network(tmp_path / plain.file, config)(torch.from_numpy(spectrum)).numpy()
    assert masks.shape == expected.shape
    error = np.linalg.norm(masks - expected) / np.linalg.norm(expected)
    assert error < {"fp32": 1e-5, "int8": 0.05}[precision]


def test_tensors_are_read_one_by_one(tmp_path):
    weights = MadeUp(TINY)
    convert(weights, tmp_path, role="separation")
    assert set(weights.reads) == set(weights.shapes)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39])
def test_weights_that_are_no_usable_numbers_are_refused(tmp_path, value):
    name = "layers.0.0.layers.0.0.norm.gamma"
    broken = MadeUp(TINY, **{name: np.full(TINY.dim, value, np.float64)})
    with pytest.raises(ModelError, match="damaged"):
        convert(broken, tmp_path, role="separation")


@pytest.mark.parametrize("dtype", ["int8", "complex64", "bool"])
def test_weights_of_another_kind_are_refused(tmp_path, dtype):
    weights = MadeUp(TINY)
    weights.dtypes["band_split.to_features.0.1.bias"] = dtype
    with pytest.raises(ModelError, match="damaged"):
        convert(weights, tmp_path, role="separation")


def test_other_networks_are_refused(tmp_path):
    weights = MadeUp(TINY)
    weights.shapes = {"encoder.weight": (3, 3)}
    with pytest.raises(ModelError, match="not a MelBand Roformer"):
        convert(weights, tmp_path, role="separation")
    with pytest.raises(ModelError, match="does not belong"):
        convert(MadeUp(TINY), tmp_path, role="separation", config=SMALL)
    assert list(tmp_path.iterdir()) == []


def test_what_the_tensors_do_not_tell_can_be_given(tmp_path):
    config = dataclasses.replace(TINY, chunk_size=50_000, stft_hop_length=16)
    files = convert(MadeUp(TINY), tmp_path, role="separation", config=config)
    assert config_from_json(files[0].config) == config


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    with pytest.raises(OutputError):
        convert(MadeUp(TINY), tmp_path / "missing", role="separation")


@pytest.mark.parametrize("calls", [1, 50, 150])
def test_it_can_be_stopped(tmp_path, calls):
    seen: list[float] = []

    def watch(fraction, stage):
        seen.append(fraction)
        if len(seen) == calls:
            job.cancel()

    job = Job(watch)
    with pytest.raises(Cancelled):
        convert(MadeUp(TINY), tmp_path, role="separation", job=job)
    assert seen == sorted(seen)
