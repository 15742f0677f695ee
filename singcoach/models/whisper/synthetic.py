"""Checkpoints with the published layouts and made-up weights, for tests and for measuring speed.

Names, shapes and storage are those of the published files, and signals have a sane size everywhere:
matrices keep the variance of what goes in (normal, ``1 / sqrt`` of the inputs), gains scatter about
1 as trained ones do. They hear nothing, and trained weights make the few huge activations that
these do not: what rounding does to a trained encoder was measured on Whisper base.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from singcoach.core.arrays import FloatArray
from singcoach.jobs import NO_JOB, Job
from singcoach.models.roformer.safetensors_writer import write_safetensors
from singcoach.models.whisper.config import WhisperConfig
from singcoach.models.whisper.names import Layout

Form = Literal["openai", "transformers", "qwen2-audio"]
"""OpenAI's ``.pt`` in halves (needs torch), or safetensors in float32 with the names of the
transformers library: a Whisper, or Qwen2-Audio with its tower and projector."""

_LAYOUTS: Mapping[Form, Layout] = {
    "openai": Layout(name="openai", prefix="encoder."),
    "transformers": Layout(name="transformers", prefix="model.encoder."),
    "qwen2-audio": Layout(name="transformers", prefix="audio_tower."),
}
_BESIDE: Mapping[Form, Mapping[str, tuple[int, ...]]] = {
    "openai": {"decoder.ln.weight": (4,)},
    "transformers": {"model.decoder.layer_norm.weight": (4,)},
    "qwen2-audio": {
        "language_model.model.norm.weight": (4,),
        "multi_modal_projector.linear.weight": (4, 4),
    },
}
_GAIN_SPREAD = 0.2
_BIAS_SPREAD = 0.05


def sizes(
    size: Literal["tiny", "base", "small", "medium", "large-v2", "large-v3", "qwen2-audio"],
) -> WhisperConfig:
    """Return the published sizes of an encoder."""
    n_dims, n_blocks = {
        "tiny": (384, 4),
        "base": (512, 6),
        "small": (768, 12),
        "medium": (1024, 24),
    }.get(size, (1280, 32))
    return WhisperConfig(
        n_mels=128 if size in ("large-v3", "qwen2-audio") else 80,
        n_dims=n_dims,
        n_hidden=4 * n_dims,
        n_blocks=n_blocks,
        n_heads=n_dims // 64,
        n_positions=1500,
        pooling=2 if size == "qwen2-audio" else 1,
    )


def write_checkpoint(
    path: Path,
    config: WhisperConfig,
    seed: int = 0,
    *,
    form: Form = "openai",
    job: Job = NO_JOB,
) -> None:
    """Write a made-up checkpoint; the same seed gives the same weights.

    Parameters
    ----------
    path
        The file to write.
    config
        Its sizes, such as ``sizes("large-v3")``.
    seed
        Of the weights.
    form
        Layout and storage. ``"openai"`` needs torch and memory for all weights in halves.
    """
    layout = _LAYOUTS[form]
    own = {layout.source(name): name for name in config.names(config.n_blocks)}
    shapes = {source: config.shape(name) for source, name in own.items()}
    shapes |= _BESIDE[form]
    make = tensor_maker(config, seed)

    def read(source: str) -> FloatArray:
        if source in own:
            return make(own[source])
        return np.ones(shapes[source], dtype=np.float32)

    if form != "openai":
        write_safetensors(path, shapes, read, metadata={"format": "pt"}, job=job)
        return
    import torch

    tensors: dict[str, Any] = {}
    for i, source in enumerate(shapes):
        job.report(i / len(shapes), "making weights up")
        tensors[source] = torch.from_numpy(read(source).astype(np.float16))
    dims = {
        "n_mels": config.n_mels,
        "n_audio_ctx": config.n_positions,
        "n_audio_state": config.n_dims,
        "n_audio_head": config.n_heads,
        "n_audio_layer": config.n_blocks,
    }
    torch.save({"dims": dims, "model_state_dict": tensors}, path)


def tensor_maker(config: WhisperConfig, seed: int = 0) -> Callable[[str], FloatArray]:
    """Return a function that makes up one weight by its name in this package."""

    def make(name: str) -> FloatArray:
        shape = config.shape(name)
        if name == "positions":
            return _sinusoids(*shape)
        rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
        values: FloatArray = rng.standard_normal(shape, dtype=np.float32)
        if name.endswith("norm.weight"):
            gains: FloatArray = np.exp(np.float32(_GAIN_SPREAD) * values)
            return gains
        spread = _BIAS_SPREAD if len(shape) == 1 else float(np.prod(shape[1:])) ** -0.5
        values *= np.float32(spread)
        return values

    return make


def _sinusoids(n_positions: int, n_dims: int) -> FloatArray:
    """Return Whisper's table: sines, then cosines, of periods from 2 pi to 20,000 pi frames."""
    half = n_dims // 2
    rates = 10_000.0 ** -(np.arange(half) / max(1, half - 1))
    phases = np.arange(n_positions)[:, None] * rates
    table: FloatArray = np.concatenate([np.sin(phases), np.cos(phases)], axis=1).astype(np.float32)
    return table
