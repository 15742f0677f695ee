"""Fitting: what is learnt, what repeats, what resumes, what is refused."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from head_examples import made_examples

from singcoach.errors import Cancelled, InputError
from singcoach.jobs import Job
from singcoach.training.accuracy import pair_accuracy
from singcoach.training.checkpoints import STATE_NAME, Checkpoint, clear
from singcoach.training.comparisons import all_pairs, better, label, plan_members
from singcoach.training.examples import MEASURE_NAMES, Example
from singcoach.training.fit import FittedHead, fit_head

BOTH = ("measures", "general", "singing")
NETWORKS = ("mlp", "rnn", "transformer")


def fit(examples: list[Example], architecture: str = "mlp", **changes: object) -> FittedHead:
    settings: dict[str, object] = {
        "dimension": "technique", "architecture": architecture, "loss": "pairwise", "seed": 3,
        "inputs": ("measures",) if architecture == "linear" else BOTH, "members": 2, "epochs": 12,
    }  # fmt: skip
    return fit_head(examples, **(settings | changes))  # type: ignore[arg-type]


def accuracy(said: np.ndarray, examples: list[Example]) -> float:
    return pair_accuracy(said, label(examples, "technique")).value


@pytest.mark.parametrize("loss", ["pairwise", "score"])
@pytest.mark.parametrize("architecture", ["linear", *NETWORKS])
def test_quality_is_learnt_and_carries_over_to_other_singers(architecture: str, loss: str) -> None:
    head = fit(made_examples(), architecture, loss=loss, epochs=40)
    others = made_examples(seed=99)
    mean, spread = head.predict(others)
    assert accuracy(mean, others) > 0.85
    assert mean.shape == spread.shape == (len(others),)
    assert (spread >= 0.0).all()
    assert spread.max() > 0.0
    assert accuracy(-mean, others) < 0.15


@pytest.mark.parametrize("architecture", NETWORKS)
def test_rows_alone_are_enough(architecture: str) -> None:
    blank = np.full(len(MEASURE_NAMES), np.nan)
    examples = [replace(e, measures=blank) for e in made_examples()]
    others = [replace(e, measures=blank) for e in made_examples(seed=99)]
    head = fit(examples, architecture, inputs=("general",), epochs=40)
    assert accuracy(head.predict(others)[0], others) > 0.8


@pytest.mark.parametrize("architecture", ["linear", *NETWORKS])
def test_the_same_seed_gives_the_same_bits_and_another_does_not(architecture: str) -> None:
    examples = made_examples(n_each=4)
    first, again = (fit(examples, architecture, epochs=4) for _ in range(2))
    other = fit(examples, architecture, epochs=4, seed=4)
    assert first.tensors.keys() == again.tensors.keys()
    for name, tensor in first.tensors.items():
        assert tensor.tobytes() == again.tensors[name].tobytes(), name
    assert first.predict(examples)[0].tobytes() == again.predict(examples)[0].tobytes()
    assert any(t.tobytes() != other.tensors[n].tobytes() for n, t in first.tensors.items())


class Stopper(Job):
    """Cancels itself at a report."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self._left = at

    def report(self, fraction: float, stage: str) -> None:
        self._left -= 1
        if self._left == 0:
            self.cancel()
        super().report(fraction, stage)


@pytest.mark.parametrize("architecture", NETWORKS)
@pytest.mark.parametrize("stop_at", [2, 9, 23])
def test_stopped_and_resumed_is_the_same_as_never_stopped(
    tmp_path: Path, architecture: str, stop_at: int
) -> None:
    examples = made_examples(n_each=4)
    whole = fit(examples, architecture)
    folder = tmp_path / "checkpoint"
    with pytest.raises(Cancelled):
        fit(examples, architecture, checkpoint=folder, job=Stopper(stop_at))
    resumed = fit(examples, architecture, checkpoint=folder)
    for name, tensor in whole.tensors.items():
        assert tensor.tobytes() == resumed.tensors[name].tobytes(), name
    np.testing.assert_array_equal(whole.held_out, resumed.held_out)
    finished = fit(examples, architecture, checkpoint=folder)
    assert finished.predict(examples)[0].tobytes() == whole.predict(examples)[0].tobytes()


