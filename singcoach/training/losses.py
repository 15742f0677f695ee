"""What members are trained to make small: wrong orders of pairs, or distances to scores."""

from __future__ import annotations

from typing import Any

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.training.comparisons import Indices, Labelled, better, pair_counts, ties

TIE_WEIGHT = 0.2
"""Weight of the squared distance between takes that are both unharmed (original, resynthesis)."""


def batch_loss(
    predicted: Any, found: Labelled, chosen: Indices, counts: RealArray, *, loss: str
) -> Any | None:
    """Return the loss over the chosen examples as a torch number; None where they say nothing.

    Parameters
    ----------
    predicted
        Output of a member for ``chosen``, shape ``(n_chosen,)``.
    counts
        How often each of all examples counts.
    loss
        ``"pairwise"``: logistic loss of the difference of each pair that may be compared, weighted
        by the distance of its labels, and the squared distance of those that should score alike.
        ``"score"``: squared distance to the labels in deviations within their corpus.
    """
    import torch

    if loss == "score":
        weights = torch.from_numpy((counts[chosen] / counts[chosen].sum()).astype(np.float32))
        goal = torch.from_numpy(found.scores[chosen].astype(np.float32))
        return (weights * (predicted - goal) ** 2).sum()
    parts = []
    more = better(found, chosen)
    first, second = np.nonzero(more)
    if len(first):
        weight = more[first, second] * pair_counts(found, counts, chosen[first], chosen[second])
        weights = torch.from_numpy((weight / weight.sum()).astype(np.float32))
        ahead = predicted[torch.from_numpy(first)] - predicted[torch.from_numpy(second)]
        parts.append((weights * torch.nn.functional.softplus(-ahead)).sum())
    first, second = np.nonzero(ties(found, chosen))
    if len(first):
        apart = predicted[torch.from_numpy(first)] - predicted[torch.from_numpy(second)]
        parts.append(TIE_WEIGHT * (apart**2).mean())
    return sum(parts[1:], parts[0]) if parts else None
