from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_llamas import write_llama

from singcoach.cli.main import main
from singcoach.errors import Cancelled, InputError, ModelError
from singcoach.jobs import Job
from singcoach.models.gguf import open_gguf
from singcoach.models.gguf.merging import ADAPTER_KEY, PROMPT_KEY, merge_adapter
from singcoach.training.feedback.tuning import Recipe, tune
from singcoach.training.tensors import load_tensors, save_tensors

torch = pytest.importorskip("torch")
RECIPE = Recipe(steps=30, batch=2, pairs=24, rank=2, alpha=8.0, rate=0.02, seed=3)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Matrices this small gain nothing from more, and wait long for a busy core."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class _StopAfter(Job):
    def __init__(self, fraction: float) -> None:
        super().__init__()
        self._fraction = fraction

    def report(self, fraction: float, stage: str) -> None:
        if fraction > self._fraction and stage.startswith("teaching"):
            self.cancel()
        super().report(fraction, stage)


def test_training_lowers_the_loss_on_pairs_not_learned_from(tmp_path: Path) -> None:
    base = write_llama(tmp_path / "small.gguf")
    tuned = tune(base, tmp_path, recipe=RECIPE)
    assert tuned.after < 0.9 * tuned.before
    tensors, about = load_tensors(tuned.adapter)
    assert len(tensors) == 16
    assert about["rank"] == 2
    assert about["loss_after"] == pytest.approx(tuned.after, abs=1e-4)
    assert not (tmp_path / "running").exists()


def test_a_stopped_training_ends_as_one_that_was_not(tmp_path: Path) -> None:
    base = write_llama(tmp_path / "small.gguf")
    whole = tune(base, tmp_path / "whole", recipe=RECIPE)
    with pytest.raises(Cancelled):
        tune(base, tmp_path / "parts", recipe=RECIPE, job=_StopAfter(0.9))
    assert (tmp_path / "parts" / "running" / "state.json").is_file()
    with pytest.raises(InputError, match="another training"):
        tune(base, tmp_path / "parts", recipe=Recipe(steps=31), resume=True)
    parts = tune(base, tmp_path / "parts", recipe=RECIPE, resume=True)
    assert parts.adapter.read_bytes() == whole.adapter.read_bytes()


def test_a_stopped_training_may_go_on_to_another_number_of_steps(tmp_path: Path) -> None:
    base = write_llama(tmp_path / "small.gguf")
    with pytest.raises(Cancelled):
        tune(base, tmp_path, recipe=replace(RECIPE, steps=60), job=_StopAfter(0.9))
    tuned = tune(base, tmp_path, recipe=replace(RECIPE, steps=52), resume=True)
    assert tuned.n_steps == 52
    assert [step for step, _ in tuned.watched] == [0, 50, 52]
    assert tuned.watched[-1][1] < 0.9 * tuned.watched[0][1]


def test_merging_changes_only_what_the_adapter_names(tmp_path: Path) -> None:
    base = write_llama(tmp_path / "small.gguf")
    adapter = tune(base, tmp_path, recipe=RECIPE).adapter
    merge_adapter(base, adapter, tmp_path / "a.gguf", kind="f32")
    merge_adapter(base, adapter, tmp_path / "b.gguf")
    tensors, about = load_tensors(adapter)
    with (
        open_gguf(base) as old,
        open_gguf(tmp_path / "a.gguf") as exact,
        open_gguf(tmp_path / "b.gguf") as rounded,
    ):
        added = {ADAPTER_KEY, PROMPT_KEY}
        assert {k: v for k, v in rounded.stored.items() if k not in added} == dict(old.stored)
        assert rounded.settings[PROMPT_KEY] == "facts"
        assert list(rounded.tensors) == list(old.tensors)
        for name in old.tensors:
            if f"{name}.a" not in tensors:
                assert rounded.content(name) == old.content(name)
                continue
            change = about["alpha"] / about["rank"] * tensors[f"{name}.b"] @ tensors[f"{name}.a"]
            assert np.abs(change).max() > 0.0
            np.testing.assert_allclose(exact.read(name), old.read(name) + change, atol=1e-5)
            assert rounded.tensors[name].kind == "q8_0"
            assert np.abs(rounded.read(name) - exact.read(name)).max() < 0.02
    merge_adapter(base, adapter, tmp_path / "c.gguf")
    assert (tmp_path / "c.gguf").read_bytes() == (tmp_path / "b.gguf").read_bytes()


def test_an_adapter_of_another_base_or_none_at_all_is_refused(tmp_path: Path) -> None:
    base = write_llama(tmp_path / "small.gguf")
    other = write_llama(tmp_path / "other.gguf", seed=2)
    adapter = tune(base, tmp_path, recipe=RECIPE).adapter
    with pytest.raises(ModelError, match="was not trained on"):
        merge_adapter(other, adapter, tmp_path / "out.gguf")
    tensors, about = load_tensors(adapter)
    name = next(iter(tensors))
    for wrong, text in (
        ({**about, "rank": 3}, "no adapter"),
        ({**about, "alpha": float("inf")}, "no adapter"),
        ({**about, "alpha": 1e300}, "cannot be stored"),
        ({"format": "x"}, "no adapter"),
    ):
        save_tensors(tmp_path / "wrong.safetensors", tensors, wrong)
        with pytest.raises(ModelError, match=text):
            merge_adapter(base, tmp_path / "wrong.safetensors", tmp_path / "out.gguf")
    save_tensors(tmp_path / "wrong.safetensors", {"x.a": tensors[name]}, about)
    with pytest.raises(ModelError, match="no adapter"):
        merge_adapter(base, tmp_path / "wrong.safetensors", tmp_path / "out.gguf")
    assert not (tmp_path / "out.gguf").exists()


def test_the_command_writes_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = write_llama(tmp_path / "small.gguf")
    arguments = ["train", "feedback", "--model", str(base), "--out", str(tmp_path / "out")]
    assert main([*arguments, "--steps", "2", "--pairs", "8", "--batch", "2", "--rank", "1"]) == 0
    assert "2 steps" in capsys.readouterr().out
    with open_gguf(tmp_path / "out" / "coach.gguf") as file:
        assert ADAPTER_KEY in file.settings
    assert main([*arguments[:3], str(tmp_path / "none.gguf"), *arguments[4:]]) != 0
