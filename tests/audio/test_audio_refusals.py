"""What is no recording: one clear sentence with a hint, and exit code 3."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from singcoach.audio.hashing import sha256_file
from singcoach.audio.reading import open_audio, read_audio
from singcoach.errors import InputError

Encode = Callable[..., Path]


def refusal(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        read_audio(path, sample_rate=16_000, channels=1)
    error = caught.value
    assert error.exit_code == 3
    assert error.hint
    assert len(error.message) < 120
    assert "\n" not in error.message
    assert not error.message.endswith(".")
    assert "Error" not in error.message
    return error


@pytest.fixture
def m4a(tmp_path: Path, encode: Encode) -> Path:
    return encode(
        tmp_path / "take.m4a",
        np.zeros((2, 48_000), np.float32),
        container="ipod",
        codec="aac",
        sample_rate=48_000,
    )


def test_missing(tmp_path: Path) -> None:
    assert "does not exist" in refusal(tmp_path / "nothing.wav").message


def test_folder(tmp_path: Path) -> None:
    assert "is a folder" in refusal(tmp_path).message


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "take.wav"
    soundfile.write(path, np.zeros(8_000), 8_000)

    def refuse(*_args: object, **_kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    # Root may read everything, so the refusal of the system is played.
    monkeypatch.setattr(Path, "open", refuse)
    assert "may not be read" in refusal(path).message


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="permissions do not bind this user"
)
def test_no_permission_for_real(tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    soundfile.write(path, np.zeros(8_000), 8_000)
    path.chmod(0)
    assert "may not be read" in refusal(path).message


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in the file system")
def test_pipe_does_not_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    assert "not an ordinary file" in refusal(tmp_path / "pipe.wav").message


def test_empty(tmp_path: Path) -> None:
    (tmp_path / "take.mp3").touch()
    assert "is empty" in refusal(tmp_path / "take.mp3").message


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"These are lyrics.\nNot a song.\n" * 40, "a text file"),
        ("Перевод текста песни\n".encode() * 20, "a text file"),
        ("歌詞\n".encode("utf-16"), "a text file"),
        (b"x", "a text file"),
        (b"#EXTM3U\nhttp://example.invalid/song.mp3\n", "a text file"),
        (b"ffconcat version 1.0\nfile other.mp3\n", "a text file"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "a web page"),
        (b"%PDF-1.7\n\x00\x01", "a PDF document"),
        (b"PK\x03\x04\x14\x00", "a zip archive"),
        (b"\x89PNG\r\n\x1a\n\x00", "a picture"),
        (b"MThd\x00\x00\x00\x06\x00\x01", "a MIDI file"),
    ],
)
def test_something_else_with_the_name_of_a_recording(
    tmp_path: Path, content: bytes, what: str
) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(content)
    assert f"song.mp3 is {what}" in refusal(path).message


@pytest.mark.parametrize(
    "content",
    [
        # A playlist that hides behind binary rubbish must not open other files or the network.
        b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nother.mp3\n" + bytes(range(32)) * 9,
        b"ffconcat version 1.0\nfile other.mp3\n#" + bytes(range(32)) * 9,
        np.random.default_rng(0).bytes(100_000),
        bytes(100_000),
        b"\xff" * 5_000,
        b"RIFF\x10\x00",
        b"RIFF\xff\xff\xff\xffWAVE",
        b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00",
        b"fLaC\x00\x00\x00\x22",
        b"OggS\x00\x02",
        b"ID3\x04\x00\x00\x00\x00\x00\x00",
        b"\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00",
        b"\x1a\x45\xdf\xa3\x01\x00",
        b"FORM\x00\x00\x00\x00AIFF",
        b"caff\x00\x01\x00\x00",
    ],
    ids=lambda content: repr(content[:16]),
)
@pytest.mark.parametrize("suffix", ["mp3", "wav"])
def test_rubbish_and_bare_headers(
    tmp_path: Path, encode: Encode, content: bytes, suffix: str
) -> None:
    encode(
        tmp_path / "other.mp3",
        np.zeros((2, 48_000), np.float32),
        container="mp3",
        codec="libmp3lame",
        sample_rate=48_000,
    )
    path = tmp_path / f"take.{suffix}"
    path.write_bytes(content)
    message = refusal(path).message
    assert "damaged, cut off or not a sound file" in message or "holds no sound" in message


def test_video_without_sound(tmp_path: Path) -> None:
    path = tmp_path / "silent_film.mp4"
    with av.open(str(path), "w") as file:
        video = file.add_stream("mpeg4", rate=25)
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        for _ in range(5):
            file.mux(video.encode(picture))
        file.mux(video.encode(None))
    assert "has no sound track" in refusal(path).message


def test_common_encryption(tmp_path: Path, encode: Encode) -> None:
    path = encode(
        tmp_path / "shop.m4a",
        np.zeros((2, 48_000), np.float32),
        container="mp4",
        codec="aac",
        sample_rate=48_000,
        options={
            "encryption_scheme": "cenc-aes-ctr",
            "encryption_key": "00112233445566778899aabbccddeeff",
            "encryption_kid": "ffeeddccbbaa99887766554433221100",
        },
    )
    assert "copy-protected" in refusal(path).message


def test_old_shop_protection(m4a: Path) -> None:
    path = m4a.with_suffix(".m4p")
    path.write_bytes(m4a.read_bytes().replace(b"mp4a", b"drms", 1))
    assert "copy-protected" in refusal(path).message


def test_protected_wma(tmp_path: Path, encode: Encode) -> None:
    plain = encode(
        tmp_path / "take.wma",
        np.zeros((2, 48_000), np.float32),
        container="asf",
        codec="wmav2",
        sample_rate=48_000,
    )
    content = bytearray(plain.read_bytes())
    guid = bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e")
    body = guid + (24).to_bytes(8, "little")
    header_length = int.from_bytes(content[16:24], "little")
    content[16:24] = (header_length + len(body)).to_bytes(8, "little")
    content[24:28] = (int.from_bytes(content[24:28], "little") + 1).to_bytes(4, "little")
    content[30:30] = body
    plain.write_bytes(content)
    assert "copy-protected" in refusal(plain).message


def test_a_song_called_drms_is_not_protected(m4a: Path) -> None:
    path = m4a.with_name("tagged.m4a")
    path.write_bytes(m4a.read_bytes() + b"\x00\x00\x00\x10free" + b"drmsenca")
    assert read_audio(path, sample_rate=16_000, channels=1).shape[1] >= 16_000


@pytest.mark.parametrize("suffix", ["wav", "aiff", "caf", "au", "w64"])
def test_zero_length(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"take.{suffix}"
    soundfile.write(path, np.zeros(0), 44_100)
    assert "holds no sound" in refusal(path).message


def test_only_nan(tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    soundfile.write(path, np.full(100_000, np.nan), 44_100, subtype="FLOAT")
    assert "no usable samples" in refusal(path).message


def test_some_nan_become_silence_and_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    audio = np.full(16_000, 0.25)
    audio[100:200] = np.nan
    audio[300] = np.inf
    audio[400] = -1e300
    soundfile.write(path, audio, 16_000, subtype="DOUBLE")
    with open_audio(path) as file:
        heard = np.concatenate(list(file.blocks(sample_rate=16_000, channels=1)), axis=1)[0]
        assert len(file.warnings) == 1
        assert "not numbers" in file.warnings[0]
    bad = np.zeros(16_000, bool)
    bad[100:200] = bad[300] = bad[400] = True
    assert np.array_equal(heard == 0.0, bad)
    assert np.all(heard[~bad] == 0.25)


@pytest.mark.parametrize("audio", [np.zeros(8_000), np.ones(8_000), np.full(1, 0.1)])
def test_silent_clipped_and_one_sample_are_no_faults(tmp_path: Path, audio: np.ndarray) -> None:
    path = tmp_path / "take.wav"
    soundfile.write(path, audio, 8_000, subtype="FLOAT")
    with open_audio(path) as file:
        heard = np.concatenate(list(file.blocks(sample_rate=8_000, channels=1)), axis=1)[0]
        assert file.warnings == ()
    assert np.array_equal(heard, audio.astype(np.float32))


@pytest.mark.parametrize("sample_rate", [1, 100, 2_000_000])
def test_absurd_sample_rate(tmp_path: Path, sample_rate: int) -> None:
    path = tmp_path / "take.wav"
    soundfile.write(path, np.zeros(1_000), sample_rate)
    assert "sample rate" in refusal(path).message


def test_too_many_channels(tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    soundfile.write(path, np.zeros((1_000, 9)), 8_000)
    assert "9 channels" in refusal(path).message


def test_hash(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    # The example of FIPS 180-2, appendix B.1.
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_file(path) == expected
    with pytest.raises(InputError, match="does not exist"):
        sha256_file(tmp_path / "nothing")
