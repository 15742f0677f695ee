"""Tuning, its drift, and the key, on tracks whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pitch_signals import HOP_S, track

from singcoach.core.arrays import RealArray
from singcoach.core.music import Note, PitchTrack
from singcoach.pitch.key import MAJOR_PROFILE, MINOR_PROFILE, estimate_key, key_of_histogram
from singcoach.pitch.tuning import estimate_tuning, tuning_drift, tuning_of_cents

MAJOR = (0, 2, 4, 5, 7, 9, 11)
SONG = (0, 4, 7, 7, 5, 4, 2, 0, 9, 7, 5, 4, 2, 11, 0, 0)
"""Degrees of a melody in C major that closes on its tonic."""


def scale_track(offset_cents: float, *, seconds: float = 30.0, seed: int = 1) -> PitchTrack:
    """Return a track of random notes of a major scale with rests, each half a second."""
    return track(_scale_cents(seconds, seed) + offset_cents)


def _scale_cents(seconds: float, seed: int) -> RealArray:
    rng = np.random.default_rng(seed)
    n_notes = round(seconds / 0.5)
    frames = round(0.5 / HOP_S)
    parts = []
    for _ in range(n_notes):
        note = np.full(frames, 6000.0 + 100.0 * rng.choice(MAJOR) + rng.normal(0.0, 8.0))
        note[-3:] = np.nan
        parts.append(note)
    return np.concatenate(parts)


def difference_on_the_circle(first: float, second: float) -> float:
    return abs((first - second + 50.0) % 100.0 - 50.0)


@given(offset=st.floats(-50.0, 50.0), seed=st.integers(0, 50))
def test_the_offset_of_a_scale_is_found(offset: float, seed: int) -> None:
    tuning = estimate_tuning(scale_track(offset, seed=seed))
    assert tuning is not None
    assert -50.0 <= tuning.cents < 50.0
    assert difference_on_the_circle(tuning.cents, offset) < 6.0
    assert tuning.concentration > 0.7


def test_vibrato_and_glides_do_not_move_the_tuning() -> None:
    times_s = np.arange(300) * HOP_S
    vibrato = 6020.0 + 80.0 * np.sin(2.0 * np.pi * 5.5 * times_s)
    glide = np.linspace(5000.0, 6300.0, 100)
    gap = np.full(10, np.nan)
    tuning = estimate_tuning(track(np.concatenate([vibrato, gap, glide, gap, vibrato + 400.0])))
    assert tuning is not None
    assert abs(tuning.cents - 20.0) < 4.0


def test_scoops_do_not_pull_the_tuning_down() -> None:
    note = np.concatenate([np.linspace(-70.0, 0.0, 12), np.zeros(12), [np.nan] * 3])
    tuning = estimate_tuning(track(np.tile(6000.0 + note, 20)))
    assert tuning is not None
    assert abs(tuning.cents) < 2.0


def test_long_sure_notes_weigh_more() -> None:
    cents = np.array([0.0, 40.0])
    assert tuning_of_cents(cents, np.array([1.0, 0.0])) == pytest.approx(0.0)
    assert tuning_of_cents(cents, np.array([9.0, 1.0])) < 5.0


@pytest.mark.parametrize("drift_cents", [-200.0, -80.0, 0.0, 60.0, 150.0])
def test_a_slow_drift_is_followed(drift_cents: float) -> None:
    cents = _scale_cents(120.0, 3)
    truth = 10.0 + np.linspace(0.0, drift_cents, cents.size)
    found = tuning_drift(track(cents + truth))
    # A constant of whole semitones cannot be told from another scale.
    error = found - truth
    error -= 100.0 * np.round(np.median(error) / 100.0)
    assert np.abs(error[500:-500]).max() < 8.0
    assert np.abs(np.diff(found)).max() < 2.0
    if drift_cents == 0.0:
        assert np.abs(found - 10.0).max() < 8.0


def test_a_long_rest_is_bridged() -> None:
    cents = _scale_cents(60.0, 5) + 20.0
    cents[1000:2600] = np.nan
    found = tuning_drift(track(cents))
    assert np.isfinite(found).all()
    assert np.abs(found - 20.0).max() < 8.0


@pytest.mark.parametrize("n_frames", [0, 1, 2, 500])
def test_nothing_sung_has_no_tuning_and_no_key(n_frames: int) -> None:
    silent = track(np.full(n_frames, np.nan))
    assert estimate_tuning(silent) is None
    assert np.isnan(tuning_drift(silent)).all()
    assert tuning_drift(silent).size == n_frames
    assert estimate_key(silent) is None


def notes_in(tonic: int, degrees: tuple[int, ...]) -> list[Note]:
    return [
        Note(
            onset_s=0.5 * i,
            offset_s=0.5 * i + (0.9 if i == len(degrees) - 1 else 0.45),
            midi=60 + tonic + degree,
            cents_deviation=0.0,
        )
        for i, degree in enumerate(degrees)
    ]


@given(tonic=st.integers(0, 11), octave=st.integers(-2, 2))
def test_transposing_the_song_transposes_the_key(tonic: int, octave: int) -> None:
    key = estimate_key(notes_in(tonic + 12 * octave, SONG), tuning_cents=7.0)
    assert key is not None
    assert (key.tonic, key.mode, key.tuning_cents) == (tonic, "major", 7.0)
    assert key.strength > 0.7


@given(tonic=st.integers(0, 11))
def test_a_profile_has_its_own_key(tonic: int) -> None:
    for mode, profile in (("major", MAJOR_PROFILE), ("minor", MINOR_PROFILE)):
        key = key_of_histogram(np.roll(profile, tonic), tuning_cents=0.0)
        assert key is not None
        assert (key.tonic, key.mode) == (tonic, mode)
        assert key.strength == pytest.approx(1.0)


def test_the_key_of_a_track_survives_mistuning_and_drift() -> None:
    frames = round(0.5 / HOP_S)
    cents = np.concatenate([np.full(frames, 6200.0 + 100.0 * degree) for degree in SONG * 8])
    cents += 35.0 + np.linspace(0.0, 200.0, cents.size)
    key = estimate_key(track(cents))
    assert key is not None
    # A take that sinks or rises is named after one of its moments, but it is one scale.
    assert key.mode == "major"
    assert key.strength > 0.7


def test_too_little_has_no_key() -> None:
    assert estimate_key([]) is None
    assert estimate_key(notes_in(0, (0, 4, 7))) is None
    assert estimate_key(notes_in(0, (0,) * 20)) is None
    assert key_of_histogram(np.zeros(12), tuning_cents=0.0) is None
    with pytest.raises(ValueError, match="shape"):
        key_of_histogram(np.ones(11), tuning_cents=0.0)
