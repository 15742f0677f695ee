"""The parts that networks of attention blocks share: products, norms and how weights are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from singcoach.errors import ModelError
from singcoach.models.whisper.onnx_file import CONTRIB, OnnxFile
from singcoach.models.whisper.rounding import Rounded, round_matrix

Array = NDArray[Any]
Form = Literal["exact", "run", "frame"]
"""A product in fp32, or in 8 bits with one scale of the input per run or per frame."""

_LEAST_STEP = 1e-12
_BENT_LOWEST = 0.17
_BENT_BYTES_BELOW = 24
_LARGEST_HALF = 65504.0


@dataclass(frozen=True, slots=True)
class PositionTable:
    """The mean answer at each place as ``places @ directions``: ``(n, rank)``, ``(rank, n_dims)``.

    Both are float16.
    """

    places: Array
    directions: Array


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


class Products:
    """Adds nodes to a file.

    Parameters
    ----------
    file
        Where they go.
    shape, read
        Shape and values of a weight by its name.
    style
        How the weights are kept.
    """

    def __init__(
        self,
        file: OnnxFile,
        *,
        shape: Callable[[str], tuple[int, ...]],
        read: Callable[[str], Array],
        style: Style,
    ) -> None:
        self.file = file
        self.style = style
        self._shape = shape
        self._read = read

    def product(self, x: str, name: str, *, with_bias: bool = False, bent: bool = False) -> str:
        """Add ``x @ matrix.T (+ bias)`` in the form that the style gives it.

        ``bent`` tells that ``x`` comes out of the bent line (GELU).
        """
        form = self.style.form(name)
        if form == "exact":
            shape = self._shape(f"{name}.weight")
            weight = self.stored(
                f"{name}.weight", shape[::-1], lambda: self._read(f"{name}.weight").T
            )
            y = self.file.node("MatMul", [x, weight], f"{name}.product")
            if not with_bias:
                return y
            return self.file.node("Add", [y, self.wide(f"{name}.bias")], name)
        if form == "run":
            return self._product_by_run(x, name, with_bias)
        return self._product_by_frame(x, name, with_bias, bent)

    def _product_by_run(self, x: str, name: str, with_bias: bool) -> str:
        if not self.file.has(f"{x}.bytes"):
            self.file.node("DynamicQuantizeLinear", [x], (f"{x}.bytes", f"{x}.scale", f"{x}.zero"))
        weight, scale = self._rounded(name)
        inputs = [f"{x}.bytes", weight, f"{x}.scale", scale, f"{x}.zero"]
        if with_bias:
            inputs += ["", self._float(f"{name}.bias")]
        return self.file.node("MatMulIntegerToFloat", inputs, name, CONTRIB)

    def _product_by_frame(self, x: str, name: str, with_bias: bool, bent: bool) -> str:
        """Round each frame with its own scale: a frame with huge values spoils no other."""
        zero = self._byte_constant("bent_zero" if bent else "zero_byte")
        if not self.file.has(f"{x}.bytes"):
            self._round_frames(x, zero, bent=bent)
        weight, scale = self._rounded(name)
        inputs = [f"{x}.bytes", weight, "one", scale, zero]
        y = self.file.node("MatMulIntegerToFloat", inputs, f"{name}.units", CONTRIB)
        if not with_bias:
            return self.file.node("Mul", [y, f"{x}.steps"], name)
        y = self.file.node("Mul", [y, f"{x}.steps"], f"{name}.product")
        return self.file.node("Add", [y, self._float(f"{name}.bias")], name)

    def _round_frames(self, x: str, zero: str, *, bent: bool) -> None:
        """Add ``x.bytes`` and the scale of each frame, ``x.steps``.

        What comes out of the bent line (GELU) is never below -0.17, so that the bytes below zero
        can be few.
        """
        sizes = x if bent else self.file.node("Abs", [x], f"{x}.sizes")
        kind = "bent" if bent else "even"
        self.file.node("ReduceMax", [sizes, "last"], f"{x}.peaks", keepdims=1)
        self.file.node("Mul", [f"{x}.peaks", f"{kind}_per_byte"], f"{x}.loose_steps")
        self.file.node("Max", [f"{x}.loose_steps", f"{kind}_least_step"], f"{x}.steps")
        self.file.node("Div", [x, f"{x}.steps"], f"{x}.units")
        self.file.node("QuantizeLinear", [f"{x}.units", "one", zero], f"{x}.bytes")

    def _byte_constant(self, zero: str) -> str:
        """Return the byte that stands for 0; adds what the rounding of frames needs at first."""
        if not any(constant.name == "one" for constant in self.file.constants):
            below = _BENT_BYTES_BELOW
            self.file.constant("last", np.array([-1], dtype=np.int64))
            self.file.constant("one", np.array(1, dtype=np.float32))
            self.file.constant("zero_byte", np.array(128, dtype=np.uint8))
            self.file.constant("bent_zero", np.array(below, dtype=np.uint8))
            for name, value in (
                ("even_per_byte", 1 / 127),
                ("even_least_step", _LEAST_STEP),
                ("bent_per_byte", 1 / (255 - below)),
                ("bent_least_step", _BENT_LOWEST / below),
            ):
                self.file.constant(name, np.array(value, dtype=np.float32))
        return zero

    def norm(self, source: str, x: str, output: str) -> str:
        """Add a norm over the last axis with the weight and bias of ``source``."""
        gamma = self.wide(f"{source}.weight", kept=f"{output}.gamma")
        beta = self.wide(f"{source}.bias", kept=f"{output}.beta")
        return self.file.node("LayerNormalization", [x, gamma, beta], output, axis=-1, epsilon=1e-5)

    def _rounded(self, name: str) -> tuple[str, str]:
        """Add a matrix in 8 bits and its scales, made from one reading of the weights."""
        n_out, n_in = self._shape(f"{name}.weight")
        scales: list[Array] = []

        def values() -> Array:
            rounded: Rounded = round_matrix(self._read(f"{name}.weight"))
            scales.append(rounded.scales)
            return rounded.values.T

        weight = self.file.later(f"{name}.weight", np.int8, (n_in, n_out), values)
        # Written right after the matrix, when its scales are known.
        return weight, self.file.later(f"{name}.scale", np.float32, (n_out,), scales.pop)

    def _float(self, name: str) -> str:
        def make() -> Array:
            return self._read(name).astype(np.float32)

        return self.file.later(name, np.float32, self._shape(name), make)

    def wide(self, name: str, *, kept: str = "") -> str:
        """Add a weight, under another name if ``kept`` is given; return its fp32 form."""
        return self.stored(kept or name, self._shape(name), lambda: self._read(name))

    def stored(self, name: str, shape: tuple[int, ...], make: Callable[[], Array]) -> str:
        """Add a weight in the element type of the style; return the name of its fp32 form."""
        from onnx import TensorProto

        if self.style.stored == "float32":
            return self.file.later(name, np.float32, shape, lambda: make().astype(np.float32))

        def halves() -> Array:
            array = make()
            if array.size and np.abs(array).max() > _LARGEST_HALF:
                raise ModelError(
                    "The encoder's weights are too large to be kept in 16 bits",
                    hint="Fetch the checkpoint again",
                    detail=name,
                )
            return array.astype(np.float16)

        narrow = self.file.later(f"{name}.fp16", np.float16, shape, halves)
        return self.file.node("Cast", [narrow], name, to=TensorProto.FLOAT)
