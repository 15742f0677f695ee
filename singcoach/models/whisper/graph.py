"""The encoder of any Whisper as an ONNX file, exact or with its matrices in 8 bits.

Written node by node, so that the same weights give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from singcoach.errors import ModelError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.manifest import TensorSpec
from singcoach.models.whisper.config import WhisperConfig
from singcoach.models.whisper.names import find_layout
from singcoach.models.whisper.onnx_file import CONTRIB, OnnxFile
from singcoach.models.whisper.rounding import Rounded, round_matrix

Array = NDArray[Any]
Form = Literal["exact", "run", "frame"]
"""A product in fp32, or in 8 bits with one scale of the input per run or per frame."""

_LEAST_STEP = 1e-12
_BENT_LOWEST = 0.17
_BENT_BYTES_BELOW = 24
_LARGEST_HALF = 65504.0


class Weights(Protocol):
    """The part of a weight file that is needed."""

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shape of each tensor by its name."""
        ...

    def read(self, name: str, /) -> Array:
        """Return one tensor."""
        ...


@dataclass(frozen=True, slots=True)
class PositionTable:
    """The mean answer at each place as ``places @ directions``: ``(n, rank)``, ``(rank, n_dims)``.

    Both are float16.
    """

    places: Array
    directions: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenEncoder:
    """What a written file holds, and at which bytes the two halves of its table begin.

    ``None`` where it has no table in float16.
    """

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    table_places: int | None
    table_directions: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How the weights are kept.

    Attributes
    ----------
    name
        The graph's name.
    form
        Says of each matrix, such as ``"layer_0.q"``, how it is multiplied.
    stored
        Element type of everything that is not in 8 bits. onnxruntime widens halves once, when it
        loads the file.
    table
        Adds the output ``position_mean``.
    """

    name: str
    form: Callable[[str], Form]
    stored: Literal["float16", "float32"]
    table: PositionTable | None = None


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
    _Encoder(file, _Named(source, config), config, style).add(n_blocks)
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


class _Named:
    """The weights by their names in this package."""

    def __init__(self, source: Weights, config: WhisperConfig) -> None:
        layout = find_layout(source.shapes)
        if layout is None:
            raise ValueError("no encoder of the Whisper family")
        self._source = source
        self._layout = layout
        self._n_dims = config.n_dims

    def read(self, name: str) -> Array:
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


class _Encoder:
    def __init__(self, file: OnnxFile, named: _Named, config: WhisperConfig, style: Style) -> None:
        self._file = file
        self._named = named
        self._config = config
        self._style = style

    def add(self, n_blocks: int) -> None:
        x = self._stem()
        for i in range(n_blocks):
            x = self._block(f"layer_{i}", x)
        if self._config.pooling > 1:
            x = self._pooled(x)
        self._norm("norm", x, "features")
        if self._style.table is not None:
            self._add_table(self._style.table)

    def _stem(self) -> str:
        x = "mel"
        for name, stride in (("conv1", 1), ("conv2", 2)):
            weight, bias = self._wide(f"{name}.weight"), self._wide(f"{name}.bias")
            x = self._file.node(
                "Conv", [x, weight, bias], name, kernel_shape=[3], pads=[1, 1], strides=[stride]
            )
            x = self._file.node("Gelu", [x], f"{name}.gelu")
        x = self._file.node("Transpose", [x], "frames", perm=[0, 2, 1])
        self._file.constant("zero", np.zeros(1, dtype=np.int64))
        self._file.node("Shape", [x], "n_places", start=1, end=2)
        places = self._wide("positions", kept="positions.table")
        places = self._file.node("Slice", [places, "zero", "n_places", "zero"], "positions")
        return self._file.node("Add", [x, places], "placed")

    def _block(self, here: str, x: str) -> str:
        y = self._norm(f"{here}.attention_norm", x, f"{here}.attention_norm")
        parts = [self._product(y, f"{here}.{part}") for part in "qkv"]
        bias = self._stored(
            f"{here}.qkv_bias", (3 * self._config.n_dims,), lambda: self._named.joint_bias(here)
        )
        y = self._file.node(
            "MultiHeadAttention",
            [*parts, bias],
            f"{here}.attention",
            CONTRIB,
            num_heads=self._config.n_heads,
        )
        y = self._product(y, f"{here}.o", with_bias=True)
        x = self._file.node("Add", [x, y], f"{here}.attended")
        y = self._norm(f"{here}.ffn_norm", x, f"{here}.ffn_norm")
        y = self._product(y, f"{here}.up")
        bias = self._wide(f"{here}.up.bias", kept=f"{here}.up_bias")
        y = self._file.node("BiasGelu", [y, bias], f"{here}.gelu", CONTRIB)
        y = self._product(y, f"{here}.down", with_bias=True)
        return self._file.node("Add", [x, y], f"{here}.out")

    def _product(self, x: str, name: str, *, with_bias: bool = False) -> str:
        """Add ``x @ matrix.T (+ bias)``."""
        form = self._style.form(name)
        if form == "exact":
            shape = self._config.shape(f"{name}.weight")
            weight = self._stored(
                f"{name}.weight", shape[::-1], lambda: self._named.read(f"{name}.weight").T
            )
            y = self._file.node("MatMul", [x, weight], f"{name}.product")
            if not with_bias:
                return y
            return self._file.node("Add", [y, self._wide(f"{name}.bias")], name)
        if form == "run":
            return self._product_by_run(x, name, with_bias)
        return self._product_by_frame(x, name, with_bias)

    def _product_by_run(self, x: str, name: str, with_bias: bool) -> str:
        if not self._file.has(f"{x}.bytes"):
            self._file.node("DynamicQuantizeLinear", [x], (f"{x}.bytes", f"{x}.scale", f"{x}.zero"))
        weight, scale = self._rounded(name)
        inputs = [f"{x}.bytes", weight, f"{x}.scale", scale, f"{x}.zero"]
        if with_bias:
            inputs += ["", self._float(f"{name}.bias")]
        return self._file.node("MatMulIntegerToFloat", inputs, name, CONTRIB)

    def _product_by_frame(self, x: str, name: str, with_bias: bool) -> str:
        """Round each frame with its own scale: a frame with huge values spoils no other."""
        bent = name.endswith(".down")
        zero = self._byte_constant("bent_zero" if bent else "zero_byte")
        if not self._file.has(f"{x}.bytes"):
            self._round_frames(x, zero, bent=bent)
        weight, scale = self._rounded(name)
        inputs = [f"{x}.bytes", weight, "one", scale, zero]
        y = self._file.node("MatMulIntegerToFloat", inputs, f"{name}.units", CONTRIB)
        if not with_bias:
            return self._file.node("Mul", [y, f"{x}.steps"], name)
        y = self._file.node("Mul", [y, f"{x}.steps"], f"{name}.product")
        return self._file.node("Add", [y, self._float(f"{name}.bias")], name)

    def _round_frames(self, x: str, zero: str, *, bent: bool) -> None:
        """Add ``x.bytes`` and the scale of each frame, ``x.steps``.

        What comes out of the bent line (GELU) is never below -0.17, so that the bytes below zero
        can be few.
        """
        sizes = x if bent else self._file.node("Abs", [x], f"{x}.sizes")
        kind = "bent" if bent else "even"
        self._file.node("ReduceMax", [sizes, "last"], f"{x}.peaks", keepdims=1)
        self._file.node("Mul", [f"{x}.peaks", f"{kind}_per_byte"], f"{x}.loose_steps")
        self._file.node("Max", [f"{x}.loose_steps", f"{kind}_least_step"], f"{x}.steps")
        self._file.node("Div", [x, f"{x}.steps"], f"{x}.units")
        self._file.node("QuantizeLinear", [f"{x}.units", "one", zero], f"{x}.bytes")

    def _byte_constant(self, zero: str) -> str:
        """Return the byte that stands for 0; adds what the rounding of frames needs at first."""
        if not any(constant.name == "one" for constant in self._file.constants):
            below = _BENT_BYTES_BELOW
            self._file.constant("last", np.array([-1], dtype=np.int64))
            self._file.constant("one", np.array(1, dtype=np.float32))
            self._file.constant("zero_byte", np.array(128, dtype=np.uint8))
            self._file.constant("bent_zero", np.array(below, dtype=np.uint8))
            for name, value in (
                ("even_per_byte", 1 / 127),
                ("even_least_step", _LEAST_STEP),
                ("bent_per_byte", 1 / (255 - below)),
                ("bent_least_step", _BENT_LOWEST / below),
            ):
                self._file.constant(name, np.array(value, dtype=np.float32))
        return zero

    def _pooled(self, x: str) -> str:
        n = self._config.pooling
        x = self._file.node("Transpose", [x], "before_pool", perm=[0, 2, 1])
        x = self._file.node("AveragePool", [x], "pool", kernel_shape=[n], strides=[n])
        return self._file.node("Transpose", [x], "pooled", perm=[0, 2, 1])

    def _norm(self, source: str, x: str, output: str) -> str:
        gamma = self._wide(f"{source}.weight", kept=f"{output}.gamma")
        beta = self._wide(f"{source}.bias", kept=f"{output}.beta")
        return self._file.node(
            "LayerNormalization", [x, gamma, beta], output, axis=-1, epsilon=1e-5
        )

    def _add_table(self, table: PositionTable) -> None:
        n_rows = "n_places"
        if self._config.pooling > 1:
            n_rows = self._file.node("Shape", ["pooled"], "n_rows", start=1, end=2)
        places = self._halved("position_mean.places", table.places)
        places = self._file.node("Slice", [places, "zero", n_rows, "zero"], "position_mean.weights")
        directions = self._halved("position_mean.directions", table.directions)
        self._file.node("MatMul", [places, directions], "position_mean")

    def _halved(self, name: str, array: Array) -> str:
        """Add one half of the table, in float16 whatever the style."""
        from onnx import TensorProto

        narrow = self._file.constant(f"{name}.fp16", array.astype(np.float16))
        return self._file.node("Cast", [narrow], name, to=TensorProto.FLOAT)

    def _rounded(self, name: str) -> tuple[str, str]:
        """Add a matrix in 8 bits and its scales, made from one reading of the weights."""
        n_out, n_in = self._config.shape(f"{name}.weight")
        scales: list[Array] = []

        def values() -> Array:
            rounded: Rounded = round_matrix(self._named.read(f"{name}.weight"))
            scales.append(rounded.scales)
            return rounded.values.T

        weight = self._file.later(f"{name}.weight", np.int8, (n_in, n_out), values)
        # Written right after the matrix, when its scales are known.
        return weight, self._file.later(f"{name}.scale", np.float32, (n_out,), scales.pop)

    def _float(self, name: str) -> str:
        def make() -> Array:
            return self._named.read(name).astype(np.float32)

        return self._file.later(name, np.float32, self._config.shape(name), make)

    def _wide(self, name: str, *, kept: str = "") -> str:
        return self._stored(kept or name, self._config.shape(name), lambda: self._named.read(name))

    def _stored(self, name: str, shape: tuple[int, ...], make: Callable[[], Array]) -> str:
        """Add a weight in the element type of the style; return the name of its fp32 form."""
        from onnx import TensorProto

        if self._style.stored == "float32":
            return self._file.later(name, np.float32, shape, lambda: make().astype(np.float32))

        def halves() -> Array:
            array = make()
            if array.size and np.abs(array).max() > _LARGEST_HALF:
                raise ModelError(
                    "The encoder's weights are too large to be kept in 16 bits",
                    hint="Fetch the checkpoint again",
                    detail=name,
                )
            return array.astype(np.float16)

        narrow = self._file.later(f"{name}.fp16", np.float16, shape, halves)
        return self._file.node("Cast", [narrow], name, to=TensorProto.FLOAT)
