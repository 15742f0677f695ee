"""Projectors of a few thousand random weights and a torch network that computes the same."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as f
from tiny_gguf import N_EMBED, entry_of

from singcoach.core.arrays import FloatArray
from singcoach.encoders.log_mel import log_mel
from singcoach.models.language.mmproj import Layers, write_projector
from singcoach.models.language.projector import Projector
from singcoach.models.manifest import ModelEntry
from singcoach.models.whisper.config import WhisperConfig

CONFIG = WhisperConfig(n_mels=80, n_dims=64, n_hidden=128, n_blocks=2, n_heads=2, n_positions=1500)
STACK, N_INNER = 10, 32
WINDOW_TOKENS = 1500 // STACK


class RandomEncoder:
    """Weights by their names in ``models.whisper``."""

    def __init__(self, *, seed: int, config: WhisperConfig = CONFIG) -> None:
        draw = np.random.default_rng(seed)
        self._weights: dict[str, FloatArray] = {}
        for name in config.names(config.n_blocks):
            shape = config.shape(name)
            spread = 0.1 if name.endswith("bias") else np.prod(shape[1:]) ** -0.5
            weights = draw.normal(0.0, spread, shape)
            if "norm.weight" in name:
                weights = 1.0 + 0.2 * draw.normal(size=shape)
            if name.startswith("conv") and name.endswith("weight"):
                weights = weights.astype(np.float16)  # the form that they are stored in
            self._weights[name] = weights.astype(np.float32)

    def read(self, name: str) -> FloatArray:
        return self._weights[name]


def random_layers(*, seed: int, width: int = N_EMBED, stack: int = STACK) -> Layers:
    draw = np.random.default_rng(seed)
    n_in = CONFIG.n_dims * stack
    return Layers(
        norm_in=(1.0 + 0.2 * draw.normal(size=n_in)).astype(np.float32),
        to_inner=draw.normal(0.0, n_in**-0.5, (2 * N_INNER, n_in)).astype(np.float32),
        norm_inner=(1.0 + 0.2 * draw.normal(size=N_INNER)).astype(np.float32),
        to_words=draw.normal(0.0, 0.3, (width, N_INNER)).astype(np.float32),
        stack=stack,
    )


def write_tiny_projector(path: Path, *, seed: int = 3, width: int = N_EMBED) -> Path:
    write_projector(
        path, RandomEncoder(seed=seed), CONFIG, random_layers(seed=seed, width=width),
        name="tiny ear", kind="f32",
    )  # fmt: skip
    return path


def projector_entry(path: Path, *, sha256: str | None = None, width: int = N_EMBED) -> ModelEntry:
    """The entry of a projector in a pack."""
    about = Projector(kind="ultravox", width=width, window_tokens=WINDOW_TOKENS)
    return dataclasses.replace(
        entry_of(path, sha256=sha256 or hashlib.sha256(path.read_bytes()).hexdigest()),
        id="tiny-ear",
        part="projector",
        config=about.to_json(),
    )


def reference_rows(encoder: Any, audio: FloatArray, config: WhisperConfig = CONFIG) -> FloatArray:
    """The rows of a Whisper encoder for one window of 30 s, ``(1500, n_dims)``."""
    w = {n: torch.from_numpy(encoder.read(n)) for n in config.names(config.n_blocks)}
    d = config.n_dims

    def linear(x: torch.Tensor, name: str) -> torch.Tensor:
        return f.linear(x, w[f"{name}.weight"], w.get(f"{name}.bias"))

    def norm(x: torch.Tensor, name: str) -> torch.Tensor:
        return f.layer_norm(x, (d,), w[f"{name}.weight"], w[f"{name}.bias"])

    def heads(x: torch.Tensor) -> torch.Tensor:
        return x.unflatten(-1, (config.n_heads, -1)).transpose(0, 1)

    padded = np.zeros(30 * 16_000, np.float32)
    padded[: len(audio)] = audio
    x = torch.from_numpy(log_mel(padded)[None].copy())
    x = f.gelu(f.conv1d(x, w["conv1.weight"], w["conv1.bias"], padding=1))
    x = f.gelu(f.conv1d(x, w["conv2.weight"], w["conv2.bias"], padding=1, stride=2))
    x = x[0].T + w["positions"]
    for block in range(config.n_blocks):
        name = f"layer_{block}."
        y = norm(x, name + "attention_norm")
        q, k, v = (heads(linear(y, name + part)) for part in "qkv")
        y = f.scaled_dot_product_attention(q, k, v).transpose(0, 1).flatten(1)
        x = x + linear(y, name + "o")
        y = linear(norm(x, name + "ffn_norm"), name + "up")
        x = x + linear(f.gelu(y), name + "down")
    return norm(x, "norm").numpy()
