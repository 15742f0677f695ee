from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from signals import power_db, si_sdr_db

from singcoach.errors import Cancelled
from singcoach.jobs import Job
from singcoach.separation.dereverb import dereverb

RATE = 16_000


def room(t60_s: float, direct_to_reverb_db: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a response of decaying noise after a direct sound, and its first 50 ms."""
    times_s = np.arange(int(1.1 * t60_s * RATE)) / RATE
    tail = np.random.default_rng(0).standard_normal(times_s.size) * 10 ** (-3 * times_s / t60_s)
    tail[times_s < 0.004] = 0
    tail *= 10 ** (-direct_to_reverb_db / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return tail, np.where(times_s < 0.05, tail, 0)


def in_room(dry: np.ndarray, response: np.ndarray) -> np.ndarray:
    return scipy.signal.fftconvolve(dry, response)[: dry.size].astype(np.float32)


@pytest.fixture(scope="module", params=[1, 10, 14])
def dry(request, shared_data: Path) -> np.ndarray:
    path = shared_data / "vocadito/Audio" / f"vocadito_{request.param}.wav"
    audio = soundfile.read(path, dtype="float32")[0]
    return scipy.signal.resample_poly(audio, 160, 441).astype(np.float32)


def test_a_dry_take_is_left_alone(dry):
    np.testing.assert_array_equal(dereverb(dry), dry)


def test_from_dry_to_wet_there_is_no_jump(dry):
    response, _ = room(0.5, 3)
    room_alone = in_room(dry, response) - dry
    shares = np.linspace(0, 1, 11)
    taken = [
        np.linalg.norm(dereverb(wet) - wet) / np.linalg.norm(wet)
        for wet in (dry + np.float32(share) * room_alone for share in shares)
    ]
    assert taken[0] == 0
    assert taken[-1] > 0.05
    assert np.diff(taken).max() < 0.5 * taken[-1]


def test_a_small_change_of_the_input_is_a_small_change_of_the_result(dry):
    response, _ = room(0.25, 6)
    wet = in_room(dry, response)
    noise = np.random.default_rng(0).standard_normal(wet.size).astype(np.float32)
    noise *= 1e-3 * np.linalg.norm(wet) / np.linalg.norm(noise)
    change = np.linalg.norm(dereverb(wet + noise) - dereverb(wet))
    assert change < 20 * np.linalg.norm(noise)


def test_the_same_take_twice_is_the_same_to_the_last_bit(dry):
    response, _ = room(0.5, 3)
    wet = in_room(dry, response)
    np.testing.assert_array_equal(dereverb(wet), dereverb(wet))


def test_where_the_blocks_begin_matters_little(dry):
    response, _ = room(0.5, 3)
    wet = in_room(np.tile(dry, 1 + 40 * RATE // dry.size)[: 40 * RATE], response)
    whole, later = dereverb(wet), dereverb(wet[round(7.3 * RATE) :])
    shared = slice(round(10 * RATE), None)
    first = whole[round(7.3 * RATE) :][shared]
    assert si_sdr_db(first, later[shared]) > 15


def test_no_block_begins_with_a_click(dry):
    response, _ = room(0.5, 3)
    wet = in_room(np.tile(dry, 1 + 40 * RATE // dry.size)[: 40 * RATE], response)
    change = np.abs(np.diff(dereverb(wet) - wet))
    starts = [round(seconds * RATE) for seconds in (14, 16, 24, 26, 28, 30)]
    at_starts = max(change[start - 4 : start + 4].max() for start in starts)
    assert at_starts <= np.abs(np.diff(wet)).max()


@pytest.mark.parametrize(
    ("t60_s", "ratio_db", "least_gain_db"),
    [(0.3, 6, 0.9), (0.5, 3, 0.7), (0.8, 3, 1.0), (1.2, 0, 0.7)],
)
def test_a_room_is_made_smaller(dry, t60_s, ratio_db, least_gain_db):
    response, early = room(t60_s, ratio_db)
    wet, target = in_room(dry, response), in_room(dry, early)
    gain_db = si_sdr_db(target, dereverb(wet)) - si_sdr_db(target, wet)
    assert gain_db > least_gain_db


def test_the_tail_after_the_voice_stops_is_weaker(dry):
    response, _ = room(0.8, 3)
    end = int(8.0 * RATE)
    wet = in_room(np.where(np.arange(dry.size) < end, dry, 0), response)
    tail = slice(end + RATE // 10, end + RATE // 2)
    voice = slice(0, end)
    out = dereverb(wet)
    assert power_db(out[tail]) < power_db(wet[tail]) - 1
    assert abs(power_db(out[voice]) - power_db(wet[voice])) < 1.5


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 40 * RATE))
def test_any_length_comes_out_as_long_and_finite(n_samples):
    audio = np.random.default_rng(n_samples).standard_normal(n_samples).astype(np.float32) * 0.1
    before = audio.copy()
    out = dereverb(audio)
    assert out.shape == audio.shape
    assert out.dtype == np.float32
    assert np.isfinite(out).all()
    np.testing.assert_array_equal(audio, before)


@pytest.mark.parametrize("level", [0.0, 1e-20, 1e-6, 1.0])
def test_silence_tones_and_clicks_stay_finite(level):
    n_samples = 20 * RATE
    tone = level * np.sin(2 * np.pi * 220 / RATE * np.arange(n_samples))
    click = np.zeros(n_samples)
    click[::RATE] = level
    for audio in (tone, click, np.full(n_samples, level)):
        out = dereverb(audio.astype(np.float32))
        assert np.isfinite(out).all()
        assert np.abs(out).max() <= 2 * level


def test_a_steady_tone_is_no_room():
    tone = np.sin(2 * np.pi * 220 / RATE * np.arange(20 * RATE)).astype(np.float32)
    np.testing.assert_array_equal(dereverb(tone), tone)


def test_the_level_does_not_matter(dry):
    response, _ = room(0.5, 3)
    wet = in_room(dry, response)
    quiet = dereverb(wet * np.float32(2.0**-7))
    assert si_sdr_db(dereverb(wet), quiet) > 50


def test_wrong_shape_and_rate_are_value_errors():
    with pytest.raises(ValueError, match="shape"):
        dereverb(np.zeros((2, 100), np.float32))
    with pytest.raises(ValueError, match="16000"):
        dereverb(np.zeros(100, np.float32), sample_rate=44_100)


def test_a_cancelled_job_stops():
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        dereverb(np.ones(RATE * 6, np.float32), job=job)
