"""Which files a batch holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from singcoach.cli.assess import report_names
from singcoach.cli.listing import list_audio
from singcoach.errors import InputError


def test_folders_give_their_recordings_by_name_and_files_stay_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "takes"
    (folder / "deep").mkdir(parents=True)
    for name in ("b.WAV", "a.mp3", "notes.txt", "cover.jpg", ".hidden.wav", "deep/c.opus"):
        (folder / name).write_bytes(b"x")
    named = tmp_path / "odd.name"
    assert list_audio([named, folder, named]) == [
        named,
        folder / "a.mp3",
        folder / "b.WAV",
        folder / "deep" / "c.opus",
    ]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no recordings"):
        list_audio([tmp_path])


def test_reports_of_equal_names_do_not_overwrite_each_other() -> None:
    paths = [Path("x/a.wav"), Path("y/a.wav"), Path("y/A.WAV"), Path("a.mp3")]
    names = report_names(paths)
    assert len({name.lower() for name in names.values()}) == 4
    assert names[paths[0]] == "a.wav.html"
