from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from singcoach.separation.chunked import ChunkAdder, chunks, plan_chunks


def noise(n_samples: int, n_channels: int = 2) -> np.ndarray:
    rng = np.random.default_rng(n_samples)
    return rng.uniform(-1, 1, (n_channels, n_samples)).astype(np.float32)


def cut(audio: np.ndarray, lengths: list[int]) -> list[np.ndarray]:
    edges = [0, *np.minimum(np.cumsum(lengths, dtype=int), audio.shape[1]), audio.shape[1]]
    return [audio[:, a:b] for a, b in itertools.pairwise(edges)]


def through(blocks, plan, change=lambda audio: audio) -> np.ndarray:
    adder = ChunkAdder(plan)
    parts = [adder.add(chunk, change(chunk.audio)) for chunk in chunks(blocks, plan)]
    return np.concatenate([np.zeros((2, 0), np.float32), *parts], axis=1)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 700),
    st.integers(1, 90),
    st.floats(0.0, 0.95),
    st.lists(st.integers(0, 300), max_size=6),
)
def test_what_goes_in_comes_out_whatever_the_chunks(n_samples, n_chunk, overlap, lengths):
    audio = noise(n_samples)
    plan = plan_chunks(n_chunk, overlap)
    out = through(cut(audio, lengths), plan)
    assert out.shape == audio.shape
    np.testing.assert_allclose(out, audio, atol=3e-7)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 700), st.floats(0.0, 0.95), st.lists(st.integers(0, 300), max_size=6))
def test_chunks_do_not_depend_on_the_blocks(n_samples, overlap, lengths):
    audio = noise(n_samples)
    plan = plan_chunks(64, overlap)

    def place_dependent(chunk: np.ndarray) -> np.ndarray:
        return chunk * np.linspace(0.5, 2.0, chunk.shape[1], dtype=np.float32)

    whole = through([audio], plan, place_dependent)
    np.testing.assert_array_equal(through(cut(audio, lengths), plan, place_dependent), whole)


def test_every_chunk_has_its_full_context_and_the_last_one_ends_with_the_stream():
    audio = noise(1000)
    plan = plan_chunks(300, 0.1)
    found = list(chunks([audio], plan))
    assert [chunk.audio.shape[1] for chunk in found] == [300] * 4
    assert [chunk.skip_samples for chunk in found] == [0, 0, 0, 110]
    np.testing.assert_array_equal(found[-1].audio, audio[:, -300:])
    assert [chunk.is_first for chunk in found] == [True, False, False, False]
    assert [chunk.is_last for chunk in found] == [False, False, False, True]


@pytest.mark.parametrize("overlap", [0.0, 0.02, 0.1])
def test_up_to_a_tenth_the_weights_of_neighbours_sum_to_one(overlap):
    plan = plan_chunks(1000, overlap)
    assert plan.fade_samples == 1000 - plan.step_samples == round(1000 * overlap)
    ones = np.ones((2, 3456), np.float32)
    adder = ChunkAdder(plan)
    for chunk in chunks([ones], plan):
        adder.add(chunk, chunk.audio)
        np.testing.assert_allclose(adder._weights + adder._weights[::-1], 1.0, atol=1e-6)


def test_half_overlap_is_the_plain_mean_of_two_but_near_the_ends_of_a_chunk():
    plan = plan_chunks(100, 0.5)
    levels = itertools.count(0.0)
    out = through([np.ones((2, 200), np.float32)], plan, lambda a: a * next(levels))
    np.testing.assert_allclose(out[0, :50], 0.0)
    np.testing.assert_allclose(out[0, 60:90], 0.5)
    np.testing.assert_allclose(out[0, 110:140], 1.5)
    np.testing.assert_allclose(out[0, 150:], 2.0)


@pytest.mark.parametrize(("n_chunk", "overlap"), [(0, 0.1), (10, -0.1), (10, 0.96), (10, np.nan)])
def test_impossible_plans_are_refused(n_chunk, overlap):
    with pytest.raises(ValueError, match="would work"):
        plan_chunks(n_chunk, overlap)
