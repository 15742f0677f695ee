"""Delays from chirps, and where a take lies in its backing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from singcoach.audio.alignment import align_take, refine_offset
from singcoach.audio.chirps import Delay, estimate_delay, make_chirps
from singcoach.audio.latency import combine
from singcoach.audio.recorder import RecordedTake
from singcoach.audio.writing import write_wav
from singcoach.errors import DeviceError

RATE = 48_000


def _delayed(audio: np.ndarray, delay_samples: float, length: int) -> np.ndarray:
    """Shift by a fraction of a sample, in the frequency domain."""
    padded = np.zeros(length)
    padded[: audio.shape[0]] = audio
    spectrum = np.fft.rfft(padded) * np.exp(-2j * np.pi * np.fft.rfftfreq(length) * delay_samples)
    return np.fft.irfft(spectrum, length).astype(np.float32)


@settings(deadline=None, max_examples=15)
@given(delay_s=st.floats(0.001, 0.75), rate=st.sampled_from([16_000, 44_100, 48_000]))
def test_a_clean_delay_is_found_within_a_tenth_of_a_sample(delay_s, rate):
    chirps = make_chirps(rate)
    heard = _delayed(chirps.audio, delay_s * rate, chirps.audio.shape[0] + rate)
    found = estimate_delay(heard, chirps.times_s, rate)
    assert abs(found.delay_s - delay_s) * rate < 0.1
    assert found.repeats == 6
    assert found.quality > 0.9


def test_noise_a_weak_speaker_and_an_echo_do_not_move_it():
    chirps = make_chirps(RATE)
    length = chirps.audio.shape[0] + RATE
    rng = np.random.default_rng(2)
    heard = 0.05 * _delayed(chirps.audio, 4_321.0, length)
    heard += 0.04 * _delayed(chirps.audio, 4_321.0 + 0.02 * RATE, length)
    heard += rng.normal(0.0, 0.01, length).astype(np.float32)
    found = estimate_delay(heard, chirps.times_s, RATE)
    assert abs(found.delay_s * RATE - 4_321.0) < 1.0
    assert found.quality > 0.5


@pytest.mark.parametrize("what", ["silence", "noise", "nothing", "nan"])
def test_where_nothing_was_heard_nothing_is_claimed(what):
    chirps = make_chirps(RATE)
    length = chirps.audio.shape[0] + RATE
    heard = {
        "silence": np.zeros(length, np.float32),
        "noise": np.random.default_rng(4).normal(0, 0.1, length).astype(np.float32),
        "nothing": np.zeros(0, np.float32),
        "nan": np.full(length, np.nan, np.float32),
    }[what]
    found = estimate_delay(heard, chirps.times_s, RATE)
    assert found.repeats == 0
    assert found.quality == 0.0
    assert math.isnan(found.delay_s)


def test_a_slip_in_the_middle_lowers_the_quality():
    chirps = make_chirps(RATE)
    length = chirps.audio.shape[0] + RATE
    heard = _delayed(chirps.audio, 2_000.0, length)
    cut = round((chirps.times_s[4] - 0.1) * RATE)
    heard[cut:] = _delayed(chirps.audio, 2_900.0, length)[cut:]
    found = estimate_delay(heard, chirps.times_s, RATE)
    assert abs(found.delay_s * RATE - 2_000.0) < 1.0
    assert found.repeats == 4
    assert found.quality < 0.7


def _delay(ms: float, quality: float = 0.9) -> Delay:
    return Delay(delay_s=ms / 1_000.0, quality=quality, repeats=6, spread_s=0.0)


_NOT_HEARD = Delay(delay_s=math.nan, quality=0.0, repeats=0, spread_s=math.nan)


def test_runs_that_agree_make_a_good_latency():
    latency = combine([_delay(40.0), _delay(41.0), _delay(40.4)])
    assert latency.ms == pytest.approx(40.4)
    assert latency.quality == pytest.approx(0.9)
    assert (latency.repeats, latency.good) == (18, True)
    assert latency.spread_ms == pytest.approx(1.0)


def test_a_run_that_started_differently_is_left_out_and_costs_quality():
    latency = combine([_delay(40.0), _delay(140.0), _delay(41.0)])
    assert latency.ms == pytest.approx(40.5)
    assert latency.quality == pytest.approx(0.6)
    assert not combine([_delay(40.0), _delay(140.0), _delay(240.0)]).good
    assert combine([_delay(40.0), _NOT_HEARD, _NOT_HEARD]).quality == pytest.approx(0.3)
    with pytest.raises(DeviceError, match="not heard"):
        combine([_NOT_HEARD, _NOT_HEARD])


@pytest.fixture
def song(tmp_path):
    rng = np.random.default_rng(6)
    notes = [
        0.2 * np.sin(2 * np.pi * rng.uniform(150, 900) * np.arange(RATE // 4) / RATE)
        for _ in range(80)
    ]
    audio = (np.concatenate(notes) + rng.normal(0, 0.02, 80 * (RATE // 4))).astype(np.float32)
    write_wav(tmp_path / "song.wav", audio, sample_rate=RATE)
    return audio


def _take(tmp_path, audio: np.ndarray, **changes) -> RecordedTake:
    write_wav(tmp_path / "take.wav", audio, sample_rate=RATE)
    values = {
        "path": tmp_path / "take.wav", "duration_s": audio.shape[0] / RATE, "sample_rate": RATE,
        "dropouts": 0, "backing_offset_s": 0.0, "latency_s": 0.0,
    }  # fmt: skip
    return RecordedTake(**{**values, **changes})


def _voice(length: int) -> np.ndarray:
    times_s = np.arange(length) / RATE
    phase = 2 * np.pi * np.cumsum(220 + 60 * np.sin(2 * np.pi * 0.3 * times_s)) / RATE
    return 0.3 * sum(np.sin(k * phase) / k for k in range(1, 8)).astype(np.float32)


@pytest.mark.parametrize("offset", [-7_000, 1_234])
def test_a_faint_backing_under_a_loud_voice_tells_where_the_take_lies(tmp_path, song, offset):
    length = song.shape[0] - 12_000
    heard = np.zeros(length, np.float32)
    start = max(0, -offset)
    heard[start:] = 0.02 * song[start + offset : length + offset]
    take = _take(tmp_path, heard + _voice(length), backing_offset_s=offset / RATE + 0.07)
    refined = refine_offset(take, tmp_path / "song.wav")
    assert abs(refined.backing_offset_s * RATE - offset) < 0.1
    alignment = align_take(
        tmp_path / "take.wav", tmp_path / "song.wav", expected_offset_s=take.backing_offset_s
    )
    assert alignment is not None
    assert alignment.certain
    assert abs(alignment.drift_samples) < 0.5
    assert alignment.slipped_s < 0.001


def test_with_headphones_the_calibration_stays(tmp_path, song):
    rng = np.random.default_rng(8)
    alone = _voice(10 * RATE) + rng.normal(0, 0.002, 10 * RATE).astype(np.float32)
    take = _take(tmp_path, alone.astype(np.float32), backing_offset_s=-0.2)
    assert refine_offset(take, tmp_path / "song.wav") == take


def test_a_slip_in_a_take_is_told(tmp_path, song):
    heard = song[: 18 * RATE].copy()
    heard[12 * RATE :] = song[12 * RATE - 960 : 18 * RATE - 960]
    take = _take(tmp_path, heard)
    refined = refine_offset(take, tmp_path / "song.wav")
    assert abs(refined.backing_offset_s * RATE) < 0.1
    assert refined.warnings == ("Voice and backing are apart by up to 20 ms in places.",)


@pytest.mark.parametrize("seconds", [0.01, 2.0])
def test_short_and_silent_takes_stay_as_they_are(tmp_path, song, seconds):
    silent = _take(tmp_path, np.zeros(round(seconds * RATE), np.float32))
    assert refine_offset(silent, tmp_path / "song.wav") == silent
    nothing = RecordedTake(
        path=None, duration_s=0.0, sample_rate=RATE, dropouts=0, backing_offset_s=0.0,
        latency_s=0.0,
    )  # fmt: skip
    assert refine_offset(nothing, tmp_path / "song.wav") == nothing
