"""Real encodings, made on the spot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.audio.resampler import AudioResampler

from singcoach.core.arrays import FloatArray

Encode = Callable[..., Path]


def _encode(
    path: Path,
    audio: FloatArray,
    *,
    container: str,
    codec: str,
    sample_rate: int,
    layout: str = "stereo",
    options: dict[str, str] | None = None,
) -> Path:
    with av.open(str(path), "w", format=container, options=options or {}) as file:
        stream: Any = file.add_stream(codec, rate=sample_rate, layout=layout)
        stream.bit_rate = 96_000 * audio.shape[0]
        context = stream.codec_context
        # Interleaved, because PyAV takes no eight separate planes.
        packed = np.ascontiguousarray(audio.T, np.float32).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(packed, format="flt", layout=layout)
        frame.sample_rate = sample_rate
        frame.pts = 0
        resampler = AudioResampler(
            format=context.codec.audio_formats[0].name,
            layout=layout,
            rate=sample_rate,
            frame_size=context.frame_size or 1024,
        )
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            file.mux(stream.encode(piece))
        file.mux(stream.encode(None))
    return path


@pytest.fixture(scope="session")
def encode() -> Encode:
    """Return a function that writes audio of shape ``(channels, n)`` with a chosen codec."""
    return _encode


@pytest.fixture(autouse=True)
def _quiet_decoders(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Whatever a decoder thinks of a file, nothing reaches the terminal."""
    yield
    out, err = capfd.readouterr()
    assert out == ""
    assert err == ""
