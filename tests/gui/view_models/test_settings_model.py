"""The list of models of the settings: what is listed, checked, refused and weighed. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from singcoach.errors import Cancelled, ModelError
from singcoach.gui.view_models.settings_models import (
    add_files,
    check_all,
    folder_bytes,
    is_only_unknown,
    model_lines,
    read_lines,
)
from singcoach.jobs import Job
from singcoach.models import catalogue as catalogue_module
from singcoach.models.catalogue import Catalogue
from singcoach.models.installed import packs_dir
from singcoach.models.manifest import ModelEntry


def test_every_shipped_model_is_listed_with_licence_version_and_fingerprint() -> None:
    catalogue = Catalogue.default()
    lines = read_lines()
    assert [line.id for line in lines if line.state == "built_in"] == [
        entry.id for entry in catalogue.entries
    ]
    for line, entry in zip(lines, (*catalogue.entries, *catalogue.unbuilt), strict=True):
        assert (line.sha256, line.size_bytes) == (entry.sha256, entry.size)
        assert len(line.sha256) == 64
        assert line.licence
        assert line.version
        assert not line.fault
        assert not line.pack


def test_a_damaged_pack_is_one_line_that_says_why() -> None:
    broken = packs_dir() / "broken"
    broken.mkdir(parents=True)
    (broken / "manifest.toml").write_text("no manifest [", encoding="utf-8")
    (line,) = [line for line in model_lines(Catalogue.default()) if line.state == "damaged"]
    assert (line.id, line.pack) == ("broken", "broken")
    assert line.fault


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let one model be found damaged, without reading the large files."""

    def damage(name: str) -> None:
        def verify(entry: ModelEntry, job: Job) -> None:
            job.report(0.0, "checking")
            if entry.id == name:
                raise ModelError(f"{name} is damaged", hint="Install SingCoach again")

        monkeypatch.setattr(catalogue_module, "verify", verify)

    return damage


def test_checking_names_the_damaged_file_and_goes_on(checked: Callable[[str], None]) -> None:
    first, *others = [entry.id for entry in Catalogue.default().entries]
    checked(first)
    fractions: list[float] = []
    found = check_all(Job(lambda fraction, _stage: fractions.append(fraction)))
    assert found == {first: f"{first} is damaged", **dict.fromkeys(others, "")}
    assert fractions == sorted(fractions)


def test_checking_stops_when_it_is_cancelled(checked: Callable[[str], None]) -> None:
    checked("")
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        check_all(job)


def test_an_unknown_file_is_told_from_a_damaged_one(tmp_path: Path) -> None:
    damaged = tmp_path / "voice.ckpt"
    damaged.write_bytes(b"neither a checkpoint nor anything else")
    with pytest.raises(ModelError) as refused:
        add_files([damaged], trust=True)
    assert not is_only_unknown(refused.value)
    with pytest.raises(ModelError) as asked:
        add_files([damaged], trust=False)
    assert is_only_unknown(asked.value)
    assert not packs_dir().is_dir() or not [p for p in packs_dir().iterdir() if p.is_dir()]


def test_a_folder_weighs_what_its_files_weigh(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a").write_bytes(bytes(300))
    (tmp_path / "b").write_bytes(bytes(40))
    assert folder_bytes(tmp_path) == 340
    assert folder_bytes(tmp_path / "missing") == 0
