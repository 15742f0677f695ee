"""The ear that is trained: from an encoder's slow waves to rows as wide as a model's words.

A gated layer between two norms, as in the projector of Ultravox. First it is trained alone: the
mean of its rows is to point towards the words of the fault that was made, among the words of all
faults. That takes seconds; what comes of it is where training through the language model begins.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from singcoach.coaching.hearing import ISSUES
from singcoach.core.arrays import FloatArray
from singcoach.jobs import NO_JOB, Job
from singcoach.models.language.mmproj import NORM_EPSILON, Layers
from singcoach.training.corpus import ORIGINAL, Row
from singcoach.training.hearing.features import N_DIMS, N_FEATURES, STACK, Clip, spread
from singcoach.training.tensors import Tensors

EDITS: Final = {
    "breathiness": "breathy",
    "harshness": "harsh",
    "dullness": "dull",
    "pitch_error": "out_of_tune",
    "pitch_drift": "drifting",
    "scoops": "scooping",
    "breaks": "broken_phrases",
    "early_decay": "fading_ends",
    "gasps": "gasping",
    "level_wobble": "unsteady",
    "flat_dynamics": "monotone",
    "timing_slips": "rushed",
    "vibrato_irregular": "uneven_vibrato",
    "vibrato_removed": "no_vibrato",
}
"""What an edit of the corpus is heard as, by the ids of the issues."""

CLEAN: Final = len(ISSUES)
"""The class of takes without a fault; before it come the issues in their order."""

_CLEAN_EDITS: Final = (ORIGINAL, "neutral")
_BETAS: Final = (0.9, 0.99)
_EPSILON: Final = 1e-8
_SHARPNESS: Final = 10.0


def class_of(row: Row) -> int | None:
    """Return the class of a take; None where its edit is no fault that is named."""
    if row.edit in _CLEAN_EDITS:
        return CLEAN
    issue = EDITS.get(row.edit)
    return None if issue is None else [one.id for one in ISSUES].index(issue)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What decides an ear besides the corpus and the language model.

    Attributes
    ----------
    n_inner
        Width between the two layers.
    steps, batch, rate, decay
        Of the training alone.
    words_steps, words_batch, words_rate
        Of the training through the language model.
    folds
        Groups of singers; each is judged by an ear that heard none of them.
    least_severity
        Takes with a slighter fault are left out, of the training and of the judging.
    """

    n_inner: int = 32
    steps: int = 300
    batch: int = 32
    rate: float = 2e-3
    decay: float = 0.05
    words_steps: int = 60
    words_batch: int = 4
    words_rate: float = 5e-4
    folds: int = 5
    least_severity: float = 0.0
    seed: int = 0


