"""Notes of known songs, and of the annotated take."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import mir_eval
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pitch_signals import held, read_mono, sung, track

from singcoach.core.arrays import ANALYSIS_RATE, FloatArray, RealArray
from singcoach.core.music import Note, PitchTrack
from singcoach.dsp.anchors import Anchor
from singcoach.errors import Cancelled
from singcoach.jobs import Job
from singcoach.pitch import f0 as f0_module
from singcoach.pitch.f0 import HOP_SAMPLES, PitchSession, track_pitch
from singcoach.pitch.frames import cents_to_hz
from singcoach.pitch.notes import find_notes
from singcoach.pitch.onsets import onset_evidence
from singcoach.pitch.tuning import estimate_tuning

MELODY = ((60, 0.4), (62, 0.3), (64, 0.5), (60, 0.3), (67, 0.8), (65, 0.25), (64, 0.6))


def melody(shift_cents: float = 0.0, *, rest_s: float = 0.0) -> RealArray:
    parts: list[tuple[float, float]] = [(np.nan, 0.2)]
    for midi, seconds in MELODY:
        parts += [(100.0 * midi + shift_cents, seconds), (np.nan, rest_s)]
    return held(*parts, (np.nan, 0.2))


def notes_of(audio: FloatArray, session: PitchSession, **options: float) -> tuple[Note, ...]:
    return find_notes(track_pitch(audio, session=session), audio, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("rest_s", [0.0, 0.12])
def test_a_melody_is_found_note_by_note(rest_s: float, pitch_session: PitchSession) -> None:
    found = notes_of(sung(melody(rest_s=rest_s)), pitch_session)
    assert [note.midi for note in found] == [midi for midi, _ in MELODY]
    onset_s = 0.2
    for note, (_, seconds) in zip(found, MELODY, strict=True):
        assert abs(note.onset_s - onset_s) < 0.04
        assert abs(note.offset_s - onset_s - seconds) < 0.05
        assert abs(note.cents_deviation) < 10.0
        onset_s += seconds + rest_s


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(shift=st.floats(-700.0, 900.0), gain_db=st.floats(-40.0, 6.0))
def test_key_tuning_and_gain_do_not_change_the_melody(
    shift: float, gain_db: float, pitch_session: PitchSession
) -> None:
    audio = sung(melody(shift)) * np.float32(10 ** (gain_db / 20))
    found = notes_of(audio, pitch_session)
    steps = np.diff([note.midi for note in found]).tolist()
    assert steps == np.diff([midi for midi, _ in MELODY]).tolist()
    assert max(abs(note.cents_deviation) for note in found) < 12.0


def test_the_note_sung_off_the_scale_keeps_its_deviation(pitch_session: PitchSession) -> None:
    audio = sung(held((6000.0, 0.6), (6235.0, 0.5), (6400.0, 0.6), (6000.0, 0.8)))
    found = notes_of(audio, pitch_session, tuning_cents=0.0)
    assert [note.midi for note in found] == [60, 62, 64, 60]
    assert abs(found[1].cents_deviation - 35.0) < 8.0


@pytest.mark.parametrize("dip_db", [9.0, 12.0, 20.0, 40.0])
def test_a_repeated_syllable_is_a_new_note(dip_db: float, pitch_session: PitchSession) -> None:
    audio = sung(held((5700.0, 1.2)))
    envelope = np.ones(audio.size)
    for at_s in (0.4, 0.8):
        start = round(at_s * ANALYSIS_RATE)
        dip = 1.0 - (1.0 - 10 ** (-dip_db / 20)) * np.hanning(1600)
        envelope[start - 800 : start + 800] = dip
    found = notes_of((audio * envelope).astype(np.float32), pitch_session)
    assert [note.midi for note in found] == [57, 57, 57]
    assert [round(note.onset_s, 1) for note in found] == [0.0, 0.4, 0.8]


def test_a_swell_is_one_note(pitch_session: PitchSession) -> None:
    audio = sung(held((5700.0, 1.5)))
    swell = 0.3 + 0.7 * np.hanning(audio.size)
    assert len(notes_of((audio * swell).astype(np.float32), pitch_session)) == 1


@pytest.mark.parametrize("rate_hz", [4.5, 5.5, 7.0])
@pytest.mark.parametrize("extent_cents", [40.0, 90.0, 150.0])
def test_vibrato_does_not_break_a_note(
    rate_hz: float, extent_cents: float, pitch_session: PitchSession
) -> None:
    times_s = np.arange(round(1.5 * ANALYSIS_RATE)) / ANALYSIS_RATE
    audio = sung(5700.0 + extent_cents * np.sin(2.0 * np.pi * rate_hz * times_s))
    found = notes_of(audio, pitch_session, tuning_cents=0.0)
    assert [note.midi for note in found] == [57]
    assert abs(found[0].cents_deviation) < 12.0
    assert found[0].vibrato is not None
    assert abs(found[0].vibrato.rate_hz - rate_hz) < 0.3


def test_a_slow_scoop_belongs_to_its_note(pitch_session: PitchSession) -> None:
    rise = 5700.0 - 150.0 * (1.0 - np.linspace(0.0, 1.0, 5600))
    audio = sung(np.concatenate([rise, np.full(16_000, 5700.0)]))
    found = notes_of(audio, pitch_session, tuning_cents=0.0)
    assert [note.midi for note in found] == [57]


def test_nothing_sung_gives_no_notes(pitch_session: PitchSession) -> None:
    for n_samples in (0, 1, 256, 32_000):
        assert notes_of(np.zeros(n_samples, dtype=np.float32), pitch_session) == ()


def test_notes_never_overlap_and_clipping_is_survived(
    take_1: FloatArray, pitch_session: PitchSession
) -> None:
    found = notes_of(np.clip(take_1 * np.float32(60.0), -1.0, 1.0), pitch_session)
    assert len(found) > 30
    for before, after in pairwise(found):
        assert before.offset_s <= after.onset_s + 1e-9
    assert all(-50.0 <= note.cents_deviation <= 50.0 for note in found)


def test_audio_of_another_length_or_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="frames"):
        find_notes(track(np.full(10, 6000.0)), np.zeros(10_000, dtype=np.float32))
    with pytest.raises(ValueError, match="16000 would work"):
        onset_evidence(np.zeros(100, dtype=np.float32), sample_rate=44_100)


def test_a_cancelled_job_stops_the_search() -> None:
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        find_notes(track(np.full(625, 6000.0)), np.zeros(160_000, dtype=np.float32), job=job)


def test_progress_only_grows(take_1: FloatArray, take_1_pitch: PitchTrack) -> None:
    seen: list[float] = []
    find_notes(take_1_pitch, take_1, job=Job(on_progress=lambda done, _: seen.append(done)))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_onset_evidence_does_not_depend_on_the_gain(take_1: FloatArray) -> None:
    loud = onset_evidence(take_1)
    quiet = onset_evidence(take_1 * np.float32(0.01))
    np.testing.assert_allclose(quiet.strength_db, loud.strength_db, atol=1e-2)


@pytest.mark.parametrize(
    ("annotator", "onset_f", "onset_pitch_f", "all_f"),
    [("A1", 0.83, 0.80, 0.60), ("A2", 0.91, 0.88, 0.80)],
)
def test_vocadito_notes(
    annotator: str,
    onset_f: float,
    onset_pitch_f: float,
    all_f: float,
    vocadito: Path,
    take_1: FloatArray,
    pitch_session: PitchSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Floors a little under what was measured: .850 .822 .616 (A1), .924 .893 .815 (A2).

    Mean over eight places of the frames: single ones differ by 0.02, for better and for worse. The
    two annotators against each other reach .862 .862 .732.
    """
    path = vocadito / "Annotations" / "Notes" / f"vocadito_1_notes{annotator}.csv"
    truth = np.loadtxt(path, delimiter=",")
    names = ("Onset_F-measure", "F-measure_no_offset", "F-measure")
    rows = []
    for place in range(0, HOP_SAMPLES, HOP_SAMPLES // 8):
        anchor = Anchor(first_sound=place)
        monkeypatch.setattr(f0_module, "find_anchor", lambda _, anchor=anchor: anchor)
        pitch = track_pitch(take_1, session=pitch_session)
        tuning = estimate_tuning(pitch)
        assert tuning is not None
        found = find_notes(pitch, take_1)
        scores = mir_eval.transcription.evaluate(
            np.column_stack([truth[:, 0], truth[:, 0] + truth[:, 2]]),
            truth[:, 1],
            np.array([[note.onset_s, note.offset_s] for note in found]),
            cents_to_hz(np.array([100 * n.midi + tuning.cents + n.cents_deviation for n in found])),
        )
        rows.append([scores[name] for name in names])
    reached = np.mean(rows, axis=0)
    print(annotator, reached)
    assert (reached >= (onset_f, onset_pitch_f, all_f)).all()


def test_isolated_notes_have_the_pitch_of_their_name(
    shared_data: Path, pitch_session: PitchSession
) -> None:
    """Six notes from vocobox (MIT); its octave numbers change at A."""
    for name, midi in {"C3-2": 48, "D3": 50, "F2": 41, "G3": 55, "A4": 57, "B3": 47}.items():
        audio = read_mono(shared_data / "vocobox" / f"{name}.flac")
        found = notes_of(audio, pitch_session, tuning_cents=0.0)
        longest = max(found, key=lambda note: note.duration_s)
        assert abs(100.0 * (longest.midi - midi) + longest.cents_deviation) < 50.0
