from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_manifests import manifest, table

from singcoach import resources
from singcoach.errors import ModelError
from singcoach.models.manifest import TensorSpec, parse_manifest, read_manifest

HERE = Path("somewhere")


def parse(text: str):
    return parse_manifest(text.encode(), folder=HERE)


def test_a_full_entry_is_read_as_it_stands():
    tensor = {"name": "audio", "dtype": "float32", "shape": [1, "samples"]}
    config = '{"chunk": 8, "name": "\\u00e4"}'
    (entry,) = parse(
        manifest(table(part="vocals", sample_rate=16000, inputs=[tensor], config=config))
    )
    assert entry.config == config
    assert entry.id == "toy"
    assert (entry.role, entry.part) == ("pitch", "vocals")
    assert entry.sample_rate == 16000
    assert entry.inputs == (TensorSpec(name="audio", dtype="float32", shape=(1, "samples")),)
    assert entry.outputs == ()
    assert entry.path == HERE / "toy.onnx"
    assert entry.card == HERE / "toy.md"


@pytest.mark.parametrize(
    "name",
    [
        "../toy.onnx", "a/b.onnx", "a\\b.onnx", "/etc/passwd", "C:toy", "", ".", "..", ".hidden",
        "toy.", "nul", "CON.onnx", "com1.x", "toy onnx", "toy\x00", "toy\n", "tøy", "manifest.toml",
        "x" * 200, 7, ["toy.onnx"],
    ],
)  # fmt: skip
def test_a_file_name_that_is_not_plain_is_refused(name):
    with pytest.raises(ModelError):
        parse(manifest(table(file=name)))


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None}, {"id": "Upper"}, {"id": "a/b"}, {"id": 3}, {"id": ""},
        {"role": "cooking"}, {"role": None}, {"part": "A b"}, {"part": 1},
        {"sha256": None}, {"sha256": "ab"}, {"sha256": "g" * 64}, {"sha256": "A" * 64},
        {"sha256": "a" * 64 + "\n"}, {"size": 0}, {"size": -1}, {"size": 1.5}, {"size": True},
        {"size": "9"}, {"size": 1 << 60}, {"licence": ""}, {"licence": None}, {"licence": " MIT"},
        {"source": "two\nlines"}, {"version": 1.0}, {"sample_rate": 0}, {"sample_rate": 1e4},
        {"sample_rate": True}, {"colour": "red"}, {"inputs": "audio"}, {"inputs": ["audio"]},
        {"prompt": "loud"}, {"prompt": 1},
        {"config": 3}, {"config": "no json"}, {"config": "[1]"}, {"config": '"text"'},
        {"config": '{"a": "' + "x" * 30_000 + '"}'}, {"id": "con"}, {"id": "nul.x"}, {"id": "a."},
        {"inputs": [{"name": "a", "dtype": "float32"}]},
        {"inputs": [{"name": "a", "dtype": "string", "shape": []}]},
        {"inputs": [{"name": "a", "dtype": "float32", "shape": [0]}]},
        {"inputs": [{"name": "a", "dtype": "float32", "shape": [True]}]},
        {"inputs": [{"name": "a", "dtype": "float32", "shape": 3}]},
        {"inputs": [{"name": "a", "dtype": "float32", "shape": [], "more": 1}]},
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_exit_code_4(changes):
    with pytest.raises(ModelError) as caught:
        parse(manifest(table(**changes)))
    assert caught.value.exit_code == 4
    assert caught.value.detail


@pytest.mark.parametrize(
    "text",
    [
        "", "schema = 1", "model = []", 'schema = "other/1"\nmodel = []', "not toml at all [",
        manifest("[model]\nid = 1"), manifest("model = [1]"), manifest("extra = 1", table()),
        "a = " + "[" * 5000, "a = " + "9" * 5000,
    ],
)  # fmt: skip
def test_what_is_not_a_manifest_is_refused(text):
    with pytest.raises(ModelError):
        parse(text)


@pytest.mark.parametrize(
    "second",
    [
        {"file": "b.onnx", "role": "notes"},
        {"id": "b", "role": "notes"},
        {"id": "b", "role": "notes", "file": "TOY.onnx"},
        {"id": "b", "file": "b.onnx"},
    ],
)
def test_no_id_file_or_role_may_appear_twice(second):
    with pytest.raises(ModelError, match="damaged") as caught:
        parse(manifest(table(), table(**second)))
    assert "twice" in caught.value.detail


def test_bytes_that_are_not_utf8_are_refused():
    with pytest.raises(ModelError):
        parse_manifest(b"\xff\xfe\x00", folder=HERE)


def test_a_missing_a_huge_and_a_folder_manifest_are_refused(tmp_path):
    with pytest.raises(ModelError, match="cannot be read"):
        read_manifest(tmp_path / "manifest.toml")
    with pytest.raises(ModelError, match="cannot be read"):
        read_manifest(tmp_path)
    huge = tmp_path / "huge.toml"
    huge.write_bytes(b"#" * 1_000_001)
    with pytest.raises(ModelError, match="too large"):
        read_manifest(huge)


@given(st.binary(max_size=400))
def test_any_bytes_give_entries_or_a_model_error(content):
    try:
        entries = parse_manifest(content, folder=HERE)
    except ModelError:
        return
    assert entries == ()


@given(
    st.sampled_from(
        ["id", "role", "part", "version", "file", "sha256", "size", "licence", "sample_rate"]
    ),
    st.one_of(
        st.text(max_size=20),
        st.text(string.printable, max_size=20),
        st.integers(),
        st.booleans(),
        st.lists(st.integers(), max_size=3),
    ),
)
def test_any_value_gives_an_entry_inside_its_folder_or_a_model_error(key, value):
    try:
        (entry,) = parse(manifest(table(**{key: value})))
    except ModelError:
        return
    assert entry.path.parent == HERE
    assert entry.path.resolve().parent == HERE.resolve()


def test_every_shipped_model_has_a_file_a_card_and_a_permissive_licence():
    entries = read_manifest(resources.models_dir() / "manifest.toml")
    assert {"separation", "pitch", "singing_detector", "recording_quality"} <= {
        entry.role for entry in entries
    }
    for entry in entries:
        if entry.id != "coach-smollm2":  # is built where it is wanted
            assert entry.path.stat().st_size == entry.size, entry.id
        assert entry.licence in {"MIT", "Apache-2.0", "BSD-3-Clause", "CC-BY-4.0"}, entry.id
        card = entry.card.read_text(encoding="utf-8")
        assert entry.licence in card, entry.id
        assert not entry.package or entry.package.replace("==", " ") in card, entry.id
