"""Files appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from singcoach.errors import OutputError
from singcoach.files import cannot_write, check_output, whole_file, write_whole


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


def test_a_link_keeps_pointing_and_a_device_stays_a_device(tmp_path: Path) -> None:
    target, link = tmp_path / "target.csv", tmp_path / "link.csv"
    target.write_text("old")
    link.symlink_to(target)
    write_whole(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    before = Path(os.devnull).stat().st_mode
    write_whole(Path(os.devnull), "x")
    assert Path(os.devnull).stat().st_mode == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are a POSIX thing")
def test_a_named_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_whole(pipe, "through")
        assert os.read(reader, 100) == b"through"
    finally:
        os.close(reader)


def test_an_output_that_is_an_input_is_refused(tmp_path: Path) -> None:
    take, other = tmp_path / "take.wav", tmp_path / "link.wav"
    take.write_bytes(b"sound")
    other.symlink_to(take)
    for output in (take, other):
        with pytest.raises(OutputError, match="would be overwritten"):
            check_output(output, [None, tmp_path / "absent", take])
    check_output(tmp_path / "new.csv", [take])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.wav", "take.wav"]
    with pytest.raises(OutputError, match="does not exist"):
        check_output(tmp_path / "none" / "x.csv")
