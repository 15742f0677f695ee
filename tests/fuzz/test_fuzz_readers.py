"""Broken recordings and songs: read or refused with a sentence, never a crash, hang or noise."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from av.audio.resampler import AudioResampler
from fuzz_budget import budget
from fuzz_child import Reader
from fuzz_mutations import broken
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs select on pipes")

_CODECS = (
    ("mp3", "mp3", "libmp3lame", "stereo"),
    ("m4a", "ipod", "aac", "stereo"),
    ("m4b", "ipod", "alac", "mono"),
    ("mkv", "matroska", "aac", "5.1"),
    ("webm", "webm", "libopus", "stereo"),
    ("opus", "ogg", "libopus", "mono"),
    ("wma", "asf", "wmav2", "stereo"),
    ("aac", "adts", "aac", "mono"),
    ("ts", "mpegts", "aac", "stereo"),
    ("avi", "avi", "libmp3lame", "stereo"),
    ("flac", "flac", "flac", "stereo"),
    ("wv", "wv", "wavpack", "mono"),
    ("tta", "tta", "tta", "mono"),
)
_PLAIN = (
    ("wav", "WAV", "PCM_16", 2),
    ("wav6", "WAVEX", "PCM_24", 6),
    ("wavf", "WAV", "DOUBLE", 1),
    ("wava", "WAV", "IMA_ADPCM", 1),
    ("rf64", "RF64", "FLOAT", 2),
    ("w64", "W64", "PCM_16", 1),
    ("aiff", "AIFF", "PCM_16", 2),
    ("caf", "CAF", "FLOAT", 1),
    ("au", "AU", "ULAW", 1),
    ("ogg", "OGG", "VORBIS", 2),
)
_SONG = """#TITLE:Fuzz
#ARTIST:Nobody
#BPM:297,5
#GAP:1250
#RELATIVE:no
P1
: 0 3 9 So
* 6 4 11  far
F 12 2 9  a
- 20 22
B 30 150
R 32 4 0 way
P2
G 40 4 -3 home
E
"""


def _make(container: str, codec: str, layout: str) -> bytes:
    rate = 48_000 if codec == "libopus" else 22_050
    channels = {"mono": 1, "stereo": 2, "5.1": 6}[layout]
    audio = 0.2 * np.random.default_rng(1).standard_normal((channels, rate // 4))
    target = io.BytesIO()
    with av.open(target, "w", format=container) as file:
        stream: Any = file.add_stream(codec, rate=rate, layout=layout)
        stream.bit_rate = 64_000 * channels
        frame = av.AudioFrame.from_ndarray(audio.astype(np.float32), format="fltp", layout=layout)
        frame.sample_rate = rate
        frame.pts = 0
        resampler = AudioResampler(
            format=stream.codec_context.codec.audio_formats[0].name,
            layout=layout,
            rate=rate,
            frame_size=stream.codec_context.frame_size or 1024,
        )
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            file.mux(stream.encode(piece))
        file.mux(stream.encode(None))
    return target.getvalue()


@pytest.fixture(scope="module")
def recordings() -> dict[str, bytes]:
    """Small real files of every container, by suffix."""
    made = {suffix: _make(*how) for suffix, *how in _CODECS}
    for suffix, container, subtype, channels in _PLAIN:
        target = io.BytesIO()
        audio = 0.2 * np.random.default_rng(2).standard_normal((4_000, channels))
        soundfile.write(target, audio, 16_000, format=container, subtype=subtype)
        made[suffix] = target.getvalue()
    return made


def test_the_whole_seeds_are_read(reader: Reader, recordings: dict[str, bytes]) -> None:
    assert {reader.read(kind, content) for kind, content in recordings.items()} == {"read"}
    assert reader.read("song", _SONG.encode()) == "read"


def test_a_death_of_the_child_is_noticed(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    process = reader.process()
    process.kill()
    process.wait()
    with pytest.raises((pytest.fail.Exception, BrokenPipeError)):
        reader.read("wav", b"RIFF")
    reader.stop()


@budget(0.55)
@given(data=st.data())
def test_broken_recordings(
    reader: Reader, recordings: dict[str, bytes], data: st.DataObject
) -> None:
    kind, content = data.draw(broken(recordings))
    reader.read(kind, content)


@budget(0.1)
@given(
    start=st.sampled_from(
        [
            b"",
            b"ID3\x03\x00\x00",
            b"\xff\xfb\x90\x00",
            b"\xff\xf1\x50\x80",
            b"RIFF\x00\x10\x00\x00WAVEfmt ",
            b"OggS\x00\x02",
            b"fLaC\x00\x00\x00\x22",
            b"\x00\x00\x00\x18ftypM4A ",
            b"\x1a\x45\xdf\xa3",
            bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"),
            b"FORM\x00\x00\x10\x00AIFFCOMM",
            b"caff\x00\x01\x00\x00desc",
            b"#EXTM3U\n",
        ]
    ),
    rest=st.binary(max_size=3_000),
    kind=st.sampled_from(["mp3", "wav", "m4a", "mkv", "ogg", "txt", "wma"]),
)
def test_random_bytes(reader: Reader, start: bytes, rest: bytes, kind: str) -> None:
    reader.read(kind, start + rest)


@budget(0.1)
@given(data=st.data(), encoding=st.sampled_from(["utf-8", "utf-16", "cp1252"]))
def test_broken_songs(reader: Reader, data: st.DataObject, encoding: str) -> None:
    _, content = data.draw(broken({"song": _SONG.encode(encoding)}))
    reader.read("song", content)


_TOKEN = st.one_of(
    st.sampled_from([*":*FRGPBE-#", "P1", "P2", "#BPM", "#GAP:", "#RELATIVE:yes", "\t", "~"]),
    st.integers().map(str),
    st.floats().map(str),
    st.integers(1, 10**30).map(lambda n: str(10**18 * n)),
    st.text(max_size=8),
)


@budget(0.1)
@given(
    lines=st.lists(st.lists(_TOKEN, max_size=6).map(" ".join), max_size=10),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_songs_out_of_tokens(reader: Reader, lines: list[str], newline: str) -> None:
    text = newline.join(["#BPM:300", ": 0 4 0 a", *lines])
    reader.read("song", text.encode("utf-8", "replace"))
