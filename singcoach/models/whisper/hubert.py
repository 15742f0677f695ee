"""HuBERT-soft: soft speech units for the singing encoder, from the published checkpoint.

Layout of the checkpoint that bshall published with "A Comparison of Discrete and Soft Speech Units
for Improved Voice Conversion" (arXiv 2111.02392): seven convolutions, twelve blocks of torch's own
transformer (norm after the sum), a projection to 256 numbers every 20 ms.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from singcoach.errors import ModelError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.manifest import TensorSpec
from singcoach.models.packfile import PackFile
from singcoach.models.whisper.graph import Weights
from singcoach.models.whisper.onnx_file import CONTRIB, OnnxFile
from singcoach.models.whisper.products import Form, Products, Style

Array = NDArray[Any]

PART = "hubert"
FILE_NAME = "hubert-soft.onnx"
SAMPLE_RATE = 16_000
_KERNELS = (10, 3, 3, 3, 3, 2, 2)
_STRIDES = (5, 2, 2, 2, 2, 2, 2)
_HEAD_DIMS = 64
_MOST_BLOCKS = 48
_CONV_NAMES = tuple(f"feature_extractor.conv{i}.weight" for i in range(len(_KERNELS)))
_PLACES = "positional_embedding.conv"
_GAINS = (f"{_PLACES}.weight_g", f"{_PLACES}.parametrizations.weight.original0")
_DIRECTIONS = (f"{_PLACES}.weight_v", f"{_PLACES}.parametrizations.weight.original1")
_PREFIXES = ("", "hubert.", "module.", "hubert.module.")
_BLOCK = re.compile(r"encoder\.layers\.(\d{1,4})\.")


@dataclass(frozen=True, slots=True, kw_only=True)
class HubertConfig:
    """Sizes of a HuBERT-soft network; ``prefix`` stands before each name in the checkpoint."""

    prefix: str
    n_channels: int
    n_dims: int
    n_hidden: int
    n_blocks: int
    n_heads: int
    n_units: int
    place_kernel: int
    n_groups: int


def hubert_config_from_shapes(shapes: Mapping[str, tuple[int, ...]]) -> HubertConfig | None:
    """Return the sizes of the network in a checkpoint, None when it is no HuBERT-soft.

    Raises
    ------
    ModelError
        When it is one but a weight is missing or has a shape that does not fit the others.
    """
    for prefix in _PREFIXES:
        own = {name.removeprefix(prefix): shape for name, shape in shapes.items()}
        if _CONV_NAMES[0] in own and "feature_projection.projection.weight" in own:
            return _config(prefix, own)
    return None


def _config(prefix: str, shapes: Mapping[str, tuple[int, ...]]) -> HubertConfig:
    blocks = [int(match[1]) for match in map(_BLOCK.match, shapes) if match]
    try:
        n_dims, n_channels = shapes["feature_projection.projection.weight"]
        n_units, _ = shapes["proj.weight"]
        n_hidden, _ = shapes["encoder.layers.0.linear1.weight"]
        directions = next(shapes[name] for name in _DIRECTIONS if name in shapes)
        _, per_group, place_kernel = directions
        config = HubertConfig(
            prefix=prefix,
            n_channels=n_channels,
            n_dims=n_dims,
            n_hidden=n_hidden,
            n_blocks=1 + max(blocks),
            n_heads=max(1, n_dims // _HEAD_DIMS),
            n_units=n_units,
            place_kernel=place_kernel,
            n_groups=n_dims // per_group,
        )
    except (KeyError, ValueError, StopIteration, ZeroDivisionError) as error:
        raise _unusable(f"{error} is missing or has another shape") from error
    if config.n_blocks > _MOST_BLOCKS or n_dims % 2 or n_hidden % 2 or n_channels % 2:
        raise _unusable("its sizes are beyond what was published")
    for name, shape in expected_shapes(config).items():
        if shapes.get(name) != shape:
            raise _unusable(f"{name} is missing or does not have the shape {shape}")
    if not any(shapes.get(name) == (1, 1, place_kernel) for name in _GAINS):
        raise _unusable(f"{_GAINS[0]} is missing or has another shape")
    return config


def expected_shapes(config: HubertConfig) -> dict[str, tuple[int, ...]]:
    """Return every tensor that a checkpoint has to hold, but for the gains of its positions."""
    c, d, hidden = config.n_channels, config.n_dims, config.n_hidden
    shapes: dict[str, tuple[int, ...]] = {
        name: (c, c if i else 1, kernel)
        for i, (name, kernel) in enumerate(zip(_CONV_NAMES, _KERNELS, strict=True))
    }
    shapes |= dict.fromkeys(
        ("feature_extractor.norm0.weight", "feature_extractor.norm0.bias"), (c,)
    )
    shapes |= dict.fromkeys(
        ("feature_projection.norm.weight", "feature_projection.norm.bias"), (c,)
    )
    shapes |= {
        "feature_projection.projection.weight": (d, c),
        "feature_projection.projection.bias": (d,),
        f"{_PLACES}.bias": (d,),
        "norm.weight": (d,),
        "norm.bias": (d,),
        "proj.weight": (config.n_units, d),
        "proj.bias": (config.n_units,),
    }
    for i in range(config.n_blocks):
        here = f"encoder.layers.{i}"
        shapes |= {
            f"{here}.self_attn.in_proj_weight": (3 * d, d),
            f"{here}.self_attn.in_proj_bias": (3 * d,),
            f"{here}.self_attn.out_proj.weight": (d, d),
            f"{here}.self_attn.out_proj.bias": (d,),
            f"{here}.linear1.weight": (hidden, d),
            f"{here}.linear1.bias": (hidden,),
            f"{here}.linear2.weight": (d, hidden),
            f"{here}.linear2.bias": (d,),
        }
        for norm in ("norm1", "norm2"):
            shapes |= {f"{here}.{norm}.weight": (d,), f"{here}.{norm}.bias": (d,)}
    return shapes


def convert_hubert(
    weights: Weights,
    out_dir: Path,
    *,
    precision: Literal["int8", "fp32"] = "int8",
    job: Job = NO_JOB,
) -> tuple[PackFile, ...]:
    """Write the network ``audio (1, n_samples) -> units (1, (n_samples - 80) // 320, 256)``.

    Raises
    ------
    ModelError
        When the checkpoint holds no HuBERT-soft that can be used.
    OSError
        When the file cannot be written.
    """
    config = hubert_config_from_shapes(weights.shapes)
    if config is None:
        raise _unusable("it is not one")
    style = Style(
        name="hubert-soft",
        form=_rounded if precision == "int8" else _exact,
        stored="float16" if precision == "int8" else "float32",
    )
    file = OnnxFile(style.name)
    _Hubert(file, _Named(weights, config), config, style).add()
    inputs = (TensorSpec(name="audio", dtype="float32", shape=(1, "n_samples")),)
    outputs = (TensorSpec(name="units", dtype="float32", shape=(1, "n_out", config.n_units)),)
    file.write(
        out_dir / FILE_NAME, inputs=inputs, outputs=outputs, stage="rounding HuBERT", job=job
    )
    made = PackFile(
        file=FILE_NAME,
        role="encoder_singing",
        part=PART,
        sample_rate=SAMPLE_RATE,
        inputs=inputs,
        outputs=outputs,
    )
    return (made,)


class _Named:
    """The weights by the names of :class:`_Hubert`; query, key and value apart."""

    def __init__(self, source: Weights, config: HubertConfig) -> None:
        self._source = source
        self._config = config
        self._shapes = expected_shapes(config)

    def shape(self, name: str) -> tuple[int, ...]:
        owner, _, part = name.partition(".in.")
        if part:
            return (self._config.n_dims, self._config.n_dims)
        if name == f"{_PLACES}.weight":
            d = self._config.n_dims
            return (d, d // self._config.n_groups, self._config.place_kernel)
        return self._shapes[owner]

    def read(self, name: str) -> Array:
        owner, _, part = name.partition(".in.")
        if part:
            d = self._config.n_dims
            start = d * "qkv".index(part[0])
            return self._finite(f"{owner}.in_proj_weight")[start : start + d]
        if name == f"{_PLACES}.weight":
            directions = self._finite(self._first(_DIRECTIONS)).astype(np.float64)
            sizes = np.sqrt((directions**2).sum(axis=(0, 1), keepdims=True))
            gains = self._finite(self._first(_GAINS))
            matrix: Array = (gains * directions / np.maximum(sizes, 1e-20)).astype(np.float32)
            return matrix
        return self._finite(name)

    def _first(self, names: tuple[str, ...]) -> str:
        return next(n for n in names if self._config.prefix + n in self._source.shapes)

    def _finite(self, name: str) -> Array:
        array = self._source.read(self._config.prefix + name)
        if not np.isfinite(array).all():
            raise _unusable(f"{name} holds values that are not numbers")
        return array


class _Hubert(Products):
    def __init__(self, file: OnnxFile, named: _Named, config: HubertConfig, style: Style) -> None:
        super().__init__(file, shape=named.shape, read=named.read, style=style)
        self._config = config

    def add(self) -> None:
        x = self._features()
        x = self.norm("feature_projection.norm", x, "projection_norm")
        x = self._exact_product(x, "feature_projection.projection")
        x = self.file.node("Add", [x, self._places(x)], "placed")
        x = self.norm("norm", x, "placed_norm")
        for i in range(self._config.n_blocks):
            x = self._block(f"encoder.layers.{i}", x)
        y = self._exact_product(x, "proj")
        self.file.node("Identity", [y], "units")

    def _features(self) -> str:
        axis = self.file.constant("channel_axis", np.array([1], dtype=np.int64))
        x = self.file.node("Unsqueeze", ["audio", axis], "channels")
        for i, (name, kernel, stride) in enumerate(
            zip(_CONV_NAMES, _KERNELS, _STRIDES, strict=True)
        ):
            x = self.file.node(
                "Conv", [x, self.wide(name)], f"conv{i}", kernel_shape=[kernel], strides=[stride]
            )
            if i == 0:
                x = self._group_norm(x)
            x = self.file.node("Gelu", [x], f"conv{i}.gelu")
        return self.file.node("Transpose", [x], "frames", perm=[0, 2, 1])

    def _group_norm(self, x: str) -> str:
        """Norm each channel over time: groups of one channel."""
        gains = self.wide("feature_extractor.norm0.weight")
        bias = self.wide("feature_extractor.norm0.bias")
        return self.file.node("InstanceNormalization", [x, gains, bias], "norm0", epsilon=1e-5)

    def _places(self, x: str) -> str:
        """Add what a wide convolution says of each place; an even kernel gives one frame more."""
        kernel = self._config.place_kernel
        y = self.file.node("Transpose", [x], "places.channels", perm=[0, 2, 1])
        before = kernel // 2
        y = self.file.node(
            "Conv",
            [y, self.wide(f"{_PLACES}.weight"), self.wide(f"{_PLACES}.bias")],
            "places.conv",
            kernel_shape=[kernel],
            pads=[before, kernel - 1 - before],
            group=self._config.n_groups,
        )
        y = self.file.node("Gelu", [y], "places.gelu")
        return self.file.node("Transpose", [y], "places", perm=[0, 2, 1])

    def _block(self, here: str, x: str) -> str:
        parts = [self.product(x, f"{here}.self_attn.in.{part}") for part in "qkv"]
        bias = self.wide(f"{here}.self_attn.in_proj_bias")
        y = self.file.node(
            "MultiHeadAttention",
            [*parts, bias],
            f"{here}.attention",
            CONTRIB,
            num_heads=self._config.n_heads,
        )
        y = self.product(y, f"{here}.self_attn.out_proj", with_bias=True)
        x = self.file.node("Add", [x, y], f"{here}.attended")
        x = self.norm(f"{here}.norm1", x, f"{here}.norm1")
        y = self.product(x, f"{here}.linear1")
        bias = self.wide(f"{here}.linear1.bias")
        y = self.file.node("BiasGelu", [y, bias], f"{here}.gelu", CONTRIB)
        y = self.product(y, f"{here}.linear2", with_bias=True, bent=True)
        x = self.file.node("Add", [x, y], f"{here}.sum")
        return self.norm(f"{here}.norm2", x, f"{here}.out")

    def _exact_product(self, x: str, name: str) -> str:
        matrix = self.wide(f"{name}.weight")
        turned = self.file.node("Transpose", [matrix], f"{name}.turned", perm=[1, 0])
        y = self.file.node("MatMul", [x, turned], f"{name}.product")
        return self.file.node("Add", [y, self.wide(f"{name}.bias")], f"{name}.sum")


def _rounded(_name: str) -> Form:
    return "frame"


def _exact(_name: str) -> Form:
    return "exact"


def _unusable(reason: str) -> ModelError:
    return ModelError(
        f"This HuBERT-soft checkpoint cannot be used: {reason}",
        hint="Give the checkpoint as its authors publish it",
    )
