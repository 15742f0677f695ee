from __future__ import annotations

import dataclasses
import itertools
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from singcoach.errors import Cancelled, ModelError
from singcoach.jobs import Job
from singcoach.models.roformer.config import RoformerConfig
from singcoach.separation.roformer import (
    dereverb_roformer,
    overlap_of,
    separate_roformer,
)

SMALL = RoformerConfig(
    dim=8, depth=1, num_bands=8, dim_head=4, heads=2, stft_n_fft=128, stft_win_length=128,
    stft_hop_length=32, chunk_size=1600,
)  # fmt: skip
MONO = dataclasses.replace(SMALL, stereo=False)


class Gain:
    """Stands in for a network: the same complex mask everywhere, for any number of stems."""

    def __init__(self, gain: complex = 1.0, n_stems: int = 1) -> None:
        self.gain = gain
        self.n_stems = n_stems
        self.shapes: list[tuple[int, ...]] = []

    def run(self, inputs):
        (spectrum,) = inputs.values()
        assert list(inputs) == ["spectrum"]
        assert spectrum.dtype == np.float32
        self.shapes.append(spectrum.shape)
        masks = np.zeros((len(spectrum), self.n_stems, *spectrum.shape[1:]), np.float32)
        masks[:, 0, ..., 0] = np.real(self.gain)
        masks[:, 0, ..., 1] = np.imag(self.gain)
        masks[:, 1:] = 99.0
        return [masks]

    def stop(self):
        raise AssertionError("nobody asked for it")


class Gate(Gain):
    """The mask depends on the whole chunk, so that every chunk comes out otherwise."""

    def run(self, inputs):
        (masks,) = super().run(inputs)
        level = np.abs(inputs["spectrum"]).mean(axis=(1, 2, 3))
        masks[:, 0, ..., 0] = (level / (1 + level))[:, None, None]
        return [masks]


def noise(n_samples: int, n_channels: int = 2) -> np.ndarray:
    rng = np.random.default_rng(n_samples)
    return rng.uniform(-0.5, 0.5, (n_channels, n_samples)).astype(np.float32)


def joined(parts, n_channels: int = 2) -> tuple[np.ndarray, np.ndarray]:
    empty = [np.zeros((n_channels, 0), np.float32)]
    parts = list(parts)
    return (
        np.concatenate(empty + [p.vocals for p in parts], axis=1),
        np.concatenate(empty + [p.accompaniment for p in parts], axis=1),
    )


def run(audio, session, config=SMALL, **options):
    return joined(separate_roformer([audio], session=session, config=config, **options), len(audio))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 8000),
    st.sampled_from([1600, 1601, 2000, 777]),
    st.floats(0.0, 0.9),
    st.sampled_from([1, 2]),
    st.booleans(),
)
def test_an_identity_network_changes_nothing(n_samples, chunk, overlap, n_channels, stereo):
    config = dataclasses.replace(SMALL, chunk_size=chunk, stereo=stereo)
    audio = noise(n_samples, n_channels)
    voice, band = run(audio, Gain(), config, overlap=overlap)
    assert voice.shape == band.shape == audio.shape
    np.testing.assert_allclose(voice, audio, atol=1e-6)
    np.testing.assert_allclose(band, 0.0, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 8000),
    st.lists(st.integers(0, 4000), max_size=5),
    st.sampled_from([0.0, 0.1, 0.5, 0.75]),
)
def test_any_length_cut_anyhow_comes_out_whole_and_adds_up(n_samples, lengths, overlap):
    mixture = noise(n_samples)
    whole = run(mixture, Gate(), overlap=overlap)
    edges = [0, *np.minimum(np.cumsum(lengths, dtype=int), n_samples), n_samples]
    blocks = [mixture[:, a:b] for a, b in itertools.pairwise(edges)]
    voice, band = joined(separate_roformer(blocks, session=Gate(), config=SMALL, overlap=overlap))
    assert voice.shape == band.shape == mixture.shape
    np.testing.assert_array_equal(voice, whole[0])
    np.testing.assert_array_equal(band, whole[1])
    np.testing.assert_allclose(voice + band, mixture, atol=1e-7)


@pytest.mark.parametrize("batch", [2, 3, 100])
def test_batches_give_the_same(batch):
    mixture = noise(12_345)
    session = Gate()
    voice, _ = run(mixture, session, batch=batch)
    assert max(shape[0] for shape in session.shapes) == min(batch, 9)
    np.testing.assert_allclose(voice, run(mixture, Gate())[0], atol=1e-6)


def test_the_cheap_overlap_asks_the_network_little_more_than_once_for_every_moment():
    mixture = noise(1600 * 20)
    cheap, common = Gain(), Gain()
    run(mixture, cheap)
    run(mixture, common, overlap=overlap_of(2))
    assert len(cheap.shapes) == 23
    assert len(common.shapes) == 39


