"""What one run of the benchmark found, as values and as a JSON document ("singcoach.htpr/1")."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal, TypeAlias

from singcoach.benchmark.htpr.compare import Comparison, Scale
from singcoach.benchmark.htpr.matching import Matches
from singcoach.benchmark.htpr.predictions import ScoredItem
from singcoach.benchmark.htpr.ratings import Ratings
from singcoach.benchmark.htpr.signatures import EDGES, CropSpread
from singcoach.core.assessment import ModelUse
from singcoach.report.document import clean_text, make_validator

SCHEMA = "singcoach.htpr/1"

Document: TypeAlias = dict[str, Any]
_DECIMALS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the scores come from: the chain on a folder, a file of scores, or nowhere."""

    kind: Literal["chain", "predictions", "none"]
    name: str
    profile: str | None
    models: tuple[ModelUse, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crops:
    """What crops of 30 s score beside the whole recordings, or why that was not measured.

    ``audio_s`` and ``work_s`` say what the crops cost: seconds of sound, and of computing.
    """

    reason: str | None = None
    per_recording: int = 0
    audio_s: float = 0.0
    work_s: float = 0.0
    scores: Mapping[str, CropSpread] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRow:
    """One item: its mean ratings by dimension, and its scores (None where it has none)."""

    item: str
    ratings: Mapping[str, float]
    scored: ScoredItem | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HtprReport:
    """Everything that one run found."""

    ratings: Ratings
    scale: Scale
    scale_given: bool
    seed: int
    n_draws: int
    cluster: str | None
    source: Source
    matches: Matches
    failed: Mapping[str, str]
    comparisons: tuple[Comparison, ...]
    crops: Crops
    rows: tuple[ItemRow, ...]
    notes: tuple[str, ...]

    def to_document(self) -> Document:
        """Return the report as plain values that the schema holds.

        The same ratings, recordings, models and options give the same document but for
        ``crops.work_s``.

        Raises
        ------
        ValueError
            When the report breaks its own contract; that is a bug of ours.
        """
        raters = {rater for table in self.ratings.tables.values() for rater in table.raters}
        document = _plain(
            {
                "schema": SCHEMA,
                "ratings": {
                    "file": self.ratings.name,
                    "n_items": len(self.ratings.items),
                    "n_raters": len(raters),
                    "n_ratings": self.ratings.n_ratings,
                    "lowest": self.ratings.lowest,
                    "highest": self.ratings.highest,
                },
                "scale": {
                    "low": self.scale.low,
                    "high": self.scale.high,
                    "from": "given" if self.scale_given else "ratings",
                },
                "bootstrap": {
                    "method": "BCa",
                    "over": self.cluster or "items",
                    "draws": self.n_draws,
                    "seed": self.seed,
                },
                "source": asdict(self.source),
                "items": {
                    "scored": sum(row.scored is not None for row in self.rows),
                    "without_recording": self.matches.missing,
                    "ambiguous": self.matches.ambiguous,
                    "failed": self.failed,
                    "not_rated": self.matches.unused,
                },
                "dimensions": {
                    comparison.dimension: _without(asdict(comparison), "dimension")
                    for comparison in self.comparisons
                },
                "histogram_edges": EDGES,
                "crops": asdict(self.crops),
                "scores": [
                    {
                        "item": row.item,
                        "file": row.scored.file if row.scored else None,
                        "duration_s": row.scored.duration_s if row.scored else None,
                        "ratings": row.ratings,
                        "scores": {
                            name: asdict(score)
                            for name, score in (row.scored.scores if row.scored else {}).items()
                        },
                    }
                    for row in self.rows
                ],
                "warnings": self.notes,
            }
        )
        validate_document(document)
        return dict(document)


def validate_document(document: Any) -> None:
    """Check a document against its schema.

    Raises
    ------
    ValueError
        Naming the first place that is wrong.
    """
    error = next(iter(sorted(_validator().iter_errors(document), key=lambda e: e.json_path)), None)
    if error is not None:
        raise ValueError(f"htpr document, {error.json_path}: {error.message[:300]}")


@cache
def schema() -> Mapping[str, Any]:
    """Return the JSON schema (draft 2020-12) of the document."""
    text = files("singcoach.benchmark.htpr").joinpath("htpr.schema.json").read_text("utf-8")
    loaded: Mapping[str, Any] = json.loads(text)
    return loaded


@cache
def _validator() -> Any:
    return make_validator(schema())


def _without(values: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != name}


def _plain(value: Any) -> Any:
    """Turn mappings, tuples and numbers into what JSON holds; NaN becomes null."""
    if isinstance(value, Mapping):
        return {clean_text(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, float):
        return round(value, _DECIMALS) + 0.0 if math.isfinite(value) else None
    return value
