"""The dereverb network in torch, its loss, and its training. Imported only where it is trained.

A chain of dilated convolutions over the frames sees all bands and gathers what is sung and in which
room. What it found goes with the features into a small image network that is the same for every
band and decides what is room. Outputs for each band and frame: a mask, and the share of the
predicted room to take away before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from singcoach.core.arrays import FloatArray
from singcoach.dsp.dereverb_bands import BAND_WIDTHS, ENERGY_FLOOR, N_BANDS, N_FEATURES
from singcoach.jobs import NO_JOB, Job

WIDTH = 64
HIDDEN = 128
CONTEXT_DILATIONS = (1, 3, 9, 27)
CONTEXT_CHANNELS = 3
CHANNELS = 16

LEAK = 0.1
FEATURE_SHIFT = 6.0
FEATURE_SCALE = 0.25
MASK_BIAS = 3.0
SHARE_BIAS = -1.0

CROP_FRAMES = 160
BATCH = 6
PEAK_RATE = 3e-3
SNR_FLOOR = 10**-3.2
"""Errors below -32 dB are good enough; without it dry voices would rule the training."""
MAGNITUDE_WEIGHT = 4.0


def _act(signal: Tensor) -> Tensor:
    return nn.functional.leaky_relu(signal, LEAK)


class ContextBlock(nn.Module):  # type: ignore[misc]
    """One dilated, depthwise convolution over the frames between two over the channels."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.widen = nn.Conv1d(WIDTH, HIDDEN, 1)
        self.spread = nn.Conv1d(
            HIDDEN, HIDDEN, 3, padding=dilation, dilation=dilation, groups=HIDDEN
        )
        self.narrow = nn.Conv1d(HIDDEN, WIDTH, 1)
        nn.init.zeros_(self.narrow.weight)

    def forward(self, signal: Tensor) -> Tensor:
        """Take and return ``(batch, WIDTH, n_frames)``."""
        hidden = _act(self.spread(_act(self.widen(signal))))
        result: Tensor = signal + self.narrow(hidden)
        return result