class Ear:
    """Weights under training.

    Parameters
    ----------
    scale
        What each feature is multiplied with first, ``(N_FEATURES,)``.
    words
        Directions of the classes among the model's words, ``(n_classes, width)``, unit rows.
    """

    def __init__(self, *, scale: FloatArray, words: FloatArray, recipe: Recipe) -> None:
        import torch

        draw = torch.Generator().manual_seed(recipe.seed)
        n_inner, width = recipe.n_inner, words.shape[1]
        self._scale = torch.from_numpy(np.array(scale, dtype=np.float32))
        self._words = torch.from_numpy(np.array(words, dtype=np.float32))
        self.weights: dict[str, Any] = {
            "inner": torch.randn(2 * n_inner, N_FEATURES, generator=draw) / math.sqrt(N_FEATURES),
            "norm": torch.ones(n_inner),
            "out": torch.randn(width, n_inner, generator=draw) / math.sqrt(n_inner * width),
            "bias": torch.zeros(len(words)),
        }
        for weight in self.weights.values():
            weight.requires_grad_()
        self._mean = {name: torch.zeros_like(w) for name, w in self.weights.items()}
        self._square = {name: torch.zeros_like(w) for name, w in self.weights.items()}
        self._decay = recipe.decay

    def rows(self, features: Any) -> Any:
        """Return the rows for a language model, ``(..., width)``."""
        import torch
        import torch.nn.functional as f

        first, gate = f.linear(features * self._scale, self.weights["inner"]).chunk(2, dim=-1)
        x = first * f.silu(gate)
        x = x * torch.rsqrt(x.square().mean(-1, keepdim=True) + NORM_EPSILON)
        return f.linear(x * self.weights["norm"], self.weights["out"])

    def logits(self, features: Any) -> Any:
        """Return how much the mean row points to each class, ``(n_clips, n_classes)``."""
        towards = self.rows(features).mean(-2) @ self._words.T
        return _SHARPNESS * towards + self.weights["bias"]

    def step(self, loss: Any, step: int, *, rate: float, names: Sequence[str]) -> None:
        """Take one step of Adam on the weights ``names``, with decay of the matrices."""
        import torch

        chosen = [self.weights[name] for name in names]
        grads = torch.autograd.grad(loss, chosen)
        norm = float(torch.stack([g.square().sum() for g in grads]).sum().sqrt())
        shrink = min(1.0, 1.0 / max(norm, _EPSILON))
        with torch.no_grad():
            for name, x, grad in zip(names, chosen, grads, strict=True):
                mean, square = self._mean[name], self._square[name]
                mean.lerp_(grad * shrink, 1.0 - _BETAS[0])
                square.lerp_((grad * shrink).square(), 1.0 - _BETAS[1])
                up = mean / (1.0 - _BETAS[0] ** (step + 1))
                down = (square / (1.0 - _BETAS[1] ** (step + 1))).sqrt() + _EPSILON
                if x.ndim == 2:
                    x *= 1.0 - rate * self._decay
                x -= rate * up / down

    def forget_steps(self) -> None:
        """Begin the next steps without the momentum of the last ones."""
        for name in self.weights:
            self._mean[name].zero_()
            self._square[name].zero_()

    def state(self) -> Tensors:
        """Everything that a later step depends on."""
        parts = {"x": self.weights, "mean": self._mean, "square": self._square}
        return {
            f"{part}/{name}": x.detach().numpy().copy()
            for part, table in parts.items()
            for name, x in table.items()
        }

    def load(self, state: Tensors) -> None:
        """Go on from a state of the same recipe."""
        import torch

        parts = {"x": self.weights, "mean": self._mean, "square": self._square}
        with torch.no_grad():
            for part, table in parts.items():
                for name, x in table.items():
                    x.copy_(torch.from_numpy(state[f"{part}/{name}"].copy()))

    def layers(self) -> Layers:
        """Return the trained weights in the form of a projector; nothing is approximated."""
        w = {name: x.detach().numpy() for name, x in self.weights.items()}
        return Layers(
            norm_in=np.ones(STACK * N_DIMS, dtype=np.float32),
            to_inner=spread(w["inner"] * self._scale.numpy()),
            norm_inner=w["norm"].copy(),
            to_words=w["out"].copy(),
            stack=STACK,
        )


def scale_of(clips: Sequence[Clip]) -> FloatArray:
    """Return one over the spread of each feature, ``(N_FEATURES,)``."""
    rows = np.concatenate([clip.features for clip in clips])
    return np.asarray(1.0 / (rows.std(axis=0) + 1e-3), dtype=np.float32)


def train_alone(
    clips: Sequence[Clip], *, words: FloatArray, recipe: Recipe, job: Job = NO_JOB
) -> Ear:
    """Train an ear on clips whose edits are named; the clips of a step follow from it alone."""
    import torch
    import torch.nn.functional as f

    named = [(clip, label) for clip in clips if (label := class_of(clip.row)) is not None]
    features = torch.from_numpy(np.stack([clip.features for clip, _ in named]))
    labels = torch.tensor([label for _, label in named])
    ear = Ear(scale=scale_of([clip for clip, _ in named]), words=words, recipe=recipe)
    for step in range(recipe.steps):
        job.report(step / recipe.steps, "teaching the ear")
        draw = torch.Generator().manual_seed(recipe.seed * 1_000_003 + step)
        picked = torch.randperm(len(labels), generator=draw)[: recipe.batch]
        loss = f.cross_entropy(ear.logits(features[picked]), labels[picked], label_smoothing=0.05)
        share = step / recipe.steps
        rate = recipe.rate * (0.05 + 0.95 * (1.0 + math.cos(math.pi * share)) / 2.0)
        ear.step(loss, step, rate=rate, names=("inner", "norm", "out", "bias"))
    return ear


def judge_alone(ear: Ear, clips: Sequence[Clip]) -> FloatArray:
    """Return how much more likely each issue is than a clean take, ``(n_clips, n_issues)``."""
    import torch

    with torch.no_grad():
        found = ear.logits(torch.from_numpy(np.stack([c.features for c in clips]))).log_softmax(-1)
    return np.asarray(found[:, :CLEAN] - found[:, CLEAN:], dtype=np.float32)
