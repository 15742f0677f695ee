"""What the ranking found out: its values, as tables and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from singcoach.core.scores import Dimension
from singcoach.scoring.agreement import N_DRAWS, SEED, Estimate

SCHEMA = "singcoach.ranking/1"

Head = Dimension | Literal["overall"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One head against one human rating (the mean of ``rating``) over one set."""

    material: str
    rating: tuple[str, ...]
    head: Head
    n: int
    n_scored: int
    accuracy: Estimate
    correlation: Estimate
    inside: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Judges:
    """Single judges against the mean of the others, the same accuracy: mean, worst and best."""

    material: str
    n: int
    n_judges: int
    accuracy: Estimate
    worst: float
    best: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Mean change of a head's score from the plain to the changed take of controlled pairs.

    ``n`` counts the pairs, ``n_scored`` those with two scores, ``n_refused`` the takes among them
    that get no score in use, mostly for being short. ``raised`` is the share of pairs with a
    higher score, ties half.
    """

    material: str
    change: str
    head: Dimension
    n: int
    n_scored: int
    n_refused: int
    mean: Estimate
    raised: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Everything found out, and the sets that were not there."""

    agreements: tuple[Agreement, ...]
    judges: tuple[Judges, ...]
    changes: tuple[Change, ...]
    skipped: tuple[str, ...]


def to_text(ranking: Ranking) -> str:
    """Tables in Markdown, as they stand in the card."""
    lines = []
    if ranking.agreements:
        lines += _table(
            ("set", "human rating", "score", "scored", "accuracy", "correlation", "inside 80 %"),
            [
                (
                    row.material,
                    " + ".join(row.rating),
                    row.head,
                    f"{row.n_scored} of {row.n}",
                    str(row.accuracy),
                    str(row.correlation),
                    str(row.inside),
                )
                for row in ranking.agreements
            ],
        )
        lines += _table(
            ("set", "judges", "one judge against the others: accuracy", "worst to best judge"),
            [
                (
                    row.material,
                    f"{row.n_judges}, of {row.n} takes",
                    str(row.accuracy),
                    f"{row.worst:.2f} to {row.best:.2f}",
                )
                for row in ranking.judges
            ],
        )
    if ranking.changes:
        lines += _table(
            (
                "set",
                "change",
                "score",
                "pairs scored",
                "takes refused in use",
                "mean change",
                "share raised",
            ),
            [
                (
                    row.material,
                    row.change,
                    row.head,
                    f"{row.n_scored} of {row.n}",
                    f"{row.n_refused} of {2 * row.n}",
                    str(row.mean),
                    str(row.raised),
                )
                for row in ranking.changes
            ],
        )
    lines += [f"Skipped, not in the folder: {name}" for name in ranking.skipped]
    return "\n".join(lines).strip() + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)] + [""]


def to_json(ranking: Ranking) -> str:
    """Every figure unrounded; null where it is not defined."""
    content = {"schema": SCHEMA, "seed": SEED, "n_draws": N_DRAWS, **asdict(ranking)}
    return json.dumps(_without_nan(content), indent=2, allow_nan=False) + "\n"


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
