"""A folder of models of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from model_manifests import CONTENT, manifest, table


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Folder with a manifest of one model and its file."""
    (tmp_path / "toy.onnx").write_bytes(CONTENT)
    (tmp_path / "manifest.toml").write_text(manifest(table()), encoding="utf-8")
    return tmp_path
