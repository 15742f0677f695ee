"""What the experiments found, as a page in Markdown and as a JSON document."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias

from singcoach.benchmark.htpr.bootstrap import Figure
from singcoach.scoring.agreement import N_DRAWS, SEED

SCHEMA = "singcoach.experiments/1"

Cell: TypeAlias = str | int | float | Figure | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under a head; a figure is shown with its 80 % interval."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.head):
                raise ValueError(f"{self.title}: {len(row)} cells under {len(self.head)} heads")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One experiment: what was asked, what was found, and what the data cannot decide."""

    name: str
    title: str
    question: str
    tables: tuple[Table, ...]
    findings: tuple[str, ...]
    limits: tuple[str, ...]
    left_out: str = field(default="")


def to_markdown(sections: Sequence[Section], *, command: str) -> str:
    """The page ``docs/experiments.md``.

    Parameters
    ----------
    command
        What was typed, without paths of one machine.
    """
    lines = [
        "# The paper's experiments on the recordings at hand",
        "",
        f"Written by `{command}`; do not edit by hand. One experiment alone: `--only NAME`.",
        "",
        "Figures are followed by the middle 80 % of a bootstrap (BCa, "
        f"{N_DRAWS} draws, seed {SEED}) in brackets. *Accuracy* is the share of pairs of takes "
        "from different terciles of the mean human rating that the score orders rightly, ties "
        "half, 0.5 by chance. Intervals speak of takes like these; few songs and few singers make "
        "the truth less certain than they say.",
        "",
        "**Not a blind test:** which measures count in the rules in force, and how much, was "
        "chosen while looking at the ratings of nycu_first and pesnq_edelweiss "
        "(`models/heads-rules.md`). Their figures on these two sets are development figures.",
        "",
    ]
    for section in sections:
        lines += [f"## {section.title}", "", f"`--only {section.name}`", "", section.question, ""]
        if section.left_out:
            lines += [f"Left out: {section.left_out}.", ""]
        for table in section.tables:
            lines += _table(table)
        lines += [f"- {finding}" for finding in section.findings]
        if section.limits:
            lines += ["", "What this cannot decide:", *(f"- {limit}" for limit in section.limits)]
        lines += [""]
    return "\n".join(lines).strip() + "\n"


def _table(table: Table) -> list[str]:
    rows = [table.head, tuple("---" for _ in table.head), *(map(_cell, r) for r in table.rows)]
    lines = [f"**{table.title}**", "", *(f"| {' | '.join(row)} |" for row in rows), ""]
    return [*lines, table.note, ""] if table.note else lines


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.2f}" if math.isfinite(value) else "none"
    return str(value)


def to_json(sections: Sequence[Section]) -> str:
    """Every figure unrounded, with its 95 % interval; null where it is not defined."""
    content = {
        "schema": SCHEMA,
        "seed": SEED,
        "n_draws": N_DRAWS,
        "experiments": [asdict(section) for section in sections],
    }
    return json.dumps(_plain(content), indent=1, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
