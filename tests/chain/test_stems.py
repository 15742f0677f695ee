"""Stems as files: at the recording's rate, adding up to the recording."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from singcoach import resources
from singcoach.audio.reading import read_audio
from singcoach.audio.writing import write_wav
from singcoach.chain.engine import Engine
from singcoach.chain.stems import write_stems
from singcoach.errors import Cancelled, InputError, OutputError
from singcoach.jobs import Job

SONG = resources.assets_dir() / "slow_motion_dream.mp3"


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


@pytest.mark.parametrize("sample_rate", [44_100, 48_000, 22_050])
def test_the_stems_add_up_to_the_recording(
    tmp_path: Path, engine: Engine, sample_rate: int
) -> None:
    recording = tmp_path / "song.wav"
    mixture = read_audio(SONG, sample_rate=sample_rate, channels=2)[:, : 6 * sample_rate]
    write_wav(recording, mixture, sample_rate=sample_rate, subtype="FLOAT")
    stems = write_stems(recording, tmp_path / "out", engine=engine)
    vocals, rate = soundfile.read(stems.vocals, dtype="float32")
    accompaniment, _ = soundfile.read(stems.accompaniment, dtype="float32")
    assert rate == sample_rate
    assert vocals.shape == accompaniment.shape == mixture.T.shape
    np.testing.assert_allclose(vocals + accompaniment, mixture.T, atol=1e-6)
    assert float(np.sqrt(np.mean(vocals**2))) > 0.01
    assert float(np.sqrt(np.mean(accompaniment**2))) > 0.01


def test_mono_becomes_two_channels_alike(tmp_path: Path, engine: Engine) -> None:
    recording = tmp_path / "mono.wav"
    mono = read_audio(SONG, sample_rate=44_100, channels=1)[:, :88_200]
    write_wav(recording, mono, sample_rate=44_100, subtype="FLOAT")
    stems = write_stems(recording, tmp_path, engine=engine)
    vocals, _ = soundfile.read(stems.vocals, dtype="float32")
    difference = np.sqrt(np.mean((vocals[:, 0] - vocals[:, 1]) ** 2))
    assert difference < 0.01 * np.sqrt(np.mean(vocals**2))  # the networks tell left from right


def test_a_stop_leaves_nothing(tmp_path: Path, engine: Engine) -> None:
    job = Job(lambda fraction, _stage: job.cancel() if fraction > 0.3 else None)
    with pytest.raises(Cancelled):
        write_stems(SONG, tmp_path / "out", engine=engine, job=job)
    assert list((tmp_path / "out").iterdir()) == []


def test_refusals(tmp_path: Path, engine: Engine) -> None:
    with pytest.raises(InputError):
        write_stems(tmp_path / "none.wav", tmp_path / "out", engine=engine)
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(OutputError, match="cannot be made"):
        write_stems(SONG, blocked / "out", engine=engine)
