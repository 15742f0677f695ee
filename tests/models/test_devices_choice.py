"""The device is chosen by a measured trial, once, and aloud."""

from __future__ import annotations

import json
import math
import threading
from pathlib import Path

import numpy as np
import pytest
from fake_machines import CARD, GB, FakeMachine, FakeSession, device

from singcoach.errors import Cancelled, ModelError
from singcoach.jobs import Job
from singcoach.models.devices import DeviceInfo
from singcoach.models.manifest import ModelEntry, TensorSpec
from singcoach.models.memory import NotEnoughMemoryError
from singcoach.models.trial import (
    ChoiceStore,
    choice_key,
    choose_device,
    time_runs,
    trial_inputs,
)

CPU = device("cpu", free=10 * GB)
CUDA = device("cuda", free=8 * GB)
TORCH = device("cuda", engine="torch", free=8 * GB)
MPS = device("mps", engine="torch", free=8 * GB)
COREML = device("coreml")


class Trials:
    """Seconds by device; an error is raised."""

    def __init__(self, *results: tuple[DeviceInfo, float | Exception]) -> None:
        self._results = {device.key: result for device, result in results}
        self.asked: list[str] = []

    def __call__(self, device: DeviceInfo, best_s: float) -> float:
        self.asked.append(device.key)
        result = self._results[device.key]
        if isinstance(result, Exception):
            raise result
        return result


def test_the_fastest_wins() -> None:
    trial = Trials((CUDA, 0.2), (TORCH, 0.1), (CPU, 5.0))
    choice = choose_device("auto", (CUDA, TORCH, CPU), trial)
    assert choice.device == TORCH
    assert choice.warnings == ()
    assert choice.seconds == {CUDA.key: 0.2, TORCH.key: 0.1, CPU.key: 5.0}


def test_a_slow_card_does_not_win_because_it_is_a_card() -> None:
    assert choose_device("auto", (CUDA, CPU), Trials((CUDA, 2.0), (CPU, 1.0))).device == CPU


def test_one_candidate_is_not_tried() -> None:
    trial = Trials()
    assert choose_device("auto", (CPU,), trial).device == CPU
    assert choose_device("cpu", (CUDA, CPU), trial).device == CPU
    assert choose_device("cuda", (CUDA, CPU), trial).device == CUDA
    # Its second engine makes no second processor.
    assert choose_device("auto", (CPU, device("cpu", engine="torch")), trial).device == CPU
    assert trial.asked == []


def test_without_a_trial_the_first_is_taken() -> None:
    assert choose_device("auto", (CUDA, CPU), None).device == CUDA


def test_mps_means_core_ml_too() -> None:
    trial = Trials((MPS, 0.5), (COREML, 0.2))
    assert choose_device("mps", (MPS, COREML, CPU), trial).device == COREML
    assert choose_device("mps", (COREML, CPU), Trials()).device == COREML


@pytest.mark.parametrize("wanted", ["cuda", "mps"])
def test_a_device_that_is_not_there_gives_way_aloud(wanted: str) -> None:
    choice = choose_device(wanted, (CPU,), Trials())  # type: ignore[arg-type]
    assert choice.device == CPU
    (warning,) = choice.warnings
    assert f"--device {wanted}" in warning
    assert "processor" in warning


def test_a_full_card_gives_way_aloud() -> None:
    full = device("cuda", free=GB, name="Small Card")
    for wanted in ("auto", "cuda"):
        choice = choose_device(
            wanted,  # type: ignore[arg-type]
            (full, CPU),
            Trials(),
            needed_bytes=lambda _: 3 * GB,
        )
        assert choice.device == CPU
        (warning,) = choice.warnings
        assert "Small Card has 1.0 GB" in warning
        assert "3.0 GB" in warning


def test_no_room_anywhere_is_refused_with_what_is_needed_and_free() -> None:
    with pytest.raises(NotEnoughMemoryError) as refused:
        choose_device("auto", (CUDA, CPU), Trials(), needed_bytes=lambda _: 90 * GB)
    assert "100.0 GB" in refused.value.message
    assert "10.0 GB are free" in refused.value.message
    assert refused.value.hint


def test_a_broken_device_is_passed_by_aloud() -> None:
    trial = Trials((CUDA, ModelError("CUDAExecutionProvider did not start")), (CPU, 1.0))
    choice = choose_device("auto", (CUDA, CPU), trial)
    assert choice.device == CPU
    (warning,) = choice.warnings
    assert "did not start" in warning


def test_when_all_are_broken_the_fault_is_raised() -> None:
    fault = ModelError("the graph is broken")
    with pytest.raises(ModelError, match="the graph is broken"):
        choose_device("auto", (CUDA, CPU), Trials((CUDA, fault), (CPU, fault)))


def test_no_candidate_at_all_is_a_model_error() -> None:
    with pytest.raises(ModelError, match="No engine"):
        choose_device("auto", (), Trials())


