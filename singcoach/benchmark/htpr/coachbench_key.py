"""Prediction rows of VocalCoachBench against its key: pairs, triplets, issues, segments."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from singcoach.benchmark.htpr.bootstrap import Bootstrap, Figure
from singcoach.benchmark.htpr.coachbench import (
    HINT,
    Issue,
    IssuesRow,
    PairRow,
    Row,
    SegmentRow,
    read_id,
    read_issue,
    read_issues,
    read_objects,
    read_rows,
    read_winner,
    write_rows,
)
from singcoach.benchmark.htpr.coachbench_writer import issues_row, pair_row, segment_row
from singcoach.benchmark.htpr.matching import match
from singcoach.benchmark.htpr.predictions import ERROR_SCHEMA_PREFIX, read_documents
from singcoach.benchmark.htpr.tables import read_text
from singcoach.benchmark.report import text_table
from singcoach.errors import InputError

SCHEMA = "singcoach.coachbench/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """A pair, the orders of its triplet that experts gave (best first), or the winner alone."""

    pair_id: str
    a: str
    b: str
    triplet: str
    orders: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What the experts said."""

    pairs: tuple[KeyPair, ...]
    issues: Mapping[str, tuple[tuple[Issue, ...], ...]]
    segments: Mapping[str, tuple[Issue, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyReport:
    """How rows agree with a key.

    ``figures`` are means over triplets, performances or segments with their intervals; what has no
    row counts as wrong. ``missing`` counts these by kind, ``unknown`` the rows that the key
    does not ask for.
    """

    figures: Mapping[str, Figure]
    counts: Mapping[str, int]
    missing: Mapping[str, int]
    unknown: int
    rows: tuple[Row, ...]

    def rows_text(self) -> str:
        """Return the prediction rows as JSON lines."""
        return write_rows(self.rows)

    def to_document(self) -> dict[str, Any]:
        """Return the report as plain values for JSON ("singcoach.coachbench/1")."""
        return {
            "schema": SCHEMA,
            "figures": {name: asdict(figure) for name, figure in self.figures.items()},
            "counts": dict(self.counts),
            "missing": dict(self.missing),
            "unknown_rows": self.unknown,
        }

    def to_lines(self) -> tuple[str, ...]:
        """Return the report for a person, line by line."""
        rows = [
            (name.replace("_", " "), str(figure) if figure.value is not None else "-")
            for name, figure in self.figures.items()
        ]
        lines = text_table(("VocalCoachBench", "mean (80 %)"), rows).split("\n")
        for kind, count in self.counts.items():
            lines.append(f"{count} {kind}, {self.missing[kind]} of them without a row")
        if self.unknown:
            lines.append(f"{self.unknown} rows that the key does not ask for were left out")
        return tuple(lines)


def run_key(key_path: Path, predictions_path: Path) -> KeyReport:
    """Score prediction rows, or rows made from assessments, against a key.

    Raises
    ------
    InputError
        A file is not as it has to be, or nothing of the key is predicted.
    """
    key = read_key(key_path)
    if _holds_assessments(predictions_path):
        rows = rows_for_key(key, _assessments(predictions_path))
    else:
        rows = read_rows(predictions_path)
    report = score_rows(rows, key)
    if all(report.missing[kind] == count for kind, count in report.counts.items()):
        raise InputError(
            f"{predictions_path.name} predicts nothing that {key_path.name} asks for",
            hint="The ids of both files have to be the same",
        )
    return report


def read_key(path: Path) -> Key:
    """Read a key: pair manifest, issue references and segment labels, in one file or apart.

    Pairs hold ``pair_id``, ``audio_a_id``, ``audio_b_id`` and ``reference_orders`` (or a
    ``winner``), and ``triplet_instance_id`` or ``triplet_id`` where three pairs belong together;
    performances ``audio_id`` and ``references`` (or ``top3_issues``); segments ``sample_id`` and
    ``labels`` (or ``category``). Other fields are passed over.

    Raises
    ------
    InputError
        One sentence with the line.
    """
    pairs: dict[str, KeyPair] = {}
    issues: dict[str, tuple[tuple[Issue, ...], ...]] = {}
    segments: dict[str, tuple[Issue, ...]] = {}
    for where, fields in read_objects(path, kind="a key of VocalCoachBench"):
        if "pair_id" in fields:
            pair = _key_pair(fields, where)
            twice = pairs.setdefault(pair.pair_id, pair) is not pair
        elif "audio_id" in fields:
            lists = fields.get("references", [fields.get("top3_issues")])
            if not isinstance(lists, list) or not lists:
                raise InputError(f"{where}: no references", hint=HINT)
            found = tuple(read_issues(item, where, most=3) for item in lists)
            twice = issues.setdefault(read_id(fields, "audio_id", where), found) is not found
        elif "sample_id" in fields:
            if "labels" in fields:
                labels = read_issues(fields["labels"], where, most=7)
            else:
                labels = (read_issue(fields.get("category"), where),)
            twice = segments.setdefault(read_id(fields, "sample_id", where), labels) is not labels
        else:
            raise InputError(f"{where}: no pair_id, audio_id or sample_id", hint=HINT)
        if twice:
            raise InputError(f"{where}: its id comes twice", hint=HINT)
    return Key(pairs=tuple(pairs.values()), issues=issues, segments=segments)


def _key_pair(fields: Mapping[str, Any], where: str) -> KeyPair:
    name, a, b = (read_id(fields, n, where) for n in ("pair_id", "audio_a_id", "audio_b_id"))
    if a == b:
        raise InputError(f"{where}: A and B are the same", hint=HINT)
    if "reference_orders" in fields:
        orders = fields["reference_orders"]
        if not isinstance(orders, list) or not orders:
            raise InputError(f"{where}: no reference order", hint=HINT)
        for order in orders:
            names = isinstance(order, list) and all(isinstance(item, str) for item in order)
            if not names or len(set(order)) != len(order) or not {a, b} <= set(order):
                raise InputError(f"{where}: an order does not rank A and B", hint=HINT)
    else:
        winner = read_winner(fields.get("winner"), where)
        orders = [[a, b] if winner == "A" else [b, a]]
    triplet = fields.get("triplet_instance_id") or fields.get("triplet_id") or name
    return KeyPair(
        pair_id=name, a=a, b=b, triplet=str(triplet), orders=tuple(tuple(o) for o in orders)
    )


def rows_for_key(key: Key, assessments: Mapping[str, Mapping[str, Any]]) -> tuple[Row, ...]:
    """Make the rows that a key asks for out of assessments by file name; others are left out."""
    wanted = [name for pair in key.pairs for name in (pair.a, pair.b)]
    found = match([*wanted, *key.issues, *key.segments], assessments).found
    by_id = {name: assessments[files[0]] for name, files in found.items()}
    rows: list[Row | None] = [
        pair_row(pair.pair_id, by_id[pair.a], by_id[pair.b])
        for pair in key.pairs
        if pair.a in by_id and pair.b in by_id
    ]
    rows += [issues_row(name, by_id[name]) for name in key.issues if name in by_id]
    rows += [segment_row(name, by_id[name]) for name in key.segments if name in by_id]
    return tuple(row for row in rows if row is not None)


def score_rows(rows: Sequence[Row], key: Key) -> KeyReport:
    """Compare rows with a key; see :class:`KeyReport`."""
    winners = {row.pair_id: row.winner for row in rows if isinstance(row, PairRow)}
    top3 = {row.audio_id: row.top3_issues for row in rows if isinstance(row, IssuesRow)}
    category = {row.sample_id: row.category for row in rows if isinstance(row, SegmentRow)}
    triplets: dict[str, list[KeyPair]] = {}
    for pair in key.pairs:
        triplets.setdefault(pair.triplet, []).append(pair)
    whole = [pairs for pairs in triplets.values() if len(pairs) == 3]
    figures: dict[str, Figure] = {}
    if key.pairs:
        groups = list(triplets.values())
        right = [float(np.mean([_pair_right(p, winners) for p in g])) for g in groups]
        figures["pair_accuracy"] = _mean(right)
    if whole:
        figures["triplet_order"] = _mean([_order_right(pairs, winners) for pairs in whole])
    if key.issues:
        figures |= {
            name: _mean(
                [_over(agree, top3.get(audio, ()), lists) for audio, lists in key.issues.items()]
            )
            for name, agree in _ISSUE_FIGURES.items()
        }
    if key.segments:
        figures["segment_accuracy"] = _mean(
            [float(category.get(name) in labels) for name, labels in key.segments.items()]
        )
    asked = {
        "pairs": [pair.pair_id in winners for pair in key.pairs],
        "performances": [name in top3 for name in key.issues],
        "segments": [name in category for name in key.segments],
    }
    predicted = sum(sum(found) for found in asked.values())
    return KeyReport(
        figures=figures,
        counts={kind: len(found) for kind, found in asked.items() if found},
        missing={kind: len(found) - sum(found) for kind, found in asked.items() if found},
        unknown=len(rows) - predicted,
        rows=tuple(rows),
    )


def _pair_right(pair: KeyPair, winners: Mapping[str, str]) -> float:
    """Share of the reference orders that agree with the row; 0 without one."""
    better = {"A": pair.a, "B": pair.b}.get(winners.get(pair.pair_id, ""))
    if better is None:
        return 0.0
    other = pair.b if better == pair.a else pair.a
    return float(np.mean([order.index(better) < order.index(other) for order in pair.orders]))


def _order_right(pairs: Sequence[KeyPair], winners: Mapping[str, str]) -> float:
    """Share of the reference orders that the three winners make; a cycle makes none."""
    wins: dict[str, int] = {}
    for pair in pairs:
        wins.setdefault(pair.a, 0)
        wins.setdefault(pair.b, 0)
        if pair.pair_id not in winners:
            return 0.0
        wins[pair.a if winners[pair.pair_id] == "A" else pair.b] += 1
    if len(wins) != 3 or len(set(wins.values())) != 3:
        return 0.0
    order = tuple(sorted(wins, key=lambda name: -wins[name]))
    return float(np.mean([order == reference for reference in pairs[0].orders]))


def _overlap(predicted: Sequence[Issue], reference: Sequence[Issue]) -> float:
    return len(set(predicted) & set(reference)) / 3.0


def _ndcg(predicted: Sequence[Issue], reference: Sequence[Issue]) -> float:
    """Gain of the issues that the reference holds, less the later they come; 1 at best."""
    gain = sum(
        1.0 / math.log2(place + 2) for place, issue in enumerate(predicted) if issue in reference
    )
    return gain / sum(1.0 / math.log2(place + 2) for place in range(len(reference)))


def _first(predicted: Sequence[Issue], reference: Sequence[Issue]) -> float:
    return float(tuple(predicted[:1]) == tuple(reference[:1]))


_Agree: TypeAlias = Callable[[Sequence[Issue], Sequence[Issue]], float]
_ISSUE_FIGURES: Mapping[str, _Agree] = {
    "top3_overlap": _overlap,
    "top1_accuracy": _first,
    "top3_ndcg": _ndcg,
}


def _over(
    agree: _Agree, predicted: Sequence[Issue], references: Sequence[Sequence[Issue]]
) -> float:
    """Mean agreement over the lists of several experts."""
    return float(np.mean([agree(predicted, reference) for reference in references]))


def _mean(values: Sequence[float]) -> Figure:
    column = np.array(values)
    return Bootstrap(len(column)).figure(
        lambda weights: weights @ column / len(column), undefined="nothing to compare"
    )


def _holds_assessments(path: Path) -> bool:
    text, _ = read_text(path, kind="a file of predictions", hint=HINT)
    return '"singcoach.assessment/' in text[:2000] or '"singcoach.error/' in text[:2000]


def _assessments(path: Path) -> dict[str, Mapping[str, Any]]:
    text, _ = read_text(path, kind="a file of assessments", hint=HINT)
    found: dict[str, Mapping[str, Any]] = {}
    for document in read_documents(path.name, text):
        if str(document["schema"]).startswith(ERROR_SCHEMA_PREFIX):
            continue
        name = document["input"]["file"]
        if name in found:
            raise InputError(f"{path.name} holds two assessments of {name}", hint=HINT)
        found[name] = document
    return found
