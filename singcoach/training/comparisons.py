"""Which examples may be compared, which belong together, and who is left out of which member."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from singcoach.core.arrays import BoolArray, RealArray
from singcoach.errors import InputError
from singcoach.training.examples import Example

LEAST_EXAMPLES = 6
_LEAST_UNITS = 3
_STOP_SHARE = 0.2
_MAX_PAIRS = 20_000

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """The examples with a label for one dimension, as arrays of shape ``(n,)``.

    Attributes
    ----------
    examples
        Those that have a label, in the order given.
    labels
        Higher is better; only comparable within a key.
    scores
        Labels in deviations from the mean of their corpus.
    keys
        Number of the group (or the corpus, where there is none) that may be compared with itself.
    edits
        Number of the kind of edit; -1 for what was not made worse on purpose.
    units
        Number of the singer, or where singers are too few or unknown of the song, group or item:
        what is left out together and drawn together.
    tied
        Whether its key is a group of edits, where equal labels are meant to be equal.
    unit_kind
        What a unit is.
    """

    examples: tuple[Example, ...]
    labels: RealArray
    scores: RealArray
    keys: Indices
    edits: Indices
    units: Indices
    tied: BoolArray
    unit_kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Pairs of which ``first`` is the better, with weights; all of shape ``(n_pairs,)``."""

    first: Indices
    second: Indices
    weights: RealArray


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberPlan:
    """What one member of an ensemble sees.

    Attributes
    ----------
    counts
        How often each example counts in training (0: it is held out or was not drawn).
    stop
        Examples that only say when to stop; may be empty.
    out
        Examples that the member never meets, so that it can be judged by them; may be empty.
    """

    counts: RealArray
    stop: Indices
    out: Indices


def label(examples: Sequence[Example], dimension: str) -> Labelled:
    """Return the examples that are labelled for ``dimension``.

    Raises
    ------
    InputError
        When they are too few to train on, or all labels within every key are the same.
    """
    kept = tuple(e for e in examples if dimension in e.labels)
    if len(kept) < LEAST_EXAMPLES:
        raise InputError(
            f"Only {len(kept)} examples are labelled for {dimension}; {LEAST_EXAMPLES} are needed",
            hint="Give more recordings, or leave the dimension out",
        )
    labels = np.array([e.labels[dimension] for e in kept], dtype=np.float64)
    corpora = _numbers([(e.corpus,) for e in kept])
    kind, units = _units(kept)
    found = Labelled(
        examples=kept,
        labels=labels,
        scores=_within(labels, corpora),
        keys=_numbers([(e.corpus, e.group) for e in kept]),
        edits=_numbers([(e.edit,) if e.severity > 0.0 else None for e in kept]),
        units=units,
        tied=np.array([bool(e.group) for e in kept]),
        unit_kind=kind,
    )
    if not len(all_pairs(found, np.arange(len(kept))).first):
        raise InputError(
            f"No two examples of {dimension} can be ordered: all labels are the same",
            hint="Give recordings with different ratings",
        )
    return found


def better(found: Labelled, chosen: Indices) -> RealArray:
    """How much better each chosen example is than each other one that it may be compared with.

    Shape ``(n_chosen, n_chosen)``; 0 where it is not better or may not be compared. Two kinds of
    edits are not compared with each other: their severities have no common scale.
    """
    keys, edits, labels = found.keys[chosen], found.edits[chosen], found.labels[chosen]
    alike = (edits[:, None] == edits) | (edits[:, None] < 0) | (edits < 0)
    ahead = np.maximum(labels[:, None] - labels, 0.0)
    return np.asarray(np.where(alike & (keys[:, None] == keys), ahead, 0.0))


def ties(found: Labelled, chosen: Indices) -> BoolArray:
    """Which chosen examples should score alike: the unharmed of one group of edits."""
    unharmed = (found.edits[chosen] < 0) & found.tied[chosen]
    same = found.keys[chosen][:, None] == found.keys[chosen]
    return np.asarray(np.triu(same & unharmed & unharmed[:, None], k=1))


