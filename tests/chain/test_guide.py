"""Songs made ready to sing along: voice out, melody found, backings in other keys."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from singcoach.audio.reading import open_audio
from singcoach.audio.writing import write_wav
from singcoach.chain.demo import demo_recording
from singcoach.chain.guide import is_prepared, make_backing, prepare_song
from singcoach.errors import Cancelled
from singcoach.jobs import Job


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("singing")


@pytest.fixture(scope="module")
def song(folder):
    return prepare_song(demo_recording("mixture").path, folder)


def test_the_voice_is_taken_out_and_its_melody_found(song, folder):
    assert is_prepared(folder)
    assert song.estimated
    assert len(song.notes) > 5
    assert song.instrumental.parent == song.vocals.parent == folder
    assert [n.onset_s for n in song.notes] == sorted(n.onset_s for n in song.notes)
    assert song.duration_s == pytest.approx(10.9, abs=0.2)


def test_a_second_time_costs_nothing_and_written_notes_win(song, folder, tmp_path):
    words = tmp_path / "a.txt"
    words.write_text("#TITLE:A\n#BPM:300\n: 0 4 0 a\n: 20 4 2 b\nE\n", encoding="utf-8")
    audio = demo_recording("mixture").path
    again = prepare_song(audio, folder, lyrics=words, engine=object())
    assert not again.estimated
    assert [n.midi for n in again.notes] == [60, 62]
    assert again.text.lines[0].text
    bad = tmp_path / "b.lrc"
    bad.write_text("nothing timed", encoding="utf-8")
    kept = prepare_song(audio, folder, lyrics=bad, engine=object())
    assert kept.estimated
    assert kept.warnings


def test_backings_have_their_tempo_and_are_kept(song, folder):
    assert make_backing(song, folder) == song.instrumental
    slow = make_backing(song, folder, semitones=2, tempo=0.8, guide_level=0.5)
    with open_audio(slow) as file:
        assert file.info.duration_s == pytest.approx(song.duration_s / 0.8, abs=0.1)
    made = slow.stat().st_mtime_ns
    assert make_backing(song, folder, semitones=2, tempo=0.8, guide_level=0.5) == slow
    assert slow.stat().st_size > 100_000
    assert made > 0
    assert make_backing(replace(song, instrumental=None), folder) is None


def test_a_damaged_record_counts_as_none(tmp_path):
    (tmp_path / "guide.json").write_text(json.dumps({"version": 1, "notes": [[0]]}))
    assert not is_prepared(tmp_path)
    (tmp_path / "guide.json").write_text("{")
    assert not is_prepared(tmp_path)


def test_a_recording_without_a_voice_is_its_own_backing(tmp_path):
    rng = np.random.default_rng(1)
    audio = tmp_path / "noise.wav"
    noise = (0.05 * rng.standard_normal((2, 3 * 44_100))).astype(np.float32)
    write_wav(audio, noise, sample_rate=44_100)
    song = prepare_song(audio, tmp_path / "singing")
    assert song.instrumental == audio
    assert song.vocals is None
    assert song.notes == ()


def test_stopping_leaves_nothing_prepared(tmp_path):
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        prepare_song(demo_recording("mixture").path, tmp_path, job=job)
    assert not is_prepared(tmp_path)
