"""How well an ordering agrees with labels, with an interval over the units that were drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.training.comparisons import Indices, Labelled, better

DRAWS = 1000
_SEED = 20_260_101


@dataclass(frozen=True, slots=True, kw_only=True)
class PairAccuracy:
    """Share of pairs that are ordered rightly, ties half; ``low``..``high`` is its middle 80 %.

    ``value`` is NaN without a pair, the interval NaN with a single unit.
    """

    value: float
    low: float
    high: float
    n_pairs: int
    n_units: int


def pair_accuracy(
    said: RealArray, found: Labelled, chosen: Indices | None = None, *, edit: int | None = None
) -> PairAccuracy:
    """Compare an ordering with the labels over every pair that may be compared.

    Parameters
    ----------
    said
        What a head says of each example, NaN where it says nothing, shape ``(n,)``.
    chosen
        Which examples count; all by default.
    edit
        Only pairs in which one example is of this kind of edit (``found.edits``).
    """
    chosen = np.arange(len(said)) if chosen is None else chosen
    chosen = chosen[np.isfinite(said[chosen])]
    firsts: list[Indices] = [np.zeros(0, dtype=np.intp)]
    seconds: list[Indices] = [np.zeros(0, dtype=np.intp)]
    for key in np.unique(found.keys[chosen]):
        own = chosen[found.keys[chosen] == key]
        first, second = np.nonzero(better(found, own))
        firsts.append(own[first])
        seconds.append(own[second])
    first, second = np.concatenate(firsts), np.concatenate(seconds)
    if edit is not None:
        kept = (found.edits[first] == edit) | (found.edits[second] == edit)
        first, second = first[kept], second[kept]
    right = 0.5 * (1.0 + np.sign(said[first] - said[second]))
    return _with_interval(right, found.units[first], found.units[second])


def _with_interval(right: RealArray, one: Indices, other: Indices) -> PairAccuracy:
    units = np.unique(np.concatenate([one, other]))
    if not len(right):
        nothing = float("nan")
        return PairAccuracy(value=nothing, low=nothing, high=nothing, n_pairs=0, n_units=0)
    low = high = float("nan")
    if len(units) > 1:
        one, other = np.searchsorted(units, one), np.searchsorted(units, other)
        generator = np.random.default_rng(_SEED)
        drawn: list[float] = []
        for _ in range(DRAWS):
            counts = np.bincount(
                generator.integers(len(units), size=len(units)), minlength=len(units)
            )
            weights = np.where(one == other, counts[one], counts[one] * counts[other])
            if weights.sum() > 0:
                drawn.append(float(weights @ right / weights.sum()))
        low, high = (float(x) for x in np.percentile(drawn, [10.0, 90.0]))
    return PairAccuracy(
        value=float(right.mean()), low=low, high=high, n_pairs=len(right), n_units=len(units)
    )


def described(accuracy: PairAccuracy) -> str:
    """Return the accuracy in words, such as ``"0.81 (0.75 to 0.86)"``."""
    if not np.isfinite(accuracy.value):
        return "no pairs"
    if not np.isfinite(accuracy.low):
        return f"{accuracy.value:.2f} (one unit only)"
    return f"{accuracy.value:.2f} ({accuracy.low:.2f} to {accuracy.high:.2f})"


def edit_names(found: Labelled) -> Sequence[tuple[str, int]]:
    """Return the kinds of edits among the examples, each with its number."""
    pairs = {
        (example.edit, int(number))
        for example, number in zip(found.examples, found.edits, strict=True)
        if number >= 0
    }
    return sorted(pairs)
