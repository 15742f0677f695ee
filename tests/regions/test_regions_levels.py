from __future__ import annotations

import numpy as np
import pytest

from singcoach.dsp.runs import runs_of
from singcoach.regions.levels import close_gaps, frame_levels_db, gated_rms, moving_mean


def test_sine_has_its_level_in_every_frame() -> None:
    sine = np.sin(2 * np.pi * 200.0 * np.arange(16_000) / 16_000).astype(np.float32)
    levels = frame_levels_db(sine, hop_samples=160, window_samples=400)
    assert levels.shape == (100,)
    np.testing.assert_allclose(levels[3:-3], -3.01, atol=0.02)


def test_silence_has_the_floor() -> None:
    levels = frame_levels_db(np.zeros(161, dtype=np.float32), hop_samples=160, window_samples=400)
    np.testing.assert_array_equal(levels, [-120.0, -120.0])


def test_refuses_a_hop_off_the_block_grid() -> None:
    with pytest.raises(ValueError, match="40"):
        frame_levels_db(np.zeros(160, dtype=np.float32), hop_samples=100, window_samples=400)


def test_rests_do_not_lower_the_gated_level() -> None:
    sung = np.full(16_000, 0.2, dtype=np.float32)
    rest = np.zeros(48_000, dtype=np.float32)
    assert gated_rms(np.concatenate((sung, rest))) == pytest.approx(0.2, rel=1e-3)
    assert gated_rms(rest) == 0.0
    assert gated_rms(rest[:0]) == 0.0


def test_runs_and_gaps() -> None:
    mask = np.array([0, 1, 1, 0, 0, 1, 0, 0, 0, 1], dtype=np.bool_)
    assert runs_of(mask) == [(1, 3), (5, 6), (9, 10)]
    assert runs_of(close_gaps(mask, longest_frames=2)) == [(1, 6), (9, 10)]
    assert runs_of(np.zeros(0, dtype=np.bool_)) == []


def test_moving_mean_keeps_a_constant() -> None:
    np.testing.assert_allclose(moving_mean(np.full(7, 2.5), n_frames=5), 2.5)
    assert moving_mean(np.zeros(0), n_frames=5).size == 0
