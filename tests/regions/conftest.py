"""The shipped detector, loaded once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from singcoach.models.catalogue import Catalogue
from singcoach.regions.detector import SingingDetector


@pytest.fixture(scope="session")
def detector() -> Iterator[SingingDetector]:
    with SingingDetector(Catalogue.default().require("singing_detector")) as loaded:
        yield loaded
