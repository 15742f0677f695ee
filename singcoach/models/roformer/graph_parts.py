"""Pieces of a graph: places where nodes go, loops over groups, and products with weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from singcoach.models.whisper.onnx_file import CONTRIB, OnnxFile, new_node
from singcoach.models.whisper.rounding import Rounded, round_matrix

Array = NDArray[Any]
Precision = Literal["fp32", "int8"]

LEAST_SQUARE = 1e-24
"""Added to the mean square of a vector before its root: silence stays silence, and nothing else is
changed in float32."""


class Scope:
    """Where nodes go: the graph itself, or the body of a loop in it.

    A body sees every value of the graph by its name; weights always belong to the graph.
    """

    def __init__(self, file: OnnxFile) -> None:
        self._file = file
        self._shared: set[str] = set()
        self._rounded: dict[str, tuple[str, str, str]] = {}

    def node(
        self,
        operator: str,
        inputs: Sequence[str],
        outputs: str | tuple[str, ...],
        domain: str = "",
        **attributes: Any,
    ) -> str:
        """Add a node and return the name of its first output."""
        return self._file.node(operator, inputs, outputs, domain, **attributes)

    def weight(
        self, name: str, dtype: Any, shape: tuple[int, ...], make: Callable[[], Array]
    ) -> str:
        """Add a weight that is made when it is written; return its name."""
        return self._file.later(name, dtype, shape, make)

    def shared(self, name: str, array: Array) -> str:
        """Add a constant unless it is there already; return its name."""
        if name not in self._shared:
            self._shared.add(name)
            self._file.constant(name, array)
        return name

    def whole(self, *numbers: int) -> str:
        """Return the name of these whole numbers as a list."""
        name = "list" + "".join(f"_{number}" for number in numbers)
        return self.shared(name, np.array(numbers, dtype=np.int64))

    def number(self, number: int) -> str:
        """Return the name of one whole number."""
        return self.shared(f"number_{number}", np.array(number, dtype=np.int64))

    def bytes_of(self, x: str) -> tuple[str, str, str]:
        """Return ``x`` rounded to 0..255, its scale and its zero, made once."""
        if x not in self._rounded:
            names = (f"{x}.bytes", f"{x}.scale", f"{x}.zero")
            self.node("DynamicQuantizeLinear", [x], names)
            self._rounded[x] = names
        return self._rounded[x]

    def body(self) -> Body:
        """Return a place for the nodes of a loop in this graph."""
        return Body(self._file, self._shared)


class Body(Scope):
    """The body of a loop."""

    def __init__(self, file: OnnxFile, shared: set[str]) -> None:
        super().__init__(file)
        self._shared = shared
        self.nodes: list[Any] = []

    def node(
        self,
        operator: str,
        inputs: Sequence[str],
        outputs: str | tuple[str, ...],
        domain: str = "",
        **attributes: Any,
    ) -> str:
        """Add a node to the body and return the name of its first output."""
        made = new_node(operator, inputs, outputs, domain, attributes)
        self.nodes.append(made)
        return str(made.name)


def by_groups(
    scope: Scope,
    x: str,
    name: str,
    *,
    axis: int,
    size: int,
    work: Callable[[Scope, str], str],
) -> str:
    """Do ``work`` on ``size`` slices of ``x`` along ``axis`` at a time and join what it returns.

    ``work`` takes a place for nodes and the name of the group, and returns the name of a value of
    the same shape. The last group has what is left.
    """
    from onnx import TensorProto, helper

    n = scope.node("Shape", [x], f"{name}.n", start=axis, end=axis + 1)
    n = scope.node("Add", [n, scope.whole(size - 1)], f"{name}.n_more")
    n = scope.node("Div", [n, scope.whole(size)], f"{name}.n_list")
    n = scope.node("Squeeze", [n], f"{name}.n_groups")
    body = scope.body()
    index, going, done = f"{name}.index", f"{name}.going", f"{name}.done"
    start = body.node("Mul", [index, scope.whole(size)], f"{name}.start")
    stop = body.node("Add", [start, scope.whole(size)], f"{name}.stop")
    group = body.node("Slice", [x, start, stop, scope.whole(axis)], f"{name}.group")
    result = work(body, group)
    body.node("SequenceInsert", [done, result], f"{name}.done_out")
    body.node("Identity", [going], f"{name}.going_out")
    list_type = helper.make_sequence_type_proto(
        helper.make_tensor_type_proto(TensorProto.FLOAT, None)
    )
    graph = helper.make_graph(
        body.nodes,
        f"{name}.body",
        [
            helper.make_tensor_value_info(index, TensorProto.INT64, []),
            helper.make_tensor_value_info(going, TensorProto.BOOL, []),
            helper.make_value_info(done, list_type),
        ],
        [
            helper.make_tensor_value_info(f"{name}.going_out", TensorProto.BOOL, []),
            helper.make_value_info(f"{name}.done_out", list_type),
        ],
    )
    empty = scope.node("SequenceEmpty", [], f"{name}.none", dtype=TensorProto.FLOAT)
    always = scope.shared("always", np.array(True))
    parts = scope.node("Loop", [n, always, empty], f"{name}.parts", body=graph)
    return scope.node("ConcatFromSequence", [parts], f"{name}.joined", axis=axis)


def product(
    scope: Scope,
    x: str,
    name: str,
    shape: tuple[int, int],
    matrix: Callable[[], Array],
    bias: Callable[[], Array] | None = None,
    *,
    precision: Precision,
    even: bool = False,
) -> str:
    """Add ``x @ matrix.T (+ bias)``; ``shape`` is that of the matrix, ``(n_out, n_in)``.

    The vectors lie along the last axis of ``x``. In 8 bits the matrix has one scale for every row
    and ``x`` one for all of it; with ``even``, every vector of ``x`` is brought to one length
    before it is rounded, and back afterwards, so that a loud one does not coarsen the others.
    """
    n_out, n_in = shape
    if precision == "int8" and n_in % 2 == 0:
        if even:
            length = f"{name}.inverse"
            ones = scope.shared(f"ones_{n_in}", np.ones(n_in, dtype=np.float32))
            x = scope.node(
                "SimplifiedLayerNormalization", [x, ones], (f"{name}.even", length),
                axis=-1, epsilon=LEAST_SQUARE,
            )  # fmt: skip
            y = product(scope, x, f"{name}.product", shape, matrix, precision=precision)
            if bias is None:
                return scope.node("Div", [y, length], name)
            y = scope.node("Div", [y, length], f"{name}.back")
            bias_name = scope.weight(f"{name}.bias", np.float32, (n_out,), bias)
            return scope.node("Add", [y, bias_name], name)
        rounding = _Rounding(matrix)
        values, scale, zero = scope.bytes_of(x)
        inputs = [
            values,
            scope.weight(f"{name}.weight", np.int8, (n_in, n_out), rounding.values),
            scale,
            scope.weight(f"{name}.scale", np.float32, (n_out,), rounding.scales),
            zero,
        ]
        if bias is not None:
            inputs += ["", scope.weight(f"{name}.bias", np.float32, (n_out,), bias)]
        return scope.node("MatMulIntegerToFloat", inputs, name, CONTRIB)
    weight = scope.weight(f"{name}.weight", np.float32, (n_in, n_out), lambda: matrix().T)
    if bias is None:
        return scope.node("MatMul", [x, weight], name)
    y = scope.node("MatMul", [x, weight], f"{name}.product")
    return scope.node("Add", [y, scope.weight(f"{name}.bias", np.float32, (n_out,), bias)], name)


class _Rounding:
    """Rounds a matrix when its values are written and keeps the scales until they are, too."""

    def __init__(self, matrix: Callable[[], Array]) -> None:
        self._matrix = matrix
        self._made: Rounded | None = None

    def values(self) -> Array:
        self._made = round_matrix(self._matrix())
        return self._made.values.T

    def scales(self) -> Array:
        made = self._made or round_matrix(self._matrix())
        self._made = None
        return made.scales
