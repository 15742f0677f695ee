"""The child process that reads broken files, for all tests of a module."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from fuzz_child import Reader


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    one = Reader(tmp_path_factory.mktemp("fuzz"))
    yield one
    complaints = one.stop()
    counts = ", ".join(f"{name} {count}" for name, count in sorted(one.answers.items()))
    print(f"\nfuzz: {counts}; slowest {one.slowest_s:.2f} s")
    assert complaints == b"", "decoders wrote to stderr"
