"""Files appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from singcoach.errors import OutputError
from singcoach.files import cannot_write, whole_file, write_whole


def test_text_and_bytes_are_written_with_usual_permissions(tmp_path: Path) -> None:
    path = tmp_path / "größe.json"
    write_whole(path, "é\n")
    assert path.read_bytes() == b"\xc3\xa9\n"
    write_whole(path, b"\x00")
    assert path.read_bytes() == b"\x00"
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("fault", [KeyboardInterrupt, ValueError])
def test_an_interruption_leaves_the_old_file(tmp_path: Path, fault: type[BaseException]) -> None:
    path = tmp_path / "a.txt"
    write_whole(path, "old")
    with pytest.raises(fault), whole_file(path) as temporary:  # noqa: PT012 - it has to end inside
        temporary.write_text("half")
        raise fault
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_faults_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        write_whole(tmp_path / "none" / "a.txt", "x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        write_whole(tmp_path / "folder", "x")
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]
    full = cannot_write(tmp_path / "a", OSError(28, "No space left on device"))
    assert "disk is full" in full.message
    assert full.hint
