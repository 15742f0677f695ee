"""Analysis and resynthesis: near the original, and the same every time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from singcoach.audio.reading import read_audio
from singcoach.errors import Cancelled
from singcoach.jobs import Job
from singcoach.models.sessions import Session
from singcoach.pitch.f0 import track_pitch
from singcoach.pitch.notes import find_notes
from singcoach.training.edits import make_edits
from singcoach.training.edits.periodicity import cycle_likeness
from singcoach.training.edits.readings import spectral_distance_db
from singcoach.training.edits.voice import Singing, cents_of
from singcoach.training.edits.world import analyse_voice, synthesise

pytestmark = pytest.mark.usefixtures("world")


def heard_again(audio: np.ndarray, session: Session) -> Singing:
    pitch = track_pitch(audio, session=session)
    return analyse_voice(audio, sample_rate=16_000, pitch=pitch, notes=find_notes(pitch, audio))


def test_the_pitch_survives_sound_and_analysis(singing: Singing, pitch_session: Session) -> None:
    again = heard_again(synthesise(singing), pitch_session)
    away = np.abs(cents_of(again.f0_hz) - cents_of(singing.f0_hz))
    assert np.nanmedian(away) < 5.0
    assert np.mean(again.voiced == singing.voiced) > 0.97
    assert len(again.notes) >= len(singing.notes) - 1  # one pitch is sung twice in a row


def test_a_resynthesis_sounds_like_the_first(singing: Singing, pitch_session: Session) -> None:
    audio = synthesise(singing)
    again = synthesise(heard_again(audio, pitch_session))
    assert again.shape == audio.shape
    assert spectral_distance_db(again, audio) < 3.0
    assert abs(20.0 * np.log10(again.std() / audio.std())) < 2.5


def test_noise_in_the_low_voice_is_measured(singing: Singing, pitch_session: Session) -> None:
    shares = []
    for amplitude in (0.02, 0.2, 0.45):
        noisy = replace(
            singing,
            aperiodicity=np.where(singing.voiced[:, None], amplitude, singing.aperiodicity),
        )
        again = heard_again(synthesise(noisy), pitch_session)
        rows = again.aperiodicity[again.voiced][:, (again.bins_hz > 300) & (again.bins_hz < 2500)]
        shares.append(float(np.median(rows)))
    assert shares == sorted(shares)
    assert 0.1 < shares[1] < 0.35
    assert 0.3 < shares[2] < 0.65


def test_cycles_of_a_tone_are_alike_and_of_noise_are_not() -> None:
    t = np.arange(32_000) / 32_000
    f0 = np.full(200, 220.0)
    tone = np.sin(2 * np.pi * 220 * t) + 0.5 * np.sin(2 * np.pi * 440 * t)
    hiss = np.random.default_rng(1).standard_normal(t.size)
    assert np.median(cycle_likeness(tone, 32_000, f0)[10:190]) > 0.99
    assert abs(np.median(cycle_likeness(hiss, 32_000, f0)[10:190])) < 0.4


def test_the_same_parameters_give_the_same_samples(singing: Singing) -> None:
    assert np.array_equal(synthesise(singing), synthesise(singing))


def test_long_takes_are_made_in_pieces_that_fit(singing: Singing) -> None:
    n = 7
    long = replace(
        singing,
        f0_hz=np.tile(singing.f0_hz, n),
        spectrum=np.tile(singing.spectrum, (n, 1)),
        aperiodicity=np.tile(singing.aperiodicity, (n, 1)),
        n_samples=n * len(singing.f0_hz) * 80,
    )
    audio = synthesise(long)
    one = synthesise(singing)
    part = len(singing.f0_hz) * 80
    for index in range(n):
        piece = audio[index * part :][: len(one)]
        assert spectral_distance_db(piece, one) < 1.5

    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        synthesise(long, job)


def test_an_edit_of_sound_is_heard(singing: Singing, pitch_session: Session) -> None:
    audio = synthesise(singing)
    pitch = track_pitch(audio, session=pitch_session)
    notes = find_notes(pitch, audio)
    edited = make_edits(
        audio, 16_000, pitch=pitch, notes=notes, edit="pitch_error", severity=1.0, seed=4
    )
    away = track_pitch(edited, session=pitch_session).f0_hz / pitch.f0_hz
    assert np.nanmedian(np.abs(1200.0 * np.log2(away))) > 20.0


def test_wrong_rates_are_refused(singing: Singing, pitch_session: Session) -> None:
    audio = synthesise(singing)
    pitch = track_pitch(audio, session=pitch_session)
    with pytest.raises(ValueError, match="16000"):
        analyse_voice(audio, sample_rate=48_000, pitch=pitch, notes=())


@pytest.mark.parametrize("n_samples", [0, 1, 700])
def test_next_to_nothing_stays_next_to_nothing(n_samples: int, pitch_session: Session) -> None:
    audio = np.zeros(n_samples, dtype=np.float32)
    pitch = track_pitch(audio, session=pitch_session)
    again = make_edits(
        audio, 16_000, pitch=pitch, notes=(), edit="breathiness", severity=1.0, seed=0
    )
    assert again.shape == (n_samples,)
    assert np.abs(again).max(initial=0.0) < 1e-3


def test_a_real_voice_keeps_its_pitch_and_sound(shared_data: Path, pitch_session: Session) -> None:
    path = shared_data / "vocadito" / "Audio" / "vocadito_1.wav"
    audio = read_audio(path, sample_rate=16_000, channels=1)[0][: 16_000 * 10]
    first = heard_again(audio, pitch_session)
    sound = synthesise(first)
    again = track_pitch(sound, session=pitch_session)
    before = track_pitch(audio, session=pitch_session)
    away = np.abs(1200.0 * np.log2(again.f0_hz / before.f0_hz))
    assert np.nanmedian(away) < 8.0
    assert spectral_distance_db(sound, audio) < 2.5
