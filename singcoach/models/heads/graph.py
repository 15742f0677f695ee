"""An ensemble of score heads as one ONNX file, standardisation included.

Written node by node from the trained weights, so that the same weights give the same bytes. The
names of weights are those of :mod:`singcoach.training.networks`, whose arithmetic this repeats for
one take at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from singcoach.jobs import NO_JOB, Job
from singcoach.models.manifest import TensorSpec
from singcoach.models.whisper.onnx_file import OnnxFile

Array = NDArray[Any]
OUTPUT = "positions"
_NORM_EPSILON = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadGraph:
    """What is to be written.

    Attributes
    ----------
    architecture
        How rows are pooled.
    n_measures
        Number of measures; 0: the network takes none.
    widths
        Columns of the rows of each encoder that it takes, in order.
    members
        Size of the ensemble.
    tensors
        ``measures.median``, ``measures.scale``, ``<encoder>.mean``, ``<encoder>.scale``,
        ``output.centre``, ``output.scale`` and each member's weights behind ``<number>.``.
    soft_limit, row_limit
        Where standardised measures level off, and where standardised rows are cut.
    n_heads
        Attention heads of a transformer.
    """

    architecture: Literal["mlp", "rnn", "transformer"]
    n_measures: int
    widths: Mapping[str, int]
    members: int
    tensors: Mapping[str, Array]
    soft_limit: float
    row_limit: float
    n_heads: int

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """Tensors that the network takes."""
        found = []
        if self.n_measures:
            found.append(TensorSpec(name="measures", dtype="float32", shape=(1, self.n_measures)))
        found += [
            TensorSpec(name=name, dtype="float32", shape=(1, "n_rows", width))
            for name, width in self.widths.items()
        ]
        return tuple(found)

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """What it gives: one number per member."""
        return (TensorSpec(name=OUTPUT, dtype="float32", shape=(1, self.members)),)


def write_head(graph: HeadGraph, path: Path, *, job: Job = NO_JOB) -> None:
    """Write the file; raises OSError when it cannot be written."""
    file = OnnxFile("singcoach-head")
    _Head(file, graph).add()
    file.write(path, inputs=graph.inputs, outputs=graph.outputs, stage="writing the head", job=job)


class _Head:
    def __init__(self, file: OnnxFile, graph: HeadGraph) -> None:
        self._file = file
        self._graph = graph
        self._made: set[str] = set()

    def add(self) -> None:
        graph = self._graph
        measures = self._measures() if graph.n_measures else None
        rows = self._rows() if graph.widths else None
        said = []
        for number in range(graph.members):
            parts = [self._pooled(number, rows)] if rows is not None else []
            parts += [measures] if measures is not None else []
            x = self._joined(f"{number}.all", parts)
            x = self._node("Relu", [self._linear(f"{number}.hidden", x)], f"{number}.lit")
            said.append(self._linear(f"{number}.last", x))
        joined = self._node("Concat", said, "said", axis=1)
        centred = self._node("Sub", [joined, self._weight("output.centre")], "said.centred")
        self._node("Div", [centred, self._weight("output.scale")], OUTPUT)

    def _measures(self) -> str:
        """Return the standardised measures, zero where missing, and then 1 where missing."""
        limit = self._number("soft_limit", self._graph.soft_limit)
        missing = self._node("IsNaN", ["measures"], "measures.missing")
        x = self._node("Sub", ["measures", self._weight("measures.median")], "measures.centred")
        x = self._node("Div", [x, self._weight("measures.scale")], "measures.scaled")
        x = self._node("Div", [x, limit], "measures.short")
        x = self._node("Mul", [self._node("Tanh", [x], "measures.bent"), limit], "measures.soft")
        zero = self._number("zero", 0.0)
        x = self._node("Where", [missing, zero, x], "measures.known")
        lacks = self._node("Cast", [missing], "measures.lacks", to=1)
        return self._node("Concat", [x, lacks], "measures.both", axis=1)

    def _rows(self) -> str:
        """Return the standardised rows of all encoders side by side, ``(1, n_rows, n_columns)``."""
        limit = self._graph.row_limit
        low, high = self._number("row_low", -limit), self._number("row_high", limit)
        parts = []
        for name in self._graph.widths:
            x = self._node("Sub", [name, self._weight(f"{name}.mean")], f"{name}.centred")
            x = self._node("Div", [x, self._weight(f"{name}.scale")], f"{name}.scaled")
            parts.append(self._node("Clip", [x, low, high], f"{name}.cut"))
        return self._joined("rows", parts, axis=2)

    def _pooled(self, number: int, rows: str) -> str:
        pool = f"{number}.pool"
        ways = {"mlp": self._mlp, "rnn": self._rnn, "transformer": self._transformer}
        return ways[self._graph.architecture](pool, self._linear(f"{pool}.project", rows))

    def _mlp(self, pool: str, x: str) -> str:
        x = self._node("Relu", [x], f"{pool}.x")
        weights = self._node(
            "Softmax", [self._linear(f"{pool}.attend", x)], f"{pool}.weights", axis=1
        )
        heard = self._node("Mul", [weights, x], f"{pool}.heard")
        over = self._whole("over_rows", [1])
        attended = self._node("ReduceSum", [heard, over], f"{pool}.attended", keepdims=0)
        mean = self._node("ReduceMean", [x, over], f"{pool}.mean", keepdims=0)
        return self._node("Concat", [attended, mean], f"{pool}.out", axis=1)

    def _rnn(self, pool: str, x: str) -> str:
        x = self._node("Relu", [x], f"{pool}.x")
        x = self._node("Transpose", [x], f"{pool}.by_time", perm=[1, 0, 2])
        ways = [self._direction(pool, suffix) for suffix in ("", "_reverse")]
        hidden = ways[0][1].shape[-1]
        given = [
            self._constant(f"{pool}.gru.{name}", np.stack([way[place] for way in ways]))
            for place, name in enumerate(("input", "state", "bias"))
        ]
        x = self._node(
            "GRU", [x, *given], f"{pool}.states", direction="bidirectional",
            hidden_size=hidden, linear_before_reset=1,
        )  # fmt: skip
        over = self._whole("over_time", [0])
        x = self._node("ReduceMean", [x, over], f"{pool}.mean", keepdims=0)
        x = self._node("Transpose", [x], f"{pool}.by_take", perm=[1, 0, 2])
        return self._node(
            "Reshape", [x, self._whole(f"{pool}.flat", [1, 2 * hidden])], f"{pool}.out"
        )

    def _direction(self, pool: str, suffix: str) -> tuple[Array, Array, Array]:
        """Return one direction's weights in ONNX's order of gates: update, reset, new."""

        def ordered(name: str) -> Array:
            reset, update, new = np.split(self._tensor(f"{pool}.gru.{name}_l0{suffix}"), 3)
            return np.concatenate([update, reset, new])

        biases = np.concatenate([ordered("bias_ih"), ordered("bias_hh")])
        return ordered("weight_ih"), ordered("weight_hh"), biases

    def _transformer(self, pool: str, x: str) -> str:
        width = int(self._tensor(f"{pool}.summary").shape[0])
        summary = self._tensor(f"{pool}.summary").reshape(1, 1, width)
        first = self._constant(f"{pool}.summary", summary)
        x = self._node("Concat", [first, x], f"{pool}.x", axis=1)
        for block in self._blocks(pool):
            x = self._block(block, x, width)
        x = self._node("Gather", [x, self._whole("first", 0)], f"{pool}.told", axis=1)
        return self._norm(f"{pool}.norm", x)

    def _blocks(self, pool: str) -> Sequence[str]:
        found: list[str] = []
        while f"{pool}.blocks.{len(found)}.mix.weight" in self._graph.tensors:
            found.append(f"{pool}.blocks.{len(found)}")
        return found

    def _block(self, block: str, x: str, width: int) -> str:
        n_heads = self._graph.n_heads
        split = self._whole("split", [1, -1, 3, n_heads, width // n_heads])
        mixed = self._linear(f"{block}.mix", self._norm(f"{block}.norm_1", x))
        mixed = self._node("Reshape", [mixed, split], f"{block}.split")
        mixed = self._node("Transpose", [mixed], f"{block}.parts", perm=[2, 0, 3, 1, 4])
        query, key, value = (
            self._node("Gather", [mixed, self._whole(f"part_{i}", i)], f"{block}.{name}", axis=0)
            for i, name in enumerate(("query", "key", "value"))
        )
        key = self._node("Transpose", [key], f"{block}.turned", perm=[0, 1, 3, 2])
        scores = self._node("MatMul", [query, key], f"{block}.products")
        root = self._number("root", (width // n_heads) ** 0.5)
        scores = self._node("Div", [scores, root], f"{block}.scores")
        weights = self._node("Softmax", [scores], f"{block}.weights", axis=-1)
        heard = self._node("MatMul", [weights, value], f"{block}.heard")
        heard = self._node("Transpose", [heard], f"{block}.by_row", perm=[0, 2, 1, 3])
        whole = self._whole("whole", [1, -1, width])
        heard = self._node("Reshape", [heard, whole], f"{block}.side_by_side")
        x = self._node("Add", [x, self._linear(f"{block}.join", heard)], f"{block}.added")
        wide = self._linear(f"{block}.widen", self._norm(f"{block}.norm_2", x))
        wide = self._node("Relu", [wide], f"{block}.lit")
        return self._node("Add", [x, self._linear(f"{block}.narrow", wide)], f"{block}.out")

    def _linear(self, name: str, x: str) -> str:
        matrix = np.ascontiguousarray(self._tensor(f"{name}.weight").T)
        product = self._node("MatMul", [x, self._constant(f"{name}.turned", matrix)], f"{name}.mul")
        return self._node("Add", [product, self._weight(f"{name}.bias")], f"{name}.out")

    def _norm(self, name: str, x: str) -> str:
        given = [x, self._weight(f"{name}.weight"), self._weight(f"{name}.bias")]
        return self._node(
            "LayerNormalization", given, f"{name}.out", axis=-1, epsilon=_NORM_EPSILON
        )

    def _joined(self, name: str, parts: Sequence[str], *, axis: int = 1) -> str:
        return parts[0] if len(parts) == 1 else self._node("Concat", parts, name, axis=axis)

    def _tensor(self, name: str) -> Array:
        return np.asarray(self._graph.tensors[name], dtype=np.float32)

    def _weight(self, name: str) -> str:
        return self._constant(name, self._tensor(name))

    def _number(self, name: str, value: float) -> str:
        return self._constant(name, np.array(value, dtype=np.float32))

    def _whole(self, name: str, value: int | list[int]) -> str:
        return self._constant(name, np.array(value, dtype=np.int64))

    def _constant(self, name: str, array: Array) -> str:
        if name not in self._made:
            self._made.add(name)
            self._file.constant(name, array)
        return name

    def _node(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        return self._file.node(operator, inputs, output, **attributes)
