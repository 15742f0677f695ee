"""What the edits move: ``python -m singcoach.training.edits.sensitivity --corpus DIR``.

Analyses and scores every take of a corpus and prints how near neutral resynthesis is to its
original, whether each edit moves its own physical measure step by step, and which scores fall with
its severity: the share of pairs of one base that are ordered rightly, ties half, with the middle
80 % of a seeded bootstrap over bases. A sensitivity test, no evidence of quality: that a score
falls with an edit says little of how it ranks singers.
"""

from __future__ import annotations

import argparse
import logging
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from singcoach.scoring.agreement import Estimate
from singcoach.training.corpus import ORIGINAL, Row, read_corpus
from singcoach.training.edits.kinds import EDIT_DIMENSIONS, FAULT_KINDS, EditKind
from singcoach.training.edits.readings import HEADS, TakeReading, read_takes

PROGRAM = "python -m singcoach.training.edits.sensitivity"
N_DRAWS = 1000
SEED = 0
_FEWEST_GROUPS = 3

OWN_MEASURES: Mapping[EditKind, tuple[str, float]] = {
    "pitch_error": ("scale_deviation", 1.0),
    "pitch_drift": ("note_drift", 1.0),
    "scoops": ("scoop_depth", 1.0),
    "vibrato_removed": ("vibrato_share", -1.0),
    "vibrato_irregular": ("vibrato_share", -1.0),
    "early_decay": ("phrase_end_fall", 1.0),
    "level_wobble": ("level_wobble", 1.0),
    "breaks": ("phrase_breaks", 1.0),
    "gasps": ("audible_breath", 1.0),
    "breathiness": ("cpp_low", -1.0),
    "dullness": ("spectral_tilt", -1.0),
    "harshness": ("harmonicity", -1.0),
    "flat_dynamics": ("dynamics_in_phrases", -1.0),
    "timing_slips": ("onset_shift_ms", 1.0),
}
"""The measure that each edit must move, and in which direction."""

