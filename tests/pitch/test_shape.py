"""Scoop, drift, steadiness and glides of analytic notes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pitch_signals import HOP_S, track, vibrato_contour

from singcoach.core.arrays import RealArray
from singcoach.core.music import Note
from singcoach.pitch.shape import measure_shape, measure_shapes, note_contour


def flat(seconds: float = 1.0, cents: float = 6000.0) -> RealArray:
    return np.full(round(seconds / HOP_S), cents)


def test_a_flat_note_has_no_shape() -> None:
    shape = measure_shape(flat(), hop_s=HOP_S)
    assert (shape.scoop_cents, shape.scoop_s) == (0.0, 0.0)
    assert shape.drift_cents_per_s == pytest.approx(0.0)
    assert shape.steadiness_cents == pytest.approx(0.0)
    assert not shape.glide


@given(depth=st.floats(60.0, 250.0), rise_s=st.floats(0.06, 0.22))
def test_a_scoop_is_measured(depth: float, rise_s: float) -> None:
    n_rise = round(rise_s / HOP_S)
    start = 6000.0 - depth * (1.0 - np.arange(n_rise) / n_rise)
    shape = measure_shape(np.concatenate([start, flat()]), hop_s=HOP_S)
    assert shape.scoop_cents == pytest.approx(depth, abs=5.0)
    assert shape.scoop_s == pytest.approx(n_rise * HOP_S, abs=0.05)
    assert shape.drift_cents_per_s is not None
    assert abs(shape.drift_cents_per_s) < 15.0


def test_coming_from_a_lower_note_is_no_scoop() -> None:
    contour = np.concatenate([np.linspace(5800.0, 6000.0, 8), flat()])
    shape = measure_shape(contour, hop_s=HOP_S, from_below=True)
    assert shape.scoop_cents is None
    assert shape.steadiness_cents is not None


def test_trust_fades_where_a_note_turns_into_a_slide_or_grows_too_short() -> None:
    steeper = [np.linspace(6000.0, 6000.0 + rise, 30) for rise in np.arange(0.0, 160.0, 2.0)]
    shorter = [flat(0.016 * n_frames) for n_frames in range(30, 4, -1)]
    for contours, step in ((steeper, 0.1), (shorter, 0.15)):
        trust = np.array([measure_shape(contour, hop_s=HOP_S).trust for contour in contours])
        assert trust[0] == 1.0
        assert trust[-1] == 0.0
        assert (np.diff(trust) <= 1e-9).all()
        assert (np.diff(trust) >= -step).all()


def test_starting_above_is_no_scoop() -> None:
    contour = np.concatenate([np.linspace(6150.0, 6000.0, 8), flat()])
    assert measure_shape(contour, hop_s=HOP_S).scoop_cents == 0.0


@given(slope=st.floats(-75.0, 75.0), seconds=st.floats(0.5, 3.0))
def test_drift_is_the_slope(slope: float, seconds: float) -> None:
    contour = flat(seconds)
    contour = contour + slope * HOP_S * np.arange(contour.size)
    shape = measure_shape(contour, hop_s=HOP_S)
    assert shape.drift_cents_per_s is not None
    # The ends of a note that drifts by more than half a semitone each way count as edges.
    assert shape.drift_cents_per_s == pytest.approx(slope, abs=1.0)
    assert shape.steadiness_cents == pytest.approx(0.0, abs=0.5)


@given(rate_hz=st.floats(4.5, 7.5), extent_cents=st.floats(20.0, 120.0))
def test_vibrato_is_not_unsteadiness(rate_hz: float, extent_cents: float) -> None:
    shape = measure_shape(vibrato_contour(rate_hz, extent_cents, seconds=2.0), hop_s=HOP_S)
    assert shape.steadiness_cents is not None
    assert shape.steadiness_cents < 0.25 * extent_cents / np.sqrt(2.0) + 1.0
    assert not shape.glide


@pytest.mark.parametrize("wobble_cents", [5.0, 15.0, 25.0])
def test_slow_wobble_is_unsteadiness(wobble_cents: float) -> None:
    times_s = np.arange(180) * HOP_S
    contour = 6000.0 + wobble_cents * np.sin(2.0 * np.pi * 1.5 * times_s)
    shape = measure_shape(contour, hop_s=HOP_S)
    assert shape.steadiness_cents == pytest.approx(wobble_cents / np.sqrt(2.0), rel=0.15)


def test_a_slide_is_a_glide_and_not_an_unsteady_note() -> None:
    for contour in (np.linspace(5500.0, 6500.0, 40), np.linspace(6000.0, 5850.0, 30)):
        shape = measure_shape(contour, hop_s=HOP_S)
        assert shape.glide
        assert shape.drift_cents_per_s is None
        assert shape.steadiness_cents is None


@pytest.mark.parametrize("n_frames", [0, 1, 2, 5])
def test_a_few_frames_have_no_shape(n_frames: int) -> None:
    shape = measure_shape(np.full(n_frames, 6000.0), hop_s=HOP_S)
    assert shape.drift_cents_per_s is None
    assert not shape.glide


def test_gaps_are_refused_in_a_contour_and_filled_in_a_note() -> None:
    with pytest.raises(ValueError, match="NaN"):
        measure_shape(np.array([6000.0, np.nan]), hop_s=HOP_S)
    cents = np.array([np.nan, 1.0, np.nan, 3.0, 4.0, np.nan])
    note = Note(onset_s=0.0, offset_s=6 * HOP_S, midi=0, cents_deviation=0.0)
    times_s = np.arange(6) * HOP_S
    assert note_contour(note, cents, times_s=times_s).tolist() == [1.0, 2.0, 3.0, 4.0]
    assert note_contour(note, np.full(6, np.nan), times_s=times_s).size == 0


def test_the_notes_of_a_take_are_measured_in_order() -> None:
    rise = np.linspace(6000.0, 6400.0, 7)[1:-1]
    contour = np.concatenate([flat(0.6), rise, flat(0.6, 6400.0)])
    middle_s = (flat(0.6).size + 2.5) * HOP_S
    notes = [
        Note(onset_s=0.0, offset_s=middle_s, midi=60, cents_deviation=0.0),
        Note(onset_s=middle_s, offset_s=contour.size * HOP_S, midi=64, cents_deviation=0.0),
    ]
    first, second = measure_shapes(notes, track(contour))
    assert first.scoop_cents == 0.0
    assert second.scoop_cents is None
    assert second.drift_cents_per_s == pytest.approx(0.0, abs=0.1)
