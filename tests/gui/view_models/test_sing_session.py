"""Singing along: places, choices, what is hit, what is warned of, and the take's own files."""

from __future__ import annotations

import numpy as np
import pytest

from singcoach.chain.guide import GuidedSong, beat_of, guide_notes
from singcoach.core.music import Note, SongNote
from singcoach.gui.view_models.sing_session import SingSession
from singcoach.gui.view_models.sing_songs import song_of_files
from singcoach.pitch.live import LivePitchPoint
from singcoach.songs.ultrastar import parse_song
from singcoach.songs.writing import moved_notes, song_text


def note(onset_s, midi=60, *, length_s=0.8, line=0, kind="normal"):
    return SongNote(
        onset_s=onset_s,
        offset_s=onset_s + length_s,
        midi=midi,
        syllable="la",
        kind=kind,
        line=line,
    )


def song(*notes, tuning_cents=0.0):
    return GuidedSong(
        instrumental=None,
        vocals=None,
        notes=notes or (note(2.0), note(3.0, 62), note(6.0, 64, line=1), note(10.0, 65, line=2)),
        estimated=False,
        text=None,
        tuning_cents=tuning_cents,
        duration_s=20.0,
        beat_s=0.5,
    )


def sung(midi, start_s, end_s):
    times_s = np.arange(start_s, end_s, 0.008)
    hz = 440.0 * 2.0 ** ((midi - 69.0) / 12.0)
    return [LivePitchPoint(time_s=t, f0_hz=hz, clearness=1.0, level_db=-20.0) for t in times_s]


@pytest.mark.parametrize("octave", [-24, -12, 0, 12])
def test_octaves_are_forgiven_and_drawn_at_the_note(octave):
    session = SingSession(song())
    points = session.hear(sung(60.2 + octave, 2.0, 2.8), offset_s=0.0)
    assert {point.match for point in points} == {"hit"}
    assert points[10].midi == pytest.approx(60.2)
    assert session.hit_share(0) == 1.0
    assert session.hit_share(1) is None


@pytest.mark.parametrize(("off", "match"), [(0.4, "hit"), (0.8, "near"), (2.5, "off")])
def test_how_far_off_is_told(off, match):
    points = SingSession(song()).hear(sung(64.0 + off, 6.2, 6.6), offset_s=0.0)
    assert {point.match for point in points} == {match}


def test_key_tempo_and_tuning_move_what_is_right():
    session = SingSession(song(tuning_cents=30.0))
    session.change_key(3)
    while session.tempo > 0.8:
        session.change_tempo(-1)
    assert session.tempo == 0.8
    heard_s = session.heard_time(6.0)
    assert heard_s == pytest.approx(7.5)
    points = session.hear(sung(67.3, 0.0, 0.8), offset_s=heard_s)
    assert {point.match for point in points} == {"hit"}
    assert points[0].time_s == pytest.approx(6.0)
    assert session.change_key(99) == 7
    assert session.change_tempo(-99) == 0.6


def test_a_note_that_is_left_out_counts_and_consonants_do_not():
    session = SingSession(song())
    silent = [
        LivePitchPoint(time_s=t, f0_hz=np.nan, clearness=0.0, level_db=-70.0)
        for t in np.arange(2.0, 2.8, 0.008)
    ]
    session.hear(silent, offset_s=0.0)
    assert session.hit_share(0) == 0.0
    session.hear(silent[:20], offset_s=4.0)
    session.hear(sung(64.0, 6.16, 6.8), offset_s=0.0)
    assert session.hit_share(2) == 1.0
    assert 0.4 < session.overall_hits < 0.6


def test_speech_notes_and_rests_are_free():
    session = SingSession(song(note(2.0, kind="rap"), note(6.0)))
    for start_s in (2.1, 4.0):
        points = session.hear(sung(50.0, start_s, start_s + 0.3), offset_s=0.0)
        assert {point.match for point in points} == {"free"}
    assert session.overall_hits is None


def test_free_singing_shows_the_voice_itself():
    session = SingSession(None)
    points = session.hear(sung(47.0, 0.0, 0.1), offset_s=0.0)
    assert points[0].midi == pytest.approx(47.0)
    assert session.count_in_s == 0.0
    assert not session.is_over(1e9)


