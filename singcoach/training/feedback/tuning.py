"""Training of low-rank additions to the attention of a frozen language model.

LoRA (Hu et al. 2021, arXiv 2106.09685): ``w + alpha / rank * b @ a`` with ``a`` drawn and ``b``
zero at the start. The loss is the mean cross-entropy of the answers' tokens and of their end; the
question costs nothing. Adam with a warm-up and half a cosine down to a tenth.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from singcoach.coaching.phrasing.fact_prompt import SYSTEM
from singcoach.errors import ModelError, SingCoachError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.gguf import open_gguf
from singcoach.models.gguf.merging import ADAPTER_FORMAT, file_sha256
from singcoach.training.checkpoints import Checkpoint, clear
from singcoach.training.feedback.llama import (
    TARGETS,
    LlamaShape,
    Target,
    adapted_names,
    forward,
    load_weights,
    shape_of,
)
from singcoach.training.feedback.pairs import Pair, many_pairs
from singcoach.training.feedback.tokens import Tokenizer, prompt
from singcoach.training.tensors import Tensors, save_tensors

ADAPTER_NAME: Final = "adapter.safetensors"
_WARM_UP_STEPS: Final = 20
_LEAST_RATE: Final = 0.1
_BETAS: Final = (0.9, 0.99)
_EPSILON: Final = 1e-8
_MOST_NORM: Final = 1.0
_SAVE_STEPS: Final = 25
_HELD_OUT: Final = 64
_MANY_TAKES: Final = 8
"""Of so many times as many pairs the held-out ones are drawn, so that they are of many takes."""
_WATCH_STEPS: Final = 50
_TOGETHER: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What decides an adapter besides the base.

    Attributes
    ----------
    pairs
        How many there are to learn from; a training that needs more sees them again.
    """

    steps: int = 400
    batch: int = 8
    pairs: int = 4000
    rank: int = 8
    alpha: float = 16.0
    rate: float = 1e-3
    targets: tuple[Target, ...] = TARGETS
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """What came of a training: losses in nats per token on held-out pairs, before and after.

    ``watched`` has the step and the loss of each look on the way.
    """

    adapter: Path
    n_steps: int
    before: float
    after: float
    train: float
    watched: tuple[tuple[int, float], ...] = ()


Example = tuple[list[int], int]
"""Tokens of a question with its answer, and the number of those of the question."""


def encode_pair(tokens: Tokenizer, pair: Pair) -> Example:
    """Return a pair as tokens; the end of the message belongs to the answer."""
    question = tokens.encode(prompt(SYSTEM, pair.facts))
    return [*question, *tokens.encode(pair.words), tokens.end], len(question)


