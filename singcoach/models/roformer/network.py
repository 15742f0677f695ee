"""MelBand Roformer as a torch network whose parameters are named as in the public checkpoints.

Every band of the spectrum becomes one vector per frame; attention runs along time within each band
and along the bands within each frame, in turns; every band then gets a complex mask. Positions are
told by rotation of neighbouring pairs of values. The network takes and gives spectra: transforms
and the product with the mixture are outside, except in :meth:`MelBandRoformer.separate`.

Imports torch, so it is to be imported inside functions only.

Sources: Wang, Lu, Won, "Mel-Band RoFormer for music source separation", arXiv 2310.01809; Su et
al., "RoFormer: enhanced transformer with rotary position embedding", arXiv 2104.09864.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - as everywhere
from torch import nn

from singcoach.models.roformer.bands import band_layout
from singcoach.models.roformer.config import RoformerConfig

_LEAST_NORM = 1e-12
_ROTARY_BASE = 10_000.0

GROUP_TOKENS = 4096
"""On a processor this many vectors go through a block at once: they stay near the cores, take a
tenth of the memory, and the work can be stopped between them."""

Check = Callable[[], None]
"""Called between pieces of work; may raise to stop the network."""


Turns = tuple[Any, Any]
"""Cosines and sines of angles, float32 ``(n_positions, dim_head // 2)`` each."""


def _no_check() -> None:
    pass


class RMSNorm(nn.Module):  # type: ignore[misc]
    """Vectors brought to one length, times a gain for every value."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.scale = dim**0.5
        self.gamma = nn.Parameter(torch.ones(dim))

    def forward(self, x: Any) -> Any:
        """Return ``x`` with length ``sqrt(dim)`` along the last axis, times the gains.

        The result has the precision of the gains; lengths are taken in float32.
        """
        length = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float32)
        gain = self.scale / length.clamp_min(_LEAST_NORM)
        return (x * gain).to(self.gamma.dtype).mul_(self.gamma)


class Rotary(nn.Module):  # type: ignore[misc]
    """Angles per position; the checkpoints hold their frequencies in every attention."""

    def __init__(self, dim_head: int) -> None:
        super().__init__()
        exponents = torch.arange(0, dim_head, 2).float() / dim_head
        self.freqs = nn.Parameter(_ROTARY_BASE**-exponents, requires_grad=False)

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        """Move to another device, but never to another precision: angles are large numbers."""
        exact = self.freqs.data
        moved = super()._apply(fn, recurse)
        self.freqs.data = exact.to(self.freqs.device)
        return moved

    def turns(self, n_positions: int) -> Turns:
        """Return the turn of every pair at every position."""
        positions = torch.arange(n_positions, device=self.freqs.device, dtype=torch.float32)
        angles = positions[:, None] * self.freqs[None]
        return angles.cos(), angles.sin()


def _rotated(x: Any, turns: Turns) -> Any:
    """Return ``x`` with its pairs (0, 1), (2, 3), ... turned by the angles of their positions."""
    pairs = x.unflatten(-1, (-1, 2))
    if x.device.type == "cpu" and x.dtype == torch.float32:
        # A product of complex numbers is one pass over memory; not every device has it.
        return torch.view_as_real(torch.view_as_complex(pairs) * torch.complex(*turns)).flatten(-2)
    first, second = pairs[..., 0], pairs[..., 1]
    cosines, sines = (part.to(x.dtype) for part in turns)
    turned = (first * cosines - second * sines, second * cosines + first * sines)
    return torch.stack(turned, dim=-1).flatten(-2)


class Attention(nn.Module):  # type: ignore[misc]
    """Attention among the vectors of one sequence, each head's answer gated."""

    def __init__(self, config: RoformerConfig, rotary: Rotary) -> None:
        super().__init__()
        inner = config.heads * config.dim_head
        self.heads = config.heads
        self.rotary_embed = rotary
        self.norm = RMSNorm(config.dim)
        self.to_qkv = nn.Linear(config.dim, 3 * inner, bias=False)
        self.to_gates = nn.Linear(config.dim, config.heads)
        self.to_out = nn.Sequential(nn.Linear(inner, config.dim, bias=False), nn.Identity())

    def forward(self, x: Any, turns: Turns) -> Any:
        """Return the answers for ``x``, both ``(n_sequences, n, dim)``."""
        x = self.norm(x)
        # (n_sequences, n, 3 * heads * dim_head) -> 3 x (n_sequences, heads, n, dim_head)
        query, key, value = (
            self.to_qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
        )
        answer = F.scaled_dot_product_attention(_rotated(query, turns), _rotated(key, turns), value)
        gates = self.to_gates(x).sigmoid()
        answer = answer.transpose(1, 2) * gates[..., None]
        return self.to_out(answer.flatten(-2))


class FeedForward(nn.Module):  # type: ignore[misc]
    """Two layers applied to every vector by itself."""

    def __init__(self, config: RoformerConfig) -> None:
        super().__init__()
        hidden = config.ff_mult * config.dim
        # The places that dropout has in training keep the numbers of the layers as published.
        self.net = nn.Sequential(
            RMSNorm(config.dim),
            nn.Linear(config.dim, hidden),
            nn.GELU(),
            nn.Identity(),
            nn.Linear(hidden, config.dim),
        )

    def forward(self, x: Any) -> Any:
        """Return what is to be added to ``x``, same shape."""
        return self.net(x)


class Transformer(nn.Module):  # type: ignore[misc]
    """Blocks of attention and feed-forward along one axis."""

    def __init__(self, config: RoformerConfig, depth: int, rotary: Rotary) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.ModuleList([Attention(config, rotary), FeedForward(config)]) for _ in range(depth)
        )
        self.norm = RMSNorm(config.dim)
        self._rotary = (rotary,)  # in a tuple: no second name in the state dict

    def forward(self, x: Any, check: Check) -> Any:
        """Return the vectors after all blocks, same shape ``(n_sequences, n, dim)``."""
        n_sequences, n_positions, _ = x.shape
        turns = self._rotary[0].turns(n_positions)
        at_once = n_sequences
        if x.device.type == "cpu":
            at_once = max(1, GROUP_TOKENS // n_positions)
        done = torch.empty(x.shape, dtype=x.dtype, device=x.device)
        for start in range(0, n_sequences, at_once):
            check()
            # In order, or every product with a matrix would be one for each sequence.
            group = x[start : start + at_once].contiguous()
            for attention, forward in self.layers:
                group = group + attention(group, turns)
                group = group + forward(group)
            done[start : start + at_once] = self.norm(group)
        return done


class BandSplit(nn.Module):  # type: ignore[misc]
    """One vector for every band and frame."""

    def __init__(self, config: RoformerConfig) -> None:
        super().__init__()
        self.widths = band_layout(config).widths
        self.to_features = nn.ModuleList(
            nn.Sequential(RMSNorm(width), nn.Linear(width, config.dim)) for width in self.widths
        )

    def forward(self, x: Any) -> Any:
        """Take ``(batch, n, sum of widths)`` to ``(batch, n, n_bands, dim)``."""
        parts = x.split(self.widths, dim=-1)
        return torch.stack(
            [net(part) for net, part in zip(self.to_features, parts, strict=True)], dim=-2
        )


class MaskEstimator(nn.Module):  # type: ignore[misc]
    """The complex mask of every band, for one stem."""

    def __init__(self, config: RoformerConfig) -> None:
        super().__init__()
        hidden = config.mlp_expansion_factor * config.dim
        self.to_freqs = nn.ModuleList()
        for width in band_layout(config).widths:
            sizes = (config.dim, *(hidden,) * config.mask_estimator_depth, 2 * width)
            layers: list[Any] = []
            for n_in, n_out in pairwise(sizes):
                layers += [nn.Linear(n_in, n_out), nn.Tanh()]
            self.to_freqs.append(nn.Sequential(nn.Sequential(*layers[:-1]), nn.GLU(dim=-1)))

    def forward(self, x: Any, check: Check) -> Any:
        """Take ``(batch, n, n_bands, dim)`` to ``(batch, n, sum of widths)``."""
        masks = []
        for net, features in zip(self.to_freqs, x.unbind(dim=-2), strict=True):
            check()
            masks.append(net(features))
        return torch.cat(masks, dim=-1)


class MelBandRoformer(nn.Module):  # type: ignore[misc]
    """The whole network.

    Parameters
    ----------
    config
        Its shape.

    Attributes
    ----------
    check
        Called between pieces of the work, at most some tenths of a second apart on a processor;
        what it raises ends :meth:`forward`.
    """

    def __init__(self, config: RoformerConfig) -> None:
        super().__init__()
        self.config = config
        self.check: Check = _no_check
        time_rotary, freq_rotary = Rotary(config.dim_head), Rotary(config.dim_head)
        self.layers = nn.ModuleList(
            nn.ModuleList(
                [
                    Transformer(config, config.time_transformer_depth, time_rotary),
                    Transformer(config, config.freq_transformer_depth, freq_rotary),
                ]
            )
            for _ in range(config.depth)
        )
        layout = band_layout(config)
        # From arrays, so that they have values even where the parameters are made without any.
        rows, counts = layout.indices.copy(), layout.bands_per_row.copy()
        self.register_buffer("_rows", torch.from_numpy(rows), persistent=False)
        self.register_buffer("_counts", torch.from_numpy(counts), persistent=False)
        self.band_split = BandSplit(config)
        self.mask_estimators = nn.ModuleList(MaskEstimator(config) for _ in range(config.num_stems))

    def forward(self, spectrum: Any) -> Any:
        """Return the complex masks of a spectrum.

        Parameters
        ----------
        spectrum
            ``(batch, n_rows, n_frames, 2)``, real and imaginary part of every row; row
            ``bin * n_channels + channel``.

        Returns
        -------
        tensor
            ``(batch, n_stems, n_rows, n_frames, 2)``, the mean of the bands that hold a row;
            float32 whatever the precision of the weights.
        """
        # (batch, rows of all bands, n, 2) -> (batch, n, rows of all bands * 2)
        bands = spectrum[:, self._rows].permute(0, 2, 1, 3).flatten(-2)
        x = self.band_split(bands)
        for along_time, along_bands in self.layers:
            x = _along(along_time, x.transpose(1, 2), self.check).transpose(1, 2)
            x = _along(along_bands, x, self.check)
        masks = [
            self._spread(net(x, self.check), spectrum.shape[1]) for net in self.mask_estimators
        ]
        return torch.stack(masks, dim=1)

    def _spread(self, bands: Any, n_rows: int) -> Any:
        """Return the mask of every row from the masks of the bands, one stem."""
        batch, n_frames, _ = bands.shape
        bands = bands.float().unflatten(-1, (-1, 2))
        summed = bands.new_zeros((batch, n_frames, n_rows, 2))
        summed.index_add_(2, self._rows, bands)
        summed /= self._counts.float()[:, None]
        return summed.transpose(1, 2)

    def separate(self, audio: Any) -> Any:
        """Return the stems of one chunk of audio, transforms included.

        Parameters
        ----------
        audio
            float32 ``(batch, n_channels, n_samples)``, more samples than half a transform.

        Returns
        -------
        tensor
            ``(batch, n_stems, n_channels, n)``, ``n`` the samples up to the last whole hop.
        """
        config = self.config
        batch, n_channels, _ = audio.shape
        settings = {
            "n_fft": config.stft_n_fft,
            "hop_length": config.stft_hop_length,
            "win_length": config.stft_win_length,
            "window": torch.hann_window(config.stft_win_length, device=audio.device),
        }
        spectrum = torch.stft(audio.flatten(0, 1), **settings, return_complex=True)
        # (batch * channels, bins, n) -> (batch, bins * channels, n)
        spectrum = spectrum.unflatten(0, (batch, n_channels)).transpose(1, 2).flatten(1, 2)
        masks = torch.view_as_complex(self(torch.view_as_real(spectrum)).contiguous())
        stems = (spectrum[:, None] * masks).unflatten(2, (-1, n_channels)).transpose(2, 3)
        wave = torch.istft(stems.flatten(0, 2), **settings)
        return wave.unflatten(0, (batch, config.num_stems, n_channels))


def _along(transformer: Transformer, x: Any, check: Check) -> Any:
    """Run along the last axis but one of ``(batch, m, n, dim)``."""
    return transformer(x.flatten(0, 1), check).unflatten(0, (x.shape[0], -1))
