from __future__ import annotations

import numpy as np
import pytest

from singcoach.benchmark import room_measures as measures
from singcoach.benchmark import rooms
from singcoach.benchmark.room_methods import METHODS
from singcoach.benchmark.room_report import tables
from singcoach.dsp.rooms import absorption
from singcoach.errors import InputError

RATE = 16_000


def sung(duration_s: float = 12.0) -> np.ndarray:
    """Return three notes with vibrato, over and over."""
    times_s = np.arange(int(duration_s * RATE)) / RATE
    hertz = 220 * 2 ** (np.floor(times_s % 3) / 6 + 0.02 * np.sin(2 * np.pi * 5 * times_s))
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    return sum(np.sin(k * phase) / k for k in range(1, 9)).astype(np.float32) * 0.1


def test_si_sdr_is_that_of_known_noise_and_knows_no_level():
    random = np.random.default_rng(0)
    target = random.standard_normal(RATE).astype(np.float32)
    noise = random.standard_normal(RATE)
    noise -= target * (noise @ target) / (target @ target)
    noise *= 0.1 * np.linalg.norm(target) / np.linalg.norm(noise)
    got = (target + noise).astype(np.float32)
    assert measures.si_sdr_db(target, got) == pytest.approx(20, abs=0.01)
    assert measures.si_sdr_db(target, 3 * got) == pytest.approx(20, abs=0.01)
    assert measures.si_sdr_db(target, target) == 100


def test_a_tail_of_known_decay_is_measured():
    random = np.random.default_rng(0)
    audio = random.standard_normal(2 * RATE)
    times_s = np.maximum(np.arange(2 * RATE) / RATE - 1, 0)
    audio *= 10 ** (-60 * times_s / 20)  # 60 dB/s from 1 s on
    tail = measures.tail(audio.astype(np.float32), [RATE])
    assert tail.slope_db_per_s == pytest.approx(-60, rel=0.05)
    span_s = np.linspace(*measures.TAIL_S, 1000)
    assert tail.level_db == pytest.approx(10 * np.log10(np.mean(10 ** (-6 * span_s))), abs=0.5)


def test_flutter_is_nothing_for_a_steady_gain_and_much_for_a_blinking_one():
    random = np.random.default_rng(0)
    wet = random.standard_normal(2 * RATE).astype(np.float32)
    blink = np.where(np.arange(wet.size) // 512 % 2, 1.0, 0.2).astype(np.float32)
    assert measures.flutter_db(wet, 0.3 * wet, [RATE]) == pytest.approx(0, abs=1e-3)
    assert measures.flutter_db(wet, blink * wet, [RATE]) > 1


def test_pitch_accuracy_counts_what_is_near_and_misses_what_is_gone():
    truth = np.array([np.nan, 200.0, 200.0, 200.0, 200.0])
    got = np.array([300.0, 200.0, 203.0, np.nan, 400.0])
    assert measures.pitch_accuracy(truth, got) == 0.5
    assert np.isnan(measures.pitch_accuracy(truth[:1], got[:1]))


def test_a_take_is_stopped_where_the_list_says():
    dry, ends = rooms.stopped(sung())
    assert len(ends) == rooms.N_STOPS
    for end in ends:
        assert np.all(dry[end : end + RATE // 2] == 0)
        assert np.abs(dry[end - RATE // 5 : end - RATE // 20]).max() > 0.05


def test_every_room_can_be_built():
    for room in (*rooms.ROOMS, *rooms.blind_rooms()):
        assert np.all(absorption(room) < 1)
    assert rooms.blind_rooms() == rooms.blind_rooms()
    names = [room.name for room in (*rooms.ROOMS, *rooms.blind_rooms())]
    assert len(set(names)) == len(names)


def test_a_run_has_a_row_for_each_take_room_and_method_and_a_table():
    methods = {name: METHODS[name]() for name in ("untouched", "plain WPE", "SingCoach")}
    rows = rooms.run(
        {"made": sung()},
        methods,
        pitch=lambda audio: audio[::256] * 0 + 220.0,
        rooms=rooms.ROOMS[3:5],
    )
    assert len(rows) == 1 * 3 * 3
    by = {(row.room, row.method): row for row in rows}
    living = rooms.ROOMS[3].name
    assert by["", "untouched"].si_sdr_db == 100
    assert by[living, "untouched"].early_si_sdr_db > by[living, "untouched"].si_sdr_db
    assert by[living, "SingCoach"].tail_db < by[living, "untouched"].tail_db - 3
    text = tables(rows)
    assert living in text
    assert "against plain WPE" in text


def test_a_folder_without_takes_is_refused(tmp_path):
    with pytest.raises(InputError, match="no dry takes"):
        rooms.load_takes(tmp_path)
    with pytest.raises(InputError, match="no other dry takes"):
        rooms.load_blind_takes(tmp_path)
