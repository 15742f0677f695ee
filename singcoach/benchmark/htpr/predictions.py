"""Scores that were made earlier: a CSV, or assessments as JSON lines."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from singcoach.benchmark.htpr.tables import read_name, read_number, read_table, read_text
from singcoach.core.assessment import SCHEMA_NAME
from singcoach.errors import InputError

ERROR_SCHEMA_PREFIX = "singcoach.error/"
_HINT = (
    "Give a CSV with the columns item, score and, if wanted, dimension, low and high, "
    "or what `singcoach assess --json` wrote"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One score with its 80 % interval (None where there is none), or the reason for none."""

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredItem:
    """All scores of one item by dimension, ``overall`` among them.

    Attributes
    ----------
    file
        What was scored, as the user knows it.
    duration_s
        None where it is not known.
    """

    file: str
    scores: Mapping[str, Score]
    duration_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """Scored items by their name in the file, and what could not be scored with the reason."""

    name: str
    items: Mapping[str, ScoredItem]
    failed: Mapping[str, str]
    notes: tuple[str, ...]


def read_predictions(path: Path) -> Predictions:
    """Read scores from a CSV (item, score, optional dimension, low, high) or from assessments.

    Raises
    ------
    InputError
        The file is neither, contradicts itself, or holds nothing.
    """
    text, note = read_text(path, kind="a file of scores", hint=_HINT)
    if text.lstrip().startswith(("{", "[")):
        found = _from_assessments(path.name, text, note)
    else:
        found = _from_table(path)
    if not found.items and not found.failed:
        raise InputError(f"{path.name} holds no score", hint=_HINT)
    return found


def _from_table(path: Path) -> Predictions:
    table = read_table(path, needed=("item", "score"), kind="a file of scores", hint=_HINT)
    items: dict[str, dict[str, Score]] = {}
    for row in table.rows:
        item = read_name(row, "item").replace("\\", "/")
        if not item:
            raise InputError(f"{table.name}, line {row.line}: the item is missing", hint=_HINT)
        dimension = read_name(row, "dimension").lower() or "overall"
        value = read_number(row, "score", table.name)
        low, high = (read_number(row, name, table.name) for name in ("low", "high"))
        reason = "no score in the file" if value is None else None
        score = Score(value=value, low=low, high=high, reason=reason)
        if items.setdefault(item, {}).setdefault(dimension, score) != score:
            raise InputError(
                f"{table.name}, line {row.line}: {item} has two different scores ({dimension})",
                hint="Keep one of the two",
            )
    return Predictions(
        name=table.name,
        items={item: ScoredItem(file=item, scores=scores) for item, scores in items.items()},
        failed={},
        notes=table.notes,
    )


def _from_assessments(name: str, text: str, note: str) -> Predictions:
    items: dict[str, ScoredItem] = {}
    failed: dict[str, str] = {}
    for document in read_documents(name, text):
        if str(document.get("schema", "")).startswith(ERROR_SCHEMA_PREFIX):
            failed[str(document.get("file", ""))] = str(document.get("error", ""))
            continue
        item = scored_item(document)
        if items.setdefault(item.file, item) != item:
            raise InputError(
                f"{name} holds two different assessments of {item.file}",
                hint="Give files of one name separate lists, or scores as a CSV",
            )
    return Predictions(name=name, items=items, failed=failed, notes=(note,) if note else ())


def read_documents(name: str, text: str) -> Iterator[dict[str, Any]]:
    """Yield the assessments (and error lines) of a file that ``singcoach assess`` wrote.

    Raises
    ------
    InputError
        When a line is something else; names it.
    """
    whole = _parsed(text)
    lines = [(1, text)] if isinstance(whole, dict) else list(enumerate(text.splitlines(), start=1))
    for line, content in lines:
        if not content.strip():
            continue
        document = _parsed(content)
        if not isinstance(document, dict) or not _known(document):
            raise InputError(
                f"{name}, line {line}: this is no assessment of {SCHEMA_NAME}", hint=_HINT
            )
        yield document


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _known(document: Mapping[str, Any]) -> bool:
    from singcoach.report.document import validate_document

    if str(document.get("schema", "")).startswith(ERROR_SCHEMA_PREFIX):
        return isinstance(document.get("file"), str) and isinstance(document.get("error"), str)
    try:
        validate_document(document)
    except (ValueError, RecursionError):
        return False
    return True


def scored_item(document: Mapping[str, Any]) -> ScoredItem:
    """Return the scores of an assessment document."""
    parts = {**document["dimensions"], "overall": document["overall"]}
    return ScoredItem(
        file=document["input"]["file"],
        duration_s=document["input"]["duration_s"],
        scores={
            name: Score(
                value=_finite(part["score"]),
                low=_finite(part["low"]),
                high=_finite(part["high"]),
                reason=part["reason"],
            )
            for name, part in parts.items()
        },
    )


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
