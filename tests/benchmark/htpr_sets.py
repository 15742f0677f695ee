"""The rated sets of the development data as long tables: ``python htpr_sets.py DATA OUT``."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from pathlib import Path

Row = tuple[str, str, str, str, str]


def karaoke(data: Path) -> list[Row]:
    """nycu_first: 20 raters, overall 1..4; the items are files of ``vocal/``."""
    return [
        (f"{int(row['track']):02d}", row["rater"], "overall", row["score_1to4"], "")
        for row in _rows(data / "nycu_first" / "ratings.csv")
    ]


def a_cappella(data: Path, *, judges: str = "pesnq_overall_") -> list[Row]:
    """pesnq_edelweiss: overall by each judge; of the rest only the mean of five is known.

    The items are the singers, whose clips are the parts of one performance: folders of ``audio/``.
    The professional reference was rated by the twelve later judges (``tgcritic_judge``) only.
    """
    rows: list[Row] = []
    for row in _rows(data / "pesnq_edelweiss" / "ratings.csv"):
        singer = row["singer"]
        for column, value in row.items():
            if not value:
                continue
            if column.startswith(judges):
                rows.append((singer, column.removeprefix(judges), "overall", value, singer))
            elif column.startswith("mean5_") and column != "mean5_overall":
                rows.append((singer, "mean of 5", column.removeprefix("mean5_"), value, singer))
    return rows


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write a long table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("item", "rater", "dimension", "score", "singer"))
        writer.writerows(rows)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    source, target = (Path(argument) for argument in sys.argv[1:3])
    target.mkdir(parents=True, exist_ok=True)
    write(target / "nycu_first.csv", karaoke(source))
    write(target / "pesnq_edelweiss.csv", a_cappella(source))
    write(target / "pesnq_edelweiss_12.csv", a_cappella(source, judges="tgcritic_judge"))