def tune(
    base: Path,
    folder: Path,
    *,
    recipe: Recipe,
    resume: bool = False,
    make_pairs: Callable[..., Sequence[Pair]] = many_pairs,
    job: Job = NO_JOB,
) -> Tuned:
    """Train an adapter for the model in ``base`` and write it into ``folder``.

    Parameters
    ----------
    resume
        Go on with a training that was stopped, be it to another number of steps; without it one
        begins anew.

    Raises
    ------
    ModelError
        When the base cannot be read or is of another kind, or the training goes astray.
    InputError
        When there is a half-finished training of another recipe.
    OutputError
        When the folder cannot be written.
    """
    try:
        import torch
    except ImportError as error:
        raise SingCoachError(
            "Training needs the Python package torch",
            hint="Run `pip install 'singcoach[torch]'` and try again",
        ) from error
    base_sha256 = file_sha256(base, job)
    job.report(0.0, "reading the language model")
    with open_gguf(base, job) as file:
        shape = shape_of(file)
        tokens = Tokenizer(file.settings)
        weights = load_weights(file, shape)
    job.report(0.0, "making pairs")
    train = [encode_pair(tokens, p) for p in make_pairs(recipe.pairs, seed=recipe.seed)]
    others = make_pairs(_MANY_TAKES * _HELD_OUT, seed=recipe.seed, portion="held_out")
    held = [encode_pair(tokens, p) for p in others[:_HELD_OUT]]
    about = {**asdict(recipe), "targets": list(recipe.targets), "base_sha256": base_sha256}
    about["pairs_sha256"] = hashlib.sha256(json.dumps([train, held]).encode()).hexdigest()
    kept = folder / "running"
    if not resume:
        clear(kept)
    fit = _Fit(weights, shape, recipe)
    decides = {name: value for name, value in about.items() if name != "steps"}
    checkpoint = Checkpoint(kept, json.dumps(decides, sort_keys=True))
    running = checkpoint.running()
    if running is None:
        before = fit.loss(held, job.part(0.0, 0.02))
        step, losses, watched = 0, [], [(0, round(before, 5))]
    else:
        state, told = running
        fit.load(state)
        step, losses, before = told["epoch"], list(told["losses"]), told["before"]
        watched = [tuple(row) for row in told["watched"]]
    work = job.part(0.02, 0.98)
    while step < recipe.steps:
        now = work.part(step / recipe.steps, (step + 1) / recipe.steps)
        loss = fit.step(_batch(train, recipe, step), step, now)
        if not math.isfinite(loss):
            raise ModelError("The training went astray", hint="Try a smaller --rate")
        losses.append(round(loss, 5))
        step += 1
        if step % _WATCH_STEPS == 0 and step < recipe.steps:
            watched.append((step, round(fit.loss(held, now), 5)))
        if step % _SAVE_STEPS == 0 or step == recipe.steps:
            checkpoint.save_running(
                fit.state(),
                {"epoch": step, "losses": losses, "before": before, "watched": watched},
            )
    after = fit.loss(held, job.part(0.98, 1.0))
    watched.append((step, round(after, 5)))
    recent = losses[-_SAVE_STEPS:]
    about |= {
        "format": ADAPTER_FORMAT,
        "base_file": base.name,
        "loss_before": round(before, 5),
        "loss_after": round(after, 5),
        "held_out_losses": watched,
        "torch": torch.__version__,
        "prompt": "facts",
    }
    save_tensors(folder / ADAPTER_NAME, fit.adapter(), about, half=True)
    clear(kept)
    return Tuned(
        adapter=folder / ADAPTER_NAME,
        n_steps=step,
        before=before,
        after=after,
        train=sum(recent) / max(1, len(recent)),
        watched=tuple(watched),
    )


def _batch(train: Sequence[Example], recipe: Recipe, step: int) -> list[Example]:
    """The examples of one step; they follow from the step alone, so that a stop changes nothing."""
    first = step * recipe.batch
    return [train[n % len(train)] for n in range(first, first + recipe.batch)]


