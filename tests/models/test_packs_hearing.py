"""A language model with a projector becomes a pack when the two belong together and hear."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from hostile_networks import gguf, gguf_text
from pack_sources import hearing_pairs, write_gguf_pair

from singcoach.errors import ModelError
from singcoach.models.catalogue import Catalogue
from singcoach.models.language.hearing import find_hearing_pair
from singcoach.models.language.projector import KINDS, Projector, projector_of
from singcoach.models.packs.adding import add


@pytest.mark.parametrize(
    ("kind", "stack", "n_tokens"),
    [
        ("ultravox", 8, 187),
        ("ultravox", 25, 60),
        ("voxtral", 4, 375),
        ("qwen2a", 1, 750),
        ("qwen2.5o", 1, 750),
        ("glma", 4, 377),
    ],
)
def test_pair_becomes_a_pack_that_knows_how_much_it_hears(
    tmp_path: Path, kind: str, stack: int, n_tokens: int
) -> None:
    model, projector = write_gguf_pair(tmp_path)
    projector.write_bytes(gguf(architecture="clip", pairs=hearing_pairs(kind=kind, stack=stack)))
    pack = add([projector, model], trust=True, name="ears")
    told = {entry.part: entry.config for entry in pack.entries}
    assert told["model"] == ""
    assert Projector.from_json(told["projector"]) == Projector(
        kind=kind, width=64, window_tokens=n_tokens
    )
    found = find_hearing_pair(Catalogue.default())
    assert found is not None
    assert [entry.part for entry in found] == ["model", "projector"]
    again = add([pack.entries[0].folder], trust=True, name="again")
    assert {entry.part: entry.config for entry in again.entries} == told


def test_folder_with_both_is_a_pair(tmp_path: Path) -> None:
    folder = tmp_path / "both"
    folder.mkdir()
    write_gguf_pair(folder)
    assert len(add([folder], trust=True).entries) == 2


def test_model_alone_does_not_hear(tmp_path: Path) -> None:
    assert find_hearing_pair(Catalogue.default()) is None
    add([write_gguf_pair(tmp_path)[0]], trust=True)
    assert find_hearing_pair(Catalogue.default()) is None


@pytest.mark.parametrize(
    ("pairs", "why"),
    [
        (hearing_pairs(width=128), "belongs to another language model"),
        (hearing_pairs(hears=False), "does not hear"),
        (hearing_pairs(kind="siglip"), "not known"),
        (hearing_pairs(width=0), "absurd"),
        (hearing_pairs(stack=0), "absurd"),
        (hearing_pairs(stack=100_000), "absurd"),
        ({"general.type": (8, gguf_text("mmproj"))}, "does not hear"),
        (
            {**hearing_pairs(), "clip.projector_type": (4, struct.pack("<I", 7))},
            "not known",
        ),
        (
            {**hearing_pairs(), "clip.audio.projection_dim": (8, gguf_text("64"))},
            "absurd",
        ),
    ],
)
def test_projector_that_does_not_fit_is_refused(
    tmp_path: Path, pairs: dict[str, tuple[int, bytes]], why: str
) -> None:
    model, projector = write_gguf_pair(tmp_path)
    projector.write_bytes(gguf(architecture="clip", pairs=pairs))
    with pytest.raises(ModelError, match=why) as caught:
        add([model, projector], trust=True)
    assert caught.value.hint


def test_pack_folder_that_tells_of_another_projector_is_refused(tmp_path: Path) -> None:
    pack = add(write_gguf_pair(tmp_path), trust=True, name="ears")
    folder = tmp_path / "copy"
    folder.mkdir()
    for path in pack.entries[0].folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    manifest = folder / "manifest.toml"
    text = manifest.read_text()
    assert "150" in text
    manifest.write_text(text.replace("150", "151"))
    with pytest.raises(ModelError, match="another projector"):
        add([folder], trust=True, name="copy")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no",
        "[]",
        "{}",
        '{"kind": "ultravox", "width": 64}',
        '{"kind": "mlp", "width": 64, "window_tokens": 9}',
        '{"kind": "ultravox", "width": true, "window_tokens": 9}',
        '{"kind": "ultravox", "width": 64, "window_tokens": 90000}',
        '{"kind": ["ultravox"], "width": 64, "window_tokens": 9}',
    ],
)
def test_description_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        Projector.from_json(text)


def test_description_comes_back() -> None:
    for kind in KINDS:
        settings = {
            "clip.has_audio_encoder": True,
            "clip.audio.projector_type": kind,
            "clip.projector_type": "something",
            "clip.audio.projection_dim": 576,
        }
        about = projector_of(settings)
        assert about.width == 576
        assert Projector.from_json(about.to_json()) == about
        assert json.loads(about.to_json())["kind"] == kind
