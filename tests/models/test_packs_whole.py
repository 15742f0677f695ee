"""Killed, full, stopped, twice at once: a pack is there whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import pytest
from pack_sources import write_gguf_pair, write_onnx, write_roformer

from singcoach.errors import ModelError, OutputError
from singcoach.jobs import Job
from singcoach.models.catalogue import Catalogue, verify
from singcoach.models.installed import packs_dir, read_packs
from singcoach.models.packs import copying, locking, staging
from singcoach.models.packs.adding import add
from singcoach.models.packs.staging import Staging, remove

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL and limits")

CHILD = Path(__file__).with_name("pack_child.py")


def child(source: Path, name: str, kind: str = "none", n: int = 0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(CHILD), str(source), name, kind, str(n)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def run_child(source: Path, name: str, kind: str = "none", n: int = 0) -> tuple[int, str, str]:
    process = child(source, name, kind, n)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def names_left() -> set[str]:
    return {path.name for path in packs_dir().iterdir()} - {".changes.lock"}


def write_gguf(folder: Path) -> Path:
    return write_gguf_pair(folder)[0]


def check_whole(ids: Sequence[str]) -> None:
    """Check that exactly these packs are there and every file of them is."""
    packs = read_packs()
    assert sorted(pack.id for pack in packs) == sorted(ids)
    for pack in packs:
        assert pack.fault is None
        for entry in pack.entries:
            verify(entry)
        assert pack.card.is_file()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A checkpoint to add; a pack "old" made from it is installed for separation."""
    path = write_roformer(tmp_path)
    add([path], trust=True, name="old")
    return path


