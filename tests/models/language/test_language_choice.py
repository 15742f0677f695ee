"""The language model that is used is the one that the user added last."""

from __future__ import annotations

from pathlib import Path

import pytest
from real_models import needs_runtime
from tiny_gguf import tiny_gguf

from singcoach.errors import ModelError
from singcoach.models.catalogue import Catalogue
from singcoach.models.language import Request
from singcoach.models.language.choice import (
    find_language_model,
    open_language_model,
    require_language_model,
)
from singcoach.models.packs.adding import add


def add_tiny(folder: Path, name: str, seed: int) -> None:
    path = folder / f"{name}.gguf"
    path.write_bytes(tiny_gguf(seed=seed))
    add([path], trust=True, name=name)


def test_none_is_none() -> None:
    assert find_language_model(Catalogue(())) is None
    with pytest.raises(ModelError, match="No language model") as caught:
        require_language_model(Catalogue(()))
    assert "models build" in caught.value.hint


def test_newest_pack_is_used(tmp_path: Path) -> None:
    add_tiny(tmp_path, "first", 1)
    add_tiny(tmp_path, "second", 2)
    entry = require_language_model(Catalogue.default())
    assert entry.folder.name == "second"
    assert entry.path.read_bytes() == tiny_gguf(seed=2)


def test_pack_changed_after_it_was_added_is_refused(tmp_path: Path) -> None:
    add_tiny(tmp_path, "first", 1)
    path = require_language_model(Catalogue.default()).path
    content = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(content[:-4] + b"\x00\x00\x80\x3f")
    with pytest.raises(ModelError, match="damaged"):
        open_language_model(Catalogue.default())


@needs_runtime
def test_added_pack_writes(tmp_path: Path) -> None:
    add_tiny(tmp_path, "first", 1)
    with open_language_model(Catalogue.default()) as model:
        asked = Request(system="a", user="b", grammar='root ::= "yes" | "no"')
        assert model.write(asked, timeout_s=20.0).text in ("yes", "no")
