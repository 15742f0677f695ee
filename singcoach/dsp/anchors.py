"""Where the grids of frames are laid: from the first sound of a recording, not from its start.

How much silence lies before the singing is chance. With frames counted from the first sample of the
file, a second of it (62.5 hops of 16 ms) moves every frame by half a hop and with it whatever is
decided on frames; counted from the first sound, the same samples lie in the same frames wherever
the file begins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from singcoach.core.arrays import FloatArray

FIRST_SOUND = 0.02
"""Size of the first sound relative to the loud samples: some 40 dB below the largest of a voice, so
that the noise of a recording, or a little more or less of it, does not count as the first sound."""

LOUD_SAMPLES = 1600
"""Loud is what so many samples reach (0.1 s at 16 kHz), wherever they lie: a click or a knock on
the microphone does not say how loud the singing is, and silence of any length plays no part."""

_LOUD_SHARE = 0.1
"""Of a shorter signal, the share of its samples that are not zero."""

_BLOCK_SAMPLES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """What a signal's frames are counted from.

    Attributes
    ----------
    first_sound
        Index of the first sample within 34 dB of the loud ones; 0 where there is none.
    first_signal
        Index of the first sample that is not zero: nothing was recorded before it. 0 for silence.
    """

    first_sound: int = 0
    first_signal: int = 0

    def phase(self, hop_samples: int) -> int:
        """Return the centre of the first frame in samples, 0 to ``hop_samples - 1``."""
        return self.first_sound % hop_samples


def find_anchor(audio: FloatArray) -> Anchor:
    """Return where a signal's frames are counted from; the gain plays no part.

    Parameters
    ----------
    audio
        One finite channel, shape ``(n_samples,)``; may be empty or silent.
    """
    if audio.size == 0:
        return Anchor()
    loud = _loud_size(audio)
    if loud <= 0.0:
        return Anchor()
    return Anchor(
        first_sound=_first_at_least(audio, np.float32(max(FIRST_SOUND * loud, 1e-45))),
        first_signal=_first_at_least(audio, np.float32(1e-45)),
    )


def frame_count(n_samples: int, *, phase: int, hop_samples: int) -> int:
    """Return how many frames, centred on ``phase + i * hop_samples``, lie inside a signal."""
    return max(0, -(-(n_samples - phase) // hop_samples))


def _loud_size(audio: FloatArray) -> float:
    """Size that :data:`LOUD_SAMPLES` samples reach; exact, in memory that does not grow."""
    count = min(LOUD_SAMPLES, max(1, int(_LOUD_SHARE * np.count_nonzero(audio))))
    largest, least = np.zeros(0, dtype=np.float32), np.float32(0.0)
    for start in range(0, audio.size, _BLOCK_SAMPLES):
        size = np.abs(audio[start : start + _BLOCK_SAMPLES])
        largest = np.concatenate([largest, size[size > least]])
        if largest.size > count:
            largest = np.partition(largest, largest.size - count)[largest.size - count :]
            least = largest[0]
    return float(largest.min(initial=np.inf)) if largest.size else 0.0


def _first_at_least(audio: FloatArray, size: np.float32) -> int:
    for start in range(0, audio.size, _BLOCK_SAMPLES):
        loud = np.abs(audio[start : start + _BLOCK_SAMPLES]) >= size
        if loud.any():
            return start + int(loud.argmax())
    return 0
