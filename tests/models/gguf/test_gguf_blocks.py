from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from singcoach.models.gguf.blocks import LAYOUTS, pack, stored_bytes, unpack

QUANTISED = ("q4_0", "q4_1", "q8_0")


def test_a_block_of_q4_1_is_read_as_the_format_says() -> None:
    content = struct.pack("<ee", 0.5, -1.0) + bytes(n | (15 - n) << 4 for n in range(16))
    expected = [*(0.5 * n - 1.0 for n in range(16)), *(0.5 * (15 - n) - 1.0 for n in range(16))]
    np.testing.assert_array_equal(unpack(content, "q4_1"), expected)


def test_a_block_of_q4_0_and_one_of_q8_0_are_read_as_the_format_says() -> None:
    nibbles = struct.pack("<e", 0.25) + bytes([0x80] * 16)
    np.testing.assert_array_equal(unpack(nibbles, "q4_0"), [-2.0] * 16 + [0.0] * 16)
    steps = struct.pack("<e32b", 2.0, *range(-16, 16))
    np.testing.assert_array_equal(unpack(steps, "q8_0"), 2.0 * np.arange(-16, 16))


@pytest.mark.parametrize(("kind", "error"), [("q8_0", 0.006), ("q4_1", 0.085), ("q4_0", 0.11)])
def test_rounding_errs_by_no_more_than_the_bits_cost(kind: str, error: float) -> None:
    weights = np.random.default_rng(3).normal(0.0, 0.3, (40, 64)).astype(np.float32)
    back = unpack(pack(weights, kind), kind).reshape(weights.shape)  # type: ignore[arg-type]
    assert 0.0 < (back - weights).std() / weights.std() < error


@pytest.mark.parametrize("kind", QUANTISED)
@given(seed=st.integers(0, 10_000), size=st.sampled_from([1e-4, 0.1, 30.0]))
def test_rounding_twice_is_rounding_once(kind: str, seed: int, size: float) -> None:
    weights = np.random.default_rng(seed).normal(0.0, size, (2, 32)).astype(np.float32)
    once = unpack(pack(weights, kind), kind)  # type: ignore[arg-type]
    twice = unpack(pack(once, kind), kind)  # type: ignore[arg-type]
    np.testing.assert_allclose(twice, once, rtol=0, atol=0.002 * np.abs(once).max())


@pytest.mark.parametrize("kind", QUANTISED)
def test_equal_weights_and_silence_come_back(kind: str) -> None:
    for value in (0.0, 0.5):
        weights = np.full((1, 32), value, dtype=np.float32)
        back = unpack(pack(weights, kind), kind)  # type: ignore[arg-type]
        np.testing.assert_allclose(back, value, atol=0.001)


@pytest.mark.parametrize("kind", LAYOUTS)
def test_sizes_are_those_of_the_blocks(kind: str) -> None:
    content = pack(np.ones((3, 64)), kind)  # type: ignore[arg-type]
    assert len(content) == stored_bytes((3, 64), kind)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no whole blocks"):
        unpack(content[:-1], kind)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", QUANTISED)
def test_weights_that_cannot_be_stored_are_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="do not fill"):
        pack(np.ones((2, 33)), kind)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not finite"):
        pack(np.full((1, 32), np.nan), kind)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="too large"):
        pack(np.linspace(-1e9, 1e9, 32)[None], kind)  # type: ignore[arg-type]
