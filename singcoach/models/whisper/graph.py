"""The encoder of any Whisper as an ONNX file, exact or with its matrices in 8 bits.

Written node by node, so that the same weights give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from singcoach.errors import ModelError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.manifest import TensorSpec
from singcoach.models.whisper.config import WhisperConfig
from singcoach.models.whisper.names import find_layout
from singcoach.models.whisper.onnx_file import CONTRIB, OnnxFile
from singcoach.models.whisper.products import PositionTable, Products, Style

Array = NDArray[Any]


class Weights(Protocol):
    """The part of a weight file that is needed."""

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shape of each tensor by its name."""
        ...

    def read(self, name: str, /) -> Array:
        """Return one tensor."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenEncoder:
    """What a written file holds, and at which bytes the two halves of its table begin.

    ``None`` where it has no table in float16.
    """

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    table_places: int | None
    table_directions: int | None


def write_encoder(
    source: Weights,
    config: WhisperConfig,
    out_path: Path,
    *,
    n_blocks: int,
    style: Style,
    job: Job = NO_JOB,
) -> WrittenEncoder:
    """Write the first ``n_blocks`` blocks and the last norm; return what was written.

    The graph maps ``mel`` (float32, ``(1, n_mels, n_frames)``, at least ``2 * pooling`` and at most
    ``2 * n_positions`` frames) to ``features`` (float32, ``(1, n_out, n_dims)``, half as many
    frames, pooled). Shorter windows see the head of the table of positions. Memory: one matrix.

    Raises
    ------
    ModelError
        When a weight is not finite, or the file would be too long.
    OSError
        When it cannot be written.
    """
    file = OnnxFile(style.name)
    _Encoder(file, EncoderWeights(source, config), config, style).add(n_blocks)
    inputs = (TensorSpec(name="mel", dtype="float32", shape=(1, config.n_mels, "n_frames")),)
    outputs = [TensorSpec(name="features", dtype="float32", shape=(1, "n_out", config.n_dims))]
    if style.table is not None:
        outputs.append(
            TensorSpec(name="position_mean", dtype="float32", shape=("n_out", config.n_dims))
        )
    places = file.write(
        out_path, inputs=inputs, outputs=outputs, stage="rounding Whisper's weights", job=job
    )
    return WrittenEncoder(
        inputs=inputs,
        outputs=tuple(outputs),
        table_places=places.get("position_mean.places.fp16"),
        table_directions=places.get("position_mean.directions.fp16"),
    )


class EncoderWeights:
    """The weights of an encoder by their names in this package."""

    def __init__(self, source: Weights, config: WhisperConfig) -> None:
        layout = find_layout(source.shapes)
        if layout is None:
            raise ValueError("no encoder of the Whisper family")
        self._source = source
        self._layout = layout
        self._n_dims = config.n_dims

    def read(self, name: str, /) -> Array:
        """Return a weight as it is stored; the three parts of one matrix each for itself.

        Raises
        ------
        ModelError
            When a value is not finite.
        """
        array = self._source.read(self._layout.source(name))
        if not np.isfinite(array).all():
            raise ModelError(
                "The encoder's weights hold values that are not numbers",
                hint="Fetch the checkpoint again",
                detail=self._layout.source(name),
            )
        part = name.split(".")[-2] if "." in name else ""
        if self._layout.name == "ctranslate2" and part in ("q", "k", "v"):
            start = self._n_dims * "qkv".index(part)
            return array[start : start + self._n_dims]
        return array

    def joint_bias(self, block: str) -> Array:
        """Return the bias of query, key and value in a row; the key's is zero."""
        q, v = self.read(f"{block}.q.bias"), self.read(f"{block}.v.bias")
        return np.concatenate([q, np.zeros_like(q), v])


class _Encoder(Products):
    def __init__(
        self, file: OnnxFile, named: EncoderWeights, config: WhisperConfig, style: Style
    ) -> None:
        super().__init__(file, shape=config.shape, read=named.read, style=style)
        self._named = named
        self._config = config

    def add(self, n_blocks: int) -> None:
        x = self._stem()
        for i in range(n_blocks):
            x = self._block(f"layer_{i}", x)
        if self._config.pooling > 1:
            x = self._pooled(x)
        self.norm("norm", x, "features")
        if self.style.table is not None:
            self._add_table(self.style.table)

    def _stem(self) -> str:
        x = "mel"
        for name, stride in (("conv1", 1), ("conv2", 2)):
            weight, bias = self.wide(f"{name}.weight"), self.wide(f"{name}.bias")
            x = self.file.node(
                "Conv", [x, weight, bias], name, kernel_shape=[3], pads=[1, 1], strides=[stride]
            )
            x = self.file.node("Gelu", [x], f"{name}.gelu")
        x = self.file.node("Transpose", [x], "frames", perm=[0, 2, 1])
        self.file.constant("zero", np.zeros(1, dtype=np.int64))
        self.file.node("Shape", [x], "n_places", start=1, end=2)
        places = self.wide("positions", kept="positions.table")
        places = self.file.node("Slice", [places, "zero", "n_places", "zero"], "positions")
        return self.file.node("Add", [x, places], "placed")

    def _block(self, here: str, x: str) -> str:
        y = self.norm(f"{here}.attention_norm", x, f"{here}.attention_norm")
        parts = [self.product(y, f"{here}.{part}") for part in "qkv"]
        bias = self.stored(
            f"{here}.qkv_bias", (3 * self._config.n_dims,), lambda: self._named.joint_bias(here)
        )
        y = self.file.node(
            "MultiHeadAttention",
            [*parts, bias],
            f"{here}.attention",
            CONTRIB,
            num_heads=self._config.n_heads,
        )
        y = self.product(y, f"{here}.o", with_bias=True)
        x = self.file.node("Add", [x, y], f"{here}.attended")
        y = self.norm(f"{here}.ffn_norm", x, f"{here}.ffn_norm")
        y = self.product(y, f"{here}.up")
        bias = self.wide(f"{here}.up.bias", kept=f"{here}.up_bias")
        y = self.file.node("BiasGelu", [y, bias], f"{here}.gelu", CONTRIB)
        y = self.product(y, f"{here}.down", with_bias=True, bent=True)
        return self.file.node("Add", [x, y], f"{here}.out")

    def _pooled(self, x: str) -> str:
        n = self._config.pooling
        x = self.file.node("Transpose", [x], "before_pool", perm=[0, 2, 1])
        x = self.file.node("AveragePool", [x], "pool", kernel_shape=[n], strides=[n])
        return self.file.node("Transpose", [x], "pooled", perm=[0, 2, 1])

    def _add_table(self, table: PositionTable) -> None:
        n_rows = "n_places"
        if self._config.pooling > 1:
            n_rows = self.file.node("Shape", ["pooled"], "n_rows", start=1, end=2)
        places = self._halved("position_mean.places", table.places)
        places = self.file.node("Slice", [places, "zero", n_rows, "zero"], "position_mean.weights")
        directions = self._halved("position_mean.directions", table.directions)
        self.file.node("MatMul", [places, directions], "position_mean")

    def _halved(self, name: str, array: Array) -> str:
        """Add one half of the table, in float16 whatever the style."""
        from onnx import TensorProto

        narrow = self.file.constant(f"{name}.fp16", array.astype(np.float16))
        return self.file.node("Cast", [narrow], name, to=TensorProto.FLOAT)
