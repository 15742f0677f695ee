"""Training of one member of an ensemble of networks: seeded, resumable, stopped early."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from singcoach.core.arrays import FloatArray, RealArray
from singcoach.jobs import Job
from singcoach.training.checkpoints import Checkpoint
from singcoach.training.comparisons import Indices, Labelled, MemberPlan
from singcoach.training.losses import batch_loss
from singcoach.training.networks import ROW_LIMIT, Shape, make_member
from singcoach.training.tensors import Tensors

DEFAULT_EPOCHS = 60
PATIENCE = 10
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 0.05
BATCH_ITEMS = 48
BATCH_ROWS = 6_000
_LEAST_ITEMS = 4
_LARGEST_STEP = 1.0
_KEPT_EVERY = 5
_EPOCH_SEEDS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What members look at, standardised; one entry per example.

    Attributes
    ----------
    measures
        Standardised measures and then 1 where missing, float32, ``(n, 2 * n_measures)``.
    rows
        Standardised rows of both encoders side by side, each ``(n_rows, n_columns)``.
    """

    measures: FloatArray
    rows: tuple[FloatArray, ...]

    @property
    def batch_items(self) -> int:
        """How many examples are looked at together: fewer of whole songs, so that stops act."""
        longest = max((len(rows) for rows in self.rows), default=1)
        return max(_LEAST_ITEMS, min(BATCH_ITEMS, BATCH_ROWS // max(1, longest)))

    def batch(self, chosen: Indices) -> tuple[Any, Any, Any]:
        """Return measures, rows and mask of the chosen examples as torch tensors."""
        import torch

        own = [self.rows[i] for i in chosen]
        n_columns = own[0].shape[1]
        longest = max(1, *(len(rows) for rows in own))
        rows = np.zeros((len(own), longest, n_columns), dtype=np.float32)
        mask = np.zeros((len(own), longest), dtype=np.float32)
        for place, one in enumerate(own):
            rows[place, : len(one)] = one
            mask[place, : len(one)] = 1.0
        return (
            torch.from_numpy(self.measures[chosen]),
            torch.from_numpy(rows),
            torch.from_numpy(mask),
        )


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute in one thread, so that sums come in one order; then as before."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.set_num_threads(before)


def standard_rows(rows: FloatArray, mean: FloatArray, scale: FloatArray) -> FloatArray:
    """Return rows in deviations from the mean of training, cut at :data:`ROW_LIMIT`."""
    return np.asarray(np.clip((rows - mean) / scale, -ROW_LIMIT, ROW_LIMIT), dtype=np.float32)


def train_member(
    shape: Shape,
    inputs: Inputs,
    found: Labelled,
    plan: MemberPlan,
    *,
    loss: str,
    seed: int,
    epochs: int,
    checkpoint: Checkpoint,
    job: Job,
) -> tuple[Tensors, dict[str, Any]]:
    """Return the best weights of one member, and after how many epochs they were reached.

    The order of batches and what is dropped come from ``seed`` and the epoch's number alone, so a
    training that was stopped and resumed gives the same bits. Call inside :func:`one_thread`.
    """
    import torch

    torch.manual_seed(seed)
    member = make_member(shape)
    optimiser = torch.optim.AdamW(member.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    best = _tensors(member.state_dict())
    state: dict[str, Any] = {"epoch": 0, "best_epoch": 0, "best_loss": None}
    resumed = checkpoint.running()
    if resumed is not None:
        best, state = _restore(member, optimiser, *resumed)
    for epoch in range(state["epoch"], epochs):
        if state["epoch"] - state["best_epoch"] >= PATIENCE:
            break
        torch.manual_seed(seed * _EPOCH_SEEDS + epoch + 1)
        batches = _batches(
            found, plan.counts, inputs.batch_items, np.random.default_rng([seed, epoch])
        )
        member.train()
        for number, chosen in enumerate(batches):
            job.report((epoch + number / len(batches)) / epochs, "training")
            value = batch_loss(member(*inputs.batch(chosen)), found, chosen, plan.counts, loss=loss)
            if value is None:
                continue
            optimiser.zero_grad()
            value.backward()
            torch.nn.utils.clip_grad_norm_(member.parameters(), _LARGEST_STEP)
            optimiser.step()
        held_out = _held_out_loss(member, inputs, found, plan.stop, loss=loss, job=job)
        state["epoch"] = epoch + 1
        # Without anything held out there is nothing to stop by: the last epoch counts.
        if held_out is None or state["best_loss"] is None or held_out < state["best_loss"]:
            best = _tensors(member.state_dict())
            state["best_epoch"], state["best_loss"] = epoch + 1, held_out
        if (epoch + 1) % _KEPT_EVERY == 0:
            checkpoint.save_running(_kept(member, optimiser, best), dict(state))
    return best, dict(state)


def predict_member(shape: Shape, weights: Tensors, inputs: Inputs, job: Job) -> RealArray:
    """Return what a member says of every example, shape ``(n,)``. Call in :func:`one_thread`."""
    import torch

    member = make_member(shape)
    member.load_state_dict({name: torch.from_numpy(w.copy()) for name, w in weights.items()})
    member.eval()
    return _predict(member, inputs, np.arange(len(inputs.measures)), job)


def _predict(member: Any, inputs: Inputs, chosen: Indices, job: Job) -> RealArray:
    import torch

    parts = [np.zeros(0)]
    with torch.inference_mode():
        most = inputs.batch_items
        for start in range(0, len(chosen), most):
            job.report(start / len(chosen), "judging the examples")
            batch = inputs.batch(chosen[start : start + most])
            parts.append(member(*batch).numpy().astype(np.float64))
    return np.concatenate(parts)


def _held_out_loss(
    member: Any, inputs: Inputs, found: Labelled, stop: Indices, *, loss: str, job: Job
) -> float | None:
    import torch

    if not len(stop):
        return None
    member.eval()
    predicted = torch.from_numpy(_predict(member, inputs, stop, job.aside()).astype(np.float32))
    value = batch_loss(predicted, found, stop, np.ones(len(found.labels)), loss=loss)
    return None if value is None else float(value)


def _batches(
    found: Labelled, counts: RealArray, most: int, generator: np.random.Generator
) -> list[Indices]:
    """Cut the drawn examples into batches in which as much as possible can be compared."""
    drawn = np.flatnonzero(counts > 0.0)
    pieces: list[Indices] = []
    for key in generator.permutation(np.unique(found.keys[drawn])):
        own = generator.permutation(drawn[found.keys[drawn] == key])
        pieces += np.array_split(own, -(-len(own) // most))
    batches: list[Indices] = []
    for piece in pieces:
        if batches and len(batches[-1]) + len(piece) <= most:
            batches[-1] = np.concatenate([batches[-1], piece])
        else:
            batches.append(piece)
    return batches


def _tensors(state: Any) -> Tensors:
    return {
        name: tensor.detach().numpy().astype(np.float32).copy() for name, tensor in state.items()
    }


def _kept(member: Any, optimiser: Any, best: Tensors) -> Tensors:
    kept = {f"now.{name}": tensor for name, tensor in _tensors(member.state_dict()).items()}
    kept |= {f"best.{name}": tensor for name, tensor in best.items()}
    for name, parameter in member.named_parameters():
        for part, tensor in optimiser.state[parameter].items():
            kept[f"{part}.{name}"] = tensor.numpy().astype(np.float32).copy()
    return kept


def _restore(
    member: Any, optimiser: Any, kept: Tensors, state: dict[str, Any]
) -> tuple[Tensors, dict[str, Any]]:
    import torch

    def part(prefix: str) -> Tensors:
        whole = f"{prefix}."
        return {n.removeprefix(whole): t for n, t in kept.items() if n.startswith(whole)}

    member.load_state_dict({n: torch.from_numpy(t.copy()) for n, t in part("now").items()})
    for name, parameter in member.named_parameters():
        optimiser.state[parameter] = {
            one: torch.from_numpy(kept[f"{one}.{name}"].copy())
            for one in ("step", "exp_avg", "exp_avg_sq")
            if f"{one}.{name}" in kept
        }
    return part("best"), state
