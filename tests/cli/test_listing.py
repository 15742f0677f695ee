"""Which files a batch holds."""

from __future__ import annotations

from pathlib import Path

from singcoach.cli.assess import report_names
from singcoach.cli.listing import list_audio


def test_folders_give_their_recordings_by_name_and_files_stay_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "takes"
    (folder / "deep").mkdir(parents=True)
    for name in ("b.WAV", "a.mp3", "notes.txt", "cover.jpg", ".hidden.wav", "deep/c.opus"):
        (folder / name).write_bytes(b"x")
    named = tmp_path / "odd.name"
    batch = list_audio([named, folder, named])
    assert batch.files == (
        named,
        folder / "a.mp3",
        folder / "b.WAV",
        folder / "deep" / "c.opus",
    )
    assert batch.faults == {}


def test_an_empty_folder_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    batch = list_audio([tmp_path / "empty", tmp_path / "a.wav"])
    assert batch.files == (tmp_path / "a.wav",)
    assert "holds no recordings" in batch.faults[tmp_path / "empty"].message


def test_reports_of_equal_names_do_not_overwrite_each_other() -> None:
    paths = [Path("x/a.wav"), Path("y/a.wav"), Path("y/A.WAV"), Path("a.mp3")]
    names = report_names(paths)
    assert len({name.lower() for name in names.values()}) == 4
    assert names[paths[0]] == "a.wav.html"
