"""Vibrato of analytic contours, and none where none is sung."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pitch_signals import HOP_S, sung, vibrato_contour

from singcoach.core.arrays import ANALYSIS_RATE
from singcoach.pitch.contour import find_oscillations, without_vibrato
from singcoach.pitch.f0 import PitchSession, track_pitch
from singcoach.pitch.frames import hz_to_cents
from singcoach.pitch.vibrato import measure_vibrato, vibrato_share

RATES_HZ = [4.5, 5.0, 5.5, 6.0, 6.5, 7.0, 7.5]
EXTENTS_CENTS = [20.0, 40.0, 70.0, 100.0, 150.0]


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("extent_cents", EXTENTS_CENTS)
def test_rate_and_extent_of_a_sine(rate_hz: float, extent_cents: float) -> None:
    vibrato = measure_vibrato(vibrato_contour(rate_hz, extent_cents), hop_s=HOP_S)
    assert vibrato is not None
    assert abs(vibrato.rate_hz - rate_hz) < 0.3
    assert abs(vibrato.extent_cents / extent_cents - 1.0) < 0.1
    assert vibrato.regularity > 0.9


@given(
    rate_hz=st.floats(4.5, 7.5),
    extent_cents=st.floats(20.0, 150.0),
    slope=st.floats(-60.0, 60.0),
    seconds=st.floats(0.7, 3.0),
    shift=st.floats(-2000.0, 2000.0),
)
def test_drift_length_and_height_do_not_matter(
    rate_hz: float, extent_cents: float, slope: float, seconds: float, shift: float
) -> None:
    contour = vibrato_contour(rate_hz, extent_cents, seconds=seconds)
    contour += shift + slope * HOP_S * np.arange(contour.size)
    vibrato = measure_vibrato(contour, hop_s=HOP_S)
    assert vibrato is not None
    assert abs(vibrato.rate_hz - rate_hz) < 0.3
    assert abs(vibrato.extent_cents / extent_cents - 1.0) < 0.1


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("extent_cents", [50.0, 100.0, 150.0])
def test_rate_and_extent_through_the_tracker(
    rate_hz: float, extent_cents: float, pitch_session: PitchSession
) -> None:
    times_s = np.arange(2 * ANALYSIS_RATE) / ANALYSIS_RATE
    audio = sung(5700.0 + extent_cents * np.sin(2.0 * np.pi * rate_hz * times_s))
    cents = hz_to_cents(track_pitch(audio, session=pitch_session).f0_hz)
    vibrato = measure_vibrato(cents[np.isfinite(cents)], hop_s=HOP_S)
    assert vibrato is not None
    assert abs(vibrato.rate_hz - rate_hz) < 0.3
    assert abs(vibrato.extent_cents / extent_cents - 1.0) < 0.1


def test_vibrato_that_sets_in_late_is_found() -> None:
    contour = np.concatenate([np.full(40, 6000.0), vibrato_contour(5.5, 60.0, seconds=0.8)])
    vibrato = measure_vibrato(contour, hop_s=HOP_S)
    assert vibrato is not None
    assert abs(vibrato.rate_hz - 5.5) < 0.3
    assert 0.4 < vibrato_share(contour, hop_s=HOP_S) < 0.7


@given(jitter=st.floats(0.0, 6.0), seed=st.integers(0, 1000), slope=st.floats(-100.0, 100.0))
def test_straight_notes_have_none(jitter: float, seed: int, slope: float) -> None:
    noise = np.random.default_rng(seed).normal(0.0, jitter, 90) if jitter else np.zeros(90)
    contour = 6000.0 + slope * HOP_S * np.arange(90) + noise
    assert measure_vibrato(contour, hop_s=HOP_S) is None


@pytest.mark.parametrize("rate_hz", [0.5, 1.0, 2.0, 3.0, 3.8, 8.8, 10.0, 14.0])
def test_slower_and_faster_movement_is_no_vibrato(rate_hz: float) -> None:
    assert measure_vibrato(vibrato_contour(rate_hz, 60.0), hop_s=HOP_S) is None


def test_a_waver_of_ten_cents_is_no_vibrato() -> None:
    assert measure_vibrato(vibrato_contour(5.5, 10.0), hop_s=HOP_S) is None
    assert measure_vibrato(vibrato_contour(5.5, 14.0), hop_s=HOP_S) is not None


def test_uneven_wavering_is_no_vibrato() -> None:
    half_cycles = [4, 4, 4, 8, 8, 8, 4, 4]
    swing = [np.cos(np.pi * np.arange(n) / n) * (-1) ** i for i, n in enumerate(half_cycles)]
    contour = 6000.0 + 40.0 * np.concatenate(swing)
    assert len(find_oscillations(contour, hop_s=HOP_S)) == 1
    assert measure_vibrato(contour, hop_s=HOP_S) is None


def test_regularity_tells_even_from_swelling_vibrato() -> None:
    even = measure_vibrato(vibrato_contour(5.5, 60.0), hop_s=HOP_S)
    contour = vibrato_contour(5.5, 1.0) - 6000.0
    noise = np.random.default_rng(3).normal(0.0, 25.0, contour.size)
    rough = measure_vibrato(6000.0 + 60.0 * contour + noise, hop_s=HOP_S)
    assert even is not None
    assert rough is not None
    assert rough.regularity < even.regularity - 0.05


def test_glides_steps_and_trills_of_one_turn_are_no_vibrato() -> None:
    glide = np.linspace(5000.0, 6200.0, 60)
    step = np.concatenate([np.full(30, 5000.0), np.full(30, 5200.0)])
    turn = np.concatenate([np.full(20, 5000.0), np.full(6, 5200.0), np.full(20, 5000.0)])
    for contour in (glide, step, turn):
        assert measure_vibrato(contour, hop_s=HOP_S) is None


@pytest.mark.parametrize("n_frames", [0, 1, 2, 4, 10])
def test_too_short_for_a_vibrato(n_frames: int) -> None:
    contour = vibrato_contour(6.0, 80.0)[:n_frames]
    assert measure_vibrato(contour, hop_s=HOP_S) is None
    assert without_vibrato(contour, hop_s=HOP_S).size == n_frames
    assert vibrato_share(contour, hop_s=HOP_S) == 0.0


def test_a_contour_with_gaps_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        measure_vibrato(np.array([6000.0, np.nan, 6000.0]), hop_s=HOP_S)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("extent_cents", EXTENTS_CENTS)
def test_the_middle_line_is_where_the_note_is(rate_hz: float, extent_cents: float) -> None:
    line = without_vibrato(vibrato_contour(rate_hz, extent_cents), hop_s=HOP_S)
    assert np.abs(line[10:-10] - 6000.0).max() < 0.12 * extent_cents + 1.0


def test_a_step_between_notes_stays_sharp() -> None:
    contour = np.concatenate([np.full(30, 5000.0), np.full(30, 5200.0)])
    assert find_oscillations(contour, hop_s=HOP_S) == ()
    assert np.array_equal(without_vibrato(contour, hop_s=HOP_S), contour)


def test_presence_fades_towards_the_least_extent() -> None:
    extents = np.arange(40.0, 11.0, -0.5)
    found = [measure_vibrato(vibrato_contour(5.5, e), hop_s=HOP_S) for e in extents]
    presence = np.array([v.presence if v is not None else 0.0 for v in found])
    assert presence[0] == 1.0
    assert presence[-1] == 0.0
    assert (np.diff(presence) >= -0.15).all()
    assert 0.3 < presence[np.searchsorted(-extents, -15.0)] < 0.7
