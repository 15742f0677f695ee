"""What the singer hears while recording, ready before the sound card asks for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np

from singcoach.audio.reading import open_audio
from singcoach.audio.recorder.ring import Ring
from singcoach.audio.recorder.values import RecordingSettings
from singcoach.core.arrays import FloatArray
from singcoach.errors import SingCoachError

SETTLE_S = 0.25
"""Silence before everything else, while the sound card finds its pace."""

_AHEAD_S = 20.0
_BLOCK_S = 0.25
_READY_S = 2.0
_CLICK_S = 0.03
_CLICK_HZ = 1_500.0
_CLICK_AMPLITUDE = 0.4
_FADE_S = 0.005


class Backing:
    """Backing and clicks on the timeline of the stream, decoded ahead by a thread of its own.

    Frame ``k`` of the stream belongs to frame ``begin_frames + k`` of the backing, whatever
    happens: what is not ready in time is silent, and nothing shifts.

    Parameters
    ----------
    settings
        Backing, clicks, start and count-in.
    sample_rate, channels
        Of the output stream.
    """

    def __init__(self, settings: RecordingSettings, *, sample_rate: int, channels: int) -> None:
        self._settings = settings
        self._rate = sample_rate
        self._channels = channels
        begin_s = settings.start_s - settings.count_in_s - SETTLE_S
        self.begin_frames = round(begin_s * sample_rate)
        """Frame of the backing at the stream's first frame; often negative."""
        guard = round(_BLOCK_S * sample_rate)
        self._ring = Ring(round(_AHEAD_S * sample_rate), channels, guard_frames=guard)
        self._most_ahead = round(_AHEAD_S * sample_rate) - 2 * guard
        self._taken = 0
        self._wanted = threading.Event()
        self._ready = threading.Event()
        self._ended = False
        self._closing = False
        self.fault: SingCoachError | None = None
        """Why the backing ended early, if it did."""
        self.late = 0
        """How often it was not ready in time."""
        self._thread = threading.Thread(target=self._run, name="backing", daemon=True)

    @property
    def begin_s(self) -> float:
        """Second of the backing at the stream's first frame."""
        return self.begin_frames / self._rate

    def prepare(self, timeout_s: float = 20.0) -> None:
        """Start decoding and wait until the beginning is there.

        Raises
        ------
        SingCoachError
            The backing cannot be read.
        """
        self._thread.start()
        self._ready.wait(timeout_s)
        if self.fault is not None:
            raise self.fault

    def fill(self, position: int, output: FloatArray) -> None:
        """Put the frames from ``position`` on into ``output`` of shape ``(n, channels)``.

        For the callback: waits for nobody.
        """
        piece = self._ring.read(position, output.shape[0])
        n_ready = piece.block.shape[0] if piece.lost == 0 else 0
        output[:n_ready] = piece.block[:n_ready]
        output[n_ready:] = 0.0
        if n_ready < output.shape[0] and not self._ended:
            self.late += 1
        self._taken = position + output.shape[0]
        if self._ring.written - self._taken < self._most_ahead // 2:
            self._wanted.set()

    def close(self) -> None:
        """End the thread."""
        self._closing = True
        self._wanted.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=2.0)

    def _run(self) -> None:
        try:
            for block in self._timeline():
                self._ring.write(block)
                if self._ring.written >= _READY_S * self._rate:
                    self._ready.set()
                while self._ring.written - self._taken > self._most_ahead and not self._closing:
                    self._wanted.clear()
                    self._wanted.wait(0.2)
                if self._closing:
                    return
        except SingCoachError as fault:
            self.fault = fault
        finally:
            self._ended = True
            self._ready.set()

    def _timeline(self) -> Iterator[FloatArray]:
        """Yield blocks ``(n, channels)`` from the stream's first frame on."""
        clicks = sorted(round(when * self._rate) for when in self._settings.clicks_s)
        position = self.begin_frames
        for block in self._sounds():
            _add_clicks(block, position, clicks, _click(self._rate))
            position += block.shape[0]
            yield block
        last = clicks[-1] + round(_CLICK_S * self._rate) if clicks else position
        while position < last:
            block = np.zeros((min(last - position, self._rate), self._channels), np.float32)
            _add_clicks(block, position, clicks, _click(self._rate))
            position += block.shape[0]
            yield block

    def _sounds(self) -> Iterator[FloatArray]:
        settings = self._settings
        first_s = settings.start_s
        if settings.preroll_backing:
            first_s = max(0.0, settings.start_s - settings.count_in_s)
        first = round(first_s * self._rate)
        lead = first - self.begin_frames
        while lead > 0:
            n_frames = min(lead, self._rate)
            yield np.zeros((n_frames, self._channels), np.float32)
            lead -= n_frames
        if settings.backing is None:
            return
        gain = np.float32(10.0 ** (settings.backing_gain_db / 20.0))
        skip = first
        fade = round(_FADE_S * self._rate) if first > 0 else 0
        with open_audio(settings.backing) as file:
            blocks = file.blocks(sample_rate=self._rate, channels=self._channels, block_s=_BLOCK_S)
            for block in blocks:
                if skip >= block.shape[1]:
                    skip -= block.shape[1]
                    continue
                sound = np.clip(block[:, skip:].T * gain, -1.0, 1.0)
                skip = 0
                if fade:
                    n_fade = min(fade, sound.shape[0])
                    sound[:n_fade] *= np.linspace(0.0, 1.0, n_fade, dtype=np.float32)[:, None]
                    fade = 0
                yield sound


def _click(sample_rate: int) -> FloatArray:
    times_s = np.arange(round(_CLICK_S * sample_rate)) / sample_rate
    decay = np.exp(-times_s / (_CLICK_S / 5.0)) * np.minimum(1.0, times_s / 0.001)
    sound = _CLICK_AMPLITUDE * decay * np.sin(2.0 * np.pi * _CLICK_HZ * times_s)
    return np.asarray(sound, np.float32)


def _add_clicks(block: FloatArray, position: int, clicks: list[int], click: FloatArray) -> None:
    """Add what of the clicks falls into ``block``, whose first frame is ``position``."""
    end = position + block.shape[0]
    for start in clicks:
        begin, stop = max(start, position), min(start + click.shape[0], end)
        if begin < stop:
            block[begin - position : stop - position] += click[begin - start : stop - start, None]
