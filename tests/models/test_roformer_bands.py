from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from roformers import FAMILY, SMALL

from singcoach.models.roformer.bands import band_layout, mel_filters
from singcoach.models.roformer.config import KIM


@pytest.mark.parametrize(
    ("sample_rate", "n_fft", "n_bands"),
    [
        (44_100, 2048, 60),
        (44_100, 4096, 80),
        (48_000, 1024, 30),
        (44_100, 512, 20),
        (16_000, 64, 4),
    ],
)
def test_the_filters_are_those_that_the_checkpoints_were_trained_with(sample_rate, n_fft, n_bands):
    import librosa

    theirs = librosa.filters.mel(sr=sample_rate, n_fft=n_fft, n_mels=n_bands)
    ours = mel_filters(sample_rate, n_fft, n_bands)
    np.testing.assert_array_equal(ours > 0, theirs > 0)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("config", [KIM, *FAMILY.values()], ids=["kim", *FAMILY])
def test_every_row_is_in_a_band_and_the_outermost_bins_are_forced(config):
    layout = band_layout(config)
    assert layout.n_rows == config.freqs * config.channels
    assert len(layout.widths) == config.num_bands
    counts = np.bincount(layout.indices, minlength=layout.n_rows)
    np.testing.assert_array_equal(counts, layout.bands_per_row)
    assert counts.min() == 1
    assert layout.starts[0] == 0
    assert layout.stops[-1] == layout.n_rows
    assert sum(layout.widths) == 2 * layout.indices.size
    runs = [np.arange(a, b) for a, b in zip(layout.starts, layout.stops, strict=True)]
    np.testing.assert_array_equal(np.concatenate(runs), layout.indices)


def test_the_channels_of_a_bin_lie_side_by_side():
    stereo = band_layout(SMALL)
    mono = band_layout(dataclasses.replace(SMALL, stereo=False))
    np.testing.assert_array_equal(stereo.indices[0::2], 2 * mono.indices)
    np.testing.assert_array_equal(stereo.indices[1::2], 2 * mono.indices + 1)


def test_more_bands_than_bins_are_refused():
    with pytest.raises(ValueError, match="fewer bands would work"):
        band_layout(dataclasses.replace(SMALL, num_bands=200))
