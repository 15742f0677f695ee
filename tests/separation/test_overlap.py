from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from singcoach.separation.overlap import fade_in, masked


def batches(n_frames: int, size: int = 4) -> list[np.ndarray]:
    numbers = np.arange(n_frames, dtype=np.complex64)[None, :, None]
    return [numbers[:, i : i + size] for i in range(0, n_frames, size)]


def apply(n_frames, estimate, *, window=3, overlap=1):
    fade = fade_in(4 * overlap, margin_frames=1 if overlap else 0)
    return list(
        masked(
            batches(n_frames), estimate, window_batches=window, overlap_batches=overlap, fade=fade
        )
    )


@given(st.integers(0, 60), st.sampled_from([(1, 0), (2, 1), (3, 1), (4, 2), (5, 2), (3, 0)]))
def test_every_frame_comes_out_once_in_order_with_its_own_mask(n_frames, shape):
    def estimate(window):
        return np.concatenate(window, axis=1).real.astype(np.float32)

    parts = apply(n_frames, estimate, window=shape[0], overlap=shape[1])
    spectrum = [part.spectrum.real for part in parts]
    mask = [part.mask for part in parts]
    expected = np.arange(n_frames)
    np.testing.assert_array_equal(np.concatenate([[], *(s.ravel() for s in spectrum)]), expected)
    np.testing.assert_allclose(
        np.concatenate([[], *(m.ravel() for m in mask)]), expected, rtol=1e-6
    )


def test_a_border_is_crossed_gradually_and_edge_frames_do_not_count():
    calls = []

    def estimate(window):
        calls.append(sum(batch.shape[1] for batch in window))
        mask = np.full((1, calls[-1], 1), float(len(calls)), np.float32)
        mask[:, 0] = mask[:, -1] = 99.0  # what a network makes of its border
        return mask

    mask = np.concatenate([part.mask.ravel() for part in apply(20, estimate)])
    assert calls == [12, 12]
    np.testing.assert_allclose(mask[8:12], [1.0, 1.25, 1.75, 2.0])
    np.testing.assert_allclose(mask[1:8], 1.0)
    np.testing.assert_allclose(mask[12:19], 2.0)


@pytest.mark.parametrize("n_frames", [1, 2, 16, 64])
def test_the_fade_rises_from_nothing_to_all(n_frames):
    fade = fade_in(n_frames, margin_frames=n_frames // 4)
    assert fade.shape == (n_frames,)
    assert (np.diff(fade) >= 0).all()
    np.testing.assert_allclose(fade + fade[::-1], 1, atol=1e-6)
