"""THIRD_PARTY.md names what ships and what is installed, with the right licences."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE_PARTS = ("desktop", "language-model", "torch", "build-models", "training", "test")
PERMISSIVE = {
    "MIT",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Apache-2.0",
    "LGPL-2.1-or-later",
    "LGPL-3.0-only",
    "CC0-1.0",
    "CC-BY-3.0",
    "CC-BY-4.0",
    "CC-BY-SA-3.0",
    "CC-BY-SA-4.0",
}


def _toml(name: str) -> dict[str, object]:
    return tomllib.loads((ROOT / name).read_text(encoding="utf-8"))


def _rows(heading: str) -> dict[str, list[str]]:
    """First cell of each row of the table under ``heading`` -> its other cells."""
    text = (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}", 1)[1].split("\n## ", 1)[0]
    rows = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and not cells[0].startswith("---"):
            rows[cells[0].strip("`").split(" ")[0]] = cells[1:]
    rows.pop(next(iter(rows)))  # the header
    return rows


def _licence(cell: str) -> str:
    return re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", cell)


def _names(requirements: list[str]) -> set[str]:
    return {re.match(r"[\w.-]+", entry).group().lower() for entry in requirements}


def test_every_dependency_is_named() -> None:
    project = _toml("pyproject.toml")["project"]
    assert set(_rows("Packages that are installed with SingCoach")) == _names(
        project["dependencies"]
    )


def test_every_optional_package_is_named() -> None:
    extras = _toml("pyproject.toml")["project"]["optional-dependencies"]
    wanted = set().union(*(_names(extras[part]) for part in PACKAGE_PARTS))
    wanted |= _names(list(_bootstrap().WITHOUT_REQUIREMENTS))
    assert set(_rows("Packages of the optional parts")) == wanted


def test_the_parts_of_optional_packages_are_right() -> None:
    extras = _toml("pyproject.toml")["project"]["optional-dependencies"]
    loose = _names(list(_bootstrap().WITHOUT_REQUIREMENTS))
    for name, cells in _rows("Packages of the optional parts").items():
        parts = {part.strip() for part in cells[0].split(",")}
        expected = {part for part in PACKAGE_PARTS if name in _names(extras[part])}
        assert parts == (expected or ({"test"} if name in loose else set())), name


def test_every_model_is_named_with_its_licence() -> None:
    models = _toml("models/manifest.toml")["model"]
    named = _rows("Models that ship")
    assert {model["id"]: model["licence"] for model in models} == {
        name: cells[0] for name, cells in named.items()
    }


def test_every_recording_is_named_with_its_licence() -> None:
    assets = _toml("assets/manifest.toml")["asset"]
    named = _rows("Recordings that ship")
    assert {asset["file"]: asset["licence"] for asset in assets} == {
        name: _licence(cells[0]) for name, cells in named.items()
    }


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        ("Models that ship", 0),
        ("Recordings that ship", 0),
        ("Packages that are installed with SingCoach", 0),
        ("Packages of the optional parts", 1),
    ],
)
def test_only_licences_that_allow_redistribution(heading: str, column: int) -> None:
    for name, cells in _rows(heading).items():
        assert _licence(cells[column]) in PERMISSIVE, name


def test_the_recordings_are_those_of_the_manifest() -> None:
    assets = {asset["file"]: asset for asset in _toml("assets/manifest.toml")["asset"]}
    shipped = {p.name for p in (ROOT / "assets").iterdir()} - {"manifest.toml"}
    assert shipped == set(assets)
    for name, asset in assets.items():
        content = (ROOT / "assets" / name).read_bytes()
        assert len(content) == asset["size"]
        assert hashlib.sha256(content).hexdigest() == asset["sha256"]
        for key in ("source", "version", "licence", "licence_url", "attribution", "changes"):
            assert asset[key], (name, key)


def test_exactly_one_recording_is_the_demo() -> None:
    roles = [asset["role"] for asset in _toml("assets/manifest.toml")["asset"]]
    assert roles.count("demo") == 1


def _bootstrap() -> object:
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "packaging/bootstrap.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
