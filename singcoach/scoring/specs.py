"""Format and strict reading of the score heads: weights, norms and margins as data."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from singcoach.core.scores import DIMENSIONS, Dimension
from singcoach.errors import ModelError
from singcoach.models.catalogue import Catalogue, VerifiedModel
from singcoach.scoring.measures import UNITS

SCHEMA_NAME = "singcoach.heads/1"
QUANTILE_LEVELS = (2.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 98.0)
"""Percentiles that every measure's table of quantiles stands for."""

_HINT = "Install SingCoach again, or remove the model pack that was added last"


@dataclass(frozen=True, slots=True, kw_only=True)
class Norm:
    """Where the recordings of the norms lie: centre, spread, quantiles (ascending)."""

    median: float
    scale: float
    quantiles: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """One score as a signed sum of standardised measures.

    Attributes
    ----------
    weights
        Signed weight of each measure; the sign comes from the literature and stays.
    centre, spread
        Median and scale of the weighted mean over the recordings of the norms.
    margin
        Standard error, in units of ``spread``, of a long clean take: what the measures do not say.
    """

    weights: Mapping[str, float]
    centre: float
    spread: float
    margin: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """All heads of one file.

    ``overall_weights`` and ``overall_margin`` make the overall score out of the four.
    ``warnings`` are sentences about how far a score may be trusted, by dimension.
    """

    name: str
    norms_from: str
    norms: Mapping[str, Norm]
    heads: Mapping[Dimension, Head]
    overall_weights: Mapping[Dimension, float]
    overall_margin: float
    warnings: Mapping[Dimension, str]

    @property
    def label(self) -> str:
        """Name for people, with the recordings behind the norms."""
        return f"{self.name} (norms: {self.norms_from})"


def load_heads(catalogue: Catalogue | None = None) -> Heads:
    """Read the heads that are in force; the file's hash is checked before it is parsed.

    Raises
    ------
    ModelError
        When the file is missing, damaged, or not a valid set of heads.
    """
    return parse_heads((catalogue or Catalogue.default()).require("heads"))


def parse_heads(model: VerifiedModel) -> Heads:
    """Read heads out of verified bytes.

    Raises
    ------
    ModelError
        When anything in the file is not as it has to be; the detail names the place.
    """
    try:
        return read_heads(tomllib.loads(model.content.decode("utf-8")))
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"The score heads {model.path} are damaged", hint=_HINT, detail=str(error)
        ) from error


def read_heads(document: Mapping[str, Any]) -> Heads:
    """Build heads from a parsed document.

    Raises
    ------
    ValueError
        When a key is unknown or missing, or a value is out of its range.
    """
    _keys(document, {"schema", "name", "norms_from", "measures", "heads", "overall"}, "heads file")
    if document["schema"] != SCHEMA_NAME:
        raise ValueError(f"schema is not {SCHEMA_NAME!r}")
    norms = {
        _measure(name, "measures"): _norm(table, f"measures.{name}")
        for name, table in _table(document["measures"], "measures").items()
    }
    tables = _table(document["heads"], "heads")
    _keys(tables, set(DIMENSIONS), "heads")
    heads = {d: _head(tables[d], f"heads.{d}", norms) for d in DIMENSIONS}
    overall = _table(document["overall"], "overall")
    _keys(overall, {"weights", "margin"}, "overall")
    shares = _table(overall["weights"], "overall.weights")
    _keys(shares, set(DIMENSIONS), "overall.weights")
    return Heads(
        name=_words(document["name"], "name"),
        norms_from=_words(document["norms_from"], "norms_from"),
        norms=norms,
        heads=heads,
        overall_weights={d: _number(shares[d], f"overall.weights.{d}", 0.0) for d in DIMENSIONS},
        overall_margin=_number(overall["margin"], "overall.margin", 0.0),
        warnings={
            d: _words(tables[d]["warning"], f"heads.{d}.warning")
            for d in DIMENSIONS
            if tables[d]["warning"] != ""
        },
    )


def _head(value: object, where: str, norms: Mapping[str, Norm]) -> Head:
    table = _table(value, where)
    _keys(table, {"weights", "centre", "spread", "margin", "warning"}, where)
    weights = {
        _measure(name, where): _number(weight, f"{where}.weights.{name}", -100.0)
        for name, weight in _table(table["weights"], f"{where}.weights").items()
    }
    without_norm = sorted(weights.keys() - norms.keys())
    if without_norm or not any(weights.values()):
        raise ValueError(f"{where}: no norm for {without_norm}, or no weight")
    return Head(
        weights=weights,
        centre=_number(table["centre"], f"{where}.centre", -100.0),
        spread=_number(table["spread"], f"{where}.spread", 1e-6),
        margin=_number(table["margin"], f"{where}.margin", 0.0),
    )


def _norm(value: object, where: str) -> Norm:
    table = _table(value, where)
    _keys(table, {"median", "scale", "quantiles"}, where)
    listed = table["quantiles"]
    if not isinstance(listed, list) or len(listed) != len(QUANTILE_LEVELS):
        raise ValueError(f"{where}.quantiles: not {len(QUANTILE_LEVELS)} numbers")
    quantiles = tuple(_number(x, f"{where}.quantiles", -1e6) for x in listed)
    if list(quantiles) != sorted(quantiles):
        raise ValueError(f"{where}.quantiles do not ascend")
    return Norm(
        median=_number(table["median"], f"{where}.median", -1e6),
        scale=_number(table["scale"], f"{where}.scale", 1e-6),
        quantiles=quantiles,
    )


def _table(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{where} is not a table")
    return cast("dict[str, Any]", value)


def _keys(table: Mapping[str, Any], wanted: set[str], where: str) -> None:
    if table.keys() != wanted:
        raise ValueError(f"{where}: missing or unknown {sorted(table.keys() ^ wanted)[:9]}")


def _measure(name: str, where: str) -> str:
    if name not in UNITS:
        raise ValueError(f"{where}: unknown measure {name[:60]!r}")
    return name


def _number(value: object, where: str, least: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{where} is not a number")
    if not math.isfinite(value) or not least <= value <= 1e6:
        raise ValueError(f"{where} is {value}, not in {least}..1e6")
    return float(value)


def _words(value: object, where: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 400 or not value.isprintable():
        raise ValueError(f"{where} is not a short line of text")
    return value
