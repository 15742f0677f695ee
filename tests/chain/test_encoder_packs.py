"""Encoders of packs in the chain: a made-up tiny Whisper, Qwen2-Audio's form, HuBERT-soft."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from singcoach import resources
from singcoach.chain.assess import AssessedTake, assess
from singcoach.chain.cache import Cache
from singcoach.chain.engine import Engine
from singcoach.chain.settings import Settings
from singcoach.models import memory
from singcoach.models.memory import FreeMemory
from singcoach.models.packs.adding import add
from singcoach.models.whisper.config import WhisperConfig
from singcoach.models.whisper.hubert import HubertConfig, expected_shapes
from singcoach.models.whisper.synthetic import Form, sizes, write_checkpoint
from singcoach.report.document import to_document

TAKE = resources.assets_dir() / "vocadito_14.flac"
BEST = Settings(profile="best", feedback=False)


def tiny(n_mels: int = 80, pooling: int = 1) -> WhisperConfig:
    from dataclasses import replace

    return replace(sizes("tiny"), n_dims=64, n_heads=1, n_blocks=4, n_mels=n_mels, pooling=pooling)


def added(tmp_path: Path, config: WhisperConfig, form: Form, name: str) -> None:
    suffix = ".pt" if form == "openai" else ".safetensors"
    path = tmp_path / f"{name}{suffix}"
    write_checkpoint(path, config, 5, form=form)
    add([path], trust=True, name=name)


def hubert(path: Path) -> None:
    """Write a made-up HuBERT-soft of the published layout, small."""
    rng = np.random.default_rng(0)
    config = HubertConfig(
        prefix="",
        n_channels=32,
        n_dims=128,
        n_hidden=256,
        n_blocks=2,
        n_heads=2,
        n_units=256,
        place_kernel=16,
        n_groups=4,
    )
    shapes = expected_shapes(config)
    shapes["positional_embedding.conv.weight_g"] = (1, 1, 16)
    shapes["positional_embedding.conv.weight_v"] = (128, 32, 16)
    tensors = {}
    for name, shape in shapes.items():
        values = rng.standard_normal(shape, dtype=np.float32)
        fan_in = max(1, int(np.prod(shape[1:])))
        is_gain = "norm" in name and name.endswith("weight")
        tensors[name] = (1.0 + 0.1 * values if is_gain else values / fan_in**0.5).astype(np.float32)
    save_file(tensors, path)


def used(assessed: AssessedTake) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for model in assessed.assessment.models:
        found.setdefault(model.role, []).append(model.id)
    return found


def numbers(assessed: AssessedTake) -> str:
    document = to_document(assessed.assessment)
    del document["timings"], document["peak_memory_mb"]
    return json.dumps(document)


def test_best_runs_the_embedded_singing_encoder_without_packs(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    takes = [assess(TAKE, settings=BEST, engine=Engine(cache=cache)) for _ in range(2)]
    assert numbers(takes[0]) == numbers(takes[1])
    for assessed in takes:
        singing, general = assessed.take.singing, assessed.take.features
        assert singing is not None
        assert general is not None
        assert singing.hubert is None
        assert singing.whisper.shape == general.shape
        assert not np.array_equal(singing.whisper, general)
        assert 0.4 < singing.f0_voiced.mean() < 1.0
        assert used(assessed)["encoder_singing"] == ["whisper-base"]
    first, second = (assessed.take.singing for assessed in takes)
    assert first is not None
    assert second is not None
    assert np.array_equal(first.whisper, second.whisper)
    assert assess(TAKE, settings=Settings(), engine=Engine()).take.singing is None


def test_a_whisper_pack_does_both_encoders_work(tmp_path: Path) -> None:
    added(tmp_path, tiny(n_mels=128), "openai", "small-whisper")
    assessed = assess(TAKE, settings=BEST, engine=Engine())
    assert used(assessed)["encoder_general"] == ["small-whisper"]
    assert len(used(assessed)["encoder_singing"]) == 1
    assert assessed.take.features is not None
    assert assessed.take.features.shape[1] == 64
    assert assessed.take.singing is not None
    assert assessed.take.singing.whisper.shape[1] == 64
    assert assessed.take.feature_rate_hz == 50.0


def test_a_pooled_encoder_gives_its_own_rate(tmp_path: Path) -> None:
    added(tmp_path, tiny(n_mels=128, pooling=2), "qwen2-audio", "tower")
    assessed = assess(TAKE, settings=BEST, engine=Engine())
    assert used(assessed)["encoder_general"] == ["tower"]
    assert used(assessed)["encoder_singing"] == ["whisper-base"]
    take = assessed.take
    assert take.feature_rate_hz == 25.0
    assert take.features is not None
    assert abs(len(take.features) - 25.0 * take.duration_s) <= 1


def test_hubert_stands_beside_any_whisper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    added(tmp_path, tiny(), "transformers", "small-whisper")
    path = tmp_path / "hubert-soft.safetensors"
    hubert(path)
    pack = add([path], trust=True)
    assert [(entry.role, entry.part) for entry in pack.entries] == [("encoder_singing", "hubert")]
    assessed = assess(TAKE, settings=BEST, engine=Engine())
    assert set(used(assessed)["encoder_singing"]) == {
        pack.entries[0].id,
        "small-whisper-encoder-singing",
    }
    singing = assessed.take.singing
    assert singing is not None
    assert singing.hubert is not None
    assert singing.hubert.shape == (len(singing.whisper), 256)
    assert singing.whisper.shape[1] == 64
    few = FreeMemory(free_bytes=350_000_000, total_bytes=8_000_000_000)
    monkeypatch.setattr(memory, "host_memory", lambda: few)
    monkeypatch.setattr("singcoach.models.devices.host_memory", lambda: few)
    without = assess(TAKE, settings=BEST, engine=Engine())
    assert without.take.singing is not None
    assert without.take.singing.hubert is None
    assert used(without)["encoder_singing"] == ["whisper-base"]
    told = [w for w in without.assessment.warnings if "GB of memory" in w]
    assert len(told) == 3
    assert sum("embedded model did its work" in warning for warning in told) == 2
