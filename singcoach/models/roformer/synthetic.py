"""Checkpoints with the public layout and made-up weights, for tests and for measuring speed.

No public weights can ship. These have the names, shapes and storage of the published files, and
signals of a sane size everywhere: matrices keep the variance of what goes in (normal, ``1 / sqrt``
of the inputs; torch's own start is a third of that power, and its networks hardly do anything),
gains scatter about 1 as trained ones do, and masks come out about 0.7 with a spread that follows
the music. So what rounding does to the output can be measured on them. They separate nothing, and
trained weights have outliers that these have not.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from singcoach.core.arrays import FloatArray
from singcoach.jobs import NO_JOB, Job
from singcoach.models.roformer.config import RoformerConfig, expected_shapes
from singcoach.models.roformer.safetensors_writer import write_safetensors

_GAIN_SPREAD = 0.2
_BIAS_SPREAD = 0.05
_MASK_SPREAD = 0.5
_MASK_MEAN = 1.0
_GATE_MEAN = 1.0


def write_checkpoint(
    path: Path,
    config: RoformerConfig,
    seed: int = 0,
    *,
    form: Literal[".ckpt", ".safetensors"] = ".ckpt",
    job: Job = NO_JOB,
) -> None:
    """Write a made-up checkpoint; the same seed gives the same weights.

    Parameters
    ----------
    path
        The file to write.
    config
        Its shape; :data:`~singcoach.models.roformer.config.KIM` gives 913 MB.
    seed
        Of the weights.
    form
        ``.ckpt`` as torch saves it (needs torch and memory for all weights; the frequencies of the
        rotation are shared between the attentions, as in the published files) or ``.safetensors``,
        tensor by tensor.
    """
    shapes = expected_shapes(config)
    read = tensor_reader(config, seed)
    if form == ".safetensors":
        write_safetensors(path, shapes, read, job=job)
        return
    import torch

    tensors: dict[str, Any] = {}
    rotary: dict[str, Any] = {}
    for i, name in enumerate(shapes):
        job.report(i / len(shapes), "making weights up")
        if name.endswith("rotary_embed.freqs"):
            axis = name.split(".")[2]
            tensors[name] = rotary.setdefault(axis, torch.from_numpy(read(name)))
        else:
            tensors[name] = torch.from_numpy(read(name))
    torch.save(tensors, path)


def tensor_reader(config: RoformerConfig, seed: int = 0) -> Callable[[str], FloatArray]:
    """Return a function that makes up one tensor by its name, whatever was made before."""
    shapes = expected_shapes(config)
    last_layer = f".0.{2 * config.mask_estimator_depth}."

    def read(name: str) -> FloatArray:
        shape = shapes[name]
        if name.endswith("rotary_embed.freqs"):
            return _rotary(config.dim_head)
        values = np.random.default_rng([seed, zlib.crc32(name.encode())]).standard_normal(
            shape, dtype=np.float32
        )
        if name.endswith("gamma"):
            gains: FloatArray = np.exp(np.float32(_GAIN_SPREAD) * values)
            return gains
        if name.endswith("weight"):
            values *= np.float32(shape[1] ** -0.5)
        else:
            values *= np.float32(_BIAS_SPREAD)
        if name.startswith("mask_estimators") and last_layer in name:
            return _towards_open(values, is_bias=name.endswith("bias"))
        return values

    return read


def _rotary(dim_head: int) -> FloatArray:
    exponents = np.arange(0, dim_head, 2) / dim_head
    freqs: FloatArray = (10_000.0**-exponents).astype(np.float32)
    return freqs


def _towards_open(values: NDArray[np.float32], *, is_bias: bool) -> FloatArray:
    """Return the last layer of a mask: real parts about 1, imaginary about 0, gates mostly open.

    The first half of the outputs are the masks, real and imaginary parts in turns, the second half
    their gates.
    """
    n_masks = len(values) // 2
    if is_bias:
        values[:n_masks:2] += np.float32(_MASK_MEAN)
        values[n_masks:] += np.float32(_GATE_MEAN)
    else:
        values *= np.float32(_MASK_SPREAD)
    return values
