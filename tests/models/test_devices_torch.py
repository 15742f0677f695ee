"""The same network in two engines, and torch's face as a session."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_machines import GB, FakeMachine, device
from roformers import SMALL

from singcoach.errors import Cancelled, ModelError
from singcoach.models import torch_session
from singcoach.models.device_session import Network, open_on_device
from singcoach.models.devices import available_devices
from singcoach.models.manifest import ModelEntry
from singcoach.models.memory import OutOfMemoryError
from singcoach.models.roformer.convert import convert
from singcoach.models.roformer.synthetic import write_checkpoint
from singcoach.models.roformer.torch_form import load_network
from singcoach.models.torch_session import TorchSession, open_torch_session
from singcoach.models.weights import open_weights

torch = pytest.importorskip("torch")

CPU = device("cpu", engine="torch", name="processor")
CARD = device("mps", engine="torch", name="Apple Test", free=8 * GB)
ROWS = SMALL.freqs * SMALL.channels


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    """Torch's number of threads is of the whole process."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def card_on_the_processor(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the card compute here, in half precision as it does; returns what it gave back."""
    given_back: list[str] = []
    monkeypatch.setitem(torch_session._PLACES, "mps", "cpu")
    monkeypatch.setattr(torch_session, "_give_back", lambda device: given_back.append(device.kind))
    return given_back


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ModelEntry]:
    """A small Roformer in both forms, as a pack holds it."""
    folder = tmp_path_factory.mktemp("pack")
    write_checkpoint(folder / "made-up.safetensors", SMALL, form=".safetensors")
    with open_weights(folder / "made-up.safetensors") as weights:
        found = convert(weights, folder, role="separation", precision="fp32", config=SMALL)
    entries = {}
    for file in found:
        content = (folder / file.file).read_bytes()
        entries[file.part] = ModelEntry(
            id=f"small-{file.part}", role=file.role, part=file.part, version="1", file=file.file,
            sha256=hashlib.sha256(content).hexdigest(), size=len(content), licence="MIT",
            source="made up", package="", sample_rate=file.sample_rate, inputs=file.inputs,
            outputs=file.outputs, published="", folder=folder,
        )  # fmt: skip
    return entries


def _load(path: Path, place: str, dtype: str) -> Any:
    return load_network(path, SMALL, device=place, dtype=dtype)


def _network(pack: dict[str, ModelEntry], *, graph: bool = True) -> Network:
    return Network(
        graph=pack["network"] if graph else None,
        weights=pack["weights"],
        load_network=_load,
        input_names=("spectrum",),
        bytes_per_item=50_000_000,
        batched=True,
    )


def _spectrum(batch: int = 1, frames: int = 40) -> dict[str, np.ndarray]:
    noise = np.random.default_rng(5).standard_normal((batch, ROWS, frames, 2))
    return {"spectrum": noise.astype(np.float32)}


def _session(pack: dict[str, ModelEntry], where: Any = CPU) -> TorchSession:
    return open_torch_session(pack["weights"], _load, where, input_names=("spectrum",), threads=1)


def test_both_engines_give_the_same_masks(pack: dict[str, ModelEntry]) -> None:
    machine = FakeMachine(torch_installed=True)
    onnx = open_on_device(_network(pack), threads=1, machine=machine)
    other = open_on_device(_network(pack, graph=False), threads=1, machine=machine)
    assert (onnx.provider, other.provider) == ("CPUExecutionProvider", "torch cpu")
    (first,), (second,) = onnx.run(_spectrum(2)), other.run(_spectrum(2))
    assert first.shape == second.shape
    assert second.dtype == np.float32
    np.testing.assert_allclose(second, first, atol=1e-4 * float(np.abs(first).max()))
    np.testing.assert_array_equal(other.run(_spectrum(2))[0], second)


def test_half_precision_of_a_card_is_near(
    pack: dict[str, ModelEntry], card_on_the_processor: list[str]
) -> None:
    session = _session(pack, CARD)
    (exact,), (half,) = _session(pack).run(_spectrum()), session.run(_spectrum())
    assert session.provider == "torch mps"
    assert session.notices == ()
    assert 0 < np.linalg.norm(half - exact) < 0.02 * np.linalg.norm(exact)
    session.close()
    assert card_on_the_processor == ["mps"]


def test_a_real_trial_chooses_between_the_engines(
    pack: dict[str, ModelEntry], card_on_the_processor: list[str]
) -> None:
    machine = FakeMachine(torch=(CARD,))
    for _ in range(2):
        session = open_on_device(_network(pack), trial_inputs=_spectrum, threads=1, machine=machine)
        assert session.warnings == ()
        assert session.provider in ("torch mps", "CPUExecutionProvider")
        assert np.isfinite(session.run(_spectrum())[0]).all()


def test_a_card_that_fails_on_the_way_goes_on_with_onnxruntime(
    pack: dict[str, ModelEntry], card_on_the_processor: list[str]
) -> None:
    machine = FakeMachine(torch=(CARD,))
    session = open_on_device(_network(pack), wanted="mps", threads=1, machine=machine)
    (before,) = session.run(_spectrum())
    _fail_with(session, RuntimeError("MPS backend: the device was removed"))
    (after,) = session.run(_spectrum())
    assert session.provider == "torch mps, then CPUExecutionProvider"
    assert "Apple Test failed in the middle" in session.warnings[0]
    assert 0 < np.linalg.norm(after - before) < 0.02 * np.linalg.norm(after)


