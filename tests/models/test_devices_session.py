"""A network goes on elsewhere when its device fails, and says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fake_machines import CARD, GB, FakeMachine, FakeSession, device

from singcoach.errors import Cancelled, ModelError
from singcoach.jobs import Job
from singcoach.models import trial
from singcoach.models.catalogue import Catalogue
from singcoach.models.device_session import DeviceSession, Network, open_on_device
from singcoach.models.devices import DeviceInfo
from singcoach.models.manifest import ModelEntry
from singcoach.models.memory import NotEnoughMemoryError, OutOfMemoryError
from singcoach.models.sessions import AnySession
from singcoach.models.trial import ChoiceStore

CPU = device("cpu", free=10 * GB)
CUDA = device("cuda", free=8 * GB)
X = np.arange(16, dtype=np.float32).reshape(8, 2)


def _entry(size: int = 200_000_000, *, part: str = "network") -> ModelEntry:
    return ModelEntry(
        id="big-net", role="separation", part=part, version="1", file="network.onnx",
        sha256="ab" * 32, size=size, licence="MIT", source="test", package="", sample_rate=None,
        inputs=(), outputs=(), published="", folder=Path("nowhere"),
    )  # fmt: skip


NETWORK = Network(graph=_entry(), bytes_per_item=GB, batched=True)


class Sessions:
    """Opens sessions and remembers them."""

    def __init__(
        self,
        before: Callable[[FakeSession, np.ndarray], None] | None = None,
        broken: str = "",
    ) -> None:
        self.opened: list[FakeSession] = []
        self._before = before
        self._broken = broken

    def __call__(self, device: DeviceInfo) -> AnySession:
        if device.kind == self._broken:
            raise ModelError(f"{device.provider} did not start")
        on_card = device.kind != "cpu"
        session = FakeSession(device.provider, self._before if on_card else None)
        self.opened.append(session)
        return session


def _session(sessions: Sessions, *, machine: FakeMachine | None = None) -> DeviceSession:
    return DeviceSession(
        sessions, device=CUDA, processor=CPU, network=NETWORK, machine=machine or FakeMachine()
    )


def _memory_for(n_items: int) -> Callable[[FakeSession, np.ndarray], None]:
    def check(_session: FakeSession, x: np.ndarray) -> None:
        if len(x) > n_items:
            raise OutOfMemoryError("the model failed", detail="CUDA out of memory")

    return check


def test_a_run_that_works_says_nothing() -> None:
    sessions = Sessions()
    session = _session(sessions)
    np.testing.assert_array_equal(session.run({"x": X})[0], 2 * X)
    assert session.warnings == ()
    assert not session.changed
    assert session.provider == "CUDAExecutionProvider"


@pytest.mark.parametrize(("room", "batches"), [(4, [8, 4, 4]), (3, [8, 4, 2, 2, 2, 2])])
def test_batches_are_halved_until_they_fit(room: int, batches: list[int]) -> None:
    sessions = Sessions(_memory_for(room))
    session = _session(sessions)
    np.testing.assert_array_equal(session.run({"x": X})[0], 2 * X)
    assert sessions.opened[0].batches == batches
    (warning,) = session.warnings
    assert "smaller batches" in warning
    assert session.changed
    assert session.provider == "CUDAExecutionProvider"
    before = len(sessions.opened[0].batches)
    session.run({"x": X})  # it does not run into the same wall again
    assert max(sessions.opened[0].batches[before:]) <= room


def test_when_one_item_does_not_fit_the_processor_goes_on_aloud() -> None:
    sessions = Sessions(_memory_for(0))
    session = _session(sessions)
    np.testing.assert_array_equal(session.run({"x": X})[0], 2 * X)
    card, processor = sessions.opened
    assert card.batches == [8, 4, 2, 1]
    assert card.closed
    assert sum(processor.batches) == 8
    assert any("ran out of memory" in w and "processor" in w for w in session.warnings)
    assert session.provider == "CUDAExecutionProvider, then CPUExecutionProvider"
    assert session.device == CPU
    session.begin_take()
    assert session.provider == "CPUExecutionProvider"
    assert session.changed
    assert any("ran out of memory" in warning for warning in session.warnings)


def test_a_network_without_items_is_not_cut() -> None:
    sessions = Sessions(_memory_for(4))
    network = Network(graph=_entry(), batched=False)
    session = DeviceSession(
        sessions, device=CUDA, processor=CPU, network=network, machine=FakeMachine()
    )
    session.run({"x": X})
    assert [s.batches for s in sessions.opened] == [[8], [8]]


def test_a_device_lost_on_the_way_gives_way_with_the_same_chunk() -> None:
    def lose(session: FakeSession, _x: np.ndarray) -> None:
        if len(session.batches) == 3:
            raise ModelError("the model failed", detail="CUDA failure 719: unspecified launch")

    sessions = Sessions(lose)
    session = _session(sessions)
    for i in range(5):
        np.testing.assert_array_equal(session.run({"x": X + i})[0], 2 * (X + i))
    card, processor = sessions.opened
    assert len(card.batches) == 3
    assert len(processor.batches) == 3
    (warning,) = session.warnings
    assert "failed in the middle" in warning
    assert "the cuda" in warning
    assert session.changed


def test_a_fault_of_the_processor_is_raised() -> None:
    def fail(_session: FakeSession, _x: np.ndarray) -> None:
        raise ModelError("broken operator")

    session = DeviceSession(
        lambda _: FakeSession("CPUExecutionProvider", fail),
        device=CPU,
        processor=CPU,
        network=NETWORK,
        machine=FakeMachine(),
    )
    with pytest.raises(ModelError, match="broken operator"):
        session.run({"x": X})
    assert session.warnings == ()


def test_a_stop_and_a_wrong_input_are_no_lost_device() -> None:
    for error in (Cancelled("stopped"), ValueError("wrong shape")):

        def fail(_s: FakeSession, _x: np.ndarray, error: Exception = error) -> None:
            raise error

        sessions = Sessions(fail)
        session = _session(sessions)
        with pytest.raises(type(error)):
            session.run({"x": X})
        assert len(sessions.opened) == 1
        assert session.warnings == ()


def test_the_processor_is_not_started_without_memory_for_it() -> None:
    sessions = Sessions(_memory_for(0))
    session = _session(sessions, machine=FakeMachine(free=GB))
    with pytest.raises(NotEnoughMemoryError, match="big-net needs"):
        session.run({"x": X[:1]})
    assert len(sessions.opened) == 1


def test_a_device_that_does_not_start_gives_way_aloud() -> None:
    session = _session(Sessions(broken="cuda"))
    assert session.provider == "CPUExecutionProvider"
    (warning,) = session.warnings
    assert "did not start" in warning
    assert "processor is used instead" in warning


def test_notices_of_the_engine_come_through() -> None:
    sessions = Sessions()
    session = _session(sessions)
    sessions.opened[0].notices = ("it overflowed",)
    assert session.warnings == ("it overflowed",)
    assert session.changed


# --- opening ----------------------------------------------------------------------------------

WITH_CARD = FakeMachine(
    providers=("CUDAExecutionProvider", "CPUExecutionProvider"), cards=(CARD,), free=8 * GB
)


def _trial_input() -> dict[str, np.ndarray]:
    return {"x": X[:1]}


def test_a_machine_without_a_card_tries_nothing(tmp_path: Path) -> None:
    sessions = Sessions()

    def no_trial() -> dict[str, np.ndarray]:
        raise AssertionError("nothing is to be tried")

    session = open_on_device(
        NETWORK,
        trial_inputs=no_trial,
        machine=FakeMachine(),
        opener=sessions,
        choices=lambda key: ChoiceStore(key, tmp_path),
    )
    assert session.provider == "CPUExecutionProvider"
    assert len(sessions.opened) == 1
    assert session.warnings == ()
    assert list(tmp_path.iterdir()) == []


class Clock:
    """A clock that stands still but for the runs of the processor, which take 50 ms each."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def perf_counter(self) -> float:
        return self.now_s

    def monotonic(self) -> float:
        return self.now_s

    def run(self, session: FakeSession, _x: np.ndarray) -> None:
        self.now_s += 0.05 if session.provider.startswith("CPU") else 0.001


