"""Made singing is what its truth says."""

from __future__ import annotations

import numpy as np
import pytest
from made_voices import vowel_voice

from singcoach.models.sessions import Session
from singcoach.pitch.f0 import track_pitch
from singcoach.pitch.notes import find_notes
from singcoach.training.edits.voice import cents_of
from singcoach.training.edits.world import synthesise
from singcoach.training.made.melody import compose
from singcoach.training.made.sing import MadeTake, make_singing

MAJOR, MINOR = {0, 2, 4, 5, 7, 9, 11}, {0, 2, 3, 5, 7, 8, 10}


def made(seed: int = 1, *, with_vibrato: bool = True) -> MadeTake:
    return make_singing(
        vowel_voice(),
        seconds=12.0,
        with_vibrato=with_vibrato,
        generator=np.random.default_rng(seed),
    )


@pytest.mark.parametrize("seed", range(12))
def test_melodies_are_tonal_phrased_and_singable(seed: int) -> None:
    melody = compose(np.random.default_rng(seed), centre_midi=60.0, seconds=20.0)
    scale = MAJOR if melody.mode == "major" else MINOR
    assert all((note.midi - melody.tonic) % 12 in scale for note in melody.notes)
    assert all(abs(note.midi - 60) <= 12 for note in melody.notes)
    for before, after in zip(melody.notes, melody.notes[1:], strict=False):
        assert after.onset_s >= before.offset_s - 1e-9
        assert (after.onset_s - before.offset_s > 0.3) == (after.phrase != before.phrase)
        assert before.offset_s - before.onset_s > 0.2
    assert 14.0 < melody.duration_s < 34.0


def test_the_parameters_follow_the_truth() -> None:
    take = made()
    cents = cents_of(take.singing.f0_hz)
    assert len(take.singing.notes) == len(take.melody.notes)
    for note in take.singing.notes:
        here = cents[take.singing.frames_of(note.onset_s + 0.1, note.offset_s - 0.05)]
        wanted = 100.0 * (note.midi - 69) + note.cents_deviation
        assert abs(np.nanmedian(here) - wanted) < 45.0
    assert any(note.vibrato is not None for note in take.singing.notes)
    rests = ~np.any(
        [
            (take.singing.times_s > p.start_s - 0.1) & (take.singing.times_s < p.end_s + 0.15)
            for p in take.singing.phrases
        ],
        axis=0,
    )
    assert not take.singing.voiced[rests].any()
    loud = take.singing.level_db()
    assert loud[rests].max() < np.median(loud[take.singing.voiced]) - 15.0


@pytest.mark.usefixtures("world")
def test_the_notes_are_heard_as_meant(pitch_session: Session) -> None:
    take = made(with_vibrato=False)
    audio = synthesise(take.singing)
    pitch = track_pitch(audio, session=pitch_session)
    found = find_notes(pitch, audio, tuning_cents=0.0)
    heard = 0
    for note in take.singing.notes:
        near = [n for n in found if abs(n.onset_s - note.onset_s) < 0.12 and n.midi == note.midi]
        heard += bool(near)
    assert heard >= 0.75 * len(take.singing.notes)
    truth = np.interp(pitch.times_s, take.singing.times_s, take.singing.f0_hz)
    both = pitch.voiced & (truth > 60.0)
    away = np.abs(1200.0 * np.log2(pitch.f0_hz[both] / truth[both]))
    assert np.median(away) < 6.0
    assert np.mean(pitch.voiced == (truth > 0.0)) > 0.95


def test_one_seed_is_one_take() -> None:
    assert np.array_equal(made(4).singing.spectrum, made(4).singing.spectrum)
    assert not np.array_equal(
        made(4).singing.f0_hz, made(5).singing.f0_hz[: len(made(4).singing.f0_hz)]
    )


def test_the_sources_are_named() -> None:
    take = made()
    assert take.sources
    assert set(take.sources) <= {clip.source for clip in vowel_voice().clips}
