"""A known signal through every container and codec: frequency, level and time must survive."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import scipy.signal
import soundfile

from singcoach.audio.reading import open_audio, read_audio
from singcoach.core.arrays import FloatArray

Encode = Callable[..., Path]

DURATION_S = 2.0
TONE_HZ = 441.0
LEVEL = 0.3


def chirps(sample_rate: int) -> FloatArray:
    """Two rising sweeps from 0.8 to 3 kHz: their place in time can be measured at any rate."""
    t = np.arange(round(DURATION_S * sample_rate)) / sample_rate
    audio = np.zeros(t.size)
    for start_s in (0.2, 1.5):
        u = t - start_s
        inside = (u >= 0) & (u < 0.3)
        sweep = np.sin(2 * np.pi * (800.0 * u + 0.5 * (2_200.0 / 0.3) * u**2))
        audio += 0.3 * inside * sweep * np.sin(np.pi * np.clip(u / 0.3, 0, 1)) ** 2
    return audio.astype(np.float32)


def burst(sample_rate: int, channels: int = 2) -> FloatArray:
    """A tone from 0.6 s to 1.4 s between two chirps."""
    t = np.arange(round(DURATION_S * sample_rate)) / sample_rate
    tone = LEVEL * np.sin(2 * np.pi * TONE_HZ * t) * ((t >= 0.6) & (t < 1.4))
    return np.tile(tone.astype(np.float32) + chirps(sample_rate), (channels, 1))


def lag_ms(heard: FloatArray, sent: FloatArray, sample_rate: int) -> float:
    correlation = scipy.signal.correlate(heard, sent, mode="full", method="fft")
    return (int(correlation.argmax()) - (sent.size - 1)) / sample_rate * 1000.0


def tone_of(audio: FloatArray, sample_rate: int) -> tuple[float, float]:
    """Frequency in Hz and level in dB (sine of amplitude 1 = 0 dB) of the middle of the burst."""
    part = audio[round(0.75 * sample_rate) : round(1.25 * sample_rate)].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(part * np.hanning(part.size), 1 << 20))
    frequency = float(spectrum.argmax()) * sample_rate / (1 << 20)
    return frequency, 20 * np.log10(np.sqrt(2 * np.mean(part**2)))


def check(path: Path, *, out_rate: int, delay_ms: float = 0.0) -> None:
    with open_audio(path) as file:
        heard = np.concatenate(list(file.blocks(sample_rate=out_rate, channels=1)), axis=1)[0]
        assert file.warnings == ()
        assert file.decoded_s == pytest.approx(DURATION_S, abs=0.12)
    frequency, level_db = tone_of(heard, out_rate)
    assert frequency == pytest.approx(TONE_HZ, abs=0.3)
    assert level_db == pytest.approx(20 * np.log10(LEVEL), abs=0.5)
    # The chirps tell the time; the tone would fit again a period later.
    assert lag_ms(heard, chirps(out_rate), out_rate) == pytest.approx(delay_ms, abs=1.0)


# Containers that say nothing about the encoder's delay: it stays, and is stated here in samples.
@pytest.mark.parametrize(
    ("container", "codec", "suffix", "sample_rate", "delay_samples"),
    [
        ("mp3", "libmp3lame", "mp3", 44_100, 0),
        ("mp3", "libmp3lame", "mp3", 22_050, 0),
        ("mp3", "libmp3lame", "mp3", 8_000, 0),
        ("ipod", "aac", "m4a", 44_100, 0),
        ("ipod", "alac", "m4a", 48_000, 0),
        ("mp4", "aac", "mp4", 48_000, 0),
        ("mp4", "aac", "mp4", 96_000, 0),
        ("matroska", "aac", "mkv", 44_100, 0),
        ("matroska", "libmp3lame", "mkv", 44_100, 0),
        ("matroska", "flac", "mka", 44_100, 0),
        ("webm", "libopus", "webm", 48_000, 0),
        ("ogg", "libopus", "opus", 48_000, 0),
        ("ogg", "libopus", "ogg", 16_000, 0),
        ("flac", "flac", "flac", 44_100, 0),
        ("wav", "pcm_s24le", "wav", 48_000, 0),
        ("caf", "alac", "caf", 44_100, 0),
        ("tta", "tta", "tta", 44_100, 0),
        ("wv", "wavpack", "wv", 44_100, 0),
        ("adts", "aac", "aac", 44_100, 1024),
        ("mpegts", "aac", "ts", 44_100, 1024),
        ("avi", "libmp3lame", "avi", 44_100, 1105),
        ("asf", "wmav2", "wma", 44_100, 2048),
        ("asf", "wmav1", "wma", 44_100, 2048),
    ],
)
@pytest.mark.parametrize("layout", ["mono", "stereo"])
def test_tone_survives_every_codec(
    tmp_path: Path,
    encode: Encode,
    container: str,
    codec: str,
    suffix: str,
    sample_rate: int,
    delay_samples: int,
    layout: str,
) -> None:
    try:
        av.Codec(codec, "w")
    except av.codec.codec.UnknownCodecError:
        pytest.skip(f"this build of FFmpeg has no encoder {codec}")
    channels = 1 if layout == "mono" else 2
    path = encode(
        tmp_path / f"take.{suffix}",
        burst(sample_rate, channels),
        container=container,
        codec=codec,
        sample_rate=sample_rate,
        layout=layout,
    )
    delay_ms = 1000.0 * delay_samples / sample_rate
    check(path, out_rate=16_000, delay_ms=delay_ms)
    info = open_audio(path).info
    assert info.channels == channels
    assert info.sample_rate == (48_000 if codec == "libopus" else sample_rate)


@pytest.mark.parametrize(
    "sample_rate", [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000]
)
@pytest.mark.parametrize("out_rate", [16_000, 44_100])
def test_every_sample_rate(tmp_path: Path, sample_rate: int, out_rate: int) -> None:
    path = tmp_path / "take.wav"
    soundfile.write(path, burst(sample_rate).T, sample_rate)
    check(path, out_rate=out_rate)


@pytest.mark.parametrize(
    ("suffix", "container", "subtype"),
    [
        ("wav", "WAV", "PCM_U8"),
        ("wav", "WAV", "PCM_16"),
        ("wav", "WAV", "PCM_24"),
        ("wav", "WAV", "PCM_32"),
        ("wav", "WAV", "FLOAT"),
        ("wav", "WAV", "DOUBLE"),
        ("wav", "WAV", "ULAW"),
        ("wav", "WAV", "ALAW"),
        ("wav", "WAV", "IMA_ADPCM"),
        ("wav", "WAVEX", "PCM_24"),
        ("wav", "RF64", "PCM_16"),
        ("w64", "W64", "PCM_16"),
        ("aiff", "AIFF", "PCM_16"),
        ("aiff", "AIFF", "PCM_S8"),
        ("aiff", "AIFF", "FLOAT"),
        ("caf", "CAF", "PCM_16"),
        ("caf", "CAF", "DOUBLE"),
        ("au", "AU", "PCM_16"),
        ("flac", "FLAC", "PCM_S8"),
        ("flac", "FLAC", "PCM_16"),
        ("flac", "FLAC", "PCM_24"),
        ("ogg", "OGG", "VORBIS"),
        ("mp3", "MP3", "MPEG_LAYER_III"),
    ],
)
def test_every_sample_format(tmp_path: Path, suffix: str, container: str, subtype: str) -> None:
    path = tmp_path / f"take.{suffix}"
    soundfile.write(path, burst(44_100).T, 44_100, format=container, subtype=subtype)
    check(path, out_rate=16_000)


def test_the_name_does_not_decide(tmp_path: Path, encode: Encode) -> None:
    path = encode(
        tmp_path / "take.m4a",
        burst(44_100),
        container="mp3",
        codec="libmp3lame",
        sample_rate=44_100,
    )
    check(path, out_rate=16_000)


@pytest.mark.parametrize("name", ["Ünïcode 歌.mp3", "a,b:%d|c.mp3", "-.mp3", "file:x.mp3"])
def test_odd_file_names(tmp_path: Path, encode: Encode, name: str) -> None:
    plain = encode(
        tmp_path / "take.mp3",
        burst(16_000),
        container="mp3",
        codec="libmp3lame",
        sample_rate=16_000,
    )
    check(plain.rename(tmp_path / name), out_rate=16_000)


def test_sound_that_starts_late_in_a_video_starts_late_here(tmp_path: Path) -> None:
    path = tmp_path / "late.mkv"
    audio = burst(48_000, 1)
    with av.open(str(path), "w") as file:
        video = file.add_stream("mpeg4", rate=25)
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        sound = file.add_stream("pcm_s16le", rate=48_000, layout="mono")
        picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        for at in range(10):
            picture.pts = at
            file.mux(video.encode(picture))
        file.mux(video.encode(None))
        whole = av.AudioFrame.from_ndarray(
            (audio * 32767).astype(np.int16), format="s16", layout="mono"
        )
        whole.sample_rate = 48_000
        whole.pts = 12_000
        file.mux(sound.encode(whole))
        file.mux(sound.encode(None))
    heard = read_audio(path, sample_rate=48_000, channels=1)[0]
    assert lag_ms(heard, audio[0], 48_000) == pytest.approx(250.0, abs=1.5)


def test_real_song(shared_data: Path) -> None:
    with open_audio(shared_data / "songs" / "on_the_run" / "audio.ogg") as file:
        n_samples = sum(
            block.shape[1] for block in file.blocks(sample_rate=44_100, channels=2, block_s=7.3)
        )
        assert n_samples == 12_713_530
        assert file.info.duration_s == pytest.approx(n_samples / 44_100)
        assert file.warnings == ()
