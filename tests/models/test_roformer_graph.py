"""The graph of the Roformer beside the torch network, exact and in 8 bits."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import onnx
import pytest
from roformers import FAMILY, SMALL, TINY

from singcoach.errors import Cancelled
from singcoach.jobs import Job
from singcoach.models.catalogue import load
from singcoach.models.manifest import ModelEntry
from singcoach.models.roformer.config import KIM, RoformerConfig, expected_shapes
from singcoach.models.roformer.graph import tensor_specs, write_graph
from singcoach.models.roformer.synthetic import tensor_reader
from singcoach.models.sessions import open_session

torch = pytest.importorskip("torch")


class MadeUp:
    """Made-up weights that are never in memory together."""

    def __init__(self, config: RoformerConfig) -> None:
        self.shapes = expected_shapes(config)
        self._read = tensor_reader(config)
        self.asked: list[str] = []

    def read(self, name):
        self.asked.append(name)
        return self._read(name)


def opened(path: Path, threads: int = 1):
    """Open a written graph as an installed model is opened."""
    content = path.read_bytes()
    entry = ModelEntry(
        id="roformer",
        role="separation",
        part="network",
        version="1",
        file=path.name,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        licence="MIT",
        source="made up",
        package="",
        sample_rate=None,
        inputs=(),
        outputs=(),
        published="",
        folder=path.parent,
    )
    return open_session(load(entry), threads=threads)


def masks_of(tmp_path: Path, config: RoformerConfig, spectrum, **settings):
    path = tmp_path / "network.onnx"
    write_graph(MadeUp(config), config, path, **settings)
    (masks,) = opened(path).run({"spectrum": spectrum})
    return masks


def expected(config: RoformerConfig, spectrum):
    from singcoach.models.roformer.network import MelBandRoformer

    network = MelBandRoformer(config).eval()
    read = tensor_reader(config)
    network.load_state_dict(
        {name: torch.from_numpy(read(name)) for name in expected_shapes(config)}
    )
    with torch.inference_mode():
        return network(torch.from_numpy(spectrum)).numpy()


def noise(config: RoformerConfig, *, batch: int = 1, n_frames: int = 41, seed: int = 0):
    shape = (batch, config.freqs * config.channels, n_frames, 2)
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def relative(found, wanted) -> float:
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())


def distance_db(found, wanted) -> float:
    """How far below ``wanted`` the difference lies."""
    return float(10 * np.log10((wanted**2).sum() / ((found - wanted) ** 2).sum()))


@pytest.mark.parametrize("name", FAMILY)
def test_the_exact_graph_is_the_torch_network(tmp_path, name):
    config = FAMILY[name]
    spectrum = noise(config)
    masks = masks_of(tmp_path, config, spectrum, precision="fp32")
    assert relative(masks, expected(config, spectrum)) <= 1e-5


@pytest.mark.parametrize("n_frames", [1, 2, 33, 129, 300])
def test_any_number_of_frames_and_spectra(tmp_path, n_frames):
    spectrum = noise(SMALL, batch=3, n_frames=n_frames)
    masks = masks_of(tmp_path, SMALL, spectrum, precision="fp32")
    assert relative(masks, expected(SMALL, spectrum)) <= 1e-5


@pytest.mark.parametrize("group_tokens", [1, 50, 777, 1 << 20])
def test_groups_change_nothing_but_memory(tmp_path, group_tokens):
    spectrum = noise(SMALL, batch=2)
    masks = masks_of(tmp_path, SMALL, spectrum, precision="fp32", group_tokens=group_tokens)
    assert relative(masks, expected(SMALL, spectrum)) <= 1e-5


@pytest.mark.parametrize("name", FAMILY)
def test_8_bits_stay_far_below_the_masks(tmp_path, name):
    config = FAMILY[name]
    spectrum = noise(config)
    masks = masks_of(tmp_path, config, spectrum, precision="int8")
    assert distance_db(masks, expected(config, spectrum)) >= 30.0


def test_8_bits_store_a_quarter(tmp_path):
    sizes = {}
    for precision in ("fp32", "int8"):
        path = tmp_path / precision
        write_graph(MadeUp(SMALL), SMALL, path, precision=precision)
        graph = onnx.load(path).graph
        sizes[precision] = sum(len(weight.raw_data) for weight in graph.initializer)
    assert sizes["fp32"] / sizes["int8"] > 2.5


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_silence_and_loudness_leave_finite_masks(tmp_path, precision):
    spectrum = noise(SMALL, batch=4)
    spectrum[0] = 0.0
    spectrum[1] *= 1e-6
    spectrum[2] *= 1e6
    spectrum[3, :, 10:20] = 0.0
    masks = masks_of(tmp_path, SMALL, spectrum, precision=precision)
    assert np.isfinite(masks).all()
    if precision == "fp32":
        # The norm of every band makes the masks independent of the level.
        loud = masks_of(tmp_path, SMALL, spectrum[2:3] * 1e-6, precision=precision)
        assert relative(loud, masks[2:3]) <= 1e-4


def test_the_same_weights_give_the_same_file(tmp_path):
    for name in ("a", "b"):
        write_graph(MadeUp(TINY), TINY, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_runs_are_equal_bit_for_bit(tmp_path):
    path = tmp_path / "network.onnx"
    write_graph(MadeUp(SMALL), SMALL, path)
    session = opened(path, threads=2)
    spectrum = noise(SMALL)
    first, second = (session.run({"spectrum": spectrum})[0] for _ in range(2))
    assert np.array_equal(first, second)


def test_the_tensors_are_as_told(tmp_path):
    path = tmp_path / "network.onnx"
    write_graph(MadeUp(TINY), TINY, path)
    graph = onnx.load(path).graph
    for told, values in zip(tensor_specs(TINY), (graph.input, graph.output), strict=True):
        (value,) = values
        assert value.name == told.name
        dims = [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
        assert tuple(dims) == told.shape


def test_every_tensor_is_used(tmp_path):
    weights = MadeUp(SMALL)
    write_graph(weights, SMALL, tmp_path / "network.onnx", precision="fp32")
    rotations = {name for name in weights.shapes if name.endswith("rotary_embed.freqs")}
    assert set(weights.shapes) - set(weights.asked) <= rotations
    assert rotations & set(weights.asked)


def test_a_stop_while_writing_is_heeded(tmp_path):
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        write_graph(MadeUp(TINY), TINY, tmp_path / "network.onnx", job=job)


def test_a_run_can_be_stopped_inside_a_loop(tmp_path):
    path = tmp_path / "network.onnx"
    write_graph(MadeUp(SMALL), SMALL, path, group_tokens=1)  # one long loop per transformer
    session = opened(path)
    faults: list[BaseException] = []
    begun = threading.Event()

    class Told(dict[int, object]):
        """The runs under way; tells of the first."""

        def __setitem__(self, key: int, options: object) -> None:
            super().__setitem__(key, options)
            begun.set()

    session._running = Told()

    def run() -> None:
        try:
            session.run({"spectrum": noise(SMALL, batch=16, n_frames=400)})
        except Cancelled as stop:
            faults.append(stop)

    runner = threading.Thread(target=run)
    runner.start()
    assert begun.wait(60)
    while runner.is_alive():
        session.stop()
        runner.join(0.05)
    assert faults


_PEAK = """
import re, sys
from pathlib import Path
import numpy as np, onnxruntime
def peak_kb():  # unlike ru_maxrss not inherited from the process that started this one
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
options = onnxruntime.SessionOptions()
options.enable_mem_pattern = False
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
shape = [d if isinstance(d, int) else 1 for d in session.get_inputs()[0].shape]
before = peak_kb()
for n_frames in map(int, sys.argv[2:]):
    shape[2] = n_frames
    session.run(None, {"spectrum": np.zeros(shape, np.float32)})
    peak = peak_kb()
    print((peak - before) / 1024, peak / 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak as Linux tells it")
def test_attention_and_layers_never_stand_in_memory_whole(tmp_path):
    """1,600 frames in 20 bands: the weights of attention alone would be 780 MB."""
    path = tmp_path / "network.onnx"
    write_graph(MadeUp(SMALL), SMALL, path, precision="int8")
    growth_mb, _ = peak_mb(path, 1600)
    assert growth_mb < 150


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak as Linux tells it")
def test_the_full_size_in_8_bits_runs_in_a_gigabyte(tmp_path):
    """228 million parameters, a chunk of 8 s, in a process of its own."""
    path = tmp_path / "network.onnx"
    write_graph(MadeUp(KIM), KIM, path, precision="int8")
    assert path.stat().st_size < 245e6
    _, total_mb = peak_mb(path, KIM.chunk_size // KIM.stft_hop_length + 1)
    print(f"full size, 8 bits, 8 s: {total_mb:.0f} MB")
    assert total_mb < 1200


def peak_mb(path: Path, n_frames: int) -> list[float]:
    """Return by how much a run raises the peak of a process, and the peak."""
    ran = subprocess.run(
        [sys.executable, "-c", _PEAK, str(path), str(n_frames)],
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(word) for word in ran.stdout.split()]
