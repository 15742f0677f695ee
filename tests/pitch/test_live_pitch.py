"""The live pitch: right, steady, soon, and the same however the samples arrive."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pitch_signals import held, sung

from singcoach.benchmark.live_pitch import compare, follow, measure_delay
from singcoach.core.arrays import ANALYSIS_RATE
from singcoach.pitch.live import HOP_S, LivePitch


def shown_hz(points) -> np.ndarray:
    f0_hz = np.array([point.f0_hz for point in points])
    return f0_hz[~np.isnan(f0_hz)]


def off_cents(f0_hz: np.ndarray, midi: float) -> np.ndarray:
    return 1200.0 * np.log2(f0_hz / (440.0 * 2.0 ** ((midi - 69.0) / 12.0)))


def buzz(midi: float, rate: int, seconds: float = 0.6) -> np.ndarray:
    hz = 440.0 * 2.0 ** ((midi - 69.0) / 12.0)
    times_s = np.arange(round(seconds * rate)) / rate
    count = int(min(5000.0, 0.45 * rate) / hz)
    parts = [np.sin(2 * np.pi * k * hz * times_s + 0.7 * k * k) / k for k in range(1, count + 1)]
    return np.asarray(0.1 * np.sum(parts, axis=0), dtype=np.float32)


@pytest.mark.parametrize("rate", [16_000, 22_050, 44_100, 48_000, 96_000])
def test_every_semitone_of_every_voice(rate):
    for midi in range(38, 87):
        points = LivePitch(rate).push(buzz(midi, rate, 0.3))
        found = shown_hz(points)
        assert found.size > 0.8 * len(points), midi
        assert np.abs(off_cents(found, midi)).max() < 8.0, midi


def test_times_are_the_middle_of_what_is_heard():
    glide = np.linspace(5000.0, 7000.0, 2 * ANALYSIS_RATE)
    points = LivePitch(ANALYSIS_RATE).push(sung(glide))
    for point in points[10:-10]:
        true_cents = 5000.0 + 1000.0 * point.time_s
        assert abs(off_cents(np.array([point.f0_hz]), true_cents / 100.0)[0]) < 20.0


def test_a_new_note_is_shown_within_60_ms():
    delay = measure_delay()
    assert delay.notes > 60
    assert delay.worst_ms <= 60.0
    assert delay.median_ms <= 45.0


def test_silence_noise_and_hum_below_the_voice_have_no_pitch():
    rng = np.random.default_rng(3)
    noise = rng.normal(0.0, 0.02, ANALYSIS_RATE).astype(np.float32)
    assert shown_hz(LivePitch(ANALYSIS_RATE).push(noise)).size <= 2
    points = LivePitch(ANALYSIS_RATE).push(np.zeros(ANALYSIS_RATE, np.float32))
    assert shown_hz(points).size == 0
    assert {point.level_db for point in points} == {-120.0}


@pytest.mark.parametrize("gain_db", [-45.0, -20.0, 0.0])
def test_quiet_singers_are_followed_too(gain_db):
    audio = sung(held((6000.0, 1.0))) * np.float32(10 ** (gain_db / 20))
    points = LivePitch(ANALYSIS_RATE).push(audio)
    assert shown_hz(points).size > 0.85 * len(points)


def test_levels_are_those_of_full_scale():
    times_s = np.arange(ANALYSIS_RATE) / ANALYSIS_RATE
    sine = (0.5 * np.sin(2 * np.pi * 220.0 * times_s)).astype(np.float32)
    points = LivePitch(ANALYSIS_RATE).push(sine)
    assert points[30].level_db == pytest.approx(-9.03, abs=0.2)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 3000), min_size=1, max_size=30))
def test_the_cut_into_blocks_does_not_show(lengths):
    audio = np.concatenate([sung(held((5500.0, 0.3), (np.nan, 0.1), (6700.0, 0.3))), np.zeros(200)])
    audio = audio.astype(np.float32)
    whole = LivePitch(44_100).push(audio)
    live = LivePitch(44_100)
    edges = np.minimum(np.cumsum([0, *lengths]), audio.size)
    parts = [live.push(audio[a:b]) for a, b in zip(edges, [*edges[1:], audio.size], strict=True)]
    joined = [point for part in parts for point in part]
    assert [p.time_s for p in joined] == [p.time_s for p in whole]
    np.testing.assert_allclose(
        [p.f0_hz for p in joined], [p.f0_hz for p in whole], rtol=1e-6, equal_nan=True
    )


def test_points_follow_one_another_without_a_gap():
    live = LivePitch(48_000)
    points = live.push(buzz(60, 48_000, 1.0))
    steps = np.diff([point.time_s for point in points])
    np.testing.assert_allclose(steps, live.hop_s, atol=1e-9)
    assert live.hop_s == pytest.approx(HOP_S, rel=0.02)


def test_broken_samples_count_as_silence():
    live = LivePitch(ANALYSIS_RATE)
    assert live.push(np.zeros(0, np.float32)) == []
    assert live.push(np.full(1, np.nan, np.float32)) == []
    points = live.push(np.full(4000, np.inf, np.float32))
    assert points
    assert shown_hz(points).size == 0
    clipped = np.sign(buzz(60, ANALYSIS_RATE)).astype(np.float32)
    assert np.abs(off_cents(shown_hz(LivePitch(ANALYSIS_RATE).push(clipped)), 60.0)).max() < 10.0


def test_senseless_input_is_refused():
    with pytest.raises(ValueError, match="sample_rate"):
        LivePitch(100)
    with pytest.raises(ValueError, match="shape"):
        LivePitch(16_000).push(np.zeros((2, 10), np.float32))


def test_a_real_voice_is_followed_like_the_tracker_of_takes(take_1, take_1_pitch):
    likeness = compare(follow(take_1, ANALYSIS_RATE), take_1_pitch)
    assert likeness.frames > 1000
    assert likeness.near > 0.97
    assert likeness.gross < 0.015
    assert likeness.missed < 0.06
