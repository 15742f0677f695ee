from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from screening_takes import HOP_S, MELODY, RATE, Sung, chords

from singcoach.core.music import PitchTrack
from singcoach.core.take import Backing
from singcoach.screening.backing import analyse_backing
from singcoach.screening.pitch_accuracy import (
    ScaleFit,
    fit_to_backing,
    fit_to_self,
    steady_semitones,
)

Fit = Callable[[Sung], ScaleFit]


@pytest.fixture(scope="module")
def c_major() -> Backing:
    audio = chords(
        [0, 5, 7, 0, 9, 2, 7, 0] * 3, minor=([False] * 4 + [True, True, False, False]) * 3
    )
    return analyse_backing(audio, sample_rate=RATE)


def _self(sung: Sung) -> ScaleFit:
    fit = fit_to_self(sung.pitch, regions=sung.regions)
    assert fit is not None
    return fit


def _against(sung: Sung, backing: Backing) -> ScaleFit:
    fit = fit_to_backing(sung.pitch, regions=sung.regions, backing=backing)
    assert fit is not None
    return fit


def _errors(cents: float) -> list[float]:
    random = np.random.default_rng(5)
    return list(random.standard_normal(len(MELODY)) * cents)


def test_in_tune_is_one_and_errors_lower_it_step_by_step(c_major: Backing) -> None:
    spreads = (0.0, 15.0, 30.0, 60.0)
    own = [_self(Sung(cents=_errors(spread))).fit for spread in spreads]
    against = [_against(Sung(cents=_errors(spread)), c_major).fit for spread in spreads]
    for fits in (own, against):
        assert fits[0] > 0.95
        assert all(a > b + 0.02 for a, b in itertools.pairwise(fits))
    assert _self(Sung()).accuracy == 1.0
    assert _against(Sung(), c_major).accuracy == 1.0


@settings(max_examples=25, deadline=None)
@given(st.floats(-1200.0, 1200.0))
def test_the_own_scale_moves_with_the_singer(cents: float) -> None:
    fit = _self(Sung(cents=cents))
    assert fit.fit > 0.97
    wrapped = (cents - fit.tuning_cents + 50.0) % 100.0 - 50.0
    assert wrapped == pytest.approx(0.0, abs=6.0)


@pytest.mark.parametrize("octaves", [-2, -1, 1])
def test_another_octave_costs_nothing(c_major: Backing, octaves: int) -> None:
    here = Sung(cents=_errors(25.0))
    there = Sung([note + 12 * octaves for note in MELODY], cents=_errors(25.0))
    assert _self(there).fit == pytest.approx(_self(here).fit, abs=1e-6)
    assert _against(there, c_major).fit == pytest.approx(_against(here, c_major).fit, abs=1e-6)


def test_vibrato_costs_almost_nothing(c_major: Backing) -> None:
    straight, shaken = Sung(), Sung(vibrato_cents=70.0)
    assert _self(straight).fit - _self(shaken).fit < 0.03
    assert _against(straight, c_major).fit - _against(shaken, c_major).fit < 0.03


def test_slow_drift_is_reported_and_not_punished() -> None:
    fit = _self(Sung(MELODY * 4, drift_cents=60.0))
    assert fit.accuracy > 0.95
    assert fit.drift_cents == pytest.approx(60.0, abs=20.0)
    assert abs(_self(Sung(MELODY * 4)).drift_cents) <= 5.0


@pytest.mark.parametrize(("cents", "gap"), [(40.0, 40.0), (-25.0, -25.0), (0.0, 0.0)])
def test_a_wrong_tuning_shows_against_the_backing(
    c_major: Backing, cents: float, gap: float
) -> None:
    fit = _against(Sung(cents=cents), c_major)
    assert fit.tuning_gap_cents == pytest.approx(gap, abs=4.0)
    assert fit.fit == pytest.approx(np.exp(-0.5 * (cents / 40.0) ** 2), abs=0.05)


def test_the_wrong_key_loses_against_the_right_one(c_major: Backing) -> None:
    wrong = Sung([note + 6 for note in MELODY])
    assert _against(wrong, c_major).accuracy < _against(Sung(), c_major).accuracy - 0.4


def test_random_pitch_earns_little() -> None:
    random = np.random.default_rng(2)
    notes = Sung(list(random.uniform(55.0, 67.0, 60)))
    assert _self(notes).accuracy < 0.3


def test_the_key_is_the_singers() -> None:
    key = _self(Sung([note + 2 for note in MELODY], cents=20.0)).key
    assert key is not None
    assert key.name == "D major"
    assert key.tuning_cents == pytest.approx(20.0, abs=4.0)


def test_a_modulating_backing_is_followed() -> None:
    roots, minor = [0, 5, 7, 0] * 10, [False] * 40
    audio = chords(roots + [root + 1 for root in roots] * 2, minor=minor * 3)
    backing = analyse_backing(audio, sample_rate=RATE)
    lower = Sung(MELODY * 2)
    assert _against(lower, backing).accuracy > 0.9


def test_too_little_and_one_note_say_nothing(c_major: Backing) -> None:
    short = Sung(MELODY[:5])
    assert fit_to_self(short.pitch, regions=short.regions) is None
    assert fit_to_backing(short.pitch, regions=short.regions, backing=c_major) is None
    hummed = Sung([60.0] * 40)
    assert fit_to_self(hummed.pitch, regions=hummed.regions) is None
    sung = Sung()
    assert fit_to_self(sung.pitch, regions=()) is None
    empty = PitchTrack(times_s=np.zeros(0), f0_hz=np.zeros(0), confidence=np.zeros(0), hop_s=HOP_S)
    assert fit_to_self(empty, regions=()) is None


def test_smoothing_keeps_steps_and_gaps() -> None:
    sung = Sung(MELODY)
    smooth = steady_semitones(sung.pitch)
    np.testing.assert_array_equal(np.isfinite(smooth), sung.pitch.voiced)
    raw = 69 + 12 * np.log2(sung.pitch.f0_hz[sung.pitch.voiced] / 440.0)
    assert np.mean(np.abs(smooth[sung.pitch.voiced] - raw) < 0.01) > 0.9