Getter = Callable[[TakeReading], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Pairs of one edit: the share ordered rightly, how many, and the mean change at severity 1."""

    share: Estimate
    n_pairs: int
    n_missing: int
    n_bases: int
    change: float


def order_of(
    rows: Sequence[Row], readings: Mapping[str, TakeReading], value: Getter, *, sign: float
) -> Order:
    """Return how well ``sign * value`` rises with the severity, within the groups of one edit.

    Parameters
    ----------
    rows
        The rows of one edit with their originals and neutral takes.
    """
    right: list[list[float]] = []
    missing = 0
    changes: list[float] = []
    for group in dict.fromkeys(row.group for row in rows):
        members = [row for row in rows if row.group == group]
        found: list[float] = []
        for a, b in combinations(members, 2):
            if a.severity == b.severity:
                continue
            step = sign * (value(readings[b.item]) - value(readings[a.item]))
            step *= 1.0 if b.severity > a.severity else -1.0
            if math.isfinite(step):
                found.append(0.5 + 0.5 * float(np.sign(step)))
            else:
                missing += 1
        if found:
            right.append(found)
        base = [r for r in members if r.edit == ORIGINAL]
        worst = max(members, key=lambda r: r.severity)
        if base and worst.severity > 0.0:
            change = value(readings[worst.item]) - value(readings[base[0].item])
            if math.isfinite(change):
                changes.append(change)
    return Order(
        share=_bootstrap(right),
        n_pairs=sum(len(found) for found in right),
        n_missing=missing,
        n_bases=len(right),
        change=float(np.mean(changes)) if changes else math.nan,
    )


def _bootstrap(groups: Sequence[Sequence[float]]) -> Estimate:
    """Return the mean over all pairs, and the middle 80 % over draws of whole groups.

    Below three groups there is no interval (NaN): drawing one base again and again says nothing.
    """
    sums = np.array([sum(g) for g in groups])
    counts = np.array([len(g) for g in groups], dtype=np.float64)
    if len(groups) < _FEWEST_GROUPS:
        value = float(sums.sum() / counts.sum()) if len(groups) else math.nan
        return Estimate(value=value, low=math.nan, high=math.nan)
    drawn = np.random.default_rng(SEED).integers(len(groups), size=(N_DRAWS, len(groups)))
    draws = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(draws, [10.0, 90.0])
    return Estimate(value=float(sums.sum() / counts.sum()), low=float(low), high=float(high))


def rows_of(rows: Sequence[Row], edit: EditKind) -> list[Row]:
    """Return the rows of one edit with the originals and neutral takes of their groups."""
    groups = {row.group for row in rows if row.edit == edit}
    kinds = (ORIGINAL, "neutral", edit)
    return [row for row in rows if row.group in groups and row.edit in kinds]


def lines(rows: Sequence[Row], readings: Mapping[str, TakeReading]) -> Iterator[str]:
    """Yield the report, line by line."""
    yield f"{len(rows)} takes of {len({r.singer for r in rows})} singers"
    yield ""
    yield from _neutral_lines(rows, readings)
    for split in ("all", "held-out"):
        chosen = [row for row in rows if split in ("all", row.split)]
        yield ""
        yield f"Own measure, {split} singers: share of pairs in order, mean change at severity 1"
        for edit in FAULT_KINDS:
            of_edit = rows_of(chosen, edit)
            if of_edit:
                name, sign = OWN_MEASURES[edit]
                order = order_of(of_edit, readings, _measure(name), sign=sign)
                yield f"  {edit:18} {name:20} {_cell(order)} {order.change:+8.2f}"
        yield ""
        yield f"Scores, {split} singers: share of pairs in order (* must fall)"
        yield "  " + " " * 18 + "".join(f"{head:>25}" for head in HEADS) + "   bases pairs missing"
        for edit in FAULT_KINDS:
            of_edit = rows_of(chosen, edit)
            if not of_edit:
                continue
            orders = [order_of(of_edit, readings, _score(head), sign=-1.0) for head in HEADS]
            must = (*EDIT_DIMENSIONS[edit], "overall")
            cells = "".join(
                f"{_show(order.share) + (' *' if head in must else '  '):>25}"
                for head, order in zip(HEADS, orders, strict=True)
            )
            last = orders[-1]
            yield f"  {edit:18}{cells} {last.n_bases:6} {last.n_pairs:5} {last.n_missing:7}"
    yield ""
    yield "Mean change of the score from the original to severity 1, all singers"
    yield "  " + " " * 18 + "".join(f"{head:>11}" for head in HEADS)
    for edit in FAULT_KINDS:
        of_edit = rows_of(rows, edit)
        if of_edit:
            orders = [order_of(of_edit, readings, _score(head), sign=-1.0) for head in HEADS]
            yield f"  {edit:18}" + "".join(f"{order.change:+11.2f}" for order in orders)


def _neutral_lines(rows: Sequence[Row], readings: Mapping[str, TakeReading]) -> Iterator[str]:
    """Yield how near the neutral takes are to their originals."""
    originals = {row.group: row.item for row in rows if row.edit == ORIGINAL}
    for what, real in (("recordings", True), ("made singing", False)):
        pairs = [
            (readings[row.item], readings[originals[row.group]])
            for row in rows
            if row.edit == "neutral" and (row.corpus != "made") == real
        ]
        if not pairs:
            continue
        f0 = np.nanmedian([a.f0_error_cents for a, _ in pairs])
        away = np.nanmedian([a.spectral_distance_db for a, _ in pairs])
        yield (
            f"Neutral resynthesis of {what}, {len(pairs)} pairs: pitch {f0:.1f} cents and "
            f"spectrum {away:.1f} dB from the original (medians)"
        )
        for head in HEADS:
            change = np.array([a.scores[head][0] - b.scores[head][0] for a, b in pairs])
            inside = [
                b.scores[head][1] <= a.scores[head][0] <= b.scores[head][2]
                for a, b in pairs
                if math.isfinite(a.scores[head][0]) and math.isfinite(b.scores[head][0])
            ]
            known = change[np.isfinite(change)]
            if known.size:
                yield (
                    f"  {head:10} change {known.mean():+.2f}, mean size {np.abs(known).mean():.2f},"
                    f" largest {np.abs(known).max():.2f}; inside the original's interval "
                    f"{sum(inside)} of {len(inside)}"
                )


def _measure(name: str) -> Getter:
    if name == "onset_shift_ms":
        return lambda reading: reading.onset_shift_ms
    return lambda reading: reading.measures.get(name, math.nan)


def _score(head: str) -> Getter:
    return lambda reading: reading.scores[head][0]


def _cell(order: Order) -> str:
    return f"{_show(order.share):22} {order.n_pairs:4} pairs, {order.n_missing:3} missing"


def _show(share: Estimate) -> str:
    if math.isfinite(share.value) and not math.isfinite(share.low):
        return f"{share.value:.2f} (few bases)"
    return str(share)


def main() -> None:
    """Read the arguments and print the report."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="from `singcoach train edits`")
    parser.add_argument("--readings", type=Path, help="keep what was read in this JSON file")
    parser.add_argument(
        "--split", choices=("train", "held-out"), help="only these singers (default: all)"
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    rows = [r for r in read_corpus(arguments.corpus) if arguments.split in (None, r.split)]
    readings = read_takes(arguments.corpus, rows, kept=arguments.readings)
    sys.stdout.write("\n".join(lines(rows, readings)) + "\n")


if __name__ == "__main__":
    main()
