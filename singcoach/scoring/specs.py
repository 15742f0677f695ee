"""Format and strict reading of the score heads: weights, norms, routing, uncertainty as data."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

from singcoach.core.scores import DIMENSIONS, Dimension
from singcoach.errors import ModelError
from singcoach.models.catalogue import Catalogue, VerifiedModel
from singcoach.scoring.measures import UNITS

SCHEMA_NAME = "singcoach.heads/2"
RULES = "rules"
"""In ``[routing]``: the signed sums of this file judge the dimension."""

Scored = Dimension | Literal["overall"]
SCORED: tuple[Scored, ...] = (*DIMENSIONS, "overall")
Condition = Literal["short", "separated", "noisy", "weak", "unusual"]
CONDITIONS: tuple[Condition, ...] = get_args(Condition)
NOMINAL = (0.5, 0.8, 0.95)
"""Nominal shares of the intervals that the conformal factors stand for."""

QUANTILE_LEVELS = (2.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 98.0)
"""Percentiles that every measure's table of quantiles stands for."""

LEAST_LIMIT, MOST_LIMIT = -2.0, 2.0
"""Range of a limit: standardised measures themselves level off at 2.5."""

Bounds = tuple[float, float]

_HINT = "Install SingCoach again, or remove the model pack that was added last"


@dataclass(frozen=True, slots=True, kw_only=True)
class Norm:
    """Where the recordings of the norms lie: centre, spread, quantiles (ascending)."""

    median: float
    scale: float
    quantiles: tuple[float, ...]


