"""The file that is whole at every moment."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from singcoach.audio.reading import read_audio
from singcoach.audio.recorder import wav
from singcoach.audio.recorder.wav import StreamingWav, repair, to_pcm24
from singcoach.errors import InputError

RATE = 48_000


def _noise(n_frames: int, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(1).uniform(-1, 1, (n_frames, channels)).astype(np.float32)


@pytest.mark.parametrize("channels", [1, 2])
def test_what_is_written_is_read_again_by_an_independent_reader(tmp_path, channels):
    path = tmp_path / "take.wav"
    sound = _noise(5_000, channels)
    with StreamingWav(path, sample_rate=RATE, channels=channels) as file:
        for start in range(0, 5_000, 700):
            file.write(sound[start : start + 700])
        assert file.frames == 5_000
    got, rate = soundfile.read(path, dtype="float32", always_2d=True)
    assert rate == RATE
    assert soundfile.info(path).subtype == "PCM_24"
    np.testing.assert_allclose(got, sound, atol=2.0**-23)


def test_every_flush_leaves_a_whole_file(tmp_path):
    path = tmp_path / "take.wav"
    file = StreamingWav(path, sample_rate=RATE, channels=1)
    for count in range(1, 4):
        file.write(_noise(1_000))
        file.flush()
        assert soundfile.info(path).frames == 1_000 * count
        before = path.read_bytes()
        assert repair(path).frames == 1_000 * count
        assert path.read_bytes() == before
    file.close()


@settings(deadline=None, max_examples=40)
@given(cut=st.integers(0, 3_000 * 3 + 200), channels=st.sampled_from([1, 2]))
def test_a_file_cut_anywhere_is_repaired_or_refused(tmp_path_factory, cut, channels):
    path = tmp_path_factory.mktemp("cut") / "take.wav"
    sound = _noise(1_500, channels)
    with StreamingWav(path, sample_rate=RATE, channels=channels) as file:
        file.write(sound)
    path.write_bytes(path.read_bytes()[:cut])
    header = 80
    if cut < header:
        with pytest.raises(InputError):
            repair(path)
        return
    kept = min(1_500, (cut - header) // (3 * channels))
    length = repair(path)
    assert (length.frames, length.sample_rate, length.channels) == (kept, RATE, channels)
    if kept:
        got, _ = soundfile.read(path, dtype="float32", always_2d=True)
        np.testing.assert_allclose(got, sound[:kept], atol=2.0**-23)


def test_what_was_written_after_the_last_flush_is_recovered(tmp_path):
    path = tmp_path / "take.wav"
    file = StreamingWav(path, sample_rate=RATE, channels=1)
    file.write(_noise(1_000))
    file.flush()
    file.write(_noise(500))  # and then the process dies
    assert soundfile.info(path).frames == 1_000
    assert repair(path).frames == 1_500
    assert soundfile.info(path).frames == 1_500
    assert repair(path).duration_s == pytest.approx(1_500 / RATE)
    file.close()


def test_beyond_four_gigabytes_it_becomes_rf64(tmp_path, monkeypatch):
    monkeypatch.setattr(wav, "_LARGEST_RIFF", 2_000)
    path = tmp_path / "take.wav"
    sound = _noise(1_000)
    with StreamingWav(path, sample_rate=RATE, channels=1) as file:
        file.write(sound[:500])
        file.flush()
        assert path.read_bytes()[:4] == b"RIFF"
        file.write(sound[500:])
    assert path.read_bytes()[:4] == b"RF64"
    info = soundfile.info(path)
    assert (info.format, info.frames) == ("RF64", 1_000)
    np.testing.assert_allclose(
        read_audio(path, sample_rate=RATE, channels=1)[0], sound[:, 0], atol=2.0**-23
    )
    assert repair(path).frames == 1_000


def test_samples_are_rounded_clipped_and_never_nan():
    values = np.array([0.0, 1.0, -1.0, 2.0, -2.0, np.nan, np.inf, -np.inf], np.float32)
    content = to_pcm24(values[:, None])
    read = [int.from_bytes(content[i : i + 3], "little", signed=True) for i in range(0, 24, 3)]
    top = 2**23 - 1
    assert read == [0, top, -top, top, -top, 0, top, -top]
    assert to_pcm24(np.zeros((0, 1), np.float32)) == b""


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "other.wav"
    soundfile.write(path, np.zeros(2_000), RATE, subtype="PCM_16")
    before = path.read_bytes()
    with pytest.raises(InputError, match="no recording"):
        repair(path)
    path.write_bytes(b"")
    with pytest.raises(InputError):
        repair(path)
    path.write_bytes(before[:4] + struct.pack("<I", 0) + bytes(200))
    with pytest.raises(InputError):
        repair(path)


def test_an_existing_file_is_never_replaced(tmp_path: Path):
    path = tmp_path / "take.wav"
    path.write_bytes(b"precious")
    with pytest.raises(FileExistsError):
        StreamingWav(path, sample_rate=RATE, channels=1)
    assert path.read_bytes() == b"precious"
