"""Files that end too early or are damaged inside: what is there is read, and the user is told."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from singcoach.audio.reading import open_audio
from singcoach.core.arrays import FloatArray
from singcoach.errors import InputError

Encode = Callable[..., Path]
RATE = 24_000
SECONDS = 4.0


@pytest.fixture(scope="module")
def song() -> FloatArray:
    """Noise whose level follows no pattern, so that every codec needs its full bit rate."""
    shape = (1, round(RATE * SECONDS))
    return (0.1 * np.random.default_rng(5).standard_normal(shape)).astype(np.float32)


def read(path: Path) -> tuple[int, tuple[str, ...]]:
    with open_audio(path) as file:
        blocks = list(file.blocks(sample_rate=RATE, channels=1))
        assert all(np.isfinite(block).all() for block in blocks)
        return sum(block.shape[1] for block in blocks), file.warnings


@pytest.mark.parametrize(
    ("container", "codec", "suffix", "warns", "whole_s"),
    [
        # The index of an m4a lies at its end: cut anywhere, nothing can be read.
        ("ipod", "aac", "m4a", True, 9.9),
        ("mp3", "libmp3lame", "mp3", True, 0.3),
        ("matroska", "aac", "mkv", True, 1.3),
        ("webm", "libopus", "webm", True, 1.3),
        ("ogg", "libopus", "opus", True, 1.3),
        ("asf", "wmav2", "wma", True, 0.4),
        ("flac", "flac", "flac", True, 0.6),
        ("wav", "pcm_s16le", "wav", True, 0.1),
        ("aiff", "pcm_s16be", "aiff", True, 0.1),
        # Nothing in these says how long they should be.
        ("adts", "aac", "aac", False, 0.4),
        ("mpegts", "aac", "ts", False, 0.6),
    ],
)
def test_cut_at_every_twentieth(
    tmp_path: Path,
    encode: Encode,
    song: FloatArray,
    container: str,
    codec: str,
    suffix: str,
    warns: bool,
    whole_s: float,
) -> None:
    rate = 48_000 if codec == "libopus" else RATE
    audio = np.repeat(song, rate // RATE, axis=1)
    whole = encode(
        tmp_path / f"whole.{suffix}",
        audio,
        container=container,
        codec=codec,
        sample_rate=rate,
        layout="mono",
    )
    content = whole.read_bytes()
    assert read(whole)[1] == ()
    path = tmp_path / f"cut.{suffix}"
    for twentieth in range(1, 20):
        path.write_bytes(content[: len(content) * twentieth // 20])
        expected_s = SECONDS * twentieth / 20
        if expected_s < whole_s:
            with contextlib.suppress(InputError):
                read(path)
            continue
        n_samples, warnings = read(path)
        # Containers hold back at most a page or cluster.
        assert expected_s - whole_s <= n_samples / RATE <= expected_s + 0.3
        if warns:
            assert warnings, twentieth


def test_m4a_with_its_index_in_front_is_read_up_to_the_cut(
    tmp_path: Path, encode: Encode, song: FloatArray
) -> None:
    whole = encode(
        tmp_path / "whole.m4a",
        song,
        container="ipod",
        codec="aac",
        sample_rate=RATE,
        layout="mono",
        options={"movflags": "faststart"},
    )
    content = whole.read_bytes()
    cut = tmp_path / "cut.m4a"
    cut.write_bytes(content[: len(content) * 3 // 4])
    n_samples, warnings = read(cut)
    assert n_samples / RATE == pytest.approx(3.0, abs=0.4)
    assert any("promises 0:04.0" in warning for warning in warnings)


@pytest.mark.parametrize(
    ("container", "codec", "suffix"),
    [
        ("mp3", "libmp3lame", "mp3"),
        ("matroska", "flac", "mka"),
        ("ogg", "libopus", "opus"),
        ("flac", "flac", "flac"),
    ],
)
def test_damage_in_the_middle_keeps_the_times_after_it(
    tmp_path: Path, encode: Encode, container: str, codec: str, suffix: str
) -> None:
    rate = 48_000 if codec == "libopus" else RATE
    t = np.arange(round(rate * SECONDS)) / rate
    noise = np.random.default_rng(6).standard_normal(t.size) * 0.05
    noise[(t > 2.9) & (t < 3.1)] = 0.0
    click = 0.9 * np.exp(-(((t - 3.0) / 0.002) ** 2)) * np.sin(2 * np.pi * 1_000 * t)
    path = encode(
        tmp_path / f"take.{suffix}",
        (noise + click)[None].astype(np.float32),
        container=container,
        codec=codec,
        sample_rate=rate,
        layout="mono",
    )
    content = bytearray(path.read_bytes())
    middle = len(content) * 2 // 5
    content[middle : middle + 300] = np.random.default_rng(7).bytes(300)
    path.write_bytes(content)
    with open_audio(path) as file:
        heard = np.concatenate(list(file.blocks(sample_rate=RATE, channels=1)), axis=1)[0]
    late = heard[round(2.6 * RATE) : round(3.4 * RATE)]
    assert (int(np.abs(late).argmax()) / RATE + 2.6) == pytest.approx(3.0, abs=0.03)


def test_wav_of_a_recorder_that_never_closed_it(tmp_path: Path, song: FloatArray) -> None:
    path = tmp_path / "take.wav"
    soundfile.write(path, song.T, RATE, subtype="PCM_16")
    content = bytearray(path.read_bytes())
    for length in (0, 0xFFFF_FFFF):
        content[4:8] = content[40:44] = length.to_bytes(4, "little")
        path.write_bytes(content)
        n_samples, warnings = read(path)
        assert n_samples == song.shape[1]
        assert warnings == ()


@pytest.mark.parametrize("codec", ["libmp3lame", "aac"])
def test_tags_behind_the_sound_are_no_damage(
    tmp_path: Path, encode: Encode, song: FloatArray, codec: str
) -> None:
    container, suffix = ("mp3", "mp3") if codec == "libmp3lame" else ("adts", "aac")
    path = encode(
        tmp_path / f"take.{suffix}",
        song,
        container=container,
        codec=codec,
        sample_rate=RATE,
        layout="mono",
    )
    lyrics = b"Lyrics\0" + "La la lä, ".encode() * 300
    head = b"APETAGEX" + (2000).to_bytes(4, "little") + (len(lyrics) + 40).to_bytes(4, "little")
    ape = head + (1).to_bytes(4, "little") + b"\0\0\0\xa0" + bytes(8)
    item = len(lyrics).to_bytes(4, "little") + bytes(4) + lyrics
    id3v1 = b"TAG" + b"Title".ljust(125, b"\0")
    path.write_bytes(path.read_bytes() + ape + item + ape + id3v1)
    n_samples, warnings = read(path)
    assert n_samples / RATE == pytest.approx(SECONDS, abs=0.15)
    assert warnings == ()


def test_packets_of_a_stream_that_begins_in_the_middle_are_passed_by(
    tmp_path: Path, encode: Encode, song: FloatArray
) -> None:
    """Fuzzing found it: such a packet has no place in PyAV's list of streams."""
    from singcoach.audio.av_track import AvTrack

    path = encode(
        tmp_path / "take.ts",
        song,
        container="mpegts",
        codec="aac",
        sample_rate=RATE,
        layout="mono",
    )
    track = AvTrack(path)
    inner = track._container

    class Growing:
        """Answers as a container does whose file tells of a new stream after every ten packets."""

        def __getattr__(self, name: str) -> object:
            return getattr(inner, name)

        def demux(self, stream: object) -> Iterator[object]:
            for number, packet in enumerate(inner.demux(stream)):
                yield packet
                if number == 10:
                    raise IndexError("list index out of range")

    track._container = Growing()
    n_samples = sum(audio.shape[1] for audio, _, _ in track.frames())
    track.close()
    assert n_samples == pytest.approx(RATE * SECONDS, abs=2_048)
