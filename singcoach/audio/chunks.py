"""What the decoders hand over: stretches of sound at the file's own rate and layout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from singcoach.core.arrays import FloatArray

CHUNK_S = 0.5
"""Decoders hand over about this much at a time, so that a stop acts within the second."""

MOST_CHANNELS = 8
"""More channels than this no recording of a singer has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioInfo:
    """What a sound file says about itself.

    Attributes
    ----------
    duration_s
        Length in seconds as the container states it; an estimate for formats that do not say, 0
        when nothing is known before decoding.
    sample_rate, channels
        Of the first decoded stretch; both may change later in the file.
    codec, container
        Technical names, such as ``"aac"`` in ``"mov"``.
    """

    duration_s: float
    sample_rate: int
    channels: int
    codec: str
    container: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A stretch of decoded sound.

    ``audio`` has shape ``(channels, n_samples)``, full scale = 1, and may hold NaN or infinity.
    ``layout`` names the loudspeaker of each channel (``"FL"``, ``"FC"``, ...); empty when the file
    does not say.
    """

    audio: FloatArray
    sample_rate: int
    layout: tuple[str, ...]


class Decoder(Protocol):
    """One pass over one open file."""

    codec: str
    container: str
    declared_s: float
    """Length that the header promises in seconds; 0 when it does not say."""
    declared_is_exact: bool
    """Whether ``declared_s`` was counted by the encoder rather than guessed from the bit rate."""
    warnings: list[str]
    """English sentences about what was wrong with the file; complete after the last chunk."""

    found_damage: bool
    """Whether something could not be decoded so far."""

    def chunks(self) -> Iterator[Chunk]:
        """Decode from the start to the end, once."""

    def close(self) -> None:
        """Let go of the file."""