class SlowProcessor(Sessions):
    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def __call__(self, device: DeviceInfo) -> AnySession:
        session = FakeSession(device.provider, self._clock.run)
        self.opened.append(session)
        return session


def test_auto_tries_once_and_then_remembers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(trial, "time", clock)

    def store(key: str) -> ChoiceStore:
        return ChoiceStore(key, tmp_path)

    for n_opened in (3, 1):
        sessions = SlowProcessor(clock)
        session = open_on_device(
            NETWORK, trial_inputs=_trial_input, machine=WITH_CARD, opener=sessions, choices=store
        )
        assert session.provider == "CUDAExecutionProvider"
        assert len(sessions.opened) == n_opened
        assert all(opened.closed for opened in sessions.opened[:-1])
        assert not sessions.opened[-1].closed


def test_the_check_of_a_file_can_be_watched_and_stopped() -> None:
    entry = Catalogue.default().find("pitch")
    stages: list[str] = []
    open_on_device(
        Network(graph=entry), machine=FakeMachine(), job=Job(lambda _f, stage: stages.append(stage))
    ).close()
    assert "checking swift-f0" in stages
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        open_on_device(Network(graph=entry), machine=FakeMachine(), job=job)


def test_the_choice_of_another_model_is_another(tmp_path: Path) -> None:
    keys: list[str] = []

    def store(key: str) -> ChoiceStore:
        keys.append(key)
        return ChoiceStore(key, tmp_path)

    for threads in (1, 2):
        open_on_device(
            NETWORK, trial_inputs=_trial_input, machine=WITH_CARD, opener=Sessions(),
            choices=store, threads=threads,
        )  # fmt: skip
    assert len(set(keys)) == 2


