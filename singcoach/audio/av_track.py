"""One sound track of one container, on the container's own timeline, with FFmpeg through PyAV."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from singcoach.audio.chunks import MOST_CHANNELS
from singcoach.audio.sniffing import damaged
from singcoach.core.arrays import FloatArray
from singcoach.errors import InputError

# Demuxers that read one local file. Playlists, image sequences, subtitles and network formats
# stay out: a file must not make the app open other files or connections.
_DEMUXERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,dts,eac3,flac,flv,iff,loas,matroska,webm,mov,mp4,m4a,"
    "3gp,mp3,mpc,mpc8,mpeg,mpegts,ogg,rm,tak,tta,voc,w64,wav,wv,xwma"
)

# These write the true length when they close the file.
_COUNTED = ("mov", "matroska", "asf", "flac", "ape", "wv", "tta", "mpc", "mpc8", "dsf")

# Formats without a header: anything opens, so a file that yields nothing is not "empty".
_HEADERLESS = ("mp3", "aac", "ac3", "eac3", "dts", "loas", "mpegts", "mpeg")

# In these containers the timeline starts at 0, even when the sound starts later (a video whose
# sound sets in after the picture). Elsewhere the first timestamp is arbitrary.
_TIMELINE_FROM_ZERO = ("mov", "matroska")

_GAP_S = 0.05
"""Jumps between timestamps below this are rounding or clock drift, not missing sound."""
_LARGEST_GAP_S = 30.0
"""Longer jumps are broken timestamps; nothing is filled in."""
_MOST_SILENCE_S = 300.0
"""A file with more holes than this in total has broken timestamps throughout."""
_MOST_BAD_PACKETS = 5_000
"""After so many undecodable packets without a single good one the file is given up."""

_DTYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}
_FULL_SCALE = {"u8": 2.0**7, "s16": 2.0**15, "s32": 2.0**31, "s64": 2.0**63}


Frame = tuple[FloatArray, int, tuple[str, ...]]
"""Audio ``(channels, n_samples)``, its sample rate, and the loudspeaker of each channel."""


class AvTrack:
    """The first sound track of a file or of a stretch of its bytes.

    Encoder delay is removed where the container tells it, sound that starts late in a video
    starts late here too, and packets that are lost leave silence of the same length, so that
    times in the result are times in a player.

    Parameters
    ----------
    path
        The file.
    span
        Start and end byte; None for the whole file.

    Raises
    ------
    InputError
        Not a sound file, or no sound track.
    """

    def __init__(self, path: Path, span: tuple[int, int] | None = None) -> None:
        import av

        av.logging.set_level(None)
        self._faults: tuple[type[BaseException], ...] = (
            av.error.FFmpegError,
            OSError,
            ValueError,
            RuntimeError,
        )
        name = str(path.absolute())
        try:
            self._container: Any = av.open(
                f"subfile,,start,{span[0]},end,{span[1]},,:{name}" if span else name,
                metadata_errors="replace",
                container_options={
                    "format_whitelist": _DEMUXERS,
                    "protocol_whitelist": "file,subfile",
                    "enable_drefs": "0",
                },
            )
        except self._faults as error:
            raise damaged(path.name, f"{type(error).__name__}: {error}") from None
        self.damages = 0
        """Number of packets that could not be decoded."""
        self.most_channels = 0
        """Channels of a frame that had too many; 0 if there was none."""
        self.holes = 0
        """Number of places where sound is missing and silence stands."""
        self.broke_off = False
        """Whether the container itself became unreadable before its end."""
        try:
            self._open_stream(path)
        except BaseException:
            self._container.close()
            raise

    def _open_stream(self, path: Path) -> None:
        if not self._container.streams.audio:
            raise InputError(
                f"{path.name} has no sound track", hint="Choose a file that holds sound."
            )
        self._stream = self._container.streams.audio[0]
        context = self._stream.codec_context
        if context is None:
            raise damaged(path.name, "no decoder for this codec")
        self.codec = str(context.name)
        self.container = str(self._container.format.name).split(",")[0]
        self.headerless = self.container in _HEADERLESS
        """Whether the format has no header, so that any bytes open as an empty recording."""
        self.declared_s, self.declared_is_exact = self._declared(path)

    def close(self) -> None:
        """Let go of the file."""
        self._container.close()

    def _declared(self, path: Path) -> tuple[float, bool]:
        stream = self._stream
        stated_s = 0.0
        if stream.duration and stream.time_base:
            stated_s = max(0.0, float(stream.duration * stream.time_base))
        elif self._container.duration:
            stated_s = max(0.0, self._container.duration / 1e6)
        if self.container == "mp3" and (counted_s := mp3_counted_s(path)):
            # FFmpeg takes off the encoder's padding; anything else it states is a guess.
            padding_s = counted_s - stated_s
            return (stated_s if 0.0 <= padding_s < 0.3 else counted_s), True
        return stated_s, self.container in _COUNTED

    def frames(self) -> Iterator[Frame]:
        """Put frames on the timeline: drop what lies before 0, fill holes with silence."""
        expected_s: float | None = None
        origin_s = self._origin_s()
        filled_s = 0.0
        for frame, after_loss in self._decoded():
            rate = frame.sample_rate
            if rate <= 0 or frame.samples <= 0:
                continue
            n_channels = frame.layout.nb_channels
            if not 1 <= n_channels <= MOST_CHANNELS and frame.format.is_planar:
                # Beyond eight channels PyAV looks for planes outside the frame: keep away.
                self.damages += 1
                self.most_channels = max(self.most_channels, n_channels)
                continue
            audio = _samples(frame, n_channels)
            layout = _layout(frame)
            start_s = None if frame.pts is None else frame.time - origin_s
            if expected_s is None:
                if start_s is not None and -_GAP_S * 4 < start_s < 0:
                    early = min(audio.shape[1], round(-start_s * rate))
                    audio = audio[:, early:]
                    start_s += early / rate
                hole_s = 0.0 if start_s is None else start_s
                smallest_s = 0.001
            else:
                hole_s = 0.0 if start_s is None else start_s - expected_s
                smallest_s = 0.001 if after_loss else _GAP_S
            if smallest_s < hole_s <= min(_LARGEST_GAP_S, _MOST_SILENCE_S - filled_s):
                filled_s += hole_s
                self.holes += after_loss
                yield from _silence(round(hole_s * rate), audio.shape[0], rate, layout)
            before_s = 0.0 if expected_s is None else expected_s
            expected_s = (before_s if start_s is None else start_s) + audio.shape[1] / rate
            if audio.shape[1]:
                yield audio, rate, layout

    def _origin_s(self) -> float:
        if self.container in _TIMELINE_FROM_ZERO or self._container.start_time is None:
            return 0.0
        return float(self._container.start_time) / 1e6

    def _decoded(self) -> Iterator[tuple[Any, bool]]:
        """Yield decoded frames and whether something before each was lost."""
        good = False
        lost = False
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except IndexError:
                # A stream that began in the middle of the file: PyAV (seen in 18.1) knows no place
                # for its packets. Each try passes one of them by.
                packets = self._container.demux(self._stream)
                continue
            except self._faults:
                self.broke_off = True
                return
            if packet is None:
                return
            try:
                frames = packet.decode()
            except self._faults:
                self.damages += 1
                lost = True
                if self.damages > _MOST_BAD_PACKETS and not good:
                    return
                continue
            for frame in frames:
                good = True
                yield frame, lost
                lost = False


def _silence(n_samples: int, channels: int, rate: int, layout: tuple[str, ...]) -> Iterator[Frame]:
    while n_samples > 0:
        step = min(n_samples, rate)
        yield np.zeros((channels, step), np.float32), rate, layout
        n_samples -= step


def _samples(frame: Any, n_channels: int) -> FloatArray:
    """Return a frame as float32 of shape ``(channels, n_samples)`` with full scale 1.

    Takes as many planes as there are channels: PyAV (seen in 18.1) counts on past the last one
    where eight or more are planar, and its own conversion then reads foreign memory.
    """
    name = frame.format.name
    kind = name.rstrip("p")
    dtype = _DTYPES[kind]
    if frame.format.is_planar:
        planes = frame.planes[:n_channels]
        data = np.stack([np.frombuffer(plane, dtype, frame.samples) for plane in planes])
    else:
        packed = np.frombuffer(frame.planes[0], dtype, frame.samples * n_channels)
        data = packed.reshape(frame.samples, n_channels).T
    if kind in ("flt", "dbl"):
        with np.errstate(over="ignore"):
            return np.asarray(data, np.float32)
    audio = data.astype(np.float32) / np.float32(_FULL_SCALE[kind])
    return np.asarray(audio - 1.0 if kind == "u8" else audio, np.float32)


def _layout(frame: Any) -> tuple[str, ...]:
    return tuple(channel.name for channel in frame.layout.channels)


def mp3_counted_s(path: Path) -> float:
    """Return the length that an mp3's Xing/Info header counted, in seconds; 0 without one.

    Source of the layout: the Xing header as described in the LAME tag documentation, revision 1.
    """
    try:
        with path.open("rb") as file:
            start = file.read(10)
            skip = 0
            if start[:3] == b"ID3" and len(start) == 10:
                size = start[6] << 21 | start[7] << 14 | start[8] << 7 | start[9]
                skip = 10 + size
            file.seek(skip)
            head = file.read(4096)
    except OSError:
        return 0.0
    at = max(head.find(b"Xing"), head.find(b"Info"))
    sync = head.find(b"\xff")
    if at < 0 or sync < 0 or sync + 4 > len(head) or at + 12 > len(head):
        return 0.0
    flags, frames = struct.unpack(">II", head[at + 4 : at + 12])
    version, rate_index = head[sync + 1] >> 3 & 3, head[sync + 2] >> 2 & 3
    if not flags & 1 or rate_index == 3 or version == 1:
        return 0.0
    rate = (44_100, 48_000, 32_000)[rate_index] >> (3 - version if version else 2)
    return float(frames) * (1152 if version == 3 else 576) / rate
