from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from model_manifests import manifest, table

from singcoach.errors import ModelError
from singcoach.models.catalogue import Catalogue
from singcoach.models.sessions import available_cores, open_session


def test_every_shipped_graph_loads_with_the_tensors_of_its_entry():
    catalogue = Catalogue.default()
    graphs = [entry for entry in catalogue.entries if entry.file.endswith(".onnx")]
    assert len(graphs) >= 4
    for entry in graphs:
        session = open_session(catalogue.require(entry.role, entry.part), threads=1)
        assert session.model_id == entry.id
        assert session.input_names == tuple(tensor.name for tensor in entry.inputs)
        assert session.output_names == tuple(tensor.name for tensor in entry.outputs)
        assert session.provider == "CPUExecutionProvider"


def test_a_run_gives_the_same_bits_twice():
    session = open_session(Catalogue.default().require("recording_quality"))
    audio = np.random.default_rng(1).standard_normal((1, 144160)).astype(np.float32) * 0.1
    (first,) = session.run({"input_1": audio})
    (second,) = session.run({"input_1": audio})
    assert first.shape == (1, 3)
    np.testing.assert_array_equal(first, second)


def test_wrong_inputs_are_a_value_error():
    session = open_session(Catalogue.default().require("recording_quality"), threads=1)
    with pytest.raises(ValueError, match="input_1"):
        session.run({"audio": np.zeros((1, 144160), np.float32)})
    with pytest.raises(ValueError, match="dnsmos"):
        session.run({"input_1": np.zeros((1, 7), np.float32)})
    with pytest.raises(ValueError, match="dnsmos"):
        session.run({"input_1": np.zeros((1, 144160), np.float64)})


@pytest.mark.parametrize("content", [b"", b"\x00", b"no model" * 50, b"\x08\x08" * 40])
def test_verified_bytes_that_are_no_model_are_a_model_error(folder, content):
    content = content or b"\n"
    (folder / "toy.onnx").write_bytes(content)
    text = manifest(table(size=len(content), sha256=hashlib.sha256(content).hexdigest()))
    (folder / "manifest.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match="cannot be run"):
        open_session(Catalogue([folder]).require("pitch"))


def test_no_threads_is_a_value_error(folder):
    with pytest.raises(ValueError, match="threads"):
        open_session(Catalogue([folder]).require("pitch"), threads=0)
    assert available_cores() >= 1


def test_a_device_that_is_not_there_is_a_model_error_and_never_the_processor_in_its_place():
    from fake_machines import device

    model = Catalogue.default().require("recording_quality")
    with pytest.raises(ModelError, match="CUDAExecutionProvider did not start") as fault:
        open_session(model, threads=1, device=device("cuda"))
    assert fault.value.hint
    with pytest.raises(ValueError, match="torch"):
        open_session(model, threads=1, device=device("cuda", engine="torch"))
    session = open_session(model, threads=1, device=device("cpu"))
    assert session.provider == "CPUExecutionProvider"


def test_a_provider_that_gives_up_quietly_is_found_out(monkeypatch: pytest.MonkeyPatch):
    import onnxruntime
    from fake_machines import device

    real = onnxruntime.InferenceSession
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])

    def without_driver(content, sess_options, providers, **_):
        assert providers[0][0] == "CUDAExecutionProvider"
        return real(content, sess_options=sess_options, providers=["CPUExecutionProvider"])

    monkeypatch.setattr(onnxruntime, "InferenceSession", without_driver)
    with pytest.raises(ModelError, match="did not start"):
        open_session(Catalogue.default().require("pitch"), threads=1, device=device("cuda"))


def test_running_out_of_memory_is_told_apart(monkeypatch: pytest.MonkeyPatch):
    from singcoach.models.memory import OutOfMemoryError

    session = open_session(Catalogue.default().require("recording_quality"), threads=1)

    class Short:
        def run(self, *_):
            raise RuntimeError("Failed to allocate memory for requested buffer of size 99")

    monkeypatch.setattr(session, "_inner", Short())
    with pytest.raises(OutOfMemoryError, match="dnsmos"):
        session.run({"input_1": np.zeros((1, 144160), np.float32)})


def test_importing_the_catalogue_and_the_sessions_loads_no_engine():
    code = (
        "import sys, singcoach.models.sessions, singcoach.models.build;"
        "import singcoach.separation.spleeter;"
        "print([m for m in ('onnxruntime', 'onnx', 'torch', 'ctranslate2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_run_in_another_thread_can_be_ended() -> None:
    """The encoder is ended so when somebody stops: it must not go on to the end of its window."""
    import threading

    from singcoach.errors import Cancelled

    session = open_session(Catalogue.default().require("separation", "vocals"), threads=1)
    frames = np.zeros((1, 2, 64 * 100, 1024), dtype=np.float32)  # seconds of work
    outcome: list[Exception] = []

    def run() -> None:
        try:
            session.run({"magnitude": frames})
        except (Cancelled, ModelError) as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while thread.is_alive() and not outcome:
        session.stop()
        thread.join(timeout=0.02)
    assert [type(error) for error in outcome] == [Cancelled]
    (again,) = session.run({"magnitude": frames[:, :, :64]})  # the session is none the worse
    assert np.isfinite(again).all()
