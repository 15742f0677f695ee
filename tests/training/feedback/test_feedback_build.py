from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_llamas import write_llama

from singcoach.errors import ModelError
from singcoach.models.build import BUILDERS, coach
from singcoach.models.gguf import open_gguf
from singcoach.models.gguf.merging import ADAPTER_FORMAT, ADAPTER_KEY, PROMPT_KEY, file_sha256
from singcoach.models.weights import open_weights
from singcoach.training.feedback.tuning import Recipe, tune

pytest.importorskip("torch")
SMOLLM2_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
N_BLOCKS, N_EMBED, RANK = 30, 576, 8


def test_the_adapter_in_the_repository_fits_smollm2() -> None:
    with open_weights(coach.ADAPTER) as weights:
        about = json.loads(str(weights.metadata["about"]))
        shapes = weights.shapes
    assert about["format"] == ADAPTER_FORMAT
    assert (about["base_sha256"], about["prompt"]) == (SMOLLM2_SHA256, "facts")
    assert about["loss_after"] < 0.5 * about["loss_before"]
    assert len(shapes) == N_BLOCKS * 4 * 2
    assert shapes["blk.29.attn_q.weight.a"] == (RANK, N_EMBED)
    assert shapes["blk.29.attn_q.weight.b"] == (N_EMBED, RANK)
    assert coach.ADAPTER.stat().st_size < 2_000_000


def test_the_builder_merges_the_adapter_into_the_file_of_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = write_llama(tmp_path / "base.gguf")
    recipe = Recipe(steps=2, batch=2, pairs=8, rank=1)
    adapter = tune(base, tmp_path, recipe=recipe).adapter
    monkeypatch.setattr(coach, "package_file", lambda *_: base)
    with pytest.raises(ModelError, match="was not trained on"):
        coach.build_coach(tmp_path / "out.gguf")
    monkeypatch.setattr(coach, "ADAPTER", adapter)
    coach.build_coach(tmp_path / "out.gguf")
    with open_gguf(tmp_path / "out.gguf") as file:
        assert file.settings[PROMPT_KEY] == "facts"
        assert file.settings[ADAPTER_KEY] == file_sha256(adapter)
    assert BUILDERS["coach-smollm2"][0] == "coach-smollm2.gguf"