def test_choices_lie_in_the_cache_of_the_user() -> None:
    from singcoach import resources

    open_on_device(NETWORK, trial_inputs=_trial_input, machine=WITH_CARD, opener=Sessions())
    (path,) = (resources.cache_dir() / "devices").iterdir()
    assert path.suffix == ".json"


def test_the_users_word_counts() -> None:
    for wanted, provider in (("cpu", "CPUExecutionProvider"), ("cuda", "CUDAExecutionProvider")):
        session = open_on_device(
            NETWORK, wanted=wanted, trial_inputs=_trial_input, machine=WITH_CARD,
            opener=Sessions(),
        )  # type: ignore[arg-type]  # fmt: skip
        assert session.provider == provider
        assert session.warnings == ()
    session = open_on_device(NETWORK, wanted="mps", machine=WITH_CARD, opener=Sessions())
    assert session.provider == "CPUExecutionProvider"
    assert "--device mps" in session.warnings[0]


def test_a_card_that_is_broken_does_not_stop_the_song() -> None:
    for wanted in ("auto", "cuda"):
        session = open_on_device(
            NETWORK, wanted=wanted, trial_inputs=_trial_input, machine=WITH_CARD,
            opener=Sessions(broken="cuda"),
        )  # type: ignore[arg-type]  # fmt: skip
        assert session.provider == "CPUExecutionProvider"
        assert any("did not start" in warning for warning in session.warnings)


def test_too_little_memory_is_said_before_anything_is_opened() -> None:
    sessions = Sessions()
    huge = Network(graph=_entry(size=40 * GB), bytes_per_item=GB)
    with pytest.raises(NotEnoughMemoryError, match="GB are free"):
        open_on_device(huge, machine=WITH_CARD, opener=sessions)
    assert sessions.opened == []


def test_batches_follow_the_free_memory_of_the_card() -> None:
    session = open_on_device(NETWORK, wanted="cuda", machine=WITH_CARD, opener=Sessions())
    assert session.batch_size() == 4  # 90 % of 7 GB, 1 GB each, a power of two
    assert session.batch_size(2) == 2
    assert open_on_device(NETWORK, wanted="cpu", opener=Sessions()).batch_size() == 1


def test_weights_alone_run_on_torchs_processor() -> None:
    opened: list[DeviceInfo] = []

    def opener(device: DeviceInfo) -> AnySession:
        opened.append(device)
        return FakeSession(device.provider)

    network = Network(weights=_entry(part="weights"), load_network=lambda *_: None)
    session = open_on_device(network, machine=FakeMachine(torch_installed=True), opener=opener)
    assert session.provider == "torch cpu"
    with pytest.raises(ModelError, match="No engine"):
        open_on_device(network, machine=FakeMachine(), opener=opener)
    with pytest.raises(ValueError, match="neither"):
        open_on_device(Network(), machine=FakeMachine(), opener=opener)


def test_a_card_needs_half_of_the_weights_in_torch() -> None:
    network = Network(graph=_entry(300_000_000), weights=_entry(4 * GB, part="weights"))
    half = network.fixed_bytes(device("cuda", engine="torch"))
    whole = network.fixed_bytes(device("cpu", engine="torch"))
    assert half < whole
    assert network.fixed_bytes(CPU) < whole