def test_a_card_out_of_memory_takes_smaller_batches(
    pack: dict[str, ModelEntry], card_on_the_processor: list[str]
) -> None:
    machine = FakeMachine(torch=(CARD,))
    session = open_on_device(_network(pack), wanted="mps", threads=1, machine=machine)
    (whole,) = session.run(_spectrum(4))
    _fail_with(session, RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"), above=1)
    (parts,) = session.run(_spectrum(4))
    assert session.provider == "torch mps"
    assert "smaller batches" in session.warnings[0]
    np.testing.assert_allclose(parts, whole, atol=0.02 * float(np.abs(whole).max()))
    assert card_on_the_processor  # what was taken was given back before the next try


def test_a_lost_device_cannot_even_give_memory_back(
    pack: dict[str, ModelEntry], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost() -> None:
        raise RuntimeError("CUDA error: unspecified launch failure")

    monkeypatch.setitem(torch_session._PLACES, "mps", "cpu")
    monkeypatch.setattr(torch.mps, "empty_cache", lost)
    machine = FakeMachine(torch=(CARD,))
    session = open_on_device(_network(pack), wanted="mps", threads=1, machine=machine)
    _fail_with(session, RuntimeError("CUDA error: unspecified launch failure"))
    assert np.isfinite(session.run(_spectrum())[0]).all()
    assert session.provider == "torch mps, then CPUExecutionProvider"


def _fail_with(session: Any, error: Exception, *, above: int = 0) -> None:
    module = session._inner._module
    forward = module.forward

    def fail(spectrum: Any) -> Any:
        if len(spectrum) > above:
            raise error
        return forward(spectrum)

    module.forward = fail


class _Overflowing(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gain = torch.nn.Parameter(torch.full((1,), 1000.0))

    def forward(self, x: Any) -> Any:
        return (x.to(self.gain.dtype) * self.gain * self.gain).float()


def test_what_overflows_in_half_precision_is_done_again_in_single(
    card_on_the_processor: list[str],
) -> None:
    session = TorchSession(
        _Overflowing().half(), device=CARD, model_id="toy", input_names=("x",), half=True
    )
    x = {"x": np.ones((1, 3), np.float32)}
    with torch.no_grad():
        (got,) = session.run(x)
    np.testing.assert_allclose(got, 1e6, rtol=1e-3)
    (notice,) = session.notices
    assert "single precision" in notice
    session.run(x)
    assert session.notices == (notice,)
    (bad,) = session.run({"x": np.full((1, 3), np.nan, np.float32)})  # that is the input's fault
    assert np.isnan(bad).all()
    assert session.notices == (notice,)


def test_a_run_in_another_thread_can_be_ended(pack: dict[str, ModelEntry]) -> None:
    session = _session(pack)
    outcome: list[BaseException] = []

    def run() -> None:
        try:
            session.run(_spectrum(8, 3000))  # many seconds of work
        except Cancelled as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while thread.is_alive():
        session.stop()
        thread.join(timeout=0.02)
    assert len(outcome) == 1
    assert np.isfinite(session.run(_spectrum())[0]).all()  # the session is none the worse


def test_a_stop_without_a_run_stops_nothing(pack: dict[str, ModelEntry]) -> None:
    session = _session(pack)
    session.stop()
    assert np.isfinite(session.run(_spectrum())[0]).all()


def test_wrong_inputs_are_value_errors(pack: dict[str, ModelEntry]) -> None:
    session = _session(pack)
    with pytest.raises(ValueError, match="spectrum"):
        session.run({"audio": np.zeros((1, 2), np.float32)})
    with pytest.raises(ValueError, match="small-weights"):
        session.run({"spectrum": np.zeros((1, 3, 4, 2), np.float32)})
    session.close()
    with pytest.raises(ValueError, match="closed"):
        session.run(_spectrum())


def test_weights_are_checked_before_they_are_read(
    pack: dict[str, ModelEntry], tmp_path: Path
) -> None:
    content = bytearray(pack["weights"].path.read_bytes())
    content[-1] ^= 1
    (tmp_path / pack["weights"].file).write_bytes(bytes(content))
    changed = dataclasses.replace(pack["weights"], folder=tmp_path)
    with pytest.raises(ModelError, match="damaged"):
        _session({"weights": changed})


def test_memory_that_is_short_while_loading_is_told_apart(pack: dict[str, ModelEntry]) -> None:
    def load(*_: object) -> Any:
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")

    with pytest.raises(OutOfMemoryError, match="cannot be loaded on processor"):
        open_torch_session(pack["weights"], load, CPU, input_names=("spectrum",))


def test_devices_and_threads_are_checked(pack: dict[str, ModelEntry]) -> None:
    with pytest.raises(ValueError, match="onnxruntime"):
        _session(pack, device("cuda"))
    with pytest.raises(ValueError, match="threads"):
        open_torch_session(pack["weights"], _load, CPU, input_names=("spectrum",), threads=0)
    _session(pack)
    assert torch.get_num_threads() == 1


def test_torch_reaches_the_processor_here() -> None:
    kinds = [(found.kind, found.engine) for found in available_devices(torch=True)]
    assert kinds[-1] == ("cpu", "torch")
