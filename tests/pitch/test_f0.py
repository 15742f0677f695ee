"""The tracker against signals of known pitch, and against the annotated take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mir_eval
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pitch_signals import held, sung

from singcoach.core.arrays import ANALYSIS_RATE, FloatArray
from singcoach.core.music import PitchTrack
from singcoach.errors import Cancelled
from singcoach.jobs import Job
from singcoach.pitch import f0 as f0_module
from singcoach.pitch.f0 import (
    HOP_SAMPLES,
    PitchSession,
    decide_voicing,
    frame_power,
    gated_power,
    track_pitch,
)
from singcoach.pitch.frames import hz_to_cents

SLOW_INPUT = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("midi", [36, 40, 45, 50, 57, 60, 64, 69, 72, 76, 81, 84])
def test_held_notes_are_within_eight_cents(midi: int, pitch_session: PitchSession) -> None:
    pitch = track_pitch(sung(held((100.0 * midi, 1.0))), session=pitch_session)
    inner = hz_to_cents(pitch.f0_hz)[8:-8]
    assert np.isfinite(inner).all()
    assert np.abs(inner - 100.0 * midi).max() < 8.0


def test_a_glide_over_two_octaves_is_followed_without_octave_errors(
    pitch_session: PitchSession,
) -> None:
    cents = np.linspace(4800.0, 7200.0, 4 * 16_000)
    pitch = track_pitch(sung(cents), session=pitch_session)
    truth = np.interp(pitch.times_s * ANALYSIS_RATE, np.arange(cents.size), cents)
    error = np.abs(hz_to_cents(pitch.f0_hz) - truth)[8:-8]
    assert np.nanmax(error) < 20.0
    assert np.isfinite(error).all()


@SLOW_INPUT
@given(shift=st.floats(-1200.0, 1200.0))
def test_transposing_the_voice_transposes_the_track(
    shift: float, pitch_session: PitchSession
) -> None:
    base = held((5700.0, 0.4), (6100.0, 0.4))
    pitch = track_pitch(sung(base + shift), session=pitch_session)
    middle = hz_to_cents(pitch.f0_hz)[[12, 38]]
    assert np.abs(middle - (np.array([5700.0, 6100.0]) + shift)).max() < 10.0


@SLOW_INPUT
@given(gain_db=st.floats(-60.0, 12.0))
def test_the_gain_of_the_recording_does_not_matter(
    gain_db: float, pitch_session: PitchSession
) -> None:
    voice = sung(held((np.nan, 0.2), (5700.0, 0.4), (np.nan, 0.1), (6100.0, 0.4)))
    plain = track_pitch(voice, session=pitch_session)
    scaled = track_pitch(voice * np.float32(10 ** (gain_db / 20)), session=pitch_session)
    assert np.array_equal(plain.voiced, scaled.voiced)
    np.testing.assert_allclose(
        hz_to_cents(scaled.f0_hz), hz_to_cents(plain.f0_hz), atol=0.5, equal_nan=True
    )


@pytest.mark.parametrize("gain_db", [-20.0, -40.0])
def test_a_quiet_singer_keeps_the_note_starts(
    gain_db: float, take_1: FloatArray, take_1_pitch: PitchTrack, pitch_session: PitchSession
) -> None:
    quiet = track_pitch(take_1 * np.float32(10 ** (gain_db / 20)), session=pitch_session)
    assert np.mean(quiet.voiced == take_1_pitch.voiced) > 0.999


def test_chunked_equals_whole(
    take_1: FloatArray, pitch_session: PitchSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f0_module, "CHUNK_FRAMES", 10**9)
    whole = track_pitch(take_1, session=pitch_session)
    for size in (100, 625):
        monkeypatch.setattr(f0_module, "CHUNK_FRAMES", size)
        chunked = track_pitch(take_1, session=pitch_session)
        np.testing.assert_allclose(chunked.confidence, whole.confidence, atol=1e-4)
        assert np.mean(chunked.voiced == whole.voiced) > 0.9995
        both = chunked.voiced & whole.voiced
        difference = hz_to_cents(chunked.f0_hz[both]) - hz_to_cents(whole.f0_hz[both])
        assert np.abs(difference).max() < 0.1


def test_the_same_audio_gives_the_same_bits(
    take_1: FloatArray, take_1_pitch: PitchTrack, pitch_session: PitchSession
) -> None:
    again = track_pitch(take_1, session=pitch_session)
    assert again.f0_hz.tobytes() == take_1_pitch.f0_hz.tobytes()
    assert again.confidence.tobytes() == take_1_pitch.confidence.tobytes()


@pytest.mark.parametrize("n_samples", [0, 1, 255, 256, 257, 5000])
def test_there_is_a_frame_for_every_started_hop(
    n_samples: int, pitch_session: PitchSession
) -> None:
    pitch = track_pitch(np.full(n_samples, 0.1, dtype=np.float32), session=pitch_session)
    assert pitch.f0_hz.size == pitch.times_s.size == -(-n_samples // HOP_SAMPLES)


@pytest.mark.parametrize("level", [0.0, 1e-30, 1e-4, 0.3])
@pytest.mark.parametrize("kind", ["silence", "noise"])
def test_nobody_sings_in_silence_and_noise(
    kind: str, level: float, pitch_session: PitchSession
) -> None:
    rng = np.random.default_rng(7)
    audio = level * (rng.standard_normal(48_000) if kind == "noise" else np.ones(48_000))
    pitch = track_pitch(audio.astype(np.float32), session=pitch_session)
    assert pitch.voiced.mean() < 0.01


def test_clipping_does_not_move_the_pitch(pitch_session: PitchSession) -> None:
    voice = np.clip(20.0 * sung(held((5700.0, 0.5), (6400.0, 0.5))), -1.0, 1.0)
    cents = hz_to_cents(track_pitch(voice, session=pitch_session).f0_hz)
    assert abs(cents[15] - 5700.0) < 8.0
    assert abs(cents[47] - 6400.0) < 8.0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_audio_that_is_not_finite_is_refused(bad: float, pitch_session: PitchSession) -> None:
    audio = np.zeros(1000, dtype=np.float32)
    audio[500] = bad
    with pytest.raises(ValueError, match="NaN"):
        track_pitch(audio, session=pitch_session)
    with pytest.raises(ValueError, match="shape"):
        track_pitch(np.zeros((2, 10), dtype=np.float32), session=pitch_session)


def test_a_cancelled_job_stops_at_the_next_chunk(pitch_session: PitchSession) -> None:
    job = Job(on_progress=lambda fraction, _: job.cancel() if fraction > 0.0 else None)
    runs = 0

    class Counting:
        def run(self, inputs: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
            nonlocal runs
            runs += 1
            return pitch_session.run(inputs)

    with pytest.raises(Cancelled):
        track_pitch(np.full(60 * 16_000, 0.1, dtype=np.float32), session=Counting(), job=job)
    assert runs == 2


def test_short_flashes_and_faint_frames_are_not_voiced() -> None:
    confidence = np.array([0.9, 0.9, 0.0, 0.65, 0.9, 0.7, 0.0, 0.7, 0.7, 0.7, 0.0, 0.9, 0.9, 0.9])
    level_db = np.zeros(14)
    level_db[-1] = -51.0
    voiced = decide_voicing(confidence, level_db)
    assert np.flatnonzero(voiced).tolist() == [3, 4, 5]


@pytest.mark.parametrize("n_samples", [0, 1, 256, 700])
def test_frame_power_is_the_mean_square_around_each_centre(n_samples: int) -> None:
    audio = np.random.default_rng(1).standard_normal(n_samples).astype(np.float32)
    padded = np.pad(audio.astype(np.float64), (256, 512))
    expected = [np.mean(padded[i : i + 512] ** 2) for i in range(0, n_samples, 256)]
    np.testing.assert_allclose(frame_power(audio), expected, rtol=1e-12)


def test_rests_do_not_lower_the_level_of_the_singing() -> None:
    power = np.concatenate([np.full(10, 1.0), np.full(90, 1e-6)])
    assert gated_power(power) == pytest.approx(1.0)
    assert gated_power(np.zeros(0)) == 0.0


def test_vocadito_raw_pitch_accuracy(vocadito: Path, take_1_pitch: PitchTrack) -> None:
    reference = np.loadtxt(vocadito / "Annotations" / "F0" / "vocadito_1_f0.csv", delimiter=",")
    f0_hz = np.nan_to_num(take_1_pitch.f0_hz, nan=0.0)
    found = mir_eval.melody.evaluate(reference[:, 0], reference[:, 1], take_1_pitch.times_s, f0_hz)
    print(*(f"{name} {value:.3f}" for name, value in found.items()))
    # Measured: 0.967, 0.969, 0.977, 0.046. Unvoiced frames carry no pitch, so misses count twice.
    assert found["Raw Pitch Accuracy"] >= 0.95
    assert found["Raw Chroma Accuracy"] >= 0.95
    assert found["Voicing Recall"] >= 0.96
    assert found["Voicing False Alarm"] <= 0.06