class DereverbNetwork(nn.Module):  # type: ignore[misc]
    """From features to mask and share; see the module."""

    def __init__(self) -> None:
        super().__init__()
        self.gather = nn.Conv1d(2 * N_BANDS, WIDTH, 1)
        self.context = nn.ModuleList(ContextBlock(dilation) for dilation in CONTEXT_DILATIONS)
        self.scatter = nn.Conv1d(WIDTH, CONTEXT_CHANNELS * N_BANDS, 1)
        self.open = nn.Conv2d(N_FEATURES + CONTEXT_CHANNELS, CHANNELS, 3, padding=1)
        self.mix = nn.Conv2d(CHANNELS, CHANNELS, 1)
        self.close = nn.Conv2d(CHANNELS, 2, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return mask and share, 0..1, ``(batch, 2, n_frames, N_BANDS)``.

        ``features`` is ``(batch, N_FEATURES, n_frames, N_BANDS)``.
        """
        seen = (features + FEATURE_SHIFT) * FEATURE_SCALE
        batch, _, n_frames, _ = seen.shape
        flat = seen[:, :2].transpose(2, 3).reshape(batch, 2 * N_BANDS, n_frames)
        signal = _act(self.gather(flat))
        for block in self.context:
            signal = block(signal)
        found = self.scatter(signal).reshape(batch, CONTEXT_CHANNELS, N_BANDS, n_frames)
        image = _act(self.open(torch.cat((seen, found.transpose(2, 3)), 1)))
        image = _act(self.mix(image))
        bias = torch.tensor([MASK_BIAS, SHARE_BIAS])[None, :, None, None]
        return torch.sigmoid(self.close(image) + bias)


def loss_of(outputs: Tensor, sums: Tensor) -> tuple[Tensor, Tensor]:
    """Return the error relative to the target in dB, and the distance of compressed magnitudes.

    Both ``(batch,)``. ``sums`` is ``(batch, 6, n_frames, n_bands)`` as drawn by
    :mod:`singcoach.models.build.dereverb_examples`.
    """
    mask, share = outputs[:, 0], outputs[:, 1]
    seen, seen_room, room, seen_aim, room_aim, aim = sums.unbind(1)
    rest = (seen - 2 * share * seen_room + share**2 * room).clamp_min(0)
    error = mask**2 * rest - 2 * mask * (seen_aim - share * room_aim) + aim
    total = error.clamp_min(0).sum((1, 2)) / aim.sum((1, 2)).clamp_min(1e-6)
    widths = torch.from_numpy(BAND_WIDTHS.astype(np.float32))
    got = (mask**2 * rest / widths + ENERGY_FLOOR).sqrt().sqrt()
    wanted = (aim / widths + ENERGY_FLOOR).sqrt().sqrt()
    return 10 * torch.log10(total + SNR_FLOOR), ((got - wanted) ** 2).mean((1, 2))


def train(
    examples: Sequence[Path],
    validation: Path,
    checkpoint: Path,
    *,
    steps: int,
    seed: int = 0,
    job: Job = NO_JOB,
) -> dict[str, FloatArray]:
    """Train the network and return its weights by name.

    Goes on from ``checkpoint`` where there is one. One thread, so that the same seed gives the same
    weights on one machine, with or without a break.
    """
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    network = DereverbNetwork()
    optimizer = torch.optim.AdamW(network.parameters(), lr=PEAK_RATE, weight_decay=1e-3)
    start = 0
    if checkpoint.exists():
        kept = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(kept["network"])
        optimizer.load_state_dict(kept["optimizer"])
        start = int(kept["step"])
    loaded = [_arrays(path) for path in examples]
    for step in range(start, steps):
        rate = PEAK_RATE * min(1.0, (step + 1) / 60) * 0.5 * (1 + np.cos(np.pi * step / steps))
        for group in optimizer.param_groups:
            group["lr"] = float(rate)
        random = np.random.default_rng((seed, step))
        file = loaded[int(random.integers(len(loaded)))]
        seen, wanted = _batch(file["inputs"], file["sums"], random)
        error_db, distance = loss_of(network(seen), wanted)
        loss = (0.1 * error_db + MAGNITUDE_WEIGHT * distance).mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        if step % 50 == 0:
            job.report(step / steps, f"loss {loss.item():.3f}")
        if (step + 1) % 200 == 0 or step + 1 == steps:
            state = {
                "network": network.state_dict(),
                "optimizer": optimizer.state_dict(),
                "step": step + 1,
            }
            part = checkpoint.with_suffix(".part")
            torch.save(state, part)
            part.replace(checkpoint)
            job.report((step + 1) / steps, _validated(network, validation))
    return {name: value.numpy() for name, value in network.state_dict().items()}


def _batch(
    inputs: FloatArray, sums: FloatArray, random: np.random.Generator
) -> tuple[Tensor, Tensor]:
    chosen = random.integers(0, inputs.shape[0], BATCH)
    starts = random.integers(0, inputs.shape[2] - CROP_FRAMES + 1, BATCH)
    return (
        _crops(inputs, chosen, starts),
        _crops(sums, chosen, starts),
    )


def _crops(values: FloatArray, chosen: object, starts: object) -> Tensor:
    pairs: Iterator[tuple[int, int]] = zip(chosen, starts, strict=True)  # type: ignore[call-overload]
    crops = [values[i, :, start : start + CROP_FRAMES] for i, start in pairs]
    return torch.from_numpy(np.stack(crops).astype(np.float32))


def _arrays(path: Path) -> dict[str, FloatArray]:
    with np.load(path) as file:
        return {name: file[name] for name in ("inputs", "sums")}


def _validated(network: DereverbNetwork, validation: Path) -> str:
    file = _arrays(validation)
    inputs, sums = file["inputs"], file["sums"]
    before, after, distances = [], [], []
    with torch.no_grad():
        for index in range(inputs.shape[0]):
            seen = torch.from_numpy(inputs[index : index + 1].astype(np.float32))
            wanted = torch.from_numpy(sums[index : index + 1].astype(np.float32))
            error_db, distance = loss_of(network(seen), wanted)
            ones, zeros = torch.ones_like(seen[:, :1]), torch.zeros_like(seen[:, :1])
            untouched = torch.cat((ones, zeros), 1)
            before.append(loss_of(untouched, wanted)[0].item())
            after.append(error_db.item())
            distances.append(distance.item())
    return (
        f"validation: error {np.mean(after):.2f} dB, untouched {np.mean(before):.2f} dB, "
        f"distance {np.mean(distances):.4f}"
    )