def all_pairs(
    found: Labelled, chosen: Indices, counts: RealArray | None = None, *, seed: int = 0
) -> Pairs:
    """Return the pairs among the chosen examples, at most 20,000 of them drawn by ``seed``.

    Parameters
    ----------
    counts
        How often each of all examples counts; 1 by default.
    """
    firsts, seconds, weights = [], [], []
    for key in np.unique(found.keys[chosen]):
        own = chosen[found.keys[chosen] == key]
        more = better(found, own)
        first, second = np.nonzero(more)
        firsts.append(own[first])
        seconds.append(own[second])
        weights.append(more[first, second])
    first, second = np.concatenate(firsts), np.concatenate(seconds)
    weight = np.concatenate(weights)
    if counts is not None:
        weight = weight * pair_counts(found, counts, first, second)
    if len(first) > _MAX_PAIRS:
        drawn = np.sort(np.random.default_rng(seed).permutation(len(first))[:_MAX_PAIRS])
        first, second, weight = first[drawn], second[drawn], weight[drawn]
    return Pairs(first=first, second=second, weights=weight)


def pair_counts(found: Labelled, counts: RealArray, first: Indices, second: Indices) -> RealArray:
    """How often a pair counts: once per draw of its unit, or of both of its units."""
    same = found.units[first] == found.units[second]
    return np.where(same, counts[first], counts[first] * counts[second])


def plan_members(found: Labelled, *, members: int, seed: int) -> tuple[MemberPlan, ...]:
    """Return what each member sees: one fold of units left out, the others drawn with replacement.

    The folds take turns, so that with as many members as folds every unit is judged by members that
    never met it. A fifth of the other units says when to stop.
    """
    generator = np.random.default_rng([seed, 1])
    n_units = int(found.units.max()) + 1
    order = generator.permutation(n_units)
    n_folds = min(members, n_units)
    plans = []
    for member in range(members):
        out = order[member % n_folds :: n_folds] if n_folds >= 2 else order[:0]
        rest = generator.permutation(np.setdiff1d(order, out))
        n_stop = round(_STOP_SHARE * len(rest)) if len(rest) >= _LEAST_UNITS else 0
        n_stop = max(n_stop, int(len(rest) >= _LEAST_UNITS))
        stop, train = rest[:n_stop], rest[n_stop:]
        drawn = np.bincount(generator.choice(train, size=len(train)), minlength=n_units)
        if not len(all_pairs(found, np.flatnonzero(drawn[found.units] > 0)).first):
            drawn = np.bincount(train, minlength=n_units)  # a draw without a pair teaches nothing
        plans.append(
            MemberPlan(
                counts=drawn[found.units].astype(np.float64),
                stop=np.flatnonzero(np.isin(found.units, stop)),
                out=np.flatnonzero(np.isin(found.units, out)),
            )
        )
    return tuple(plans)


def _within(labels: RealArray, corpora: Indices) -> RealArray:
    scores = np.zeros(len(labels))
    for corpus in np.unique(corpora):
        own = corpora == corpus
        spread = float(labels[own].std())
        scores[own] = (labels[own] - labels[own].mean()) / (spread if spread > 1e-9 else 1.0)
    return scores


def _units(examples: Sequence[Example]) -> tuple[str, Indices]:
    ways = {
        "singer": [(e.corpus, e.singer) for e in examples],
        "song": [(e.corpus, e.song) for e in examples],
        "group": [(e.corpus, e.group) for e in examples],
    }
    for kind, names in ways.items():
        known = all(name[1] for name in names)
        if known and len(set(names)) >= _LEAST_UNITS:
            return kind, _numbers(names)
    return "item", np.arange(len(examples))


def _numbers(names: Sequence[tuple[str, ...] | None]) -> Indices:
    """Number names in their own order; None is -1."""
    known = {name: n for n, name in enumerate(sorted({n for n in names if n is not None}))}
    return np.array([-1 if name is None else known[name] for name in names], dtype=np.intp)
