"""A voice of known parameters."""

from __future__ import annotations

import pytest
from edit_voices import plain_singing

from singcoach.training.edits.voice import Singing


@pytest.fixture
def singing() -> Singing:
    return plain_singing()