def test_count_in_leads_to_the_start():
    session = SingSession(song())
    session.go_to(6.0)
    session.begin()
    assert session.count_in_s == 2.0
    assert session.clicks_s() == (4.0, 4.5, 5.0, 5.5)
    session.position_s = 4.2  # the place moves on while it is counted
    assert [session.beats_left(t) for t in (4.0, 4.6, 5.9, 6.0)] == [4, 3, 1, 0]
    session.count_in = False
    assert session.clicks_s() == ()


def test_phrases_can_be_stepped_looped_and_widened():
    session = SingSession(song())
    assert [phrase.start_s for phrase in session.phrases] == [2.0, 6.0, 10.0]
    session.step_phrase(1)
    assert session.position_s == 2.0
    session.step_phrase(1)
    assert session.position_s == 6.0
    session.position_s = 8.0
    session.step_phrase(-1)
    assert session.position_s == 6.0
    session.toggle_loop()
    assert session.section == pytest.approx((6.0, 7.4))
    session.widen_loop(1)
    assert session.section == pytest.approx((6.0, 11.4))
    assert session.start_s == 6.0
    assert session.is_over(11.5)
    session.toggle_loop()
    assert session.section is None


def test_too_loud_too_quiet_and_nothing_at_all():
    session = SingSession(song())
    session.position_s = 2.4
    tell = [session.listen(-20.0, -10.0, seconds=0.1, silent_s=0.0) for _ in range(10)]
    assert set(tell) == {""}
    assert session.listen(-5.0, 0.0, seconds=0.1, silent_s=0.0) == "clip"
    assert session.listen(-20.0, -10.0, seconds=2.6, silent_s=0.0) == ""
    for _ in range(30):
        told = session.listen(-55.0, -50.0, seconds=0.1, silent_s=0.0)
    assert told == "quiet"
    session.position_s = 5.0  # a rest: silence is right
    assert session.listen(-30.0, -20.0, seconds=0.1, silent_s=0.0) == ""
    assert session.listen(-120.0, -120.0, seconds=0.1, silent_s=3.0) == "silent"


def test_the_trace_does_not_grow_for_ever():
    session = SingSession(None)
    for start_s in range(0, 200, 10):
        session.hear(sung(60.0, start_s, start_s + 10.0), offset_s=0.0)
    assert len(session.trace) < 20.0 / 0.008 + 20


@pytest.mark.parametrize("bpm", [30, 95, 120, 300, 480, 0.0, np.nan, np.inf])
def test_beats_can_be_counted(bpm):
    assert 0.4 <= beat_of(bpm) < 0.8


def test_heard_notes_are_parted_into_lines():
    heard = [
        Note(onset_s=s, offset_s=s + 0.4, midi=60, cents_deviation=0.0) for s in (0.0, 0.5, 2.0)
    ]
    assert [n.line for n in guide_notes(heard)] == [0, 0, 1]


def test_notes_written_and_read_again_are_the_same():
    moved = moved_notes(song().notes, offset_s=1.0, tempo=0.8, semitones=2, duration_s=12.0)
    assert moved[0].onset_s == pytest.approx(2.0 / 0.8 - 1.0)
    again = parse_song(song_text(moved, title="A\nB")).notes
    assert [n.midi for n in again] == [62, 64, 66, 67]
    for first, second in zip(moved, again, strict=True):
        assert second.onset_s == pytest.approx(first.onset_s, abs=0.003)
        assert second.offset_s == pytest.approx(first.offset_s, abs=0.003)
        assert second.line == first.line
    assert (
        moved_notes(song().notes, offset_s=9.0, tempo=1.0, semitones=0, duration_s=1.5)[0].midi
        == 65
    )


def test_files_that_belong_together_make_one_song(tmp_path):
    audio = tmp_path / "Me - My Song.mp3"
    audio.write_bytes(b"x")
    alone = song_of_files([audio])
    assert (alone.artist, alone.title, alone.lyrics) == ("Me", "My Song", None)
    words = audio.with_suffix(".lrc")
    words.write_text("[ti:Named]\n[00:01.00]la", encoding="utf-8")
    together = song_of_files([audio])
    assert (together.title, together.lyrics) == ("Named", words)
    written = tmp_path / "x.txt"
    written.write_text("#TITLE:U\n#BPM:300\n#MP3:..\\Me - My Song.mp3\n: 0 4 0 a\nE\n")
    assert song_of_files([written]).audio == audio
