"""The network against the reference implementation, with the same random weights."""

from __future__ import annotations

import pytest
from roformers import FAMILY, SMALL, TINY, referee

from singcoach.models.roformer import network as network_module
from singcoach.models.roformer.config import KIM, expected_shapes
from singcoach.models.roformer.network import MelBandRoformer
from singcoach.models.roformer.synthetic import tensor_reader

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def _one_thread():
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


def lively(network) -> None:
    """Give every parameter a value of its own: gains of 1 and so on would hide an omission."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if not name.endswith("rotary_embed.freqs"):
                noise = torch.randn(parameter.shape, generator=generator)
                parameter.add_(noise * (0.3 if parameter.ndim == 1 else 0.05))


def audio(config, n_samples: int, batch: int = 1):
    generator = torch.Generator().manual_seed(n_samples)
    return 0.3 * torch.randn(batch, config.channels, n_samples, generator=generator)


@pytest.mark.parametrize("name", FAMILY)
def test_the_tensors_are_those_of_the_reference(name):
    config = FAMILY[name]
    theirs = {key: tuple(t.shape) for key, t in referee(config).state_dict().items()}
    assert theirs == expected_shapes(config)
    ours = MelBandRoformer(config).state_dict()
    assert list(ours) == list(theirs)


@pytest.mark.parametrize("name", FAMILY)
@pytest.mark.parametrize("n_samples", [4096, 6001])
def test_the_output_is_that_of_the_reference(name, n_samples):
    config = FAMILY[name]
    torch.manual_seed(0)
    theirs = referee(config)
    lively(theirs)
    ours = MelBandRoformer(config).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    mixture = audio(config, n_samples, batch=2)
    with torch.inference_mode():
        expected = theirs(mixture)
        found = ours.separate(mixture)
    if config.num_stems == 1:
        expected = expected[:, None]
    assert found.shape == expected.shape
    assert expected.norm() > 1e-3
    error = float((found - expected).norm() / expected.norm())
    largest = float((found - expected).abs().max() / expected.abs().max())
    print(f"{name:26}  {n_samples:6} samples  error {error:.1e}  largest {largest:.1e}")
    assert error < 1e-5
    assert largest < 1e-5


def spectrum(config, n_frames: int, batch: int = 1):
    generator = torch.Generator().manual_seed(n_frames)
    return torch.randn(batch, config.freqs * config.channels, n_frames, 2, generator=generator)


def network(config):
    torch.manual_seed(2)
    made = MelBandRoformer(config).eval()
    lively(made)
    return made


@pytest.mark.parametrize("n_frames", [1, 2, 37])
def test_masks_have_the_shape_of_the_spectrum_for_every_stem(n_frames):
    config = FAMILY["two stems"]
    with torch.inference_mode():
        masks = network(config)(spectrum(config, n_frames, batch=3))
    assert masks.shape == (3, 2, config.freqs * 2, n_frames, 2)
    assert torch.isfinite(masks).all()


def test_silence_has_masks_too():
    with torch.inference_mode():
        masks = network(SMALL)(torch.zeros(1, SMALL.freqs * 2, 5, 2))
    assert torch.isfinite(masks).all()


def test_a_batch_is_its_members_one_by_one():
    net, batch = network(SMALL), spectrum(SMALL, 23, batch=3)
    with torch.inference_mode():
        together = net(batch)
        alone = torch.cat([net(one[None]) for one in batch])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-6)


def test_work_in_groups_is_the_same_as_at_once(monkeypatch):
    net, one = network(SMALL), spectrum(SMALL, 40)
    with torch.inference_mode():
        at_once = net(one)
        monkeypatch.setattr(network_module, "GROUP_TOKENS", 100)
        in_groups = net(one)
    torch.testing.assert_close(in_groups, at_once, rtol=1e-5, atol=1e-6)


def test_it_can_be_ended_between_two_groups(monkeypatch):
    monkeypatch.setattr(network_module, "GROUP_TOKENS", 100)
    net = network(TINY)
    calls = []

    def check():
        calls.append(1)
        if len(calls) == 3:
            raise InterruptedError

    net.check = check
    with torch.inference_mode(), pytest.raises(InterruptedError):
        net(spectrum(TINY, 40))
    assert len(calls) == 3


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_near_and_keeps_angles_exact(dtype):
    net, one = network(SMALL), spectrum(SMALL, 200)
    frequencies = net.layers[0][0].layers[0][0].rotary_embed.freqs.clone()
    with torch.inference_mode():
        exact = net(one)
        half = net.to(dtype)(one)
    assert half.dtype == torch.float32
    assert net.band_split.to_features[0][1].weight.dtype == dtype
    torch.testing.assert_close(net.layers[0][0].layers[0][0].rotary_embed.freqs, frequencies)
    assert float((half - exact).norm() / exact.norm()) < 0.05


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_full_size_is_that_of_the_reference_too(monkeypatch):
    """228 million parameters, half a second of audio: 2 GB."""
    for start in ("kaiming_uniform_", "uniform_"):  # all values come from the checkpoint
        monkeypatch.setattr(torch.nn.init, start, lambda tensor, *_, **__: tensor)
    read = tensor_reader(KIM)
    weights = {name: torch.from_numpy(read(name)) for name in expected_shapes(KIM)}
    theirs = referee(KIM)
    with torch.device("meta"):
        ours = MelBandRoformer(KIM).eval()
    for net in (theirs, ours):
        net.load_state_dict(weights, strict=True, assign=True)
    mixture = audio(KIM, 22_050)
    with torch.inference_mode():
        expected = theirs(mixture)
        found = ours.separate(mixture)[:, 0]
    assert float(expected.norm() / mixture.norm()) > 0.3
    error = float((found - expected).norm() / expected.norm())
    print(f"full size                   22050 samples  error {error:.1e}")
    assert error < 1e-5
