"""The pitch network, and WORLD or a reason to skip."""

from __future__ import annotations

import pytest

from singcoach.models.catalogue import Catalogue
from singcoach.models.sessions import Session, open_session
from singcoach.training.edits.world import is_installed


@pytest.fixture(scope="session")
def pitch_session() -> Session:
    return open_session(Catalogue.default().require("pitch"))


@pytest.fixture
def world() -> None:
    """Skip where WORLD is not installed."""
    if not is_installed():
        pytest.skip("pyworld is not installed (the extra `training`)")
