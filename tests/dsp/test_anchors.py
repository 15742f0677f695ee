"""Frames are counted from the first sound, and the level of the singing ignores silence."""

from __future__ import annotations

import numpy as np
import pytest

from singcoach.dsp.anchors import FIRST_SOUND, LOUD_SAMPLES, Anchor, find_anchor, frame_count
from singcoach.dsp.gate import gated_mean


def test_the_first_sound_is_found_at_any_gain_and_after_any_silence() -> None:
    noise = np.random.default_rng(3).standard_normal(4000).astype(np.float32)
    quiet = noise[:1000] * np.float32(1e-4)
    audio = np.concatenate([quiet, noise])
    plain = find_anchor(audio)
    assert plain.first_signal == 0
    assert 1000 <= plain.first_sound < 1010
    for gain in (1e-3, 0.1, 30.0):
        assert find_anchor(audio * np.float32(gain)) == plain
    for silence in (1, 255, 70_000):
        later = find_anchor(np.concatenate([np.zeros(silence, np.float32), audio]))
        assert later == Anchor(first_sound=plain.first_sound + silence, first_signal=silence)


@pytest.mark.parametrize("place", [0, 2_500, 39_000])
def test_a_click_far_above_the_take_does_not_move_the_first_sound(place: int) -> None:
    noise = np.random.default_rng(6).standard_normal(40_000).astype(np.float32)
    noise[:3000] *= np.float32(1e-4)
    clicked = noise.copy()
    clicked[place : place + 20] = 50.0 * float(np.abs(noise).max())
    plain, found = find_anchor(noise), find_anchor(clicked)
    assert 3000 <= plain.first_sound < 3010
    assert found.first_sound == min(place, plain.first_sound)


def test_the_loud_samples_are_counted_exactly_however_long_the_signal() -> None:
    audio = np.random.default_rng(7).standard_normal(200_000).astype(np.float32)
    audio[150_000:] *= np.float32(9.0)
    loud = np.sort(np.abs(audio))[-LOUD_SAMPLES]
    expected = int((np.abs(audio) >= np.float32(FIRST_SOUND * float(loud))).argmax())
    assert find_anchor(audio).first_sound == expected
    for size in (np.float32(1e-45), np.float32(1e-38)):
        assert find_anchor(np.full(50, size, dtype=np.float32)) == Anchor()


@pytest.mark.parametrize("audio", [np.zeros(0), np.zeros(5), np.full(1, 0.5), np.full(9, -0.5)])
def test_silence_and_scraps_begin_at_the_start(audio: np.ndarray) -> None:
    assert find_anchor(audio.astype(np.float32)) == Anchor()


@pytest.mark.parametrize("n_samples", [0, 1, 99, 100, 101, 250])
@pytest.mark.parametrize("phase", [0, 1, 99])
def test_every_centre_inside_the_signal_is_a_frame(n_samples: int, phase: int) -> None:
    found = frame_count(n_samples, phase=phase, hop_samples=100)
    assert found == len(range(phase, n_samples, 100))


def test_no_length_of_silence_moves_the_level_of_the_singing() -> None:
    power = np.random.default_rng(4).uniform(0.01, 1.0, 200)
    level = gated_mean(power)
    assert 0.1 * power.max() < level < power.max()
    for n_silent in (1, 200, 100_000):
        for silence in (0.0, 1e-6):
            assert gated_mean(np.concatenate([np.full(n_silent, silence), power])) == level
    assert gated_mean(np.zeros(4)) == gated_mean(np.zeros(0)) == 0.0
    assert gated_mean(1e-6 * power) == pytest.approx(1e-6 * level)
