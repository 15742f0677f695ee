"""Tempo without key, key without tempo: lengths, pitches, attacks, and that reads do not show."""

from __future__ import annotations

import numpy as np
import pytest

from singcoach.dsp.stretch import Stretcher, stretch
from singcoach.errors import Cancelled
from singcoach.jobs import Job

RATE = 22_050


def tone(hz: float, seconds: float = 4.0) -> np.ndarray:
    times_s = np.arange(round(seconds * RATE)) / RATE
    partials = sum(np.sin(2 * np.pi * hz * k * times_s) / k for k in (1, 2, 3))
    return (0.1 * partials).astype(np.float32)


def strongest_hz(audio: np.ndarray) -> float:
    inner = audio[RATE // 4 : -RATE // 4]
    power = np.abs(np.fft.rfft(inner * np.hanning(inner.size), 8 * inner.size))
    return float(np.argmax(power) * RATE / (8 * inner.size))


def cents(found_hz: float, true_hz: float) -> float:
    return float(1200.0 * np.log2(found_hz / true_hz))


@pytest.mark.parametrize("tempo", [0.5, 0.8, 1.15, 2.0])
def test_another_tempo_keeps_the_key(tempo):
    slow = stretch(tone(220.0), RATE, tempo=tempo)
    assert slow.shape == (round(4 * RATE / tempo),)
    assert abs(cents(strongest_hz(slow), 220.0)) < 3.0
    level = np.sqrt(np.mean(slow[RATE // 4 : -RATE // 4] ** 2))
    assert level == pytest.approx(np.sqrt(np.mean(tone(220.0) ** 2)), rel=0.1)


@pytest.mark.parametrize("semitones", [-5, -1, 2, 7])
def test_another_key_keeps_the_tempo(semitones):
    moved = stretch(tone(220.0), RATE, semitones=semitones)
    assert moved.shape == tone(220.0).shape
    assert abs(cents(strongest_hz(moved), 220.0 * 2 ** (semitones / 12))) < 8.0


@pytest.mark.parametrize("tempo", [0.7, 0.85, 1.0, 1.2])
def test_attacks_stay_sharp_and_in_their_place(tempo):
    clicks = np.zeros(6 * RATE, dtype=np.float32)
    places = [round(RATE * (0.5 + 0.37 * k)) for k in range(14)]
    for place in places:
        clicks[place : place + 60] = np.hanning(60) * np.sign(np.sin(np.arange(60)))
    audio = stretch(clicks, RATE, tempo=tempo)
    for place in places:
        around = audio[round(place / tempo) - 1500 : round(place / tempo) + 1500] ** 2
        assert around[1400:1700].sum() > 0.85 * around.sum()


def test_a_held_chord_has_no_dips_where_pieces_meet():
    times_s = np.arange(6 * RATE) / RATE
    chord = sum(np.sin(2 * np.pi * hz * times_s + hz) for hz in (196.0, 246.9, 293.7, 391.9))
    audio = stretch((0.1 * chord).astype(np.float32), RATE, tempo=0.9)
    frame = RATE // 10
    inner = audio[RATE // 4 : -RATE // 4]
    levels = np.square(inner[: inner.size // frame * frame]).reshape(-1, frame).mean(axis=1)
    assert 10 * np.log10(levels.max() / levels.min()) < 3.0


def test_how_much_is_read_at_a_time_does_not_show():
    audio = np.stack([tone(200.0, 3.3), tone(333.0, 3.3)])
    whole = stretch(audio, RATE, tempo=0.8, semitones=2.0)
    stretcher = Stretcher(audio, RATE, tempo=0.8, semitones=2.0)
    parts = []
    for length in [1, 37, 40_000, 700, 5_000] * 20:
        parts.append(stretcher.read(length))
    assert not stretcher.read(100).size
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)


def test_the_place_in_the_source_is_known():
    stretcher = Stretcher(tone(200.0)[np.newaxis], RATE, tempo=0.5, start_sample=RATE)
    assert stretcher.source_sample == RATE
    stretcher.read(RATE)
    assert stretcher.source_sample == RATE + RATE // 2
    stretcher.read(10 * RATE)
    assert stretcher.source_sample == 4 * RATE


def test_nothing_to_do_changes_no_sample():
    audio = tone(220.0, 0.5)
    np.testing.assert_array_equal(stretch(audio, RATE), audio)


@pytest.mark.parametrize("n_samples", [0, 1, 100, 5000])
@pytest.mark.parametrize("tempo", [0.6, 1.0, 1.7])
def test_short_audio_has_its_length(n_samples, tempo):
    audio = np.full((2, n_samples), 0.1, dtype=np.float32)
    made = stretch(audio, RATE, tempo=tempo, semitones=1.0)
    assert made.shape == (2, round(n_samples / tempo))
    assert np.isfinite(made).all()


def test_silence_stays_silent():
    assert np.abs(stretch(np.zeros(2 * RATE, np.float32), RATE, tempo=0.8)).max() < 1e-6


def test_the_same_audio_gives_the_same_samples():
    first, second = (stretch(tone(220.0), RATE, tempo=0.9) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_it_can_be_stopped():
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        stretch(tone(220.0), RATE, tempo=0.9, job=job)


@pytest.mark.parametrize(
    "options", [{"tempo": 0.1}, {"tempo": np.nan}, {"semitones": 40.0}, {"semitones": np.nan}]
)
def test_senseless_wishes_are_refused(options):
    with pytest.raises(ValueError, match="must lie"):
        stretch(tone(220.0, 0.1), RATE, **options)


def test_senseless_audio_is_refused():
    with pytest.raises(ValueError, match="shape"):
        stretch(np.zeros((3, 10), np.float32), RATE, tempo=0.9)
    with pytest.raises(ValueError, match="NaN"):
        stretch(np.full(10, np.nan, np.float32), RATE, tempo=0.9)
