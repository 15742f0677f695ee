"""The shipped networks that screening needs, loaded once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from singcoach.models.catalogue import Catalogue
from singcoach.models.sessions import Session, open_session
from singcoach.regions.detector import SingingDetector


@pytest.fixture(scope="session")
def detector() -> Iterator[SingingDetector]:
    with SingingDetector(Catalogue.default().require("singing_detector")) as loaded:
        yield loaded


@pytest.fixture(scope="session")
def pitch_session() -> Session:
    return open_session(Catalogue.default().require("pitch"))


@pytest.fixture(scope="session")
def quality_session() -> Session:
    return open_session(Catalogue.default().require("recording_quality"))
