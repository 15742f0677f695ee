"""Sound systems for the recorder: one that does what a test wants, and a real one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fake_sound import FakeBackend
from sound_card import sound_card  # noqa: F401


@pytest.fixture
def backend() -> Iterator[FakeBackend]:
    """A sound system that works; its streams are closed at the end."""
    made = FakeBackend()
    yield made
    for stream in made.opened:
        stream.close()
