from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from singcoach.errors import ModelError
from singcoach.models.gguf import Tensor, open_gguf, write_gguf
from singcoach.models.gguf.blocks import LAYOUTS, pack, stored_bytes
from singcoach.models.gguf.writing import number_setting, text_setting

SETTINGS = {
    "general.architecture": text_setting("llama"),
    "general.name": text_setting("ünït"),
    "llama.block_count": number_setting(3),
    "list.texts": struct.pack("<IIQ", 9, 8, 2) + struct.pack("<Q2sQ0s", 2, b"ab", 0, b""),
    "list.floats": struct.pack("<IIQ3f", 9, 6, 3, 0.5, -1.0, 2.0),
    "a.switch": struct.pack("<IB", 7, 1),
}


def _write(path: Path) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(5)
    weights = {kind: draw.normal(0.0, 1.0, (3, 64)).astype(np.float32) for kind in LAYOUTS}
    tensors = {
        kind: Tensor(
            shape=(3, 64), number=LAYOUTS[kind].number, n_bytes=stored_bytes((3, 64), kind)
        )
        for kind in LAYOUTS
    }
    write_gguf(path, SETTINGS, tensors, lambda name: pack(weights[name], name))  # type: ignore[arg-type]
    return weights


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    weights = _write(tmp_path / "a.gguf")
    with open_gguf(tmp_path / "a.gguf") as file:
        assert dict(file.stored) == SETTINGS
        assert file.settings["general.name"] == "ünït"
        assert file.settings["llama.block_count"] == 3
        assert file.settings["list.texts"] == ("ab", "")
        assert file.settings["list.floats"] == (0.5, -1.0, 2.0)
        assert file.settings["a.switch"] is True
        assert [place.shape for place in file.tensors.values()] == [(3, 64)] * len(weights)
        np.testing.assert_array_equal(file.read("f32"), weights["f32"])
        for name, bound in (("f16", 0.002), ("q8_0", 0.02), ("q4_1", 0.25), ("q4_0", 0.4)):
            assert np.abs(file.read(name) - weights[name]).max() < bound


def test_copying_every_part_gives_the_same_bytes(tmp_path: Path) -> None:
    _write(tmp_path / "a.gguf")
    with open_gguf(tmp_path / "a.gguf") as file:
        tensors = {
            name: Tensor(shape=at.shape, number=LAYOUTS[at.kind].number, n_bytes=at.n_bytes)
            for name, at in file.tensors.items()
            if at.kind is not None
        }
        write_gguf(tmp_path / "b.gguf", file.stored, tensors, file.content)
    assert (tmp_path / "b.gguf").read_bytes() == (tmp_path / "a.gguf").read_bytes()


def test_a_file_that_ends_anywhere_is_refused(tmp_path: Path) -> None:
    _write(tmp_path / "a.gguf")
    content = (tmp_path / "a.gguf").read_bytes()
    cut = tmp_path / "cut.gguf"
    for length in [*range(0, 400, 7), len(content) - 40]:
        cut.write_bytes(content[:length])
        with pytest.raises(ModelError):
            open_gguf(cut)


def test_absurd_counts_and_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    _write(tmp_path / "a.gguf")
    content = bytearray((tmp_path / "a.gguf").read_bytes())
    path = tmp_path / "b.gguf"
    path.write_bytes(content[:8] + struct.pack("<Q", 1 << 60) + content[16:])
    with pytest.raises(ModelError, match="claims"):
        open_gguf(path)
    with open_gguf(tmp_path / "a.gguf") as file:
        start = file.tensors["f32"].start
    content[start : start + 4] = struct.pack("<f", float("nan"))
    path.write_bytes(content)
    with open_gguf(path) as file, pytest.raises(ModelError, match="no number"):
        file.read("f32")


def test_a_type_that_cannot_be_taken_apart_is_kept_but_not_read(tmp_path: Path) -> None:
    content = bytes(range(144)) * 2
    tensors = {"k": Tensor(shape=(2, 256), number=12, n_bytes=len(content))}
    write_gguf(tmp_path / "a.gguf", SETTINGS, tensors, lambda _: content)
    with open_gguf(tmp_path / "a.gguf") as file:
        assert file.content("k") == content
        with pytest.raises(ModelError, match="form that is not read"):
            file.read("k")


def test_the_writer_refuses_another_size_than_was_said(tmp_path: Path) -> None:
    tensors = {"a": Tensor(shape=(2,), number=0, n_bytes=8)}
    with pytest.raises(ValueError, match="7 bytes"):
        write_gguf(tmp_path / "a.gguf", SETTINGS, tensors, lambda _: bytes(7))
    other = {**SETTINGS, "general.alignment": number_setting(64)}
    with pytest.raises(ValueError, match="alignment"):
        write_gguf(tmp_path / "a.gguf", other, tensors, lambda _: bytes(8))
