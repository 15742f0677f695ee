"""Whether an ear hears an issue better than chance in singers that it never heard.

For every issue two figures: the area under the curve (AUC), takes with the edit against takes that
went through the same synthesis without one; and the share of pairs (the same singer, song and
synthesis, with and without the edit) in which the take with the edit is the one more suspected.
Chance is 0.5 for both. Intervals come from drawing singers anew, for takes of one singer are not
independent; with ten singers they are rough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from singcoach.coaching.hearing import ISSUES
from singcoach.core.arrays import FloatArray
from singcoach.training.corpus import Row
from singcoach.training.hearing.ear import CLEAN, class_of

LEVEL: Final = 0.95
LEAST_SINGERS: Final = 4
_N_DRAWS: Final = 2000
_CLEAN_EDIT: Final = "neutral"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A figure with its interval; None where there was nothing to compare."""

    value: float | None
    low: float | None
    high: float | None

    @property
    def above_chance(self) -> bool:
        """Whether the whole interval lies above one half."""
        return self.low is not None and self.low > 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """How an issue is heard. ``n_takes`` have it, ``n_clean`` do not, by ``n_singers`` singers."""

    issue: str
    n_takes: int
    n_clean: int
    n_singers: int
    auc: Share
    pairs: Share

    @property
    def heard(self) -> bool:
        """Whether both figures are above chance, in enough singers to speak of others."""
        enough = self.n_singers >= LEAST_SINGERS
        return enough and self.auc.above_chance and self.pairs.above_chance


def folds_of(rows: Sequence[Row], n_folds: int) -> NDArray[np.int64]:
    """Return the fold of each take; a singer is in one fold, corpora are spread over all."""
    singers = sorted({(row.corpus, row.singer) for row in rows})
    fold = {singer: n % n_folds for n, singer in enumerate(singers)}
    return np.array([fold[row.corpus, row.singer] for row in rows], dtype=np.int64)


def judge(rows: Sequence[Row], suspicion: FloatArray, *, seed: int = 0) -> tuple[Judged, ...]:
    """Judge every issue.

    Parameters
    ----------
    suspicion
        How much each take is suspected of each issue, ``(n_takes, n_issues)``.
    """
    singers = sorted({row.singer for row in rows})
    draw = np.random.default_rng(seed)
    draws = draw.integers(0, len(singers), (_N_DRAWS, len(singers)))
    weights = np.stack([np.bincount(one, minlength=len(singers)) for one in draws])
    of_singer = np.array([singers.index(row.singer) for row in rows])
    classes = np.array([-1 if (c := class_of(row)) is None else c for row in rows])
    is_clean = np.array([row.edit == _CLEAN_EDIT for row in rows])
    return tuple(
        _judged(n, rows, suspicion[:, n], classes == n, is_clean, of_singer, weights)
        for n in range(CLEAN)
    )


def _judged(
    n: int,
    rows: Sequence[Row],
    suspicion: FloatArray,
    has: NDArray[np.bool_],
    is_clean: NDArray[np.bool_],
    of_singer: NDArray[np.int64],
    weights: NDArray[np.int64],
) -> Judged:
    n_singers = weights.shape[1]
    won = np.zeros((n_singers, n_singers))
    met = np.zeros((n_singers, n_singers))
    for a in np.flatnonzero(has).tolist():
        for b in np.flatnonzero(is_clean).tolist():
            won[of_singer[a], of_singer[b]] += _wins(suspicion[a], suspicion[b])
            met[of_singer[a], of_singer[b]] += 1.0
    pair_won, pair_met = np.zeros(n_singers), np.zeros(n_singers)
    clean_of = {rows[b].group: b for b in np.flatnonzero(is_clean).tolist()}
    for a in np.flatnonzero(has).tolist():
        same = clean_of.get(rows[a].group)
        if same is not None:
            pair_won[of_singer[a]] += _wins(suspicion[a], suspicion[same])
            pair_met[of_singer[a]] += 1.0
    return Judged(
        issue=ISSUES[n].id,
        n_takes=int(has.sum()),
        n_clean=int(is_clean.sum()),
        n_singers=len(set(of_singer[has].tolist())),
        auc=_share(won.sum(), met.sum(), _both(weights, won), _both(weights, met)),
        pairs=_share(pair_won.sum(), pair_met.sum(), weights @ pair_won, weights @ pair_met),
    )


def _both(weights: NDArray[np.int64], table: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.einsum("ia,ab,ib->i", weights, table, weights), dtype=np.float64)


def _wins(a: float, b: float) -> float:
    return 1.0 if a > b else 0.5 if a == b else 0.0


def _share(
    won: float, met: float, drawn_won: NDArray[np.float64], drawn_met: NDArray[np.float64]
) -> Share:
    if met == 0.0:
        return Share(value=None, low=None, high=None)
    usable = drawn_met > 0.0
    shares = drawn_won[usable] / drawn_met[usable]
    low, high = np.quantile(shares, [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0])
    return Share(value=float(won / met), low=float(low), high=float(high))
