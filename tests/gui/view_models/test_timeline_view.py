"""What of a take is visible and how few points draw it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from singcoach.gui.view_models.timeline import (
    SHORTEST_S,
    TimeView,
    in_view,
    octave_shift,
    packed,
    pitch_lines,
    pitch_range,
    semitones_of,
    wave_columns,
)

TWO_HOURS_S = 7200.0


@dataclass(frozen=True)
class Span:
    start_s: float
    end_s: float


def test_first_view_is_the_whole_take() -> None:
    view = TimeView(duration_s=30.0)
    assert (view.start_s, view.end_s, view.whole) == (0.0, 30.0, True)


def test_zoom_keeps_the_time_under_the_pointer() -> None:
    view = TimeView(duration_s=100.0).zoomed(4.0, 40.0)
    assert view.shown_s == pytest.approx(25.0)
    assert view.x_of(40.0, 1000.0) == pytest.approx(400.0)
    assert view.zoomed(0.001, 40.0).whole
    assert view.zoomed(1e9, 40.0).shown_s == SHORTEST_S


def test_view_never_leaves_the_take() -> None:
    view = TimeView(duration_s=20.0, shown_s=5.0)
    assert view.moved(-3.0).start_s == 0.0
    assert view.moved(100.0).end_s == pytest.approx(20.0)


def test_showing_moves_only_when_it_has_to() -> None:
    view = TimeView(duration_s=100.0, start_s=10.0, shown_s=20.0)
    assert view.showing(12.0, 15.0) is view
    away = view.showing(60.0, 62.0)
    assert away.shown_s == 20.0
    assert away.start_s < 60.0 < 62.0 < away.end_s
    wide = view.showing(40.0, 70.0)
    assert wide.start_s <= 40.0
    assert wide.end_s >= 70.0


def test_following_turns_the_page() -> None:
    view = TimeView(duration_s=100.0, shown_s=10.0)
    assert view.following(9.0) is view
    assert view.following(10.5).start_s == pytest.approx(9.5)


@given(st.floats(0.1, 1e5), st.floats(-1e5, 1e5), st.floats(0.0, 1e6), st.floats(0.01, 100.0))
def test_any_view_lies_within_the_take(
    duration_s: float, start_s: float, shown_s: float, factor: float
) -> None:
    view = TimeView(duration_s=duration_s, start_s=start_s, shown_s=shown_s)
    for seen in (view, view.zoomed(factor, start_s), view.moved(start_s), view.fitted()):
        assert seen.start_s >= 0.0
        assert seen.end_s <= seen.duration_s * (1 + 1e-9) + 1e-9
        assert seen.shown_s >= SHORTEST_S * (1 - 1e-9)


@pytest.mark.parametrize("shown_s", [0.5, 7.0, 60.0, TWO_HOURS_S])
def test_ticks_are_round_and_not_crowded(shown_s: float) -> None:
    view = TimeView(duration_s=TWO_HOURS_S, start_s=100.0, shown_s=shown_s)
    ticks = view.ticks(900.0)
    assert 2 <= len(ticks) <= 11
    assert all(view.start_s - 1e-6 <= t <= view.end_s + 1e-6 for t in ticks)
    if len(ticks) > 1:
        assert view.x_of(ticks[1], 900.0) - view.x_of(ticks[0], 900.0) >= 89.0


def test_wave_keeps_every_peak_however_wide_the_view() -> None:
    peaks = np.zeros((int(TWO_HOURS_S * 50), 2), np.float32)
    peaks[123_456] = (-0.7, 0.9)
    columns = wave_columns(peaks, TimeView(duration_s=TWO_HOURS_S), 800, peaks_per_s=50)
    assert columns.shape == (800, 2)
    assert columns.max() == pytest.approx(0.9)
    assert columns.min() == pytest.approx(-0.7)
    assert int(columns[:, 1].argmax()) == int(123_456 / 50 / TWO_HOURS_S * 800)


def test_wave_close_up_repeats_and_is_silent_beyond_the_end() -> None:
    peaks = np.tile(np.array([[-0.5, 0.5]], np.float32), (50, 1))
    view = TimeView(duration_s=2.0)
    columns = wave_columns(peaks, view, 400, peaks_per_s=50)
    assert (columns[:200, 1] == 0.5).all()
    assert (columns[201:] == 0.0).all()
    close = wave_columns(
        peaks, TimeView(duration_s=2.0, start_s=0.2, shown_s=0.5), 400, peaks_per_s=50
    )
    assert (close[:, 0] == -0.5).all()


@pytest.mark.parametrize("n_peaks", [0, 1, 7])
@pytest.mark.parametrize("width", [0, 1, 500])
def test_wave_of_next_to_nothing(n_peaks: int, width: int) -> None:
    peaks = np.full((n_peaks, 2), 0.25, np.float32)
    assert wave_columns(peaks, TimeView(duration_s=1.0), width, peaks_per_s=50).shape == (width, 2)


def test_two_hours_of_pitch_take_two_points_a_pixel() -> None:
    times_s = np.arange(0.0, TWO_HOURS_S, 0.016)
    heights = 60.0 + 3.0 * np.sin(times_s)
    lines = pitch_lines(times_s, heights, TimeView(duration_s=TWO_HOURS_S), 900)
    points = np.concatenate(lines)
    assert len(points) <= 2 * 900 + 4
    assert points[:, 1].min() == pytest.approx(57.0, abs=0.02)
    assert points[:, 1].max() == pytest.approx(63.0, abs=0.02)
    assert (np.diff(points[:, 0]) > 0).all()


def test_close_up_pitch_is_exact_and_broken_where_nothing_is_sung() -> None:
    times_s = np.arange(0.0, 10.0, 0.016)
    heights = np.where((times_s % 2.0) < 1.0, 60.0 + times_s, np.nan)
    view = TimeView(duration_s=10.0, start_s=2.0, shown_s=4.0)
    lines = pitch_lines(times_s, heights, view, 900)
    assert len(lines) == 2 + 1  # two seconds' ends in view and the frame before the edge
    for line in lines:
        assert np.allclose(line[:, 1], 60.0 + line[:, 0])


def test_an_octave_slip_is_no_line() -> None:
    times_s = np.arange(0.0, 1.0, 0.016)
    heights = np.where(times_s < 0.5, 60.0, 72.0)
    assert len(pitch_lines(times_s, heights, TimeView(duration_s=1.0), 900)) == 2


def test_silence_and_nothing_draw_nothing() -> None:
    view = TimeView(duration_s=5.0)
    times_s = np.arange(0.0, 5.0, 0.016)
    assert pitch_lines(times_s, np.full(times_s.size, np.nan), view, 300) == []
    assert pitch_lines(np.zeros(0), np.zeros(0), view, 300) == []


def test_pitch_range_leaves_slips_out_and_written_notes_in() -> None:
    heights = np.concatenate((np.full(1000, 60.0), np.full(3, 90.0), np.full(500, np.nan)))
    low, high = pitch_range(heights, [64.0, 100.0])
    assert low <= 59
    assert 65 <= high < 90
    assert high - low >= 12
    assert pitch_range(np.zeros(0)) == (54, 66)
    wide = pitch_range(np.linspace(20.0, 100.0, 500))
    assert wide[1] - wide[0] == 36


def test_only_what_is_near_is_looked_at() -> None:
    spans = [Span(float(i), i + 0.5) for i in range(10_000)]
    starts = np.array([s.start_s for s in spans])
    view = TimeView(duration_s=10_000.0, start_s=500.2, shown_s=3.0)
    assert [s.start_s for s in in_view(spans, starts, view)] == [500.0, 501.0, 502.0, 503.0]


def test_items_that_overlap_get_rows_of_their_own() -> None:
    spans = [Span(0, 2), Span(1, 3), Span(2.5, 4), Span(2.6, 5)]
    assert packed(spans, apart_s=0.1, most_rows=3) == [0, 1, 0, 2]
    assert max(packed(spans * 1, apart_s=0.1, most_rows=2)) == 1


def test_heights_and_octaves() -> None:
    heights = semitones_of(np.array([440.0, np.nan, 0.0, 220.0]))
    assert heights[0] == 69.0
    assert np.isnan(heights[1:3]).all()
    assert heights[3] == 57.0
    assert octave_shift([48.0, 50.0], [60, 62]) == -12
    assert octave_shift([], [60]) == 0
