"""Results on disk under the hash of their inputs."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from singcoach.chain.cache import Cache, make_key


def test_a_stored_result_comes_back_bit_for_bit(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    values = np.array([0.1, np.nan, -0.0, 1e-42], dtype=np.float32)
    cache.store(make_key("s", 1, "x"), {"values": values, "scalar": np.float64(0.1)})
    loaded = cache.load(make_key("s", 1, "x"))
    assert loaded is not None
    assert loaded["values"].tobytes() == values.tobytes()
    assert loaded["scalar"] == 0.1
    assert not loaded["values"].flags.writeable


def test_key_depends_on_stage_version_and_every_part() -> None:
    keys = {
        make_key("a", 1, "x", 2),
        make_key("b", 1, "x", 2),
        make_key("a", 2, "x", 2),
        make_key("a", 1, "y", 2),
        make_key("a", 1, "x", 3),
        make_key("a", 1, "x"),
        make_key("a", 1, ["x", 2]),
    }
    assert len(keys) == 7


def test_absent_and_switched_off(tmp_path: Path) -> None:
    assert Cache(tmp_path / "none").load(make_key("s", 1)) is None
    off = Cache(None)
    off.store(make_key("s", 1), {"x": np.ones(1)})
    assert off.load(make_key("s", 1)) is None
    assert off.size_bytes() == 0


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty", "text", "pickle"])
def test_a_damaged_entry_is_absent_and_removed(tmp_path: Path, damage: str) -> None:
    cache = Cache(tmp_path)
    key = make_key("s", 1)
    cache.store(key, {"x": np.arange(1000, dtype=np.float32)})
    (path,) = tmp_path.glob("??/*.npz")
    content = path.read_bytes()
    if damage == "truncate":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "flip":
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "text":
        path.write_bytes(b"not an archive")
    else:
        np.savez(path, x=np.array([object()], dtype=object))
    assert cache.load(key) is None
    assert not path.exists()


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit_bytes=30_000)
    array = np.zeros(2_000, dtype=np.float32)
    for age, name in enumerate(("old", "middle", "new")):
        key = make_key(name, 1)
        cache.store(key, {"x": array})
        os.utime(tmp_path / key[:2] / f"{key}.npz", (1_000_000 + age, 1_000_000 + age))
    assert cache.load(make_key("old", 1)) is not None  # used just now, so "middle" is oldest
    cache.store(make_key("newest", 1), {"x": array})
    assert cache.load(make_key("middle", 1)) is None
    assert cache.load(make_key("old", 1)) is not None
    assert cache.size_bytes() <= 30_000


def test_nothing_half_written_when_the_folder_cannot_be_made(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    cache = Cache(blocked)
    cache.store(make_key("s", 1), {"x": np.ones(3)})
    assert cache.load(make_key("s", 1)) is None


def test_a_result_larger_than_half_the_cache_is_not_kept(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit_bytes=1_000)
    cache.store(make_key("s", 1), {"x": np.zeros(1_000)})
    assert cache.size_bytes() == 0


def test_an_entry_that_may_not_be_touched_is_still_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(tmp_path)
    cache.store(make_key("s", 1), {"x": np.ones(3)})

    def refuse(*_args: object, **_more: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "utime", refuse)
    assert cache.load(make_key("s", 1)) is not None
    assert cache.load(make_key("s", 1)) is not None
