from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from screening_takes import MELODY, RATE, Sung, clicks, song_of

from singcoach.core.music import Song
from singcoach.core.take import Backing
from singcoach.screening.backing import analyse_backing
from singcoach.screening.rhythm_accuracy import rhythm_to_backing, rhythm_to_song
from singcoach.screening.song_fit import SongFit, fit_to_song


def _fit(sung: Sung, song: Song | None = None) -> SongFit:
    fit = fit_to_song(sung.pitch, regions=sung.regions, song=song or song_of())
    assert fit is not None
    return fit


def test_the_written_notes_sung_exactly() -> None:
    fit = _fit(Sung())
    assert fit.accuracy > 0.99
    assert (fit.within_50_share, fit.coverage) == (1.0, 1.0)
    assert (fit.n_notes, fit.n_missed, fit.transposition_semitones) == (len(MELODY), 0, 0)
    assert fit.latency_s == pytest.approx(0.0, abs=0.04)


@pytest.mark.parametrize("semitones", [-12, 12, -24])
def test_octaves_are_folded(semitones: int) -> None:
    fit = _fit(Sung([note + semitones for note in MELODY]))
    assert fit.accuracy > 0.99
    assert fit.transposition_semitones == 0


@pytest.mark.parametrize("semitones", [-5, -3, 2, 6])
def test_another_key_is_allowed_and_reported(semitones: int) -> None:
    fit = _fit(Sung([note + semitones for note in MELODY], cents=15.0))
    assert fit.accuracy > 0.99
    assert fit.transposition_semitones == semitones
    assert fit.tuning_cents == pytest.approx(15.0, abs=3.0)


@pytest.mark.parametrize("delay_s", [-0.4, -0.2, 0.2, 0.4])
def test_a_constant_delay_is_found(delay_s: float) -> None:
    fit = _fit(Sung(delay_s=delay_s))
    assert fit.latency_s == pytest.approx(delay_s, abs=0.05)
    assert fit.accuracy > 0.95


def test_wrong_notes_count_by_their_time() -> None:
    wrong = [note + (3 if index % 4 == 0 else 0) for index, note in enumerate(MELODY)]
    fit = _fit(Sung(wrong))
    assert fit.within_50_share == pytest.approx(0.75, abs=0.01)
    assert np.flatnonzero(np.abs(fit.deviations_cents) > 50).tolist() == list(
        range(0, len(MELODY), 4)
    )


def test_stopping_early_is_not_rewarded() -> None:
    half = len(MELODY) // 2
    whole = _fit(Sung(cents=20.0))
    stopped = _fit(Sung([*MELODY[:half], *[float("nan")] * half], cents=20.0))
    assert stopped.coverage == pytest.approx(0.5, abs=0.02)
    assert stopped.n_missed == half
    assert stopped.accuracy == pytest.approx(whole.accuracy / 2, abs=0.03)


def test_songs_and_takes_with_nothing_to_compare() -> None:
    sung = Sung()
    few = dataclasses.replace(song_of(), notes=song_of().notes[:3])
    assert fit_to_song(sung.pitch, regions=sung.regions, song=few) is None
    rap = tuple(dataclasses.replace(note, kind="rap") for note in song_of().notes)
    spoken = dataclasses.replace(song_of(), notes=rap)
    assert fit_to_song(sung.pitch, regions=sung.regions, song=spoken) is None
    assert fit_to_song(sung.pitch, regions=(), song=song_of()) is None


def test_rhythm_falls_with_scatter_and_not_with_delay() -> None:
    random = np.random.default_rng(4).standard_normal(len(MELODY))
    values = []
    for scatter_s in (0.0, 0.05, 0.1, 0.2):
        sung = Sung(delay_s=0.15, jitter_s=list(scatter_s * random))
        fit = rhythm_to_song(sung.notes, song=song_of(), latency_s=0.15)
        assert fit is not None
        values.append(fit.accuracy)
    assert values[0] > 0.99
    assert all(a > b + 0.03 for a, b in itertools.pairwise(values))


def test_rhythm_reports_spread_and_delay() -> None:
    random = np.random.default_rng(4).standard_normal(len(MELODY))
    sung = Sung(delay_s=0.1, jitter_s=list(0.04 * random))
    fit = rhythm_to_song(sung.notes, song=song_of())
    assert fit is not None
    assert fit.latency_s == pytest.approx(0.1, abs=0.03)
    assert fit.spread_ms == pytest.approx(40.0, abs=12.0)


def test_missing_onsets_lower_the_rhythm() -> None:
    half = [note if index % 2 else float("nan") for index, note in enumerate(MELODY)]
    fit = rhythm_to_song(Sung(half).notes, song=song_of())
    assert fit is not None
    assert fit.accuracy == pytest.approx(0.5, abs=0.05)
    assert rhythm_to_song((), song=song_of()) is None


@pytest.fixture(scope="module")
def metronome() -> Backing:
    return analyse_backing(clicks(120.0, 20.0), sample_rate=RATE)


@pytest.mark.parametrize("delay_s", [0.0, 0.07, 0.2])
def test_singing_on_the_beat_with_any_delay(metronome: Backing, delay_s: float) -> None:
    fit = rhythm_to_backing(Sung(delay_s=delay_s).notes, backing=metronome)
    assert fit is not None
    assert fit.accuracy > 0.95
    assert fit.spread_ms < 25.0


def test_singing_anywhere_is_out_of_time(metronome: Backing) -> None:
    anywhere = list(np.random.default_rng(8).uniform(-0.25, 0.25, len(MELODY)))
    fit = rhythm_to_backing(Sung(jitter_s=anywhere).notes, backing=metronome)
    assert fit is not None
    assert fit.accuracy < 0.5
    assert rhythm_to_backing(Sung(MELODY[:5]).notes, backing=metronome) is None
    silent = analyse_backing(np.zeros(RATE, dtype=np.float32), sample_rate=RATE)
    assert rhythm_to_backing(Sung().notes, backing=silent) is None