def test_killed_at_any_report_of_a_new_pack(source):
    code, out, err = run_child(source, "counted")
    assert code == 0, err
    remove("counted")
    n_reports = int(out)
    assert n_reports >= 10
    for n in sorted({0, 1, n_reports // 3, n_reports // 2, n_reports - 3, n_reports - 1}):
        code, _, _ = run_child(source, "new", "progress", n)
        assert code == -9
        check_whole(["old"])
        assert Catalogue.default().require("pitch").entry.id == "swift-f0"
    add([source], trust=True, name="after")
    assert names_left() == {"old", "after"}
    check_whole(["old", "after"])


@pytest.mark.parametrize("kind", ["rename", "renamed", "removal"])
@pytest.mark.parametrize("n", [0, 1])
def test_killed_while_one_pack_takes_the_place_of_another(source, kind, n):
    code, _, _ = run_child(source, "old", kind, n)
    assert code == -9
    check_whole(["old"])
    (pack,) = read_packs()
    is_new = {entry.role for entry in pack.entries} == {"dereverb"}
    assert is_new == ((kind, n) in {("renamed", 1), ("removal", 0), ("removal", 1)})
    add([source], trust=True, name="after")
    assert names_left() == {"old", "after"}
    check_whole(["old", "after"])


@pytest.mark.parametrize("most_bytes", [0, 20_000, 60_000])
def test_a_disk_that_takes_no_more_leaves_the_old_packs(source, most_bytes):
    code, _, err = run_child(source, "new", "filesize", most_bytes)
    assert code == 3
    assert err == "The disk is full; new was not written"
    assert names_left() == {"old"}
    check_whole(["old"])


def test_too_little_space_is_told_before_anything_is_written(source, monkeypatch):
    usage = shutil.disk_usage(packs_dir())
    monkeypatch.setattr(staging.shutil, "disk_usage", lambda _path: usage._replace(free=70 << 20))
    monkeypatch.setattr(staging.tempfile, "mkdtemp", lambda **_keys: pytest.fail("it began"))
    with (
        pytest.raises(OutputError, match="needs 9000 MB, 73 MB are free"),
        Staging("new", needed_bytes=9_000_000_000),
    ):
        pass
    assert names_left() == {"old"}


@pytest.mark.parametrize("step", ["fsync", "rename", "chmod"])
def test_a_fault_of_the_disk_at_the_end_leaves_nothing(source, monkeypatch, step):
    def fail(*_args: object, **_keys: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        if step == "fsync":
            patch.setattr(os, "fsync", fail)
        elif step == "chmod":
            patch.setattr(staging, "_sync_file", fail)
        else:
            patch.setattr(staging.Path, "rename", fail)
        for name in ("new", "old"):
            with pytest.raises(OutputError, match="disk is full"):
                add([source], trust=True, name=name, replace=True)
    assert names_left() == {"old"}
    check_whole(["old"])


def test_several_at_once_do_not_harm_each_other(source):
    running = [child(source, f"pack-{i}") for i in range(3)]
    for process in running:
        assert process.communicate(timeout=120)[1] == ""
        assert process.returncode == 0
    check_whole(["old", "pack-0", "pack-1", "pack-2"])
    running = [child(source, "same") for _ in range(3)]
    for process in running:
        process.communicate(timeout=120)
        assert process.returncode == 0
    check_whole(["old", "pack-0", "pack-1", "pack-2", "same"])
    assert not [name for name in names_left() if name.startswith(".")]


def test_a_pack_in_the_making_is_left_alone_by_others(source):
    with Staging("mine", needed_bytes=1) as mine:
        (mine.folder / "half").write_text("x", encoding="utf-8")
        code, _, err = run_child(source, "new")
        assert code == 0, err
        remove("new")
        assert (mine.folder / "half").is_file()
    assert names_left() == {"old"}


def test_a_file_that_changes_on_the_way_is_noticed(tmp_path):
    path = write_onnx(tmp_path)
    content = path.read_bytes()

    def change(_fraction: float, stage: str) -> None:
        if stage.startswith("trying"):
            path.write_bytes(content + b"\0")

    with pytest.raises(ModelError, match="changed while it was being added"):
        add([path], trust=True, job=Job(change))
    assert read_packs() == ()


@pytest.mark.parametrize("write", [write_onnx, write_gguf, write_roformer])
def test_what_is_installed_is_the_file_that_was_hashed(tmp_path, monkeypatch, write):
    """Another program changes the file and gives it its old length and times."""
    path = write(tmp_path)
    content, status = path.read_bytes(), path.stat()
    other = content[:-1] + bytes([content[-1] ^ 1])
    opened = []
    monkeypatch.setattr(copying, "try_onnx", lambda *_rest: opened.append(1))
    is_copied = write is not write_roformer

    def swap(_fraction: float, stage: str) -> None:
        if not stage.startswith(("reading", "looking")):
            path.write_bytes(other)
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    copy_file = copying.copy_file

    def swapping(source: Path, target: Path, job: Job) -> str:
        swap(0.0, "copying")
        return copy_file(source, target, job)

    monkeypatch.setattr(copying, "copy_file", swapping)
    with pytest.raises(ModelError, match="changed while it was being added"):
        add([path], trust=True, job=Job() if is_copied else Job(swap))
    assert not opened, "a library saw what nobody had vouched for"
    assert read_packs() == ()


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EIO])
def test_a_drive_without_locks_is_told_and_not_waited_for(tmp_path, monkeypatch, code):
    def refuse(_file: object) -> None:
        raise OSError(code, "no locks here")

    path = write_roformer(tmp_path)
    monkeypatch.setattr(locking, "_lock", refuse)
    with pytest.raises(OutputError, match="lock files") as caught:
        add([path], trust=True)
    assert "SINGCOACH_HOME" in caught.value.hint


@pytest.mark.parametrize("code", [errno.EAGAIN, errno.EACCES, errno.EWOULDBLOCK])
def test_a_lock_that_another_holds_is_waited_for(tmp_path, monkeypatch, code):
    lock, refused = locking._lock, []

    def busy(file: BinaryIO) -> None:
        if len(refused) < 3:
            refused.append(code)
            raise OSError(code, "held")
        lock(file)

    path = write_roformer(tmp_path)
    monkeypatch.setattr(locking, "_lock", busy)
    add([path], trust=True, name="new")
    assert len(refused) == 3
    check_whole(["new"])


def test_a_pack_that_was_put_aside_comes_back(source):
    (packs_dir() / "old").rename(packs_dir() / ".replaced-old")
    check_whole(["old"])
    remove("old")
    assert read_packs() == ()


def test_a_file_in_the_way_of_the_folder_is_told(tmp_path):
    packs_dir().parent.mkdir(parents=True)
    packs_dir().write_text("in the way", encoding="utf-8")
    with pytest.raises(OutputError):
        add([write_roformer(tmp_path)], trust=True)


def test_a_removal_that_was_killed_is_finished_by_the_next_change(source):
    (packs_dir() / "old").rename(packs_dir() / ".removed-123")
    assert read_packs() == ()
    add([source], trust=True, name="new")
    assert names_left() == {"new"}
