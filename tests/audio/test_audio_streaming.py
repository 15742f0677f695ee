"""Blocks, rates and channels on the way: invariants, mid-stream changes, bounded memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from singcoach.audio.reading import open_audio, read_audio
from singcoach.audio.writing import WavWriter
from singcoach.core.arrays import FloatArray
from singcoach.errors import Cancelled, InputError
from singcoach.jobs import Job

Encode = Callable[..., Path]


def noise(sample_rate: int, seconds: float, channels: int, seed: int = 3) -> FloatArray:
    shape = (channels, round(sample_rate * seconds))
    return (0.1 * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def tone(sample_rate: int, seconds: float, channels: int, hz: float) -> FloatArray:
    t = np.arange(round(sample_rate * seconds)) / sample_rate
    return np.tile((0.3 * np.sin(2 * np.pi * hz * t)).astype(np.float32), (channels, 1))


def main_hz(audio: FloatArray, sample_rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(audio.size)))
    return float(spectrum.argmax()) * sample_rate / audio.size


@pytest.fixture(scope="module")
def take(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("take") / "take.wav"
    soundfile.write(path, noise(44_100, 2.7, 2).T, 44_100, subtype="FLOAT")
    return path


@settings(max_examples=25, deadline=None)
@given(
    block_s=st.floats(0.001, 5.0),
    sample_rate=st.sampled_from([8_000, 16_000, 22_050, 44_100, 48_000]),
    channels=st.sampled_from([1, 2]),
)
def test_blocks_joined_are_the_whole(
    take: Path, block_s: float, sample_rate: int, channels: int
) -> None:
    whole = read_audio(take, sample_rate=sample_rate, channels=channels)
    with open_audio(take) as file:
        blocks = list(file.blocks(sample_rate=sample_rate, channels=channels, block_s=block_s))
    assert np.array_equal(np.concatenate(blocks, axis=1), whole)
    size = max(1, round(block_s * sample_rate))
    assert {block.shape[1] for block in blocks[:-1]} <= {size}
    assert 0 < blocks[-1].shape[1] <= size
    assert all(block.dtype == np.float32 and block.shape[0] == channels for block in blocks)
    assert whole.shape[1] == pytest.approx(2.7 * sample_rate, abs=1.5)


def test_same_rate_keeps_every_bit(take: Path) -> None:
    assert np.array_equal(read_audio(take, sample_rate=44_100, channels=2), noise(44_100, 2.7, 2))


def test_a_second_pass_and_two_at_once_give_the_same(take: Path) -> None:
    with open_audio(take) as file:
        first = file.blocks(sample_rate=16_000, channels=1, block_s=0.5)
        second = file.blocks(sample_rate=16_000, channels=1, block_s=0.5)
        pairs = list(zip(first, second, strict=True))
        assert len(pairs) == 6
        assert all(np.array_equal(one, other) for one, other in pairs)


def test_result_is_read_only(take: Path) -> None:
    audio = read_audio(take, sample_rate=16_000, channels=1)
    with pytest.raises(ValueError, match="read-only"):
        audio[0, 0] = 1.0


@pytest.mark.parametrize(
    ("channels", "sample_rate", "block_s"), [(3, 16_000, 1.0), (1, 0, 1.0), (1, 16_000, 0.0)]
)
def test_our_own_mistakes_are_value_errors(
    take: Path, channels: int, sample_rate: int, block_s: float
) -> None:
    with open_audio(take) as file, pytest.raises(ValueError, match=r"would work|ask for"):
        file.blocks(sample_rate=sample_rate, channels=channels, block_s=block_s)


def test_progress_rises_and_a_stop_acts(take: Path) -> None:
    seen: list[float] = []
    job = Job(lambda fraction, _stage: seen.append(fraction))
    read_audio(take, sample_rate=16_000, channels=1, job=job)
    assert seen == sorted(seen)
    assert len(seen) >= 5
    assert seen[-1] > 0.7
    job.cancel()
    with pytest.raises(Cancelled):
        read_audio(take, sample_rate=16_000, channels=1, job=job)


@pytest.mark.parametrize(
    ("container", "codec", "suffix"),
    [("mp3", "libmp3lame", "mp3"), ("adts", "aac", "aac"), ("ogg", "libopus", "opus")],
)
def test_rate_and_layout_change_in_the_middle(
    tmp_path: Path, encode: Encode, container: str, codec: str, suffix: str
) -> None:
    second_rate = 48_000 if codec == "libopus" else 24_000
    first = encode(
        tmp_path / f"a.{suffix}",
        tone(48_000, 2.0, 2, 440.0),
        container=container,
        codec=codec,
        sample_rate=48_000,
    )
    second = encode(
        tmp_path / f"b.{suffix}",
        tone(second_rate, 2.0, 1, 660.0),
        container=container,
        codec=codec,
        sample_rate=second_rate,
        layout="mono",
    )
    joined = tmp_path / f"joined.{suffix}"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    audio = read_audio(joined, sample_rate=16_000, channels=2)
    assert audio.shape[1] / 16_000 == pytest.approx(4.0, abs=0.12)
    for channel in audio:
        assert main_hz(channel[4_000:28_000], 16_000) == pytest.approx(440.0, abs=1.5)
        assert main_hz(channel[36_000:60_000], 16_000) == pytest.approx(660.0, abs=1.5)


def test_joined_vorbis(tmp_path: Path) -> None:
    parts = [(44_100, 2, 440.0), (22_050, 1, 660.0), (44_100, 2, 880.0)]
    content = b""
    for sample_rate, channels, hz in parts:
        path = tmp_path / "part.ogg"
        soundfile.write(path, tone(sample_rate, 2.0, channels, hz).T, sample_rate)
        content += path.read_bytes()
    joined = tmp_path / "joined, a;b %d.ogg"
    joined.write_bytes(content)
    with open_audio(joined) as file:
        audio = np.concatenate(list(file.blocks(sample_rate=16_000, channels=1)), axis=1)[0]
        assert file.warnings == ()
    assert audio.size / 16_000 == pytest.approx(6.0, abs=0.1)
    for at, (_, _, hz) in enumerate(parts):
        start = 32_000 * at + 6_000
        assert main_hz(audio[start : start + 20_000], 16_000) == pytest.approx(hz, abs=2.0)


_MEASURE = """
import resource, sys
from pathlib import Path
from singcoach.audio.reading import open_audio
from singcoach.errors import InputError

