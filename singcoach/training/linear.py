"""Sign-constrained sums of measures, shrunk towards equal weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from singcoach.core.arrays import RealArray
from singcoach.core.scores import DIMENSIONS
from singcoach.scoring.heads import all_positions, standardise
from singcoach.scoring.specs import Heads
from singcoach.training.comparisons import Labelled, MemberPlan, all_pairs
from singcoach.training.examples import MEASURE_NAMES, Example

STRENGTH = 0.2
"""How strongly weights are held at equal: a weight e times as large as equal costs this much."""

_GAIN_STRENGTH = 1e-3


def signed_measures(heads: Heads, dimension: str) -> dict[str, float]:
    """Return sign by measure of the heads file; of all dimensions together for ``"overall"``.

    Raises
    ------
    ValueError
        When the dimension is unknown.
    """
    if dimension != "overall":
        if dimension not in DIMENSIONS:
            raise ValueError(f"dimension is {dimension!r}; one of {DIMENSIONS} would work")
        weights = dict(heads.heads[dimension].weights)
    else:
        weights = dict.fromkeys(heads.norms, 0.0)
        for one in DIMENSIONS:
            own = heads.heads[one].weights
            total = sum(map(abs, own.values()))
            for name, weight in own.items():
                weights[name] += heads.overall_weights[one] * weight / total
    return {name: math.copysign(1.0, weight) for name, weight in weights.items() if weight}


def standard_measures(examples: tuple[Example, ...], heads: Heads, names: list[str]) -> RealArray:
    """Return measures in the norms' units, NaN where missing, shape ``(n, n_names)``."""
    raw = np.array([e.measures for e in examples]).reshape(-1, len(MEASURE_NAMES))
    columns = [standardise(raw[:, MEASURE_NAMES.index(name)], heads.norms[name]) for name in names]
    return np.stack(columns, axis=1)


def rules_positions(examples: Sequence[Example], rules: Heads) -> dict[str, RealArray]:
    """Return what the signed sums of a heads file say by dimension, NaN where nothing, ``(n,)``."""
    values = {
        name: np.array([e.measures[place] for e in examples])
        for place, name in enumerate(MEASURE_NAMES)
    }
    return {str(name): x for name, x in all_positions(values, rules).items()}


def linear_positions(x: RealArray, weights: RealArray) -> RealArray:
    """Weighted means over the measures that there are; NaN where there is none.

    Parameters
    ----------
    x
        Standardised measures, NaN where missing, shape ``(n, n_names)``.
    weights
        Signed weights, shape ``(members, n_names)``.

    Returns
    -------
    Shape ``(n, members)``.
    """
    there = np.isfinite(x)
    total = np.where(there, x, 0.0) @ weights.T
    size = there.astype(np.float64) @ np.abs(weights).T
    return np.where(size > 0.0, total / np.where(size > 0.0, size, 1.0), np.nan)


def fit_linear(
    x: RealArray,
    signs: RealArray,
    found: Labelled,
    plan: MemberPlan,
    *,
    loss: str,
    strength: float = STRENGTH,
) -> RealArray:
    """Return the signed weights of one member, of mean size 1, shape ``(n_names,)``.

    Each weight is its sign times ``exp`` of a number that is held at 0 by ``strength``; a gain (and
    for scores an offset) is fitted beside them and forgotten. Deterministic.
    """
    from scipy.optimize import minimize

    there = np.isfinite(x).astype(np.float64)
    signed = np.where(there > 0.0, x, 0.0) * signs
    task = _pairwise(found, plan) if loss == "pairwise" else _score(found, plan)
    n_names = x.shape[1]

    def cost(parameters: RealArray) -> tuple[float, RealArray]:
        theta, log_gain, offset = parameters[:n_names], parameters[-2], parameters[-1]
        weights, gain = np.exp(theta), math.exp(log_gain)
        size = np.maximum(there @ weights, 1e-9)
        mean = (signed @ weights) / size
        value, slope, offset_slope = task(gain * mean + offset)
        per_weight = (signed - mean[:, None] * there) * weights / size[:, None]
        gradient = np.concatenate(
            [
                gain * (slope @ per_weight) + 2.0 * strength * theta / n_names,
                [gain * float(slope @ mean) + 2.0 * _GAIN_STRENGTH * log_gain],
                [offset_slope + 2.0 * _GAIN_STRENGTH * offset],
            ]
        )
        penalty = strength * float(theta @ theta) / n_names
        penalty += _GAIN_STRENGTH * (log_gain**2 + offset**2)
        return value + penalty, gradient

    limits = [(-3.0, 3.0)] * n_names + [(-4.0, 4.0), (-10.0, 10.0)]
    start = np.zeros(n_names + 2)
    found_at = minimize(cost, start, jac=True, method="L-BFGS-B", bounds=limits)
    weights = np.exp(found_at.x[:n_names])
    return np.asarray(signs * weights / weights.mean())


_Task = Callable[[RealArray], tuple[float, RealArray, float]]
"""From predictions to loss, its slope by prediction, and its slope by a common offset."""


def _pairwise(found: Labelled, plan: MemberPlan) -> _Task:
    pairs = all_pairs(found, np.flatnonzero(plan.counts > 0.0), plan.counts)
    weights = pairs.weights / pairs.weights.sum()

    def task(predicted: RealArray) -> tuple[float, RealArray, float]:
        ahead = predicted[pairs.first] - predicted[pairs.second]
        wrong = weights / (1.0 + np.exp(np.clip(ahead, -50.0, 50.0)))
        slope = np.zeros(len(predicted))
        np.add.at(slope, pairs.first, -wrong)
        np.add.at(slope, pairs.second, wrong)
        return float(weights @ np.logaddexp(0.0, -ahead)), slope, 0.0

    return task


def _score(found: Labelled, plan: MemberPlan) -> _Task:
    weights = plan.counts / plan.counts.sum()

    def task(predicted: RealArray) -> tuple[float, RealArray, float]:
        error = predicted - found.scores
        slope = 2.0 * weights * error
        return float(weights @ error**2), slope, float(slope.sum())

    return task


def match(values: RealArray, reference: RealArray) -> Mapping[str, float]:
    """Return centre and spread that give ``values`` the mean and deviation of ``reference``.

    Only places where both are finite count; without two of them nothing is changed.
    """
    both = np.isfinite(values) & np.isfinite(reference)
    own, wanted = values[both], reference[both]
    if len(own) < 2 or float(own.std()) < 1e-9 or float(wanted.std()) < 1e-9:
        return {"centre": 0.0, "spread": 1.0}
    spread = float(own.std() / wanted.std())
    return {"centre": float(own.mean() - spread * wanted.mean()), "spread": spread}
