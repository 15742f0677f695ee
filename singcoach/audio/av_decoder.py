"""Decoding of everything else (mp3, flac, ogg, opus, aac, wma, video files) with FFmpeg."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from singcoach.audio.av_track import AvTrack
from singcoach.audio.chunks import CHUNK_S, Chunk
from singcoach.audio.containers import read_mp4_index, read_ogg_chain
from singcoach.audio.sniffing import damaged, protected, too_many_channels
from singcoach.core.arrays import FloatArray
from singcoach.errors import InputError

_MP4_STARTS = (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip")
_BROKEN = "The file is damaged; it was read up to the damage."
_PARTS = "Parts of the file are damaged and could not be read."
_NO_END = "The file has no proper end; it may have been cut off. What is there was read."


class AvDecoder:
    """Reads the first sound track of a file, link by link where ogg files were joined.

    Raises
    ------
    InputError
        Not a sound file, no sound track, copy protection.
    """

    def __init__(self, path: Path, head: bytes) -> None:
        self._path = path
        self.warnings: list[str] = []
        self._some = False
        self._spans: list[tuple[int, int] | None] = [None]
        cut_off = False
        try:
            if head.startswith(b"OggS"):
                self._follow_chain()
            elif head[4:8] in _MP4_STARTS:
                index = read_mp4_index(path)
                if index.protected:
                    raise protected(path.name)
                cut_off = not (index.present and index.whole)
        except OSError as error:
            raise damaged(path.name, str(error)) from None
        try:
            self._track = AvTrack(path, self._spans[0])
        except InputError as error:
            if cut_off:
                raise damaged(path.name, error.detail or error.message) from None
            raise
        self.codec = self._track.codec
        self.container = self._track.container
        self.found_damage = self._track.headerless
        self.declared_s = self._track.declared_s
        self.declared_is_exact = self._track.declared_is_exact and len(self._spans) == 1

    def chunks(self) -> Iterator[Chunk]:
        """Decode to the end, or to where the file ends early."""
        waiting: list[FloatArray] = []
        n_waiting = 0
        kind: tuple[int, int, tuple[str, ...]] = (0, 0, ())
        for audio, rate, layout in self._frames():
            now = (rate, audio.shape[0], layout)
            if waiting and (now != kind or n_waiting >= CHUNK_S * kind[0]):
                yield Chunk(audio=_joined(waiting), sample_rate=kind[0], layout=kind[2])
                waiting, n_waiting = [], 0
            kind = now
            waiting.append(audio)
            n_waiting += audio.shape[1]
        if waiting:
            yield Chunk(audio=_joined(waiting), sample_rate=kind[0], layout=kind[2])

    def close(self) -> None:
        """Let go of the file."""
        self._track.close()

    def _follow_chain(self) -> None:
        chain = read_ogg_chain(self._path)
        if len(chain.links) > 1:
            self._spans = list(chain.links)
        if not chain.ends_properly:
            self.warnings.append(_NO_END)

    def _frames(self) -> Iterator[tuple[FloatArray, int, tuple[str, ...]]]:
        damages = holes = 0
        # Formats without a header carry tags between and behind the sound; that is no damage.
        tags = self._track.headerless
        broke_off = False
        for link, span in enumerate(self._spans):
            if link:
                self._track.close()
                try:
                    self._track = AvTrack(self._path, span)
                except InputError:
                    broke_off = True
                    continue
            for frame in self._track.frames():
                self._some = True
                yield frame
            damages += self._track.damages
            holes += self._track.holes
            broke_off = broke_off or self._track.broke_off
        if self._track.most_channels and not self._some:
            raise too_many_channels(self._path.name, self._track.most_channels)
        if broke_off:
            self.warnings.append(_BROKEN)
        if holes:
            places = "1 place" if holes == 1 else f"{holes} places"
            self.warnings.append(f"The file is damaged in {places}; silence stands there.")
        elif damages and not tags and not broke_off:
            self.warnings.append(_PARTS)
        self.found_damage = self.found_damage or broke_off or damages > 0


def _joined(pieces: list[FloatArray]) -> FloatArray:
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=1)
