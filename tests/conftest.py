"""Fixtures that every test folder may use."""

from __future__ import annotations

from pathlib import Path

import pytest

_SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the development recordings and ratings, which live beside the project."""
    if not _SHARED_DATA.is_dir():
        pytest.skip("the development recordings are not beside this checkout")
    return _SHARED_DATA


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test away from the user's own data and cache."""
    monkeypatch.setenv("SINGCOACH_HOME", str(tmp_path_factory.mktemp("home")))
