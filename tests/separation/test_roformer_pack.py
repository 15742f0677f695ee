"""Opening a pack: chunks are as long as the memory allows."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from singcoach.models.devices import RealMachine
from singcoach.models.manifest import ModelEntry
from singcoach.models.memory import FreeMemory, NotEnoughMemoryError
from singcoach.models.packs.adding import add
from singcoach.models.roformer.config import RoformerConfig
from singcoach.models.roformer.synthetic import write_checkpoint
from singcoach.separation.roformer import separate_roformer
from singcoach.separation.roformer_pack import open_roformer

SMALL = RoformerConfig(dim=16, depth=1, heads=2, dim_head=8)


@dataclass
class Host(RealMachine):
    """This machine with another amount of free memory."""

    free_bytes: int = field(default=8_000_000_000)

    def memory(self) -> FreeMemory:
        return FreeMemory(free_bytes=self.free_bytes, total_bytes=8_000_000_000)


@pytest.fixture
def graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelEntry:
    """The network of a pack of which a sample of a chunk is taken to need a kilobyte."""
    monkeypatch.setattr(
        "singcoach.separation.roformer_pack._work_bytes", lambda config: 1000 * config.chunk_size
    )
    path = tmp_path / "voice.safetensors"
    write_checkpoint(path, SMALL, 1, form=".safetensors")
    return add([path], trust=True).entries[0]


@pytest.mark.parametrize(
    ("free_mb", "chunk_s", "seconds"), [(8000, 8, ""), (600, 4, " 4 s"), (460, 2, " 2 s")]
)
def test_chunks_become_shorter_where_memory_is_short(
    graph: ModelEntry, free_mb: int, chunk_s: int, seconds: str
) -> None:
    host = Host(free_bytes=free_mb * 1_000_000)
    session, config = open_roformer(graph, None, machine=host)
    assert config.chunk_size == 44_100 * chunk_s
    assert session.changed is bool(seconds)
    assert [seconds in warning for warning in session.warnings] == [True] * bool(seconds)
    audio = np.random.default_rng(0).standard_normal((2, 44_100 * 5)).astype(np.float32) * 0.1
    parts = list(separate_roformer([audio], session=session, config=config))
    vocals = np.concatenate([part.vocals for part in parts], axis=1)
    rest = np.concatenate([part.accompaniment for part in parts], axis=1)
    np.testing.assert_allclose(vocals + rest, audio, atol=1e-6)
    session.close()


def test_memory_for_no_chunk_at_all_is_told(graph: ModelEntry) -> None:
    with pytest.raises(NotEnoughMemoryError, match="GB"):
        open_roformer(graph, None, machine=Host(free_bytes=380_000_000))
