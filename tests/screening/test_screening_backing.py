from __future__ import annotations

from pathlib import Path

import mir_eval
import numpy as np
import pytest
from screening_takes import RATE, chords, clicks

from singcoach.audio.reading import read_audio
from singcoach.errors import Cancelled
from singcoach.jobs import Job
from singcoach.screening.backing import analyse_backing

CADENCE = ((0, 5, 7, 0, 9, 2, 7, 0), (False,) * 4 + (True, True, False, False))


@pytest.mark.parametrize("tonic", range(12))
def test_every_major_key_is_found(tonic: int) -> None:
    audio = chords([tonic + root for root in CADENCE[0]], minor=CADENCE[1])
    backing = analyse_backing(audio, sample_rate=RATE)
    assert backing.key is not None
    assert (backing.key.tonic, backing.key.mode) == (tonic, "major")
    assert backing.key.tuning_cents == pytest.approx(0.0, abs=3.0)


@pytest.mark.parametrize("tuning_cents", [-45.0, -30.0, -10.0, 10.0, 30.0, 45.0])
def test_tuning_is_found_and_compensated(tuning_cents: float) -> None:
    audio = chords(CADENCE[0], minor=CADENCE[1], tuning_cents=tuning_cents)
    backing = analyse_backing(audio, sample_rate=RATE)
    assert backing.key is not None
    assert backing.key.tuning_cents == pytest.approx(tuning_cents, abs=3.0)
    assert backing.key.name == "C major"


def test_chroma_shows_the_chord_of_the_moment() -> None:
    backing = analyse_backing(chords([0, 9], minor=[False, True], chord_s=2.0), sample_rate=RATE)
    c_major, a_minor = backing.chroma[10], backing.chroma[30]
    assert set(np.argsort(c_major)[-3:]) == {0, 4, 7}
    assert set(np.argsort(a_minor)[-3:]) == {9, 0, 4}
    np.testing.assert_allclose(backing.chroma.sum(axis=1), 1.0, atol=1e-5)
    assert backing.chroma.shape[0] == round(4.0 / backing.frame_s)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000])
def test_the_sample_rate_plays_no_part(rate: int) -> None:
    expected = analyse_backing(chords(CADENCE[0], minor=CADENCE[1]), sample_rate=RATE)
    found = analyse_backing(chords(CADENCE[0], minor=CADENCE[1], rate=rate), sample_rate=rate)
    assert expected.key is not None
    assert found.key is not None
    assert found.key.name == expected.key.name
    assert found.key.tuning_cents == pytest.approx(expected.key.tuning_cents, abs=2.0)


@pytest.mark.parametrize("gain", [0.01, 4.0])
def test_level_plays_no_part(gain: float) -> None:
    audio = chords(CADENCE[0], minor=CADENCE[1])
    expected = analyse_backing(audio, sample_rate=RATE)
    found = analyse_backing(audio * np.float32(gain), sample_rate=RATE)
    np.testing.assert_allclose(found.chroma, expected.chroma, atol=1e-4)
    metronome = clicks(100.0, 12.0)
    np.testing.assert_allclose(
        analyse_backing(metronome * np.float32(gain), sample_rate=RATE).beats_s,
        analyse_backing(metronome, sample_rate=RATE).beats_s,
        atol=0.011,
    )


@pytest.mark.parametrize("bpm", [70.0, 90.0, 120.0, 150.0])
def test_beats_of_a_metronome(bpm: float) -> None:
    backing = analyse_backing(clicks(bpm, 30.0), sample_rate=RATE)
    expected = np.arange(0.3, 29.9, 60.0 / bpm)
    score = mir_eval.beat.f_measure(expected, backing.beats_s, f_measure_threshold=0.05)
    assert score > 0.95


def test_beats_follow_a_change_of_tempo() -> None:
    audio = np.concatenate((clicks(100.0, 30.0), clicks(120.0, 30.0)))
    beats = analyse_backing(audio, sample_rate=RATE).beats_s
    early, late = beats[(beats > 5) & (beats < 20)], beats[(beats > 40) & (beats < 55)]
    assert 60.0 / np.median(np.diff(early)) == pytest.approx(100.0, rel=0.02)
    assert 60.0 / np.median(np.diff(late)) == pytest.approx(120.0, rel=0.02)


def test_no_beats_and_no_key_in_what_has_none() -> None:
    noise = (np.random.default_rng(0).standard_normal(20 * RATE) * 0.1).astype(np.float32)
    assert analyse_backing(noise, sample_rate=RATE).beats_s.size == 0
    held = chords([0], minor=[False], chord_s=8.0)
    assert analyse_backing(held, sample_rate=RATE).beats_s.size == 0
    for n_samples in (0, 1, 5 * RATE):
        silence = analyse_backing(np.zeros(n_samples, dtype=np.float32), sample_rate=RATE)
        assert silence.key is None
        assert silence.beats_s.size == 0
        assert not silence.chroma.any()


@pytest.mark.parametrize("n_samples", [0, 320, 1_600, 2_720, 8_000])
def test_a_blink_of_sound_has_no_beats(n_samples: int) -> None:
    backing = analyse_backing(chords([0], minor=[False])[:n_samples], sample_rate=RATE)
    assert backing.beats_s.size == 0


def test_refusals_and_cancelling() -> None:
    with pytest.raises(ValueError, match="n_samples"):
        analyse_backing(np.zeros((2, 100), dtype=np.float32), sample_rate=RATE)
    with pytest.raises(ValueError, match="positive"):
        analyse_backing(np.zeros(100, dtype=np.float32), sample_rate=0)
    with pytest.raises(ValueError, match="NaN"):
        analyse_backing(np.full(100, np.nan, dtype=np.float32), sample_rate=RATE)
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        analyse_backing(clicks(100.0, 5.0), sample_rate=RATE, job=job)


def test_a_real_accompaniment_repeats_bit_for_bit(shared_data: Path) -> None:
    audio = read_audio(
        shared_data / "nycu_first" / "music" / "45.flac", sample_rate=RATE, channels=1
    )[0]
    first = analyse_backing(audio, sample_rate=RATE)
    second = analyse_backing(audio, sample_rate=RATE)
    np.testing.assert_array_equal(first.chroma, second.chroma)
    np.testing.assert_array_equal(first.beats_s, second.beats_s)
    assert first.key == second.key
    assert first.key is not None
    assert first.key.strength > 0.8
