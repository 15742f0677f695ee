from __future__ import annotations

import numpy as np
import pytest

from singcoach.dsp import rooms
from singcoach.dsp.rooms import (
    HARD_WALLS,
    SOFT_WALLS,
    Room,
    absorption,
    decay_time_s,
    direct_to_reverberant_db,
    image_response,
)

RATE = 16_000


def box(**changes) -> Room:
    values = {
        "size_m": (6.0, 4.5, 2.6),
        "source_m": (2.0, 1.5, 1.6),
        "microphone_m": (3.0, 2.5, 1.4),
        "t60_s": 0.5,
    }
    return Room(**{**values, **changes})


@pytest.mark.parametrize("t60_s", [0.3, 0.5, 0.8, 1.2])
def test_the_room_decays_about_as_fast_as_asked_for(t60_s):
    response = image_response(box(t60_s=t60_s), sample_rate=RATE)
    # A box is no diffuse field: its decay is longer than Eyring's formula says, never shorter.
    assert 0.85 < decay_time_s(response.full, RATE) / t60_s < 1.8


def test_the_direct_sound_comes_first_and_walls_come_when_geometry_says():
    room = box()
    response = image_response(room, sample_rate=RATE)
    assert np.argmax(np.abs(response.full)) == 0
    assert response.direct[0] == pytest.approx(response.full[0], rel=0.01)
    # The ceiling is the nearest wall: the image lies as far above it as the source below.
    image = np.array([2.0, 1.5, 2 * 2.6 - 1.6])
    extra_m = np.linalg.norm(image - room.microphone_m) - room.distance_m
    at = round(extra_m / rooms.SOUND_M_PER_S * RATE)
    early = np.abs(response.full - response.direct)[: at + 8]
    assert abs(int(np.argmax(early)) - at) <= 1
    quiet = early[: at - 6]
    assert quiet.max() < 0.1 * early.max()


def test_farther_away_the_room_is_louder():
    ratios = [
        direct_to_reverberant_db(
            image_response(box(source_m=(3.0 - distance, 2.5, 1.4)), sample_rate=RATE)
        )
        for distance in (0.3, 0.8, 2.0)
    ]
    assert ratios[0] > ratios[1] + 5 > ratios[2] + 8


def test_low_notes_ring_longer_between_soft_walls():
    import scipy.signal

    def decay_of(walls, low_hz, high_hz):
        response = image_response(box(walls=walls, t60_s=0.6), sample_rate=RATE).full
        sections = scipy.signal.butter(4, (low_hz, high_hz), "bandpass", fs=RATE, output="sos")
        return decay_time_s(scipy.signal.sosfilt(sections, response), RATE)

    assert decay_of(SOFT_WALLS, 90, 180) > 1.3 * decay_of(SOFT_WALLS, 1400, 2800)


def test_the_same_room_twice_is_the_same_and_another_seed_is_another():
    first, again = (image_response(box(), sample_rate=RATE, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.full, again.full)
    other = image_response(box(), sample_rate=RATE, seed=4)
    assert np.abs(first.full - other.full).max() > 0.01


def test_another_simulator_gives_the_same_room():
    referee = pytest.importorskip("pyroomacoustics")
    import scipy.signal

    room = box(size_m=(9.0, 7.0, 3.2), t60_s=0.9, walls=(1.0,) * 7)
    share = float(absorption(room)[3])
    theirs = referee.ShoeBox(
        room.size_m,
        fs=RATE,
        materials=referee.Material(share),
        max_order=60,
        air_absorption=False,
    )
    theirs.add_source(room.source_m)
    theirs.add_microphone(room.microphone_m)
    theirs.compute_rir()
    sections = scipy.signal.butter(2, 60, "highpass", fs=RATE, output="sos")
    response = scipy.signal.sosfilt(sections, theirs.rir[0][0])
    start = int(np.argmax(np.abs(response)))
    direct, rest = np.sum(response[: start + 6] ** 2), np.sum(response[start + 6 :] ** 2)
    ours = image_response(room, sample_rate=RATE)
    assert decay_time_s(ours.full, RATE) == pytest.approx(decay_time_s(response, RATE), rel=0.15)
    assert direct_to_reverberant_db(ours) == pytest.approx(10 * np.log10(direct / rest), abs=1.5)


def test_what_no_room_can_be_is_refused():
    with pytest.raises(ValueError, match="not inside"):
        image_response(box(source_m=(7.0, 1.0, 1.0)), sample_rate=RATE)
    with pytest.raises(ValueError, match="t60_s"):
        absorption(box(size_m=(30.0, 20.0, 10.0), t60_s=0.1))


def test_a_decay_that_cannot_be_seen_is_nan():
    assert np.isnan(decay_time_s(np.array([1.0, 0.9, 0.8]), RATE))
    times_s = np.arange(RATE) / RATE
    noise = np.random.default_rng(0).standard_normal(RATE)
    assert decay_time_s(noise * 10 ** (-3 * times_s / 0.4), RATE) == pytest.approx(0.4, rel=0.05)


def test_walls_have_one_value_for_each_band():
    assert (
        len(HARD_WALLS) == len(SOFT_WALLS) == len(rooms.BAND_CENTRES_HZ) == len(rooms.AIR_DB_PER_M)
    )