def test_a_checkpoint_keeps_only_what_it_names(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    with pytest.raises(Cancelled):
        fit(made_examples(n_each=4), checkpoint=folder, job=Stopper(23))
    left = {path.name for path in folder.iterdir()}
    assert len(left) in (2, 3)  # the state, a finished member, the one at work
    assert STATE_NAME in left
    (folder / "mine.txt").write_text("kept")
    clear(folder)
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("harm", ["state", "cut", "gone", "swapped"])
def test_a_damaged_checkpoint_is_refused(tmp_path: Path, harm: str) -> None:
    folder = tmp_path / "checkpoint"
    examples = made_examples(n_each=4)
    with pytest.raises(Cancelled):
        fit(examples, checkpoint=folder, job=Stopper(23))
    weights = sorted(folder.glob("*.safetensors"))[0]
    if harm == "state":
        (folder / STATE_NAME).write_text('{"format": "singcoach.training/1"')
    elif harm == "cut":
        weights.write_bytes(weights.read_bytes()[:-8])
    elif harm == "gone":
        weights.unlink()
    else:
        weights.write_bytes(b"\0" * weights.stat().st_size)
    with pytest.raises(InputError, match="damaged"):
        fit(examples, checkpoint=folder)


def test_a_checkpoint_of_other_settings_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    examples = made_examples(n_each=4)
    fit(examples, checkpoint=folder)
    with pytest.raises(InputError, match="another training"):
        fit(examples, checkpoint=folder, seed=4)
    changed = [replace(examples[0], labels={"technique": -0.9}), *examples[1:]]
    with pytest.raises(InputError, match="another training"):
        fit(changed, checkpoint=folder)


def test_a_stop_from_another_thread_is_heard() -> None:
    job = Job()
    timer = threading.Timer(0.2, job.cancel)
    timer.start()
    try:
        with pytest.raises(Cancelled):
            fit(made_examples(n_each=16), "transformer", epochs=100_000, members=50, job=job)
    finally:
        timer.join()


def test_a_head_is_kept_without_loss(tmp_path: Path) -> None:
    examples = made_examples(n_each=4)
    for architecture in ("linear", "rnn"):
        head = fit(examples, architecture, epochs=2)
        head.save(tmp_path / "head.safetensors")
        back = FittedHead.load(tmp_path / "head.safetensors")
        assert back.predict(examples)[0].tobytes() == head.predict(examples)[0].tobytes()
        assert (back.items, back.inputs, back.widths) == (head.items, head.inputs, head.widths)
        np.testing.assert_array_equal(back.held_out, head.held_out)
    (tmp_path / "head.safetensors").write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be read"):
        FittedHead.load(tmp_path / "head.safetensors")


def test_signs_of_a_linear_head_stay_even_against_the_labels() -> None:
    examples = [
        replace(e, labels={"technique": -e.labels["technique"]}) for e in made_examples(noise=0.0)
    ]
    head = fit(examples, "linear")
    weights = head.tensors["weights"]
    scale = head.measures.index("scale_deviation")
    steady = head.measures.index("tuning_concentration")
    assert (weights[:, scale] < 0.0).all()
    assert (weights[:, steady] > 0.0).all()


def test_strength_holds_weights_at_equal() -> None:
    examples = made_examples()
    loose = fit(examples, "linear", strength=1e-4).tensors["weights"]
    tight = fit(examples, "linear", strength=100.0).tensors["weights"]
    assert np.abs(np.abs(tight) - 1.0).max() < 0.05
    assert np.abs(np.abs(loose) - 1.0).max() > 0.2


def test_held_out_is_said_by_members_that_never_met_the_singer() -> None:
    examples = made_examples(n_each=4)
    found = label(examples, "technique")
    plans = plan_members(found, members=3, seed=5)
    assert found.unit_kind == "singer"
    for plan in plans:
        out, stop = set(found.units[plan.out]), set(found.units[plan.stop])
        drawn = set(found.units[plan.counts > 0])
        assert not out & stop
        assert not drawn & (out | stop)
        assert out
        assert stop
        assert drawn
    assert sorted(i for plan in plans for i in plan.out) == list(range(len(examples)))
    head = fit(examples, members=3)
    assert np.isfinite(head.held_out).all()


def test_only_what_is_alike_is_compared() -> None:
    a, b, c, d = (replace(e, item=str(i)) for i, e in enumerate(made_examples(n_each=4)[:4]))
    other_edit = replace(b, edit="dullness", severity=0.9, labels={"technique": -0.9})
    elsewhere = replace(c, group="elsewhere")
    found = label([a, b, c, d, other_edit, elsewhere], "technique")
    more = better(found, np.arange(6))
    assert more[0, 1] > 0.0  # the original is better than an edit
    assert more[1, 2] > 0.0  # a slight edit is better than a strong one
    assert more[0, 4] > 0.0
    assert more[1, 4] == more[4, 1] == 0.0  # two kinds of edits have no common scale
    assert not more[5].any()  # another group
    assert not more[:, 5].any()
    assert len(all_pairs(found, np.arange(6)).first) == int((more > 0).sum())


def test_the_share_of_rightly_ordered_pairs() -> None:
    examples = made_examples(n_singers=3, n_each=4)
    found = label(examples, "technique")
    perfect = pair_accuracy(found.labels, found)
    assert (perfect.value, perfect.low, perfect.high) == (1.0, 1.0, 1.0)
    assert (perfect.n_pairs, perfect.n_units) == (18, 3)
    assert pair_accuracy(np.zeros(12), found).value == 0.5
    one_wrong = found.labels.copy()
    one_wrong[found.units == 0] *= -1.0
    mixed = pair_accuracy(one_wrong, found)
    assert mixed.value == pytest.approx(2 / 3)
    assert mixed.low < 2 / 3 < mixed.high
    assert np.isnan(pair_accuracy(np.full(12, np.nan), found).value)


def test_too_little_to_learn_from_is_refused() -> None:
    examples = made_examples(n_singers=1, n_each=4)
    with pytest.raises(InputError, match="Only 4 examples"):
        fit(examples)
    with pytest.raises(InputError, match="Only 0 examples"):
        fit(made_examples(), dimension="breath")
    alike = [replace(e, labels={"technique": 1.0}) for e in made_examples()]
    with pytest.raises(InputError, match="all labels are the same"):
        fit(alike)
    blank = np.full(len(MEASURE_NAMES), np.nan)
    with pytest.raises(InputError, match="could anything be measured"):
        fit([replace(e, measures=blank) for e in made_examples()], "linear")
    deaf = [replace(e, sequences={}) for e in made_examples()]
    with pytest.raises(InputError, match="general encoder"):
        fit(deaf)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"architecture": "forest"}, "architecture"),
        ({"inputs": ()}, "inputs"),
        ({"inputs": ("general", "general")}, "inputs"),
        ({"loss": "hinge"}, "loss"),
        ({"members": 0}, "members"),
        ({"architecture": "linear", "inputs": BOTH}, "linear"),
        ({"architecture": "rnn", "inputs": ("measures",)}, "rnn"),
    ],
)
def test_wrong_settings_name_some_that_work(changes: dict[str, object], fault: str) -> None:
    settings = {"architecture": "mlp", **changes}
    with pytest.raises(ValueError, match=fault):
        fit(made_examples(n_each=4), **settings)  # type: ignore[arg-type]


def test_few_singers_still_train() -> None:
    examples = made_examples(n_singers=2, n_each=8)
    head = fit(examples, epochs=3)
    assert np.isfinite(head.predict(examples)[0]).all()


def test_an_empty_checkpoint_has_nothing(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "none", "x")
    assert checkpoint.done() == []
    assert checkpoint.running() is None
    assert not (tmp_path / "none").exists()
