"""A constant offset is taken away, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from singcoach.dsp.anchors import find_anchor
from singcoach.dsp.offset import LEAST_SHARE, without_offset

TONE = (0.1 * np.sin(np.arange(16_000) * 0.1)).astype(np.float32)


@pytest.mark.parametrize("offset", [0.03, -0.2, 0.002])
@pytest.mark.parametrize("gain", [1.0, 1e-3])
def test_a_tone_comes_back_from_its_offset(offset: float, gain: float) -> None:
    moved = ((TONE + offset) * gain).astype(np.float32)
    found = without_offset(moved)
    assert abs(float(found.mean(dtype=np.float64))) < 1e-6 * gain
    np.testing.assert_allclose(found, TONE * gain, atol=3e-4 * gain)
    assert not found.flags.writeable


def test_what_has_no_offset_is_the_same_array() -> None:
    small = (TONE + 0.5 * LEAST_SHARE * TONE.std()).astype(np.float32)
    for audio in (TONE, small, np.zeros(9, np.float32), np.zeros(0, np.float32)):
        assert without_offset(audio) is audio


def test_silence_around_a_recording_stays_silence_and_changes_nothing() -> None:
    moved = (TONE + np.float32(0.05)).astype(np.float32)
    before, after = np.zeros(777, np.float32), np.zeros(90, np.float32)
    found = without_offset(np.concatenate([before, moved, after]))
    assert not found[:777].any()
    assert not found[-90:].any()
    np.testing.assert_array_equal(found[777:-90], without_offset(moved))
    assert find_anchor(found).first_signal == 777


@pytest.mark.parametrize("size", [0.25, 1e-42])
def test_an_offset_alone_is_silence(size: float) -> None:
    assert not without_offset(np.full(5000, size, dtype=np.float32)).any()