def test_the_choice_is_remembered(tmp_path: Path) -> None:
    store = ChoiceStore("key", tmp_path / "devices")
    first = choose_device("auto", (CUDA, CPU), Trials((CUDA, 0.5), (CPU, 0.4)), remembered=store)
    # On a busy day the card would win; the numbers must stay those of the first day.
    trial = Trials((CUDA, 0.1), (CPU, 9.0))
    again = choose_device("auto", (CUDA, CPU), trial, remembered=store)
    assert first.device == again.device == CPU
    assert trial.asked == []
    assert [path.name for path in (tmp_path / "devices").iterdir()] == ["key.json"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 9000, b'{"schema": "other", "device": "x"}',
     b'{"schema": "singcoach.device/1"}', b'{"schema": "singcoach.device/1", "device": ["x"]}',
     b'{"schema": "singcoach.device/1", "device": "gone"}'],
)  # fmt: skip
def test_a_damaged_entry_counts_as_absent_and_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key.json").write_bytes(content)
    store = ChoiceStore("key", tmp_path)
    assert store.load((CUDA, CPU)) is None
    trial = Trials((CUDA, 0.1), (CPU, 0.4))
    choose_device("auto", (CUDA, CPU), trial, remembered=store)
    assert trial.asked == [CUDA.key, CPU.key]
    assert store.load((CUDA, CPU)) == CUDA


def test_a_cache_that_cannot_be_written_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "devices").write_text("a file in the way", encoding="utf-8")
    store = ChoiceStore("key", tmp_path / "devices")
    trial = Trials((CUDA, 0.1), (CPU, 0.4))
    assert choose_device("auto", (CUDA, CPU), trial, remembered=store).device == CUDA


@pytest.mark.parametrize(
    ("candidates", "trial"),
    [
        ((device("cuda", free=GB), TORCH, CPU), Trials((TORCH, 0.1), (CPU, 1.0))),
        ((CUDA, TORCH, CPU), Trials((CUDA, ModelError("x")), (TORCH, 0.1), (CPU, 1.0))),
    ],
    ids=["full", "broken"],
)
def test_a_choice_made_in_need_is_not_remembered(
    tmp_path: Path, candidates: tuple[DeviceInfo, ...], trial: Trials
) -> None:
    store = ChoiceStore("key", tmp_path)
    choice = choose_device(
        "auto", candidates, trial, needed_bytes=lambda _: 2 * GB, remembered=store
    )
    assert choice.device == TORCH
    assert choice.warnings
    assert list(tmp_path.iterdir()) == []


def test_a_lost_trial_is_kept_as_valid_json(tmp_path: Path) -> None:
    store = ChoiceStore("key", tmp_path)
    choose_device("auto", (CUDA, CPU), Trials((CUDA, 0.1), (CPU, math.inf)), remembered=store)
    stored = json.loads((tmp_path / "key.json").read_text(encoding="utf-8"))
    assert stored["seconds"] == {CUDA.key: 0.1}


def test_the_key_holds_model_machine_and_wish() -> None:
    base = FakeMachine(cards=(CARD,))
    newer = FakeMachine(cards=(CARD,), versions={"system": "Test", "onnxruntime": "9"})
    driver = FakeMachine()

    def key(model: str, machine: FakeMachine, wanted: str = "auto", threads: int = 2) -> str:
        return choice_key(
            [model], (CUDA, CPU), wanted=wanted, threads=threads, machine=machine  # type: ignore[arg-type]
        )  # fmt: skip

    keys = {
        key("a", base), key("b", base), key("a", newer), key("a", driver),
        key("a", base, "cuda"), key("a", base, threads=1),
    }  # fmt: skip
    assert len(keys) == 6
    assert key("a", base) == key("a", FakeMachine(cards=(CARD,), free=1))


X = {"x": np.ones((1, 2), np.float32)}


def test_a_trial_runs_twice_and_times_the_second() -> None:
    session = FakeSession("cpu")
    assert 0.0 <= time_runs(session, X, best_s=math.inf) < 1.0
    assert session.batches == [1, 1]


def _until_stopped(session: FakeSession, _x: object) -> None:
    patience = threading.Event()
    while not session.stopped:
        patience.wait(0.01)
    raise Cancelled("stopped")


def test_a_device_that_cannot_win_any_more_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("singcoach.models.trial._LEAST_LIMIT_S", 0.05)
    session = FakeSession("cpu", before=_until_stopped)
    assert time_runs(session, X, best_s=0.001) == math.inf
    assert session.batches == [1]


def test_a_trial_can_be_cancelled() -> None:
    job = Job()
    session = FakeSession("cpu", before=_until_stopped)
    timer = threading.Timer(0.1, job.cancel)
    timer.start()
    with pytest.raises(Cancelled):
        time_runs(session, X, best_s=math.inf, job=job)
    timer.join()
    assert session.stopped
    assert not any(thread.name == "trial" for thread in threading.enumerate())


def test_a_fault_in_a_trial_is_raised_where_it_is_waited_for() -> None:
    def fail(_session: FakeSession, _x: object) -> None:
        raise ModelError("broken")

    with pytest.raises(ModelError, match="broken"):
        time_runs(FakeSession("cpu", before=fail), X, best_s=math.inf)


def test_trial_inputs_have_the_shapes_and_are_always_the_same(tmp_path: Path) -> None:
    entry = ModelEntry(
        id="toy", role="separation", part="network", version="1", file="toy.onnx", sha256="0" * 64,
        size=1, licence="MIT", source="test", package="", sample_rate=None,
        inputs=(
            TensorSpec(name="x", dtype="float32", shape=("batch", 4, "frames")),
            TensorSpec(name="n", dtype="int64", shape=(1,)),
        ),
        outputs=(), published="", folder=tmp_path,
    )  # fmt: skip
    made = trial_inputs(entry, {"frames": 7})
    assert made["x"].shape == (1, 4, 7)
    assert made["x"].dtype == np.float32
    assert made["n"].dtype == np.int64
    assert 0.01 < float(np.abs(made["x"]).max()) < 1.0
    np.testing.assert_array_equal(made["x"], trial_inputs(entry, {"frames": 7})["x"])