def test_a_stereo_network_sees_the_channels_side_by_side_in_every_bin():
    seen = []

    class Look(Gain):
        def run(self, inputs):
            seen.append(inputs["spectrum"])
            return super().run(inputs)

    left_only = noise(1600) * np.array([[1.0], [0.0]], np.float32)
    run(left_only, Look())
    assert seen[0].shape == (1, 65 * 2, 1600 // 32 + 1, 2)
    assert np.abs(seen[0][:, 0::2]).max() > 0
    assert np.abs(seen[0][:, 1::2]).max() == 0


def test_a_mono_network_takes_the_channels_one_by_one_and_equal_ones_once():
    session = Gain(0.5j)
    stereo = noise(1600)
    run(stereo, session, MONO)
    run(np.repeat(stereo[:1], 2, axis=0), session, MONO)
    run(stereo[:1], session, MONO)
    assert session.shapes == [(2, 65, 51, 2), (1, 65, 51, 2), (1, 65, 51, 2)]


def test_mono_audio_is_the_same_as_two_equal_channels():
    one = noise(5000, 1)
    voice, _ = run(one, Gate())
    both, _ = run(np.repeat(one, 2, axis=0), Gate())
    np.testing.assert_allclose(voice[0], both[0], atol=1e-7)
    np.testing.assert_array_equal(both[0], both[1])


def test_only_the_first_stem_counts():
    mixture = noise(4000)
    voice, _ = run(mixture, Gain(0.25, n_stems=3))
    np.testing.assert_allclose(voice, 0.25 * mixture, atol=1e-6)


def test_a_room_is_what_the_dry_voice_leaves():
    audio = noise(5000, 1)
    parts = list(dereverb_roformer([audio], session=Gain(0.75), config=SMALL))
    dry = np.concatenate([p.dry for p in parts], axis=1)
    removed = np.concatenate([p.removed for p in parts], axis=1)
    np.testing.assert_allclose(dry, 0.75 * audio, atol=1e-6)
    np.testing.assert_allclose(dry + removed, audio, atol=1e-7)


def test_progress_rises_to_the_end():
    seen: list[float] = []
    job = Job(lambda fraction, stage: seen.append(fraction))
    run(noise(20_000), Gain(), n_samples=20_000, job=job)
    assert seen == sorted(seen)
    assert seen[0] == 0.0
    assert seen[-1] == 1.0
    assert len(set(seen)) > 10


class Endless(Gain):
    """Runs until it is stopped, as a large network on a slow processor does."""

    def __init__(self) -> None:
        super().__init__()
        self.under_way = threading.Event()
        self._stopped = threading.Event()

    def run(self, inputs):
        self.under_way.set()
        self._stopped.wait()
        raise Cancelled("stopped")

    def stop(self):
        self._stopped.set()


def test_a_stop_ends_the_network_in_the_middle_of_a_chunk():
    session = Endless()
    job = Job()
    ended: list[float] = []

    def work():
        with pytest.raises(Cancelled):
            run(noise(5000), session, job=job)
        ended.append(time.monotonic())

    thread = threading.Thread(target=work)
    thread.start()
    assert session.under_way.wait(10)
    asked = time.monotonic()
    job.cancel()
    thread.join(10)
    assert ended
    assert ended[0] - asked < 1.0
    assert not [t for t in threading.enumerate() if t.name.startswith("roformer")]


def test_a_stop_that_comes_before_the_network_has_begun_waits_for_it():
    """The worker may be between taking the work and running: stop has to be asked again."""

    class Late(Endless):
        def run(self, inputs):
            time.sleep(0.3)
            self._stopped.clear()
            return super().run(inputs)

    job = Job(lambda fraction, stage: job.cancel())
    with pytest.raises(Cancelled):
        run(noise(5000), Late(), job=job)
    assert not [t for t in threading.enumerate() if t.name.startswith("roformer")]


def test_faults_of_the_network_arrive():
    class Broken(Gain):
        def run(self, inputs):
            raise ModelError("broken")

        def stop(self):
            pass

    with pytest.raises(ModelError, match="broken"):
        run(noise(5000), Broken())


@pytest.mark.parametrize("gain", [np.nan, np.inf, 1j * np.nan])
def test_masks_that_are_no_numbers_are_refused(gain):
    with pytest.raises(ModelError, match="usable masks"):
        run(noise(5000), Gain(gain))


def test_masks_of_another_shape_are_refused():
    class Short(Gain):
        def run(self, inputs):
            return [super().run(inputs)[0][:, :, :-1]]

    with pytest.raises(ModelError, match="usable masks"):
        run(noise(5000), Short())


def test_silence_stays_silence_and_one_sample_is_enough():
    voice, band = run(np.zeros((2, 5000), np.float32), Gate())
    assert not voice.any()
    assert not band.any()
    assert run(noise(1), Gate())[0].shape == (2, 1)
    assert list(separate_roformer([], session=Gain(), config=SMALL)) == []


def test_what_is_no_stream_of_audio_is_refused():
    for blocks in ([noise(10)[0]], [noise(10, 3)], [noise(10, 2), noise(10, 1)]):
        with pytest.raises(ValueError, match=r"channels|would work"):
            list(separate_roformer(blocks, session=Gain(), config=SMALL))
    with pytest.raises(ValueError, match="batch"):
        list(separate_roformer([noise(10)], session=Gain(), config=SMALL, batch=0))
    with pytest.raises(ValueError, match="overlap"):
        list(separate_roformer([noise(10)], session=Gain(), config=SMALL, overlap=1.0))
    with pytest.raises(ValueError, match="num_overlap"):
        overlap_of(0)


def test_memory_does_not_grow_with_the_stream():
    """Only two chunks and a block are held, however long the stream is."""
    import tracemalloc

    def peak(n_blocks: int) -> int:
        tracemalloc.start()
        blocks = (np.full((2, 500), 0.1, np.float32) for _ in range(n_blocks))
        for _ in separate_roformer(blocks, session=Gain(), config=SMALL):
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(20)
    assert peak(600) < 1.2 * peak(60)