def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0

def run(path):
    with open_audio(Path(path)) as file:
        return sum(block.shape[1] for block in file.blocks(sample_rate=8000, channels=1))

short = run(sys.argv[1])
before = peak_mb()
long = run(sys.argv[2])
print(short, long, peak_mb() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs the resource module")
@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_two_hours_take_no_more_memory_than_two_minutes(tmp_path: Path, suffix: str) -> None:
    sample_rate = 8_000
    paths = []
    for name, seconds in (("short", 120), ("long", 7200)):
        path = tmp_path / f"{name}.{suffix}"
        paths.append(str(path))
        if suffix == "wav":
            # A wav with a hole: two hours of stereo silence without filling the disk.
            soundfile.write(path, np.zeros((1, 2)), sample_rate, subtype="PCM_16")
            content = bytearray(path.read_bytes())
            n_bytes = seconds * sample_rate * 4
            content[4:8] = (36 + n_bytes).to_bytes(4, "little")
            content[40:44] = n_bytes.to_bytes(4, "little")
            with path.open("wb") as file:
                file.write(content[:44])
                file.truncate(44 + n_bytes)
        else:
            block = np.zeros((60 * sample_rate, 1), np.int16)
            with soundfile.SoundFile(path, "w", sample_rate, 1, subtype="PCM_16") as sound:
                for _ in range(seconds // 60):
                    sound.write(block)
    result = subprocess.run(
        [sys.executable, "-c", _MEASURE, *paths],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    short, long, growth_mb = (float(word) for word in result.stdout.split())
    assert short == 120 * 8_000
    assert long == 7200 * 8_000
    assert growth_mb < 25.0


def test_longer_than_two_hours_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, np.zeros(1), 8_000, subtype="PCM_U8")
    content = bytearray(path.read_bytes())
    n_bytes = 8_000 * 7_400
    content[4:8] = (36 + n_bytes).to_bytes(4, "little")
    content[40:44] = n_bytes.to_bytes(4, "little")
    with path.open("wb") as file:
        file.write(content[:44])
        file.truncate(44 + n_bytes)
    with pytest.raises(InputError, match="longer than two hours"):
        open_audio(path)


def test_a_length_that_is_only_found_while_decoding_is_refused(
    tmp_path: Path, encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("singcoach.audio.reading.LONGEST_S", 1.0)
    monkeypatch.setattr("singcoach.audio.reading._LONGEST_TOLERANCE_S", 0.5)
    path = encode(
        tmp_path / "take.aac",
        tone(16_000, 3.0, 1, 440.0),
        container="adts",
        codec="aac",
        sample_rate=16_000,
        layout="mono",
    )
    with open_audio(path) as file, pytest.raises(InputError, match="longer than two hours"):
        list(file.blocks(sample_rate=16_000, channels=1))


def test_a_header_that_promises_days_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "take.flac"
    soundfile.write(path, noise(16_000, 1.0, 1).T, 16_000)
    content = bytearray(path.read_bytes())
    # STREAMINFO: the low 32 bits of the number of samples.
    content[22:26] = (0xF000_0000).to_bytes(4, "big")
    path.write_bytes(content)
    with open_audio(path) as file:
        n_samples = sum(b.shape[1] for b in file.blocks(sample_rate=16_000, channels=1))
        assert n_samples == 16_000
        assert any("promises" in warning for warning in file.warnings)


def test_rf64_is_read(tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    audio = noise(8_000, 1.0, 2)
    with WavWriter(path, sample_rate=8_000, channels=2, expected_samples=10**9) as writer:
        writer.write(audio)
    assert path.read_bytes()[:4] == b"RF64"
    assert np.array_equal(read_audio(path, sample_rate=8_000, channels=2), audio)


def test_a_file_that_vanishes_between_two_passes(tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    soundfile.write(path, noise(8_000, 1.0, 1).T, 8_000)
    with open_audio(path) as file:
        assert list(file.blocks(sample_rate=8_000, channels=1))
        path.unlink()
        with pytest.raises(InputError):
            list(file.blocks(sample_rate=8_000, channels=1))
