from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from singcoach.core.music import PitchTrack
from singcoach.encoders.f0_bins import N_BINS, bin_centres_hz, coarse_pitch, pitch_bins


def track(f0_hz, hop_s=0.016, start_s=0.0) -> PitchTrack:
    f0_hz = np.asarray(f0_hz, dtype=np.float64)
    return PitchTrack(
        times_s=start_s + np.arange(len(f0_hz)) * hop_s,
        f0_hz=f0_hz,
        confidence=np.ones(len(f0_hz)),
        hop_s=hop_s,
    )


@pytest.mark.parametrize(
    ("f0_hz", "expected"),
    # By hand: mel(50) = 77.755, mel(1100) = 1064.4, mel(440) = 549.64.
    [(20.0, 1), (50.0, 1), (440.0, 122), (1100.0, 255), (3000.0, 255)],
)
def test_steps_are_those_of_the_field(f0_hz, expected):
    assert pitch_bins(np.array([f0_hz]))[0] == expected


def test_centres_fall_into_their_own_step():
    centres_hz = bin_centres_hz()
    assert np.isnan(centres_hz[0])
    np.testing.assert_array_equal(pitch_bins(centres_hz[1:]), np.arange(1, N_BINS))
    assert centres_hz[1] == pytest.approx(50.0)
    assert centres_hz[-1] == pytest.approx(1100.0)


@given(st.lists(st.floats(30, 2000), min_size=2, max_size=50))
def test_a_higher_pitch_never_has_a_lower_step(f0_hz):
    steps = pitch_bins(np.sort(np.array(f0_hz)))
    assert np.all(np.diff(steps.astype(int)) >= 0)
    assert steps.min() >= 1


@pytest.mark.parametrize("hop_s", [0.005, 0.010, 0.016, 0.020])
def test_a_glide_keeps_its_pitch_on_the_new_grid(hop_s):
    n = int(4 / hop_s)
    times_s = np.arange(n) * hop_s
    coarse = coarse_pitch(track(220.0 * 2 ** (times_s / 4), hop_s), n_frames=190)
    assert coarse.voiced.all()
    expected = pitch_bins(220.0 * 2 ** (np.arange(190) * 0.02 / 4))
    np.testing.assert_allclose(coarse.bins.astype(int), expected.astype(int), atol=1)
    assert (coarse.bins == expected).mean() > 0.95


def test_unvoiced_frames_and_frames_beyond_the_track_have_step_1():
    f0_hz = np.full(100, 300.0)
    f0_hz[40:60] = np.nan
    coarse = coarse_pitch(track(f0_hz, 0.02), n_frames=150)
    assert not coarse.voiced[40:60].any()
    assert not coarse.voiced[102:].any()
    assert coarse.voiced[:40].all()
    assert coarse.voiced[60:100].all()
    assert np.all(coarse.bins[~coarse.voiced] == 1)
    assert np.all(coarse.bins[coarse.voiced] == pitch_bins(np.array([300.0]))[0])


@pytest.mark.parametrize("f0_hz", [[], [np.nan], [200.0], [np.nan, 200.0]])
def test_very_short_tracks(f0_hz):
    coarse = coarse_pitch(track(f0_hz), n_frames=3)
    assert coarse.bins.shape == coarse.voiced.shape == (3,)
    assert not coarse.bins.flags.writeable
    assert coarse_pitch(track(f0_hz), n_frames=0).bins.shape == (0,)
