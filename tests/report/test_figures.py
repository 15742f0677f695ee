"""The shapes behind the figures, and the words and times of the report."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from report_samples import make_assessment, make_evidence, make_take

from singcoach.core.wording import clock, split_sentences
from singcoach.report.figures import LONGEST_ROW_S, MOST_MOMENTS, moments, pitch_rows, radar_axes
from singcoach.report.prose import exercise_parts, linked_pieces
from singcoach.report.wording import note_name, words_of
from singcoach.scoring.measures import UNITS

WORDS = words_of("en")


def test_radar_puts_scores_on_their_axes() -> None:
    axes = radar_axes(make_assessment(without=("timbre",)).scores.dimensions, 100.0)
    assert [axis.dimension for axis in axes] == ["breath", "timbre", "emotion", "technique"]
    assert axes[0].value == pytest.approx((0.0, -100 * 3.378 / 5))
    assert axes[1].value is None
    assert axes[2].high == pytest.approx((0.0, 100 * 4.31 / 5))
    assert axes[3].low == pytest.approx((-100 * 2.4 / 5, 0.0))


@pytest.mark.parametrize("duration_s", [1.0, 12.0, 33.0, 240.0])
def test_rows_hold_every_voiced_frame_once(duration_s: float) -> None:
    take = make_take(duration_s=duration_s)
    rows = pitch_rows(take)
    for row in rows:
        assert row.duration_s <= LONGEST_ROW_S + 1.0
        for segment in row.segments:
            assert np.all(np.diff(segment[:, 0]) > 0)
            assert row.low_midi <= segment[:, 1].min() <= segment[:, 1].max() <= row.high_midi
    for first, second in itertools.pairwise(rows):
        assert first.end_s <= second.start_s
    drawn = np.concatenate([segment[:, 0] for row in rows for segment in row.segments])
    voiced = take.pitch.times_s[take.pitch.voiced]
    assert drawn.size == np.unique(drawn).size
    assert drawn.size >= 0.97 * voiced.size
    assert {note.onset_s for row in rows for note in row.notes} == {n.onset_s for n in take.notes}


def test_rows_are_even_and_break_between_phrases() -> None:
    rows = pitch_rows(make_take(duration_s=60.0))
    lengths = [row.duration_s for row in rows]
    assert len(rows) == 3
    assert max(lengths) - min(lengths) <= 5.5
    take = make_take(duration_s=60.0)
    for row in rows:
        assert all(
            row.start_s <= p.start_s and p.end_s <= row.end_s
            for p in take.phrases
            if row.start_s < (p.start_s + p.end_s) / 2 < row.end_s
        )


def test_written_notes_move_to_the_singers_octave() -> None:
    take = make_take(song=True)
    for row in pitch_rows(take):
        assert [n.midi for n in row.song_notes] == [n.midi for n in row.notes]


def test_nothing_voiced_gives_no_rows() -> None:
    assert pitch_rows(make_take(voiced=False)) == ()


def test_moments_are_numbered_in_order_of_time() -> None:
    marks = moments(make_assessment().scores)
    assert [mark.number for mark in marks] == list(range(1, 9))
    starts = [mark.evidence.start_s for mark in marks]
    assert starts == sorted(starts)


def test_what_the_coach_speaks_of_is_among_the_moments() -> None:
    assessment = make_assessment()
    weak = [make_evidence(f"breath.{n}", 0.1 * n, -0.001 * n) for n in range(1, 4)]
    loud = [make_evidence(f"timbre.{n}", 0.1 * n, 0.9) for n in range(30)]
    dimensions = dict(assessment.scores.dimensions)
    dimensions["breath"] = dataclasses.replace(dimensions["breath"], evidence=tuple(weak))
    dimensions["timbre"] = dataclasses.replace(dimensions["timbre"], evidence=tuple(loud))
    scores = dataclasses.replace(assessment.scores, dimensions=dimensions)
    marks = moments(scores, assessment.feedback)
    assert len(marks) == MOST_MOMENTS
    assert {"breath.2", "breath.3"} <= {mark.evidence.id for mark in marks}


def test_times_are_linked_only_to_moments_that_hold_them() -> None:
    marks = moments(make_assessment().scores)
    pieces = linked_pieces("At 0:05 and 0:59, at 3.5 of 5.", marks)
    assert [(p.text, p.moment is not None) for p in pieces] == [
        ("At ", False),
        ("0:05", True),
        (" and 0:59, at 3.5 of 5.", False),
    ]
    assert "".join(piece.text for piece in pieces) == "At 0:05 and 0:59, at 3.5 of 5."


def test_sentences_and_exercises_are_taken_apart() -> None:
    assert split_sentences("It is 3.5 of 5. At 0:12 it rings. ") == [
        "It is 3.5 of 5.",
        "At 0:12 it rings.",
    ]
    parts = exercise_parts("Glide (4 minutes)\nWhy.\n1. Up.\n2. Down.\nTake care: softly.")
    assert parts.title == "Glide (4 minutes)"
    assert parts.steps == ("Up.", "Down.")
    assert parts.cautions == ("Take care: softly.",)
    japanese = exercise_parts(
        "滑り\n理由。\n1. 上へ。\n2. 下へ。\n目安：楽。\n気をつけること：静かに。"
    )
    assert japanese.steps == ("上へ。", "下へ。")
    assert japanese.paragraphs == ("理由。", "目安：楽。")
    assert japanese.cautions == ("気をつけること：静かに。",)
    assert exercise_parts("Just sing.").paragraphs == ("Just sing.",)
    assert exercise_parts("").title == ""


@pytest.mark.parametrize(
    ("time_s", "text"),
    [(0.0, "0:00"), (0.999, "0:00"), (59.9999999, "1:00"), (67.8, "1:07"), (3661.0, "1:01:01")],
)
def test_clock(time_s: float, text: str) -> None:
    assert clock(time_s) == text


@pytest.mark.parametrize(
    ("score", "low", "high", "text", "span"),
    [
        (3.38, 2.41, 4.3, "3.5", "2 to 4.5"),
        (1.0, 1.0, 1.2, "1", "1 to 1.5"),
        (5, 5, 5, "5", "5 to 5"),
    ],
)
def test_scores_in_half_points_and_ranges_widened(
    score: float, low: float, high: float, text: str, span: str
) -> None:
    assert WORDS.score(score) == text
    assert WORDS.range(low, high) == span


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "Hz", "–"),
        (-9.4, "dB", "−9.4 dB"),
        (0.0, "ratio", "0"),
        (-0.001, "ratio", "0"),
        (34.21, "cents", "34.2 cents"),
        (2345.6, "Hz", "2346 Hz"),
        (0.216, "ratio", "0.22"),
    ],
)
def test_quantities(value: float | None, unit: str, text: str) -> None:
    assert WORDS.quantity(value, unit) == text


def test_every_measure_is_explained() -> None:
    for name in UNITS:
        assert WORDS.explanation(name), name
        assert WORDS.label(name) != name
    assert WORDS.label("new_thing") == "New thing"
    assert WORDS.explanation("new_thing") == ""


def test_note_names() -> None:
    assert [note_name(m) for m in (60, 69, 61, 58.4, 21)] == [
        "C4",
        "A4",
        "C♯4",
        "B♭3",
        "A0",
    ]
