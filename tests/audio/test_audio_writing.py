"""Files appear whole or not at all."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from singcoach.audio.reading import read_audio
from singcoach.audio.writing import WavWriter, encode_clip, write_wav
from singcoach.core.arrays import FloatArray
from singcoach.errors import Cancelled, OutputError


def noise(channels: int = 2, n_samples: int = 10_000) -> FloatArray:
    rng = np.random.default_rng(2)
    return rng.uniform(-1, 1, (channels, n_samples)).astype(np.float32)


@pytest.mark.parametrize(
    ("subtype", "step"),
    [("FLOAT", 0.0), ("DOUBLE", 0.0), ("PCM_24", 2.0**-22), ("PCM_16", 2.0**-14)],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_what_is_written_is_read(tmp_path: Path, subtype: str, step: float, channels: int) -> None:
    path = tmp_path / "take.wav"
    audio = noise(channels)
    write_wav(path, audio, sample_rate=44_100, subtype=subtype)  # type: ignore[arg-type]
    assert np.abs(read_audio(path, sample_rate=44_100, channels=channels) - audio).max() <= step
    assert [entry.name for entry in tmp_path.iterdir()] == ["take.wav"]


def test_integer_wav_clips_and_does_not_wrap(tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    write_wav(path, np.array([1.5, -1.5, 0.0], np.float32), sample_rate=8_000, subtype="PCM_16")
    assert read_audio(path, sample_rate=8_000, channels=1)[0] == pytest.approx([1, -1, 0], abs=1e-4)


def test_block_by_block_is_the_whole(tmp_path: Path) -> None:
    audio = noise()
    with WavWriter(tmp_path / "take.wav", sample_rate=44_100, channels=2) as writer:
        for start in range(0, 10_000, 777):
            writer.write(audio[:, start : start + 777])
    assert np.array_equal(read_audio(tmp_path / "take.wav", sample_rate=44_100, channels=2), audio)


@pytest.mark.parametrize("fault", [Cancelled("stop"), ValueError("bug"), KeyboardInterrupt()])
def test_nothing_is_left_after_a_fault(tmp_path: Path, fault: BaseException) -> None:
    path = tmp_path / "take.wav"
    path.write_bytes(b"before")

    def stopped() -> None:
        with WavWriter(path, sample_rate=44_100, channels=2) as writer:
            writer.write(noise())
            raise fault

    with pytest.raises(type(fault)):
        stopped()
    assert path.read_bytes() == b"before"
    assert len(list(tmp_path.iterdir())) == 1


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist") as caught:
        write_wav(tmp_path / "no" / "take.wav", noise(), sample_rate=44_100)
    assert caught.value.exit_code == 3


def test_folder_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "take.wav").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        write_wav(tmp_path / "take.wav", noise(), sample_rate=44_100)


def test_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        write_wav(tmp_path / "file" / "take.wav", noise(), sample_rate=44_100)


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(OutputError, match="may not be written"):
        write_wav(tmp_path / "take.wav", noise(), sample_rate=44_100)


_FULL = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from singcoach.audio.writing import write_wav
from singcoach.errors import OutputError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_wav(Path(sys.argv[1]), np.ones((2, 1_000_000), np.float32), sample_rate=44100)
except OutputError as error:
    print(error.message)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
def test_full_disk(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", _FULL, str(tmp_path / "take.wav")],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert result.stdout.strip() in (
        "The disk is full; take.wav was not written",
        "take.wav could not be written",
    )
    assert result.stderr == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_new_files_have_the_usual_permissions(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_wav(tmp_path / "take.wav", noise(), sample_rate=44_100)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "take.wav").stat().st_mode) == 0o640


def test_our_own_mistakes_are_value_errors(tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match="1 channels given, 2 expected"),
        WavWriter(tmp_path / "take.wav", sample_rate=44_100, channels=2) as writer,
    ):
        writer.write(noise(1))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sample_rate", [16_000, 22_050, 44_100])
def test_clip_is_small_and_sounds_the_same(sample_rate: int) -> None:
    t = np.arange(3 * sample_rate) / sample_rate
    tone = (0.5 * np.sin(2 * np.pi * 440 * t)).astype(np.float32)
    clip = encode_clip(tone, sample_rate=sample_rate)
    assert clip.mime == "audio/mpeg"
    assert len(clip.content) * 8 / 3.0 == pytest.approx(64_000, rel=0.06)
    heard, heard_rate = soundfile.read(io.BytesIO(clip.content))
    assert heard_rate == sample_rate
    middle = heard[sample_rate : 2 * sample_rate]
    assert 20 * np.log10(np.sqrt(2 * np.mean(middle**2)) / 0.5) == pytest.approx(0.0, abs=0.5)
    assert int(np.abs(np.fft.rfft(middle)).argmax()) == 440


def test_clip_without_an_mp3_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundfile, "available_formats", dict)
    clip = encode_clip(np.zeros(1_600, np.float32), sample_rate=16_000)
    assert clip.mime == "audio/wav"
    assert soundfile.info(io.BytesIO(clip.content)).frames == 1_600