class _Fit:
    def __init__(self, weights: dict[str, Any], shape: LlamaShape, recipe: Recipe) -> None:
        import torch

        self._weights, self._shape, self._recipe = weights, shape, recipe
        draw = torch.Generator().manual_seed(recipe.seed)
        self._pairs: dict[str, tuple[Any, Any]] = {}
        for name in adapted_names(shape, recipe.targets):
            n_out, n_in = weights[name].shape
            a = torch.randn(recipe.rank, n_in, generator=draw) / math.sqrt(n_in)
            b = torch.zeros(n_out, recipe.rank)
            self._pairs[name] = (a.requires_grad_(), b.requires_grad_())
        self._flat = {
            f"{name}.{part}": matrix
            for name, pair in self._pairs.items()
            for part, matrix in zip("ab", pair, strict=True)
        }
        self._mean = {name: torch.zeros_like(x) for name, x in self._flat.items()}
        self._square = {name: torch.zeros_like(x) for name, x in self._flat.items()}

    def loss(self, examples: Sequence[Example], job: Job) -> float:
        """Mean loss per token of examples that are not learned from."""
        import torch

        total, count, size = 0.0, 0, self._recipe.batch
        with torch.no_grad():
            for first in range(0, len(examples), size):
                job.report(first / len(examples), "judging held-out pairs")
                part = examples[first : first + size]
                n = sum(len(tokens) - start for tokens, start in part)
                total += float(self._loss(part)) * n
                count += n
        return total / count

    def step(self, examples: Sequence[Example], step: int, job: Job = NO_JOB) -> float:
        """Learn from one batch and return its loss.

        Two examples of like length at once, so that a stop is heard soon.
        """
        import torch

        total, loss = sum(len(tokens) - start for tokens, start in examples), 0.0
        grads = [torch.zeros_like(x) for x in self._flat.values()]
        by_length = sorted(examples, key=lambda example: len(example[0]))
        for first in range(0, len(by_length), _TOGETHER):
            job.report(first / len(by_length), "teaching the language model")
            part = by_length[first : first + _TOGETHER]
            share = self._loss(part) * (sum(len(t) - start for t, start in part) / total)
            for grad, more in zip(
                grads, torch.autograd.grad(share, list(self._flat.values())), strict=True
            ):
                grad += more
            loss += float(share.detach())
        norm = float(torch.stack([g.square().sum() for g in grads]).sum().sqrt())
        shrink = min(1.0, _MOST_NORM / max(norm, _EPSILON))
        rate = self._rate(step)
        with torch.no_grad():
            for (name, x), grad in zip(self._flat.items(), grads, strict=True):
                mean, square = self._mean[name], self._square[name]
                mean.lerp_(grad * shrink, 1.0 - _BETAS[0])
                square.lerp_((grad * shrink).square(), 1.0 - _BETAS[1])
                up = mean / (1.0 - _BETAS[0] ** (step + 1))
                down = (square / (1.0 - _BETAS[1] ** (step + 1))).sqrt() + _EPSILON
                x -= rate * up / down
        return loss

    def state(self) -> Tensors:
        """Everything that a later step depends on."""
        parts = {"x": self._flat, "mean": self._mean, "square": self._square}
        return {
            f"{part}/{name}": x.detach().numpy().copy()
            for part, table in parts.items()
            for name, x in table.items()
        }

    def load(self, state: Tensors) -> None:
        """Go on from a state of this recipe."""
        import torch

        parts = {"x": self._flat, "mean": self._mean, "square": self._square}
        with torch.no_grad():
            for part, table in parts.items():
                for name, x in table.items():
                    x.copy_(torch.from_numpy(state[f"{part}/{name}"].copy()))

    def adapter(self) -> Tensors:
        """The trained matrices."""
        return {name: x.detach().numpy().copy() for name, x in self._flat.items()}

    def _rate(self, step: int) -> float:
        done = step / max(1, self._recipe.steps)
        wave = (1.0 + math.cos(math.pi * done)) / 2.0
        warm = min(1.0, (step + 1) / _WARM_UP_STEPS)
        return self._recipe.rate * warm * (_LEAST_RATE + (1.0 - _LEAST_RATE) * wave)

    def _loss(self, examples: Sequence[Example]) -> Any:
        import torch

        longest = max(len(tokens) for tokens, _ in examples) - 1
        inputs = torch.zeros(len(examples), longest, dtype=torch.int64)
        answers = torch.zeros_like(inputs)
        wanted = torch.zeros_like(inputs, dtype=torch.bool)
        for row, (tokens, start) in enumerate(examples):
            n = len(tokens) - 1
            inputs[row, :n] = torch.tensor(tokens[:-1])
            answers[row, :n] = torch.tensor(tokens[1:])
            wanted[row, start - 1 : n] = True
        logits = forward(
            self._weights,
            self._shape,
            inputs,
            adapters=self._pairs,
            scale=self._recipe.alpha / self._recipe.rank,
            at=wanted,
        )
        return torch.nn.functional.cross_entropy(logits, answers[wanted])
