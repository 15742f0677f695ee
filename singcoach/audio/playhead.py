"""What is heard next: sections, loops, slow playing and the change between two sounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from singcoach.audio.sounds import Sound
from singcoach.core.arrays import FloatArray
from singcoach.dsp.stretch import Stretcher

_STRETCHED_S = 30.0
"""Seconds of the source that are slowed at a time; neighbours are joined by a fade."""
_FADE_S = 0.008


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What to play: from ``first_s`` to ``end_s``, and from ``begin_s`` again where looped."""

    first_s: float
    begin_s: float
    end_s: float
    loop: bool
    speed: float


class Playhead:
    """Reads blocks of stereo sound on the time axis of the first of one or two sounds.

    Parameters
    ----------
    sounds
        One or two at the same rate.
    section
        What to play.
    offset_s
        The moment ``t`` of the first belongs to ``t + offset_s`` of the second.
    """

    def __init__(self, sounds: tuple[Sound, ...], section: Section, *, offset_s: float) -> None:
        self._sounds = sounds
        self._section = section
        rate = sounds[0].sample_rate
        self._rate = rate
        self._offset = round(offset_s * rate)
        self._begin = round(section.begin_s * rate)
        self._end = max(self._begin + 1, round(section.end_s * rate))
        self._position = float(round(section.first_s * rate))
        self._chosen: int | None = None
        self._fade = max(1, round(_FADE_S * rate))
        self._stretcher: Stretcher | None = None
        self._stretched_from = 0
        self._rising = True
        """Whether the next block begins somewhere new and must rise from silence."""

    @property
    def position_s(self) -> float:
        """Second of the first sound at which the next block begins."""
        return self._position / self._rate

    def set_offset(self, offset_s: float) -> None:
        """The moment ``t`` of the first belongs to ``t + offset_s`` of the second from here on.

        Played slowly, it holds from the next change between the two.
        """
        self._offset = round(offset_s * self._rate)

    def read(self, n_frames: int, chosen: int) -> FloatArray:
        """Return the next block of sound ``chosen``, shape ``(n, 2)``; empty at the end."""
        before = self._chosen
        self._chosen = chosen
        if self._position >= self._end:
            if not self._section.loop:
                return np.zeros((0, 2), np.float32)
            self._position = float(self._begin)
            self._stretcher = None
            self._rising = True
        if self._section.speed == 1.0:
            block = self._read_plain(n_frames, chosen, before)
        else:
            block = self._read_stretched(n_frames, chosen, before)
        if self._rising:
            n_fade = min(self._fade, block.shape[0])
            block[:n_fade] *= np.linspace(0.0, 1.0, n_fade, dtype=np.float32)[:, None]
            self._rising = False
        if self._position >= self._end:
            n_fade = min(self._fade, block.shape[0])
            if n_fade:
                block[-n_fade:] *= np.linspace(1.0, 0.0, n_fade, dtype=np.float32)[:, None]
        return block

    def _read_plain(self, n_frames: int, chosen: int, before: int | None) -> FloatArray:
        start = int(self._position)
        n_frames = min(n_frames, self._end - start)
        block = self._source(chosen, start, n_frames)
        if before is not None and before != chosen:
            n_fade = min(self._fade, n_frames)
            rise = np.linspace(0.0, 1.0, n_fade, dtype=np.float32)[:, None]
            old = self._source(before, start, n_fade)
            block[:n_fade] = rise * block[:n_fade] + (1.0 - rise) * old
        self._position = float(start + n_frames)
        return block

    def _read_stretched(self, n_frames: int, chosen: int, before: int | None) -> FloatArray:
        speed = self._section.speed
        if self._stretcher is None or (before is not None and before != chosen):
            start = int(self._position)
            length = min(round(_STRETCHED_S * self._rate), self._end - start)
            source = np.ascontiguousarray(self._source(chosen, start, length).T)
            self._stretcher = Stretcher(source, self._rate, tempo=speed)
            self._stretched_from = start
            self._stretched_to = start + length
            self._rising = True
        block = np.array(self._stretcher.read(n_frames).T, np.float32, order="C")
        if block.shape[0] == 0:
            self._position = float(self._stretched_to)
            self._stretcher = None
            if self._position >= self._end:
                return self.read(n_frames, chosen) if self._section.loop else block
            return self._read_stretched(n_frames, chosen, None)
        self._position = min(float(self._end) - 1.0, self._position + block.shape[0] * speed)
        return block

    def _source(self, index: int, start: int, n_frames: int) -> FloatArray:
        """Return exactly ``n_frames`` stereo frames; silence before and after the sound."""
        sound = self._sounds[min(index, len(self._sounds) - 1)]
        start += self._offset if index == 1 else 0
        lead = min(n_frames, max(0, -start))
        block = np.zeros((n_frames, 2), np.float32)
        got = sound.read(max(0, start), n_frames - lead)
        block[lead : lead + got.shape[0]] = got[:, :1] if got.shape[1] == 1 else got[:, :2]
        return block
