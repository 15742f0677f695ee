"""Which devices are found."""

from __future__ import annotations

import subprocess
import sys

from fake_machines import CARD, GB, FakeMachine, device

from singcoach.models.devices import (
    KINDS_OF,
    THIS_MACHINE,
    UNKNOWN_DEVICE_BYTES,
    available_devices,
    describe,
    parse_cards,
)


def _kinds(machine: FakeMachine, *, torch: bool = False) -> list[tuple[str, str]]:
    return [(d.kind, d.engine) for d in available_devices(torch=torch, machine=machine)]


def test_this_machine_has_a_processor_with_memory() -> None:
    found = available_devices()
    assert found[-1].kind == "cpu"
    assert found[-1].provider == "CPUExecutionProvider"
    assert found[-1].free_bytes is not None
    assert found[-1].total_bytes is not None
    assert 0 < found[-1].free_bytes <= found[-1].total_bytes


def test_the_fastest_as_a_rule_comes_first_and_foreign_engines_are_left_out() -> None:
    machine = FakeMachine(
        providers=(
            "AzureExecutionProvider", "CPUExecutionProvider", "CoreMLExecutionProvider",
            "TensorrtExecutionProvider", "CUDAExecutionProvider", "DmlExecutionProvider",
        ),
        cards=(CARD,),
    )  # fmt: skip
    assert _kinds(machine) == [
        ("cuda", "onnxruntime"),
        ("directml", "onnxruntime"),
        ("coreml", "onnxruntime"),
        ("cpu", "onnxruntime"),
    ]


def test_cuda_without_a_card_is_no_device() -> None:
    machine = FakeMachine(providers=("CUDAExecutionProvider", "CPUExecutionProvider"))
    assert _kinds(machine) == [("cpu", "onnxruntime")]


def test_the_card_tells_name_and_memory() -> None:
    machine = FakeMachine(providers=("CUDAExecutionProvider",), cards=(CARD,))
    (found,) = available_devices(machine=machine)
    assert (found.name, found.free_bytes) == (CARD.name, CARD.free_bytes)
    assert "Test Card 9000" in describe(found)
    assert "7.0 of 8.0 GB free" in describe(found)


def test_torch_comes_in_only_when_a_network_has_a_form_for_it() -> None:
    machine = FakeMachine(torch=(device("mps", engine="torch"),))
    assert _kinds(machine) == [("cpu", "onnxruntime")]
    assert _kinds(machine, torch=True) == [
        ("mps", "torch"),
        ("cpu", "onnxruntime"),
        ("cpu", "torch"),
    ]


def test_a_device_that_does_not_tell_its_memory_is_guessed_low() -> None:
    machine = FakeMachine(providers=("DmlExecutionProvider",))
    (found,) = available_devices(machine=machine)
    assert found.free_bytes is None
    assert found.room_bytes == UNKNOWN_DEVICE_BYTES


def test_free_memory_is_no_part_of_the_key() -> None:
    assert device("cuda", free=GB).key == device("cuda", free=2 * GB).key
    assert device("cuda", name="A").key != device("cuda", name="B").key


def test_listings_of_cards() -> None:
    text = "NVIDIA A, B, 1000, 2000, 555.42\nOdd line\n\nGB10, [N/A], [N/A], 580.1\n"
    cards = parse_cards(text)
    assert [card.name for card in cards] == ["NVIDIA A, B", "GB10"]
    assert cards[0].free_bytes == 1000 << 20
    assert cards[0].driver == "555.42"
    assert cards[1].free_bytes == UNKNOWN_DEVICE_BYTES
    assert parse_cards("") == ()


def test_directml_is_for_auto_alone_and_core_ml_goes_with_mps() -> None:
    assert "directml" in KINDS_OF["auto"]
    assert all("directml" not in KINDS_OF[word] for word in ("cpu", "cuda", "mps"))
    assert "coreml" in KINDS_OF["mps"]


def test_looking_imports_torch_only_where_it_could_have_a_card() -> None:
    code = (
        "import sys; from singcoach.models import devices, device_session;"
        "devices._torch_may_have_a_card = lambda: False;"
        "devices.available_devices(torch=True); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_versions_name_the_libraries_that_decide() -> None:
    import onnxruntime

    assert THIS_MACHINE.versions()["onnxruntime"] == onnxruntime.__version__
    assert set(THIS_MACHINE.versions()) >= {"system", "machine", "torch", "processor", "cores"}
