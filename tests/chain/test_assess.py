"""The whole chain on the recordings that ship."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from singcoach import resources
from singcoach.audio.reading import read_audio
from singcoach.audio.writing import write_wav
from singcoach.chain.assess import AssessedTake, assess
from singcoach.chain.cache import Cache
from singcoach.chain.engine import Engine
from singcoach.chain.settings import Settings
from singcoach.core.arrays import FloatArray
from singcoach.errors import Cancelled, InputError
from singcoach.jobs import Job
from singcoach.report.document import to_document

TAKE = resources.assets_dir() / "vocadito_14.flac"
SONG = resources.assets_dir() / "slow_motion_dream.mp3"


def numbers(assessed: AssessedTake) -> dict[str, Any]:
    """The document without what may differ between two runs."""
    document = to_document(assessed.assessment)
    del document["timings"], document["peak_memory_mb"]
    return document


@pytest.fixture(scope="module")
def fresh() -> AssessedTake:
    return assess(TAKE, settings=Settings(), engine=Engine())


def test_every_stage_leaves_its_result(fresh: AssessedTake) -> None:
    take, assessment = fresh.take, fresh.assessment
    assert take.kind == "solo"
    assert take.backing is None
    assert take.features is not None
    assert take.features.shape == (take.vocal.size // 320, 512)
    assert take.vocal.size == take.vocal_raw.size
    assert len(take.notes) > 10
    assert take.phrases
    assert all(0 <= phrase.start_s < phrase.end_s <= take.duration_s for phrase in take.phrases)
    assert {model.role for model in assessment.models} == {
        "pitch",
        "singing_detector",
        "recording_quality",
        "encoder_general",
        "heads",
    }
    assert {"decode_s", "kind_s", "pitch_s", "encoder_s", "scoring_s"} <= set(assessment.timings)
    for score in assessment.scores.dimensions.values():
        assert score.score is not None
        assert score.low is not None
        assert score.high is not None
        assert 1 <= score.low <= score.score <= score.high <= 5
        assert all(0 <= e.start_s < e.end_s <= take.duration_s for e in score.evidence)


def test_numbers_are_the_same_anew_and_from_the_cache(fresh: AssessedTake, tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    expected = json.dumps(numbers(fresh))
    for _ in range(2):  # the second time from the cache
        again = assess(TAKE, settings=Settings(), engine=Engine(cache=cache))
        assert json.dumps(numbers(again)) == expected
    assert cache.size_bytes() > 0


def test_a_mixture_is_separated_and_its_backing_analysed(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    first = assess(SONG, settings=Settings(), engine=Engine(cache=cache))
    assert first.take.kind == "mixture"
    assert first.take.backing is not None
    assert first.assessment.screening.recording_quality is None
    roles = {model.role for model in first.assessment.models}
    assert "separation" in roles
    again = assess(SONG, settings=Settings(), engine=Engine(cache=cache))
    assert numbers(again) == numbers(first)


def test_what_the_user_says_of_the_file_holds() -> None:
    said = assess(SONG, settings=Settings(kind="solo", profile="fast"), engine=Engine())
    assert said.take.kind == "solo"
    assert said.assessment.input.kind_decided_by == "user"
    assert said.take.features is None


def test_too_short_is_a_result_without_scores(tmp_path: Path) -> None:
    path = tmp_path / "short.wav"
    write_wav(
        path, read_audio(TAKE, sample_rate=16_000, channels=1)[:, :80_000], sample_rate=16_000
    )
    result = assess(path, settings=Settings(), engine=Engine()).assessment
    assert result.screening.verdict == "insufficient"
    assert "10 s" in result.screening.reasons[0]
    assert all(score.score is None and score.reason for score in result.scores.dimensions.values())
    assert result.feedback is not None
    assert "encoder_general" not in {model.role for model in result.models}


@pytest.mark.parametrize("n_samples", [1, 100, 16_000])
def test_scraps_of_sound_are_results(tmp_path: Path, n_samples: int) -> None:
    path = tmp_path / "scrap.wav"
    tone = 0.1 * np.sin(np.arange(n_samples, dtype=np.float32) * 0.1)
    write_wav(path, tone[np.newaxis], sample_rate=16_000)
    result = assess(path, settings=Settings(), engine=Engine()).assessment
    assert result.screening.verdict == "insufficient"


def sine_melody() -> FloatArray:
    """A melody of pure sines of 15 s: notes, but no voice and so no phrases."""
    steps = np.repeat([0, 2, 4, 5, 7, 5, 4, 2, 0, 4], 24_000)
    phase = 2 * np.pi * np.cumsum(440.0 * 2.0 ** (steps / 12.0)) / 16_000
    return (0.3 * np.sin(phase)).astype(np.float32)[np.newaxis]


def assess_audio(audio: FloatArray, folder: Path) -> AssessedTake:
    path = folder / "notes.wav"
    write_wav(path, audio, sample_rate=16_000)
    return assess(path, settings=Settings(), engine=Engine())


def is_result_without_scores(assessed: AssessedTake) -> bool:
    scores = assessed.assessment.scores
    to_document(assessed.assessment)
    return scores.phrases == () and all(
        score.score is None and bool(score.reason) for score in scores.dimensions.values()
    )


def test_notes_without_a_phrase_are_a_result(tmp_path: Path) -> None:
    assessed = assess_audio(sine_melody(), tmp_path)
    assert assessed.take.notes
    assert assessed.take.phrases == ()
    assert is_result_without_scores(assessed)


@pytest.mark.parametrize("n_samples", [8_000, 16_000])
def test_the_first_second_of_a_song_is_a_result(tmp_path: Path, n_samples: int) -> None:
    beginning = read_audio(TAKE, sample_rate=16_000, channels=1)[:, :n_samples]
    assert is_result_without_scores(assess_audio(beginning, tmp_path))


def test_a_backing_file_and_a_song_are_used(tmp_path: Path) -> None:
    song = tmp_path / "song.txt"
    beats = "\n".join(f": {i * 4} 3 {i % 8} la" for i in range(20))
    song.write_text(f"#TITLE:Test\n#ARTIST:Nobody\n#BPM:120\n#GAP:800\n{beats}\nE\n")
    settings = Settings(kind="solo", profile="fast", backing=SONG, song=song)
    engine = Engine()
    assessed = assess(TAKE, settings=settings, engine=engine)
    assert assessed.take.song is not None
    assert assessed.take.backing is not None
    assert assessed.take.screening.pitch_reference == "song"
    backing_only = assess(TAKE, settings=replace(settings, song=None), engine=engine)
    assert backing_only.take.screening.pitch_reference == "backing"
    with pytest.raises(InputError):
        assess(TAKE, settings=replace(settings, song=tmp_path / "none.txt"), engine=engine)
    with pytest.raises(InputError):
        assess(TAKE, settings=replace(settings, backing=tmp_path), engine=engine)


def test_a_stop_reaches_the_encoder_beside() -> None:
    """Stopped while the encoder runs: no thread is left behind and nothing is returned."""
    seen: list[str] = []

    def stop_late(_fraction: float, stage: str) -> None:
        seen.append(stage)
        if len(seen) > 5 and "listening" in stage:
            job.cancel()

    job = Job(stop_late)
    with pytest.raises(Cancelled):
        assess(TAKE, settings=Settings(), engine=Engine(), job=job)


def test_the_user_is_told_what_has_no_effect() -> None:
    told = " ".join(Engine(device="cuda", profile="best").warnings())
    assert "--device cuda" in told
    assert "No stronger model packs" in told
    assert Engine().warnings() == ()
