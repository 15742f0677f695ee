"""Counting of pairs in order, from readings whose answer is known."""

from __future__ import annotations

import math

import pytest

from singcoach.training.corpus import Row
from singcoach.training.edits.kinds import FAULT_KINDS
from singcoach.training.edits.readings import HEADS, TakeReading
from singcoach.training.edits.sensitivity import OWN_MEASURES, lines, order_of, rows_of


def a_row(group: str, edit: str, severity: float) -> Row:
    return Row(
        item=f"{group}-{edit}-{severity}",
        file=f"audio/{group}-{edit}-{severity}.flac",
        corpus="made",
        singer="s",
        song="m",
        group=group,
        edit=edit,
        severity=severity,
        split="train",
    )


def a_reading(score: float) -> TakeReading:
    return TakeReading(
        scores=dict.fromkeys(HEADS, (score, score - 1.0, score + 1.0)),
        measures={"scoop_depth": 100.0 - score},
        f0_error_cents=2.0,
        spectral_distance_db=1.0,
        onset_shift_ms=0.0,
    )


def take(n_groups: int = 3) -> list[Row]:
    severities = (("original", 0.0), ("neutral", 0.0), ("scoops", 0.5), ("scoops", 1.0))
    return [a_row(f"g{i}", edit, s) for i in range(n_groups) for edit, s in severities]


def score_of(reading: TakeReading) -> float:
    return reading.scores["overall"][0]


def test_falling_scores_are_in_order_and_rising_ones_are_not() -> None:
    rows = take()
    falling = {row.item: a_reading(4.0 - row.severity) for row in rows}
    rising = {row.item: a_reading(2.0 + row.severity) for row in rows}
    order = order_of(rows, falling, score_of, sign=-1.0)
    assert (order.share.value, order.n_pairs, order.n_bases) == (1.0, 15, 3)
    assert order.change == pytest.approx(-1.0)
    assert order_of(rows, rising, score_of, sign=-1.0).share.value == 0.0
    level = {row.item: a_reading(3.0) for row in rows}
    assert order_of(rows, level, score_of, sign=-1.0).share.value == 0.5


def test_missing_scores_are_counted_apart() -> None:
    rows = take(1)
    readings = {row.item: a_reading(4.0 - row.severity) for row in rows}
    readings[rows[-1].item] = a_reading(math.nan)
    order = order_of(rows, readings, score_of, sign=-1.0)
    assert (order.n_pairs, order.n_missing) == (2, 3)
    assert math.isnan(order.share.low)  # one base makes no interval


def test_rows_of_an_edit_bring_their_originals_only() -> None:
    rows = [*take(1), a_row("g0", "breaks", 1.0), a_row("g9", "breaks", 1.0)]
    assert {row.edit for row in rows_of(rows, "scoops")} == {"original", "neutral", "scoops"}
    assert {row.group for row in rows_of(rows, "scoops")} == {"g0"}


def test_the_report_names_every_edit_that_is_there() -> None:
    rows = take()
    text = "\n".join(lines(rows, {row.item: a_reading(4.0 - row.severity) for row in rows}))
    assert "scoops" in text
    assert "gasps" not in text
    assert "inside the original's interval 3 of 3" in text
    assert set(OWN_MEASURES) == set(FAULT_KINDS)