def bounds_of(weight: float, limit: float) -> Bounds:
    """Return the range in which a standardised measure counts: cut on its weight's good side."""
    return (-math.inf, limit) if weight > 0.0 else (-limit, math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """One score as a signed sum of standardised measures.

    Attributes
    ----------
    weights
        Signed weight of each measure; the sign comes from the literature and stays.
    centre, spread
        Median and scale of the weighted mean over the recordings of the norms.
    limits
        Where more of a measure earns nothing more ("enough is enough"), in standardised units on
        the side that raises the score; measures without an entry have none.
    """

    weights: Mapping[str, float]
    centre: float
    spread: float
    limits: Mapping[str, float] = field(default_factory=dict)

    @property
    def bounds(self) -> dict[str, Bounds]:
        """Range of the standardised values that count, of the measures that have a limit."""
        return {
            name: bounds_of(self.weights[name], limit)
            for name, limit in self.limits.items()
            if name in self.weights
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Ensemble:
    """How far weightings and norms that are as plausible as the file's own may lie from them.

    Attributes
    ----------
    weight_spread
        Standard deviation of the natural logarithm of a weight (0.5: mostly 0.6 to 1.6 times).
    left_out
        Chance of a measure not to be asked at all.
    recordings
        Number of recordings behind the norms; norms are redrawn from so many.
    """

    weight_spread: float
    left_out: float
    recordings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertainty:
    """How wide an interval is. Positions are the unit: 1 is one spread of the norms.

    Attributes
    ----------
    calibrated_on
        The human ratings that the factors come from.
    base
        What the measures do not say, of every take.
    conditions
        What each condition adds: ``short`` 10 s of singing (falling with the root of the length),
        ``separated`` a voice out of a mixture, ``noisy`` each point of recording quality under 3
        and each two hundredths of clipped samples, ``weak`` a doubtful screening, ``unusual`` each
        scale unit outside of the norms' quantiles.
    factors
        Half width of the interval of each nominal share (:data:`NOMINAL`) in units of the take's
        own standard error.
    """

    calibrated_on: str
    base: float
    conditions: Mapping[Condition, float]
    factors: Mapping[Scored, tuple[float, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """All heads of one file.

    ``overall_weights`` make the overall score out of the four. ``routing`` names what judges each
    dimension: ``"rules"`` or the id of one of ``networks``, whose tables are read where they are
    run. ``warnings`` are sentences about how far a score may be trusted, by dimension.
    """

    name: str
    norms_from: str
    norms: Mapping[str, Norm]
    heads: Mapping[Dimension, Head]
    overall_weights: Mapping[Dimension, float]
    ensemble: Ensemble
    uncertainty: Uncertainty
    routing: Mapping[Dimension, str]
    networks: Mapping[str, Mapping[str, Any]]
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
    if document.get("schema") != SCHEMA_NAME:
        raise ValueError(
            f"schema is {str(document.get('schema'))[:60]!r}, not {SCHEMA_NAME!r}: "
            "these heads were made for another version of SingCoach"
        )
    wanted = {"schema", "name", "norms_from", "routing", "measures", "heads", "overall", "ensemble"}
    _keys(document, wanted | {"uncertainty"} | (document.keys() & {"networks"}), "heads file")
    norms = {
        _measure(name, "measures"): _norm(table, f"measures.{name}")
        for name, table in _table(document["measures"], "measures").items()
    }
    tables = _table(document["heads"], "heads")
    _keys(tables, set(DIMENSIONS), "heads")
    heads = {d: _head(tables[d], f"heads.{d}", norms) for d in DIMENSIONS}
    overall = _table(document["overall"], "overall")
    _keys(overall, {"weights"}, "overall")
    shares = _table(overall["weights"], "overall.weights")
    _keys(shares, set(DIMENSIONS), "overall.weights")
    networks = {
        name: _table(table, f"networks.{name}")
        for name, table in _table(document.get("networks", {}), "networks").items()
    }
    return Heads(
        name=_words(document["name"], "name"),
        norms_from=_words(document["norms_from"], "norms_from"),
        norms=norms,
        heads=heads,
        overall_weights={
            d: read_number(shares[d], f"overall.weights.{d}", 0.0) for d in DIMENSIONS
        },
        ensemble=_ensemble(document["ensemble"]),
        uncertainty=_uncertainty(document["uncertainty"]),
        routing=_routing(document["routing"], networks.keys()),
        networks=networks,
        warnings={
            d: _words(tables[d]["warning"], f"heads.{d}.warning")
            for d in DIMENSIONS
            if tables[d]["warning"] != ""
        },
    )


def _routing(value: object, networks: Collection[str]) -> dict[Dimension, str]:
    table = _table(value, "routing")
    _keys(table, set(DIMENSIONS), "routing")
    for dimension in DIMENSIONS:
        if table[dimension] != RULES and table[dimension] not in networks:
            raise ValueError(f"routing.{dimension}: no network {str(table[dimension])[:60]!r}")
    return {d: str(table[d]) for d in DIMENSIONS}


def _ensemble(value: object) -> Ensemble:
    table = _table(value, "ensemble")
    _keys(table, {"weight_spread", "left_out", "recordings"}, "ensemble")
    left_out = read_number(table["left_out"], "ensemble.left_out", 0.0)
    if left_out > 0.9:
        raise ValueError("ensemble.left_out is above 0.9")
    return Ensemble(
        weight_spread=read_number(table["weight_spread"], "ensemble.weight_spread", 0.0),
        left_out=left_out,
        recordings=int(read_number(table["recordings"], "ensemble.recordings", 4.0)),
    )


def _uncertainty(value: object) -> Uncertainty:
    table = _table(value, "uncertainty")
    _keys(table, {"calibrated_on", "base", "conditions", "factors"}, "uncertainty")
    conditions = _table(table["conditions"], "uncertainty.conditions")
    _keys(conditions, set(CONDITIONS), "uncertainty.conditions")
    factors = _table(table["factors"], "uncertainty.factors")
    _keys(factors, set(SCORED), "uncertainty.factors")
    return Uncertainty(
        calibrated_on=_words(table["calibrated_on"], "uncertainty.calibrated_on"),
        base=read_number(table["base"], "uncertainty.base", 0.01),
        conditions={
            name: read_number(conditions[name], f"uncertainty.conditions.{name}", 0.0)
            for name in CONDITIONS
        },
        factors={
            name: _ascending(factors[name], f"uncertainty.factors.{name}", len(NOMINAL), 0.01)
            for name in SCORED
        },
    )


def _head(value: object, where: str, norms: Mapping[str, Norm]) -> Head:
    table = _table(value, where)
    wanted = {"weights", "centre", "spread", "warning"}
    _keys(table, wanted | (table.keys() & {"limits"}), where)
    weights = {
        _measure(name, where): read_number(weight, f"{where}.weights.{name}", -100.0)
        for name, weight in _table(table["weights"], f"{where}.weights").items()
    }
    without_norm = sorted(weights.keys() - norms.keys())
    if without_norm or not any(weights.values()):
        raise ValueError(f"{where}: no norm for {without_norm}, or no weight")
    return Head(
        weights=weights,
        centre=read_number(table["centre"], f"{where}.centre", -100.0),
        spread=read_number(table["spread"], f"{where}.spread", 1e-6),
        limits=read_limits(table.get("limits", {}), weights, where),
    )


def read_limits(value: object, weights: Mapping[str, float], where: str) -> dict[str, float]:
    """Read the optional table ``limits`` of a head, strictly.

    Raises
    ------
    ValueError
        When a limit is for a measure without weight, or out of its range.
    """
    limits = {
        name: read_number(limit, f"{where}.limits.{str(name)[:60]}", LEAST_LIMIT)
        for name, limit in _table(value, f"{where}.limits").items()
    }
    for name, limit in limits.items():
        if not weights.get(name) or limit > MOST_LIMIT:
            raise ValueError(f"{where}.limits.{name[:60]}: no weight, or above {MOST_LIMIT}")
    return limits


def _norm(value: object, where: str) -> Norm:
    table = _table(value, where)
    _keys(table, {"median", "scale", "quantiles"}, where)
    return Norm(
        median=read_number(table["median"], f"{where}.median", -1e6),
        scale=read_number(table["scale"], f"{where}.scale", 1e-6),
        quantiles=_ascending(table["quantiles"], f"{where}.quantiles", len(QUANTILE_LEVELS), -1e6),
    )


def _ascending(value: object, where: str, count: int, least: float) -> tuple[float, ...]:
    if not isinstance(value, list) or len(value) != count:
        raise ValueError(f"{where}: not {count} numbers")
    numbers = tuple(read_number(x, where, least) for x in value)
    if list(numbers) != sorted(numbers):
        raise ValueError(f"{where} do not ascend")
    return numbers


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


def read_number(value: object, where: str, least: float) -> float:
    """Return a finite number between ``least`` and a million; ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{where} is not a number")
    if not math.isfinite(value) or not least <= value <= 1e6:
        raise ValueError(f"{where} is {value}, not in {least}..1e6")
    return float(value)


def _words(value: object, where: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 400 or not value.isprintable():
        raise ValueError(f"{where} is not a short line of text")
    return value
