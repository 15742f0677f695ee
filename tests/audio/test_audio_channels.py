"""Layouts: nothing clips, the centre is never lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from singcoach.audio.channel_maps import mix_matrix
from singcoach.audio.reading import open_audio, read_audio
from singcoach.errors import InputError

Encode = Callable[..., Path]

LAYOUTS = {
    "mono": ("FC",),
    "stereo": ("FL", "FR"),
    "3.0": ("FL", "FR", "FC"),
    "quad": ("FL", "FR", "BL", "BR"),
    "5.0": ("FL", "FR", "FC", "BL", "BR"),
    "5.1": ("FL", "FR", "FC", "LFE", "BL", "BR"),
    "6.1": ("FL", "FR", "FC", "LFE", "BC", "SL", "SR"),
    "7.1": ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
}


@pytest.mark.parametrize("layout", [*LAYOUTS.values(), (), ("X1", "X2", "X3")])
@pytest.mark.parametrize("target", [1, 2])
def test_full_scale_everywhere_stays_within_full_scale(
    layout: tuple[str, ...], target: int
) -> None:
    source = len(layout) or 6
    matrix = mix_matrix(layout, source, target)
    if matrix is None:
        assert source == target
        return
    assert matrix.shape == (target, source)
    assert (matrix >= 0).all()
    assert matrix.sum(axis=1) == pytest.approx(np.ones(target), abs=1e-6) or source == 6
    assert (matrix.sum(axis=1) <= 1.0 + 1e-6).all()


@pytest.mark.parametrize("name", ["3.0", "5.0", "5.1", "6.1", "7.1"])
def test_centre_is_in_both_sides_and_in_mono(name: str) -> None:
    layout = LAYOUTS[name]
    centre = layout.index("FC")
    stereo = mix_matrix(layout, len(layout), 2)
    mono = mix_matrix(layout, len(layout), 1)
    assert stereo is not None
    assert mono is not None
    assert stereo[0, centre] == stereo[1, centre] > 0.15
    assert mono[0, centre] == max(mono[0])


def test_left_and_right_keep_their_sides() -> None:
    matrix = mix_matrix(LAYOUTS["5.1"], 6, 2)
    assert matrix is not None
    assert matrix[0, 1] == matrix[0, 5] == matrix[1, 0] == matrix[1, 4] == 0.0


def test_only_known_maps() -> None:
    with pytest.raises(ValueError, match="ask for 1, 2 or 6"):
        mix_matrix((), 6, 4)


@pytest.mark.parametrize("channels", range(1, 9))
@pytest.mark.parametrize("wanted", [1, 2])
def test_voice_on_any_channel_of_an_unnamed_layout_is_heard(
    tmp_path: Path, channels: int, wanted: int
) -> None:
    tone = 0.8 * np.sin(np.arange(8_000) * 0.3)
    for loud in range(channels):
        audio = np.zeros((8_000, channels))
        audio[:, loud] = tone
        path = tmp_path / f"{loud}.wav"
        soundfile.write(path, audio, 16_000)
        heard = read_audio(path, sample_rate=16_000, channels=wanted)
        assert heard.shape == (wanted, 8_000)
        assert np.abs(heard).max() > 0.05
        assert np.abs(heard).max() <= 0.8 + 1e-3


@pytest.mark.parametrize(
    ("container", "codec", "suffix"),
    [
        ("ipod", "aac", "m4a"),
        ("matroska", "ac3", "mkv"),
        ("flac", "flac", "flac"),
        ("wav", "pcm_s16le", "wav"),
        ("matroska", "libopus", "mka"),
    ],
)
@pytest.mark.parametrize(
    ("loud", "left", "right"), [("FL", 1.0, 0.0), ("FR", 0.0, 1.0), ("FC", 0.707, 0.707)]
)
def test_surround_files(
    tmp_path: Path,
    encode: Encode,
    container: str,
    codec: str,
    suffix: str,
    loud: str,
    left: float,
    right: float,
) -> None:
    names = LAYOUTS["5.1"]
    audio = np.zeros((6, 48_000), np.float32)
    audio[names.index(loud)] = 0.9 * np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000)
    path = encode(
        tmp_path / f"take.{suffix}",
        audio,
        container=container,
        codec=codec,
        sample_rate=48_000,
        layout="5.1",
    )
    assert open_audio(path).info.channels == 6
    heard = read_audio(path, sample_rate=48_000, channels=2)[:, 10_000:40_000]
    whole = 1.0 + 0.7071 + 0.7071
    level = np.sqrt(2 * np.mean(heard.astype(np.float64) ** 2, axis=1)) * whole / 0.9
    assert level == pytest.approx([left, right], abs=0.08)


@pytest.mark.parametrize(
    ("container", "codec", "suffix"),
    [("ipod", "aac", "m4a"), ("flac", "flac", "flac")],
)
def test_eight_planar_channels(
    tmp_path: Path, encode: Encode, container: str, codec: str, suffix: str
) -> None:
    names = LAYOUTS["7.1"]
    audio = np.zeros((8, 48_000), np.float32)
    audio[names.index("SR")] = 0.9 * np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000)
    path = encode(
        tmp_path / f"take.{suffix}",
        audio,
        container=container,
        codec=codec,
        sample_rate=48_000,
        layout="7.1",
    )
    heard = read_audio(path, sample_rate=48_000, channels=2)[:, 10_000:40_000]
    assert np.abs(heard[0]).max() < 0.02
    assert np.abs(heard[1]).max() == pytest.approx(0.9 * 0.7071 / (1 + 3 * 0.7071), rel=0.1)


def test_more_than_eight_planar_channels_are_refused(tmp_path: Path, encode: Encode) -> None:
    path = encode(
        tmp_path / "take.mka",
        np.zeros((16, 48_000), np.float32),
        container="matroska",
        codec="wavpack",
        sample_rate=48_000,
        layout="hexadecagonal",
    )
    with pytest.raises(InputError, match="16 channels, more than 8"):
        read_audio(path, sample_rate=48_000, channels=1)
