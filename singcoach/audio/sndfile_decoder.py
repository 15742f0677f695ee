"""Decoding of wav, aiff, caf and au with libsndfile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import soundfile

from singcoach.audio.chunks import CHUNK_S, Chunk

_UNKNOWN_FRAMES = 1 << 40
"""More frames than any file holds: libsndfile's way to say that the length is not known."""


class SndfileDecoder:
    """Reads with libsndfile; raises ``soundfile.SoundFileError`` where it cannot open."""

    def __init__(self, path: Path, *, layout: tuple[str, ...] = ()) -> None:
        self._file = soundfile.SoundFile(str(path))
        self._layout = layout
        frames = self._file.frames
        self._frames = frames if 0 < frames < _UNKNOWN_FRAMES else 0
        self.codec = str(self._file.subtype).lower()
        self.container = str(self._file.format).lower()
        self.declared_s = self._frames / max(1, self._file.samplerate)
        self.declared_is_exact = self._frames > 0
        self.warnings: list[str] = []
        self.found_damage = False

    @property
    def sample_rate(self) -> int:
        """Sample rate of the file in Hz."""
        return int(self._file.samplerate)

    @property
    def channels(self) -> int:
        """Number of channels of the file."""
        return int(self._file.channels)

    def chunks(self) -> Iterator[Chunk]:
        """Decode to the end, or to where the file is damaged."""
        step = max(1, int(CHUNK_S * self.sample_rate))
        while True:
            try:
                block = self._file.read(step, dtype="float32", always_2d=True)
            except soundfile.SoundFileError:
                # What came before is sound; the length check of the reader tells the user.
                self.found_damage = True
                self.warnings.append("The file is damaged; it was read up to the damage.")
                return
            if len(block) == 0:
                return
            yield Chunk(audio=block.T, sample_rate=self.sample_rate, layout=self._layout)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
