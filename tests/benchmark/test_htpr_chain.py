"""Rated recordings through the whole chain: parts, crops, backings, what cannot be used."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from singcoach import resources
from singcoach.audio.reading import read_audio
from singcoach.audio.writing import write_wav
from singcoach.benchmark.htpr.chain import Recording, score_recordings
from singcoach.benchmark.htpr.pieces import CROP_S, crop_starts, cut, join_parts
from singcoach.chain.assess import assess
from singcoach.chain.engine import Engine
from singcoach.chain.settings import Settings
from singcoach.cli.main import main
from singcoach.errors import Cancelled
from singcoach.jobs import Job

TAKE = resources.assets_dir() / "vocadito_14.flac"
RATE = 44_100
FAST = Settings(kind="solo", profile="fast", feedback=False)


def test_parts_are_joined_and_crops_cut_to_the_sample(tmp_path: Path) -> None:
    whole = read_audio(TAKE, sample_rate=RATE, channels=1)
    first, second = tmp_path / "joined.wav", tmp_path / "again.wav"
    for target in (first, second):
        join_parts([TAKE, TAKE], target)
    assert first.read_bytes() == second.read_bytes()
    joined = read_audio(first, sample_rate=RATE, channels=1)
    assert joined == pytest.approx(np.concatenate([whole, whole], axis=1), abs=2**-22)
    crop = tmp_path / "crop.wav"
    cut(first, crop, start_s=11.5, length_s=3.0)
    start = round(11.5 * RATE)
    found = read_audio(crop, sample_rate=RATE, channels=1)
    assert np.array_equal(found, joined[:, start : start + 3 * RATE])


def test_crops_lie_apart_within_the_recording_and_repeat() -> None:
    starts = crop_starts("a", 120.0, n_crops=3, seed=0)
    assert starts == crop_starts("a", 120.0, n_crops=3, seed=0)
    assert starts != crop_starts("b", 120.0, n_crops=3, seed=0)
    assert starts != crop_starts("a", 120.0, n_crops=3, seed=1)
    assert 0.0 <= starts[0] < 30.0 <= starts[1] < 60.0 <= starts[2] <= 120.0 - CROP_S
    assert crop_starts("a", 30.0, n_crops=3, seed=0) == ()
    assert crop_starts("a", 120.0, n_crops=0, seed=0) == ()
    assert len(crop_starts("a", 30.1, n_crops=5, seed=0)) <= 2


@pytest.fixture
def rated(tmp_path: Path) -> Path:
    """A folder with a take, a noisier one, one in parts, and what cannot be used; with ratings."""
    audio = read_audio(TAKE, sample_rate=RATE, channels=1)
    noise = np.random.default_rng(0).standard_normal(audio.shape).astype(np.float32)
    (tmp_path / "audio" / "trio").mkdir(parents=True)
    (tmp_path / "audio" / "good.flac").write_bytes(TAKE.read_bytes())
    write_wav(tmp_path / "audio" / "noisy.wav", audio + 0.01 * noise, sample_rate=RATE)
    for number in range(3):
        (tmp_path / "audio" / "trio" / f"{number}.flac").write_bytes(TAKE.read_bytes())
    (tmp_path / "audio" / "broken.mp3").write_text("this is no sound")
    (tmp_path / "audio" / "unrated.mp3").write_text("nobody asks for this")
    (tmp_path / "music").mkdir()
    write_wav(tmp_path / "music" / "good.wav", 0.5 * audio, sample_rate=RATE)
    rows = [
        f"{item},{rater},{grade + rater}"
        for item, grade in (("good", 3), ("noisy", 1), ("trio", 2), ("broken", 1), ("gone", 2))
        for rater in range(2)
    ]
    (tmp_path / "ratings.csv").write_text("\n".join(["item,rater,score", *rows]))
    return tmp_path


def bench(folder: Path, *more: str) -> dict[str, Any]:
    out = folder / "out.json"
    arguments = ["--ratings", str(folder / "ratings.csv"), "--audio", str(folder / "audio")]
    arguments += ["--vocals-only", "--profile", "fast", "--draws", "100", "--json", str(out)]
    assert main(["bench", "htpr", *arguments, *more]) == 0
    loaded: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return loaded


@pytest.mark.slow
def test_the_command_scores_a_folder(rated: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = bench(rated, "--crops", "2", "--backing", str(rated / "music"))
    assert document["items"]["without_recording"] == ["gone"]
    assert document["items"]["not_rated"] == ["unrated.mp3"]
    assert list(document["items"]["failed"]) == ["broken"]
    assert document["items"]["scored"] == 3
    scores = {row["item"]: row for row in document["scores"]}
    engine = Engine()
    noisy = assess(rated / "audio" / "noisy.wav", settings=FAST, engine=engine).assessment
    assert scores["noisy"]["scores"]["overall"]["value"] == pytest.approx(
        noisy.scores.overall.score, abs=1e-5
    )
    assert scores["trio"]["duration_s"] == pytest.approx(3 * scores["good"]["duration_s"], abs=0.01)
    assert scores["trio"]["file"] == "0.flac + 1.flac + 2.flac"
    crops = document["crops"]["scores"]["overall"]
    assert (crops["n_recordings"], crops["n_crops"]) == (1, 2)
    assert document["crops"]["audio_s"] == 60.0
    assert "3 of 4 recordings have no backing" in document["warnings"]
    assert any("no human ratings behind it" in warning for warning in document["warnings"])
    assert {"pitch", "heads"} <= {model["role"] for model in document["source"]["models"]}
    printed = capsys.readouterr()
    assert "no recording for gone" in printed.out
    assert "broken" in printed.out
    again = bench(rated, "--crops", "2", "--backing", str(rated / "music"))
    for each in (document, again):
        each["crops"].pop("work_s")
    assert again == document
    without = bench(rated, "--crops", "0")
    assert without["crops"]["reason"] == "no crops were asked for (--crops N)"
    assert without["crops"]["scores"] == {}


@pytest.mark.slow
def test_assessments_made_earlier_give_the_same_figures(rated: Path) -> None:
    lines = rated / "lines.jsonl"
    arguments = ["assess", str(rated / "audio"), "--vocals-only", "--profile", "fast"]
    assert main([*arguments, "--no-feedback", "--json", str(lines)]) == 3  # for the broken one
    out = rated / "again.json"
    earlier = ["bench", "htpr", "--ratings", str(rated / "ratings.csv"), "--json", str(out)]
    assert main([*earlier, "--predictions", str(lines), "--draws", "100"]) == 0
    document = json.loads(out.read_text(encoding="utf-8"))
    direct = {row["item"]: row["scores"] for row in bench(rated, "--crops", "0")["scores"]}
    made = {row["item"]: row["scores"] for row in document["scores"]}
    for name in ("good", "noisy"):
        for part, score in direct[name].items():
            assert made[name][part]["value"] == pytest.approx(score["value"], abs=0.006)
    assert "broken" in document["items"]["failed"]
    assert document["crops"]["reason"] == "crops need the recordings, not only their scores"


def test_a_backing_that_ends_early_costs_the_crop_and_not_the_recording(tmp_path: Path) -> None:
    long, music = tmp_path / "long.wav", tmp_path / "music.wav"
    join_parts([TAKE] * 6, long)
    cut(TAKE, music, start_s=0.0, length_s=5.0)
    found = score_recordings(
        [Recording(item="long", parts=(long,), backing=music)],
        engine=Engine(),
        settings=FAST,
        n_crops=1,
        seed=1,
    )
    assert found.items["long"].scores["overall"].value is not None
    assert [crop.scores["overall"].value for crop in found.crops["long"]] == [None]
    assert not found.failed


def test_nothing_usable_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio" / "a.wav").write_bytes(b"")
    ratings = tmp_path / "r.csv"
    ratings.write_text("item,rater,score\na,x,1\n")
    assert (
        main(["bench", "htpr", "--ratings", str(ratings), "--audio", str(tmp_path / "audio")]) == 3
    )
    assert capsys.readouterr().err.startswith("singcoach: None of the rated recordings")


def test_a_stop_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    calls = []

    def stop(fraction: float, _stage: str) -> None:
        calls.append(fraction)
        if len(calls) == 12:
            job.cancel()

    job = Job(stop)
    with pytest.raises(Cancelled):
        score_recordings(
            [Recording(item="a", parts=(TAKE, TAKE, TAKE))],
            engine=Engine(),
            settings=FAST,
            n_crops=1,
            job=job,
        )
    assert calls == sorted(calls)
    assert not list(tmp_path.glob("singcoach-htpr-*"))
