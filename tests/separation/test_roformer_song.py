"""A whole song through the network, against chunks that torch transforms and a plain loop."""

from __future__ import annotations

import dataclasses
import threading

import numpy as np
import pytest

from singcoach.errors import Cancelled
from singcoach.jobs import Job
from singcoach.models.roformer.config import RoformerConfig, expected_shapes
from singcoach.models.roformer.synthetic import tensor_reader
from singcoach.separation.roformer import overlap_of, separate_roformer

torch = pytest.importorskip("torch")

CONFIG = RoformerConfig(
    dim=16, depth=1, num_bands=12, dim_head=8, heads=2, stft_n_fft=256, stft_win_length=256,
    stft_hop_length=60, chunk_size=6000,
)  # fmt: skip


class TorchSession:
    """The torch network behind the face of a session."""

    def __init__(self, network) -> None:
        self.network = network
        self._stopped = False
        self.under_way = threading.Event()
        network.check = self._check

    def _check(self):
        self.under_way.set()
        if self._stopped:
            raise Cancelled("stopped")

    def run(self, inputs):
        with torch.inference_mode():
            return [self.network(torch.from_numpy(inputs["spectrum"])).numpy()]

    def stop(self):
        self._stopped = True


def network(config=CONFIG):
    from singcoach.models.roformer.network import MelBandRoformer

    made = MelBandRoformer(config).eval()
    read = tensor_reader(config)
    made.load_state_dict({name: torch.from_numpy(read(name)) for name in expected_shapes(config)})
    return made


@pytest.fixture(autouse=True)
def _one_thread():
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


def music(n_samples: int) -> np.ndarray:
    rng = np.random.default_rng(5)
    time_s = np.arange(n_samples) / 44_100
    tones = [np.sin(2 * np.pi * f * time_s * (1 + 0.1 * time_s)) for f in (220, 331, 497)]
    noise = rng.standard_normal((2, n_samples)) * 0.1
    return (0.1 * np.array([tones[0] + tones[1], tones[0] - tones[2]]) + noise).astype(np.float32)


def by_hand(net, mixture: np.ndarray, starts: list[int], fade: int) -> np.ndarray:
    """Chunks of torch's own transforms; trapezoids that fade over ``fade``, weights divided out."""
    n_chunk = CONFIG.chunk_size
    total, weights = np.zeros(mixture.shape), np.zeros(mixture.shape[1])
    for start in starts:
        chunk = torch.from_numpy(mixture[None, :, start : start + n_chunk])
        with torch.inference_mode():
            voice = net.separate(chunk)[0, 0].numpy()
        window = np.ones(n_chunk)
        rise = (np.arange(fade) + 0.5) / fade
        if start > 0:
            window[:fade] = rise
        if start + n_chunk < mixture.shape[1]:
            window[-fade:] = rise[::-1]
        total[:, start : start + n_chunk] += voice * window
        weights[start : start + n_chunk] += window
    return total / weights


@pytest.mark.parametrize(
    ("overlap", "n_samples", "starts"),
    [
        (0.1, 6000 + 3 * 5400, [0, 5400, 10_800, 16_200]),
        (overlap_of(2), 6000 + 5 * 3000, [0, 3000, 6000, 9000, 12_000, 15_000]),
    ],
)
def test_a_song_is_the_faded_sum_of_its_chunks(overlap, n_samples, starts):
    net, mixture = network(), music(n_samples)
    parts = separate_roformer([mixture], session=TorchSession(net), config=CONFIG, overlap=overlap)
    voice = np.concatenate([part.vocals for part in parts], axis=1)
    expected = by_hand(net, mixture, starts, 600)
    assert np.linalg.norm(voice - expected) < 1e-5 * np.linalg.norm(expected)


@pytest.mark.parametrize("stereo", [True, False])
def test_batches_give_the_same_as_chunk_by_chunk(stereo):
    config = dataclasses.replace(CONFIG, stereo=stereo)
    net, mixture = network(config), music(20_001)

    def voice(batch: int) -> np.ndarray:
        parts = separate_roformer([mixture], session=TorchSession(net), config=config, batch=batch)
        return np.concatenate([part.vocals for part in parts], axis=1)

    one, three = voice(1), voice(3)
    assert np.linalg.norm(three - one) < 1e-5 * np.linalg.norm(one)


def test_the_same_song_gives_the_same_bits():
    mixture = music(15_000)
    first, second = (
        [
            part.vocals.tobytes()
            for part in separate_roformer([mixture], session=TorchSession(network()), config=CONFIG)
        ]
        for _ in range(2)
    )
    assert first == second


def test_a_stop_reaches_the_network_between_two_groups():
    config = dataclasses.replace(CONFIG, depth=40, dim=64, num_bands=24, chunk_size=60_000)
    session = TorchSession(network(config))
    job = Job()
    stopper = threading.Thread(target=lambda: (session.under_way.wait(30), job.cancel()))
    stopper.start()
    with pytest.raises(Cancelled):
        list(separate_roformer([music(60_000)], session=session, config=config, job=job))
    stopper.join()
    assert session._stopped
