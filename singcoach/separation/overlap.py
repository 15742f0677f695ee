"""Masks of a network with fixed windows, cross-faded so that the window borders do not show.

The stream arrives in batches of frames. Windows are whole numbers of batches and start on batch
borders: a network with strides then sees every frame on the same grid in both windows that hold
it, and only the influence of the border itself has to be faded out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from singcoach.core.arrays import FloatArray
from singcoach.dsp.stft import ComplexArray

EstimateMask = Callable[[list[ComplexArray]], FloatArray]
"""Takes the spectra of one window, returns its mask ``(n_channels, n_frames, n_mask_bins)``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """A batch of spectra ``(n_channels, n_frames, n_bins)`` and its mask with as many frames."""

    spectrum: ComplexArray
    mask: FloatArray


def fade_in(n_frames: int, *, margin_frames: int) -> FloatArray:
    """Return the weight of the later window over an overlap, shape ``(n_frames,)``.

    0 over the first and 1 over the last ``margin_frames``, straight in between: the frames next to
    a border, which lack context, do not count at all.
    """
    n_ramp = n_frames - 2 * margin_frames
    ramp = (np.arange(n_ramp) + 0.5) / n_ramp
    return np.concatenate((np.zeros(margin_frames), ramp, np.ones(margin_frames))).astype(
        np.float32
    )


def masked(
    batches: Iterable[ComplexArray],
    estimate: EstimateMask,
    *,
    window_batches: int,
    overlap_batches: int,
    fade: FloatArray,
) -> Iterator[Masked]:
    """Yield every batch with its mask.

    Parameters
    ----------
    batches
        Batches with the same number of frames; only the last may have fewer.
    estimate
        Called with up to ``window_batches`` consecutive batches.
    window_batches, overlap_batches
        Batches in a window, and how many of them two neighbouring windows share.
    fade
        Weight of the later window over the overlap, shape ``(overlap_frames,)``.

    Notes
    -----
    Memory: one window of spectra. Cost: ``window / (window - overlap)`` times one pass.
    """
    waiting: deque[ComplexArray] = deque()
    earlier: FloatArray | None = None
    n_new = 0
    for batch in batches:
        # Only a window that is followed by something is known to be full and not the last.
        if len(waiting) == window_batches:
            mask = _faded(estimate(list(waiting)), earlier, fade)
            n_emitted = 0
            for _ in range(window_batches - overlap_batches):
                spectrum = waiting.popleft()
                n_frames = spectrum.shape[1]
                yield Masked(spectrum=spectrum, mask=mask[:, n_emitted : n_emitted + n_frames])
                n_emitted += n_frames
            earlier = mask[:, n_emitted:]
            n_new = 0
        waiting.append(batch)
        n_new += 1
    if n_new == 0:
        return
    mask = _faded(estimate(list(waiting)), earlier, fade)
    n_emitted = 0
    for spectrum in waiting:
        n_frames = spectrum.shape[1]
        yield Masked(spectrum=spectrum, mask=mask[:, n_emitted : n_emitted + n_frames])
        n_emitted += n_frames


def _faded(mask: FloatArray, earlier: FloatArray | None, fade: FloatArray) -> FloatArray:
    if earlier is None:
        return mask
    n_shared = min(earlier.shape[1], mask.shape[1])
    weight = fade[None, :n_shared, None]
    before = earlier[:, :n_shared]
    mask[:, :n_shared] = before + weight * (mask[:, :n_shared] - before)
    return mask
