"""Human ratings in long form: one line for each item, rater and dimension."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from singcoach.benchmark.htpr.tables import Row, Table, read_name, read_number, read_table
from singcoach.core.arrays import RealArray, read_only
from singcoach.errors import InputError

OVERALL = "overall"
"""The dimension of ratings that name none."""

GROUP_COLUMNS = ("song", "singer")
"""Columns that are read as groups wherever they stand."""

MOST_ITEMS = 3_000
_MOST_CELLS = 20_000_000
_HINT = "Give a CSV with the columns item, rater, score and, if wanted, dimension"


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingTable:
    """The ratings of one dimension.

    Attributes
    ----------
    scores
        Shape ``(n_items, n_raters)``, read-only; NaN where a rater did not rate an item. Every
        item and every rater has at least one rating.
    """

    dimension: str
    items: tuple[str, ...]
    raters: tuple[str, ...]
    scores: RealArray

    @property
    def means(self) -> RealArray:
        """Mean rating of each item, rounded to nine decimals, so that equal means are equal."""
        found: RealArray = np.nanmean(self.scores, axis=1).round(9)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """A file of ratings.

    Attributes
    ----------
    tables
        By dimension, in the order of the file.
    groups
        Group of each item by column (``song``, ``singer`` and those that were asked for).
    n_ratings
        Ratings that count.
    lowest, highest
        Extremes over all dimensions.
    notes
        What was passed over or guessed, one sentence each.
    """

    name: str
    tables: Mapping[str, RatingTable]
    items: tuple[str, ...]
    groups: Mapping[str, Mapping[str, str]]
    n_ratings: int
    lowest: float
    highest: float
    notes: tuple[str, ...]


def read_ratings(path: Path, *, groups: Sequence[str] = ()) -> Ratings:
    """Read ratings from a CSV.

    Comma, semicolon, tab or bar between the fields; UTF-8, UTF-16 or Windows-1252; decimal points
    or commas. A rating that is empty or NaN is missing. The same rating given twice counts once.

    Parameters
    ----------
    groups
        Columns that must be there and hold one value for each item.

    Raises
    ------
    InputError
        The file is no such table, holds no rating, contradicts itself, or is too large.
    """
    table = read_table(
        path, needed=("item", "rater", "score"), kind="a table of ratings", hint=_HINT
    )
    notes = list(table.notes)
    cells, n_missing, n_twice = _cells(table)
    if not cells:
        raise InputError(f"{table.name} holds no rating", hint=_HINT)
    if n_missing:
        notes.append(f"{_count(n_missing, 'line')} of {table.name} without a score: left out")
    if n_twice:
        notes.append(f"{_count(n_twice, 'rating')} of {table.name} given twice alike: counted once")
    items = tuple(dict.fromkeys(item for _, item, _ in cells))
    if len(items) > MOST_ITEMS:
        raise InputError(
            f"{table.name} holds {len(items)} items; {MOST_ITEMS} are the most at a time",
            hint="Split the table",
        )
    values = list(cells.values())
    return Ratings(
        name=table.name,
        tables=_tables(cells, table.name),
        items=items,
        groups={
            column.lower(): _groups(table, column.lower(), needed=column in groups)
            for column in dict.fromkeys((*groups, *GROUP_COLUMNS))
            if column in groups or column in table.columns
        },
        n_ratings=len(cells),
        lowest=min(values),
        highest=max(values),
        notes=tuple(notes),
    )


def _cells(table: Table) -> tuple[dict[tuple[str, str, str], float], int, int]:
    cells: dict[tuple[str, str, str], float] = {}
    n_missing = n_twice = 0
    for row in table.rows:
        key = _dimension(row), _item(row, table.name), _name(row, "rater", table.name)
        score = read_number(row, "score", table.name)
        if score is None:
            n_missing += 1
        elif key not in cells:
            cells[key] = score
        elif cells[key] == score:
            n_twice += 1
        else:
            raise InputError(
                f"{table.name}, line {row.line}: {key[2]} rated {key[1]} twice ({key[0]}), "
                f"{cells[key]:g} and {score:g}",
                hint="Keep one of the two",
            )
    return cells, n_missing, n_twice


def _dimension(row: Row) -> str:
    return read_name(row, "dimension").lower() or OVERALL


def _item(row: Row, name: str) -> str:
    return _name(row, "item", name).replace("\\", "/")


def _name(row: Row, column: str, name: str) -> str:
    text = read_name(row, column)
    if not text:
        raise InputError(f"{name}, line {row.line}: the {column} is missing", hint=_HINT)
    return text


def _tables(cells: Mapping[tuple[str, str, str], float], name: str) -> dict[str, RatingTable]:
    tables = {}
    for dimension in dict.fromkeys(key[0] for key in cells):
        mine = {key[1:]: score for key, score in cells.items() if key[0] == dimension}
        items = {item: n for n, item in enumerate(dict.fromkeys(item for item, _ in mine))}
        raters = {rater: n for n, rater in enumerate(dict.fromkeys(rater for _, rater in mine))}
        if len(items) * len(raters) > _MOST_CELLS:
            raise InputError(
                f"{name} holds {len(raters)} raters of {len(items)} items, more than fit at a time",
                hint="Split the table",
            )
        scores = np.full((len(items), len(raters)), np.nan)
        for (item, rater), score in mine.items():
            scores[items[item], raters[rater]] = score
        tables[dimension] = RatingTable(
            dimension=dimension,
            items=tuple(items),
            raters=tuple(raters),
            scores=read_only(scores),
        )
    return tables


def _groups(table: Table, column: str, *, needed: bool) -> dict[str, str]:
    """Group of each item; an optional column that is no grouping of the items gives none."""
    if column not in table.columns:
        raise InputError(
            f"{table.name} has no column {column}",
            hint=f"Its columns are: {', '.join(c[:30] for c in table.columns[:12])}",
        )
    found: dict[str, str] = {}
    for row in table.rows:
        item, group = _item(row, table.name), read_name(row, column)
        if found.setdefault(item, group) != group or (needed and not group):
            if not needed:
                return {}
            raise InputError(
                f"{table.name}, line {row.line}: {item} has no single {column}",
                hint=f"Give each item one {column}",
            )
    return found


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
