"""Prediction rows of VocalCoachBench (arXiv 2609.04241): pair winners, top-3 issues, segments.

One JSON object a line. Only facts of the public format are used; nothing of its code.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from singcoach.benchmark.htpr.tables import read_text
from singcoach.errors import InputError

Issue = Literal["PITCH", "RHYTHM", "DICTION", "BREATH", "VOCALIZATION", "TECHNIQUE", "EXPRESSION"]
ISSUES: tuple[Issue, ...] = get_args(Issue)
ALIASES: Mapping[str, Issue] = {"PHONATION": "VOCALIZATION"}
"""Newer files of the benchmark say PHONATION."""

Winner = Literal["A", "B"]
HINT = "Give JSON lines as VocalCoachBench takes them"


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRow:
    """Which of two performances is better, how sure (0.5 to 1), and why."""

    pair_id: str
    winner: Winner
    confidence: float | None = None
    rationale: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuesRow:
    """The three weightiest issues of a performance, the weightiest first."""

    audio_id: str
    top3_issues: tuple[Issue, Issue, Issue]


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRow:
    """The main issue of a segment."""

    sample_id: str
    category: Issue


Row: TypeAlias = PairRow | IssuesRow | SegmentRow


def read_rows(path: Path) -> tuple[Row, ...]:
    """Read prediction rows of any of the three kinds, mixed or not.

    Strict: each line has the fields of its kind and no others, values of the right kind, and no
    id comes twice.

    Raises
    ------
    InputError
        One sentence with the line.
    """
    rows: list[Row] = []
    seen: set[tuple[str, str]] = set()
    for where, fields in read_objects(path, kind="a file of prediction rows"):
        id_field = next((name for name in _READERS if name in fields), None)
        if id_field is None:
            raise InputError(f"{where}: no {', '.join(_READERS)}", hint=HINT)
        reader, allowed = _READERS[id_field]
        unknown = sorted(fields.keys() - allowed)
        if unknown:
            raise InputError(f"{where}: unknown field {unknown[0][:40]}", hint=HINT)
        name = read_id(fields, id_field, where)
        if (id_field, name) in seen:
            raise InputError(f"{where}: {id_field} {name[:60]} comes twice", hint=HINT)
        seen.add((id_field, name))
        rows.append(reader(fields, name, where))
    return tuple(rows)


def write_rows(rows: Iterable[Row]) -> str:
    """Return rows as JSON lines; fields that are None are left out."""
    return "".join(
        json.dumps({k: v for k, v in asdict(row).items() if v is not None}, allow_nan=False) + "\n"
        for row in rows
    )


def read_objects(path: Path, *, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each JSON object of a file with its place (file and line) for messages.

    Raises
    ------
    InputError
        The file cannot be read, a line is no JSON object, or there is none.
    """
    text, _ = read_text(path, kind=kind, hint=HINT)
    found = False
    for line, content in enumerate(text.splitlines(), start=1):
        if not content.strip():
            continue
        where = f"{path.name}, line {line}"
        try:
            fields = json.loads(content)
        except (ValueError, RecursionError):
            fields = None
        if not isinstance(fields, dict):
            raise InputError(f"{where}: this is no JSON object", hint=HINT)
        found = True
        yield where, fields
    if not found:
        raise InputError(f"{path.name} holds no rows", hint=HINT)


def read_id(fields: Mapping[str, Any], name: str, where: str) -> str:
    """Return an id that is a text with something in it; raises InputError."""
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{where}: {name} is not a text", hint=HINT)
    return value


def read_issue(value: object, where: str) -> Issue:
    """Return one of the seven issues (PHONATION counts as VOCALIZATION); raises InputError."""
    name = ALIASES.get(value, value) if isinstance(value, str) else value
    if name not in ISSUES:
        raise InputError(f"{where}: {str(value)[:40]} is none of {', '.join(ISSUES)}", hint=HINT)
    return name


def read_winner(value: object, where: str) -> Winner:
    """Return A or B; raises InputError."""
    if value not in ("A", "B"):
        raise InputError(f"{where}: the winner is neither A nor B", hint=HINT)
    return value


def read_issues(value: object, where: str, *, most: int) -> tuple[Issue, ...]:
    """Return one to ``most`` different issues; raises InputError."""
    if not isinstance(value, list) or not 0 < len(value) <= most:
        raise InputError(f"{where}: no list of 1 to {most} issues", hint=HINT)
    issues = tuple(read_issue(item, where) for item in value)
    if len(set(issues)) != len(issues):
        raise InputError(f"{where}: an issue comes twice", hint=HINT)
    return issues


def _pair(fields: Mapping[str, Any], name: str, where: str) -> PairRow:
    confidence, rationale = fields.get("confidence"), fields.get("rationale")
    if confidence is not None:
        number = isinstance(confidence, int | float) and not isinstance(confidence, bool)
        if not number or not (math.isfinite(confidence) and 0.0 <= confidence <= 1.0):
            raise InputError(f"{where}: the confidence is not a number in 0..1", hint=HINT)
    if rationale is not None and not isinstance(rationale, str):
        raise InputError(f"{where}: the rationale is not a text", hint=HINT)
    return PairRow(
        pair_id=name,
        winner=read_winner(fields.get("winner"), where),
        confidence=None if confidence is None else float(confidence),
        rationale=rationale,
    )


def _issues(fields: Mapping[str, Any], name: str, where: str) -> IssuesRow:
    issues = read_issues(fields.get("top3_issues"), where, most=3)
    if len(issues) != 3:
        raise InputError(f"{where}: top3_issues does not hold three issues", hint=HINT)
    return IssuesRow(audio_id=name, top3_issues=(issues[0], issues[1], issues[2]))


def _segment(fields: Mapping[str, Any], name: str, where: str) -> SegmentRow:
    return SegmentRow(sample_id=name, category=read_issue(fields.get("category"), where))


_Reader: TypeAlias = Callable[[Mapping[str, Any], str, str], Row]
_READERS: Mapping[str, tuple[_Reader, frozenset[str]]] = {
    "pair_id": (_pair, frozenset(("pair_id", "winner", "confidence", "rationale"))),
    "audio_id": (_issues, frozenset(("audio_id", "top3_issues"))),
    "sample_id": (_segment, frozenset(("sample_id", "category"))),
}
