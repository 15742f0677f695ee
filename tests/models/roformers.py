"""Small networks of the family and the referee that they are compared with."""

from __future__ import annotations

import dataclasses
import importlib.util
import warnings

import pytest

from singcoach.benchmark.pack_variants import reference_settings
from singcoach.models.roformer.config import RoformerConfig

TINY = RoformerConfig(
    dim=16, depth=1, num_bands=8, dim_head=8, heads=2, stft_n_fft=128, stft_win_length=128,
    stft_hop_length=32, chunk_size=4096,
)  # fmt: skip

SMALL = RoformerConfig(
    dim=32, depth=2, num_bands=20, dim_head=16, heads=4, stft_n_fft=512, stft_win_length=512,
    stft_hop_length=128, chunk_size=16_384,
)  # fmt: skip

FAMILY = {
    "tiny": TINY,
    "small": SMALL,
    "mono": dataclasses.replace(SMALL, stereo=False),
    "two stems": dataclasses.replace(SMALL, num_stems=2, depth=1),
    "deep": dataclasses.replace(TINY, depth=3),
    "time twice": dataclasses.replace(TINY, time_transformer_depth=2),
    "bands twice": dataclasses.replace(TINY, freq_transformer_depth=2, depth=2),
    "one mask layer": dataclasses.replace(
        SMALL, mask_estimator_depth=1, stft_hop_length=512, stft_n_fft=2048, stft_win_length=2048,
        num_bands=60, chunk_size=131_584, stereo=False, depth=1,
    ),
    "three mask layers": dataclasses.replace(TINY, mask_estimator_depth=3, stereo=False),
    "hop that divides nothing": dataclasses.replace(
        TINY, stft_n_fft=256, stft_win_length=256, stft_hop_length=55
    ),
}  # fmt: skip


def referee(config: RoformerConfig):
    """Return the reference network with weights of its own."""
    if importlib.util.find_spec("bs_roformer") is None:
        pytest.skip("the reference network BS-RoFormer 0.3.10 is not installed")
    from bs_roformer.mel_band_roformer import MelBandRoformer as Reference

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its constructor transforms noise without a window
        return Reference(**reference_settings(config), flash_attn=False).eval()
