"""Looking into a foreign ONNX file before any library parses it.

Our own walk through the bytes decides whether a library may see the file at all: data outside of
the file, operators of unknown origin or that run scripts, and tensors that claim more than the
file holds are refused here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from singcoach.models.manifest import TensorSpec
from singcoach.models.packs.protobuf import Span, Walker
from singcoach.models.weights.faults import damaged, shown, unsafe, unusable
from singcoach.models.weights.weightfile import OpenFile

_MAX_BYTES = (1 << 31) - 1
_MAX_DEPTH = 8
_MAX_NODES = 500_000
_MAX_TENSORS = 500_000
_MAX_RANK = 16
_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
_RUNS_MORE = frozenset(
    {"PythonOp", "PythonOpGrad", "ATen", "ATenOp", "ATenGrad", "EPContext", "TritonOp"}
)
"""Operators that call scripts or load files."""

_OUR_KEYS = "singcoach."
_MAX_KEYS = 16
_EXTERNAL = 1
_BITS = {
    1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64,
    15: 128, 16: 16, 17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4,
}  # fmt: skip
"""Bits of one element by ONNX's number of the type; 8 (text) has no fixed size."""

_NAMES = {
    1: "float32", 2: "uint8", 3: "int8", 6: "int32", 7: "int64", 9: "bool", 10: "float16",
    11: "float64",
}  # fmt: skip


@dataclass(slots=True, kw_only=True)
class OnnxHead:
    """What an ONNX file says of itself; of its metadata only what is meant for SingCoach."""

    inputs: tuple[TensorSpec, ...] = ()
    outputs: tuple[TensorSpec, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    n_nodes: int = 0


def looks_like_onnx(start: bytes) -> bool:
    """Whether a file may be ONNX: it begins with the small number of its format version."""
    return len(start) >= 2 and start[0] == 0x08 and 1 <= start[1] <= 32


def read_head(file: OpenFile) -> OnnxHead:
    """Walk through an open ONNX file.

    Raises
    ------
    ModelError
        When it is cut, refers to data outside, has operators that are unknown or run scripts, or
        tensors that claim more than the file holds.
    """
    if file.size > _MAX_BYTES:
        raise unusable(file.name, "it is larger than 2 GB, which an ONNX file cannot be")
    walk = _Walk(file)
    head = walk.model()
    if not head.inputs or not head.outputs or not head.n_nodes:
        raise unusable(file.name, "it is no ONNX network with inputs and outputs")
    return head


class _Walk:
    def __init__(self, file: OpenFile) -> None:
        self._file = file
        self._walker = Walker(file)
        self._n_nodes = 0
        self._n_tensors = 0

    def model(self) -> OnnxHead:
        head = OnnxHead()
        graphs: list[Span] = []
        for part in self._walker.fields(Span(0, self._file.size)):
            if part.number == 7:
                graphs.append(self._span(part.value))
            elif part.number == 8:
                self._domain(self._texts(part.value).get(1, ""))
            elif part.number == 14:
                pair = self._texts(part.value, most=100_000)
                if pair.get(1, "").startswith(_OUR_KEYS) and len(head.metadata) < _MAX_KEYS:
                    head.metadata[pair[1]] = pair.get(2, "")
            elif part.number in (20, 25):
                what = "training steps" if part.number == 20 else "functions of its own"
                raise unsafe(self._file.name, f"it brings {what}, which no pack needs")
        if len(graphs) != 1:
            raise unusable(self._file.name, "it is no ONNX network")
        inputs, outputs, initialised = self._graph(graphs[0], 0)
        head.inputs = tuple(spec for spec in inputs if spec.name not in initialised)
        head.outputs = tuple(outputs)
        head.n_nodes = self._n_nodes
        return head

    def _graph(self, span: Span, depth: int) -> tuple[list[TensorSpec], list[TensorSpec], set[str]]:
        if depth > _MAX_DEPTH:
            raise damaged(self._file.name, "graphs within graphs beyond reason")
        inputs: list[TensorSpec] = []
        outputs: list[TensorSpec] = []
        initialised: set[str] = set()
        for part in self._walker.fields(span):
            if part.number == 1:
                self._node(self._span(part.value), depth)
            elif part.number == 5:
                initialised.add(self._tensor(self._span(part.value)))
            elif part.number == 11:
                inputs.append(self._value(self._span(part.value)))
            elif part.number == 12:
                outputs.append(self._value(self._span(part.value)))
            elif part.number == 15:
                self._sparse(self._span(part.value))
        return inputs, outputs, initialised

    def _node(self, span: Span, depth: int) -> None:
        self._n_nodes += 1
        if self._n_nodes > _MAX_NODES:
            raise damaged(self._file.name, f"it has more than {_MAX_NODES} operators")
        op_type = domain = ""
        for part in self._walker.fields(span):
            if part.number == 4:
                op_type = self._walker.text(self._span(part.value))
            elif part.number == 7:
                domain = self._walker.text(self._span(part.value))
            elif part.number == 5:
                self._attribute(self._span(part.value), depth)
        self._domain(domain)
        if op_type in _RUNS_MORE:
            raise unsafe(
                self._file.name, f"its operator {op_type} runs scripts or loads other files"
            )

    def _domain(self, domain: str) -> None:
        if domain not in _DOMAINS:
            raise unsafe(
                self._file.name,
                f"it needs operators of {shown(domain, 60)}, which are not part of ONNX",
            )

    def _attribute(self, span: Span, depth: int) -> None:
        for part in self._walker.fields(span):
            if part.number in (5, 10):
                self._tensor(self._span(part.value))
            elif part.number in (6, 11):
                self._graph(self._span(part.value), depth + 1)
            elif part.number in (22, 23):
                self._sparse(self._span(part.value))

    def _sparse(self, span: Span) -> None:
        for part in self._walker.fields(span):
            if part.number in (1, 2):
                self._tensor(self._span(part.value))

    def _tensor(self, span: Span) -> str:
        self._n_tensors += 1
        if self._n_tensors > _MAX_TENSORS:
            raise damaged(self._file.name, f"it has more than {_MAX_TENSORS} tensors")
        name = ""
        shape: list[int] = []
        kind = 0
        raw_bytes: int | None = None
        for part in self._walker.fields(span):
            if part.number == 1:
                shape += self._sizes(part.value)
            elif part.number == 2 and isinstance(part.value, int):
                kind = part.value
            elif part.number == 8:
                name = self._walker.text(self._span(part.value))
            elif part.number == 9:
                raw_bytes = self._span(part.value).n_bytes
            elif part.number == 13 or (part.number == 14 and part.value == _EXTERNAL):
                raise unsafe(
                    self._file.name,
                    "it keeps weights in another file, which could be any file of this machine",
                )
            if len(shape) > _MAX_RANK:
                raise damaged(self._file.name, "a tensor with too many dimensions")
        self._check_size(name, shape, kind, raw_bytes, span.n_bytes)
        return name

    def _sizes(self, value: int | Span) -> list[int]:
        """Return sizes that stand alone or packed."""
        if isinstance(value, int):
            return [value]
        if value.n_bytes > 10 * _MAX_RANK:
            raise damaged(self._file.name, "a tensor with too many dimensions")
        return self._walker.varints(value)

    def _check_size(
        self, name: str, shape: list[int], kind: int, raw_bytes: int | None, held_bytes: int
    ) -> None:
        n_elements = math.prod(shape)
        bits = _BITS.get(kind)
        if bits is None and kind != 8:
            raise damaged(self._file.name, f"{shown(name, 60)} has the unknown type {kind}")
        if raw_bytes is not None and bits is not None:
            if -(-n_elements * bits // 8) != raw_bytes:
                raise damaged(
                    self._file.name,
                    f"{shown(name, 60)} claims {n_elements} elements in {raw_bytes} bytes",
                )
        elif n_elements > 2 * held_bytes:
            raise damaged(
                self._file.name,
                f"{shown(name, 60)} claims {n_elements} elements in {held_bytes} bytes",
            )

    def _value(self, span: Span) -> TensorSpec:
        name = ""
        kind = 0
        shape: list[int | str] = []
        for part in self._walker.fields(span):
            if part.number == 1:
                name = self._walker.text(self._span(part.value))
            elif part.number == 2:
                for inner in self._walker.fields(self._span(part.value)):
                    if inner.number == 1:
                        kind, shape = self._tensor_type(self._span(inner.value))
        return TensorSpec(
            name=name or "unnamed", dtype=_NAMES.get(kind, f"type {kind}"), shape=tuple(shape)
        )

    def _tensor_type(self, span: Span) -> tuple[int, list[int | str]]:
        kind = 0
        shape: list[int | str] = []
        for part in self._walker.fields(span):
            if part.number == 1 and isinstance(part.value, int):
                kind = part.value
            elif part.number == 2:
                for dimension in self._walker.fields(self._span(part.value)):
                    if dimension.number == 1:
                        shape.append(self._dimension(self._span(dimension.value), len(shape)))
        return kind, shape

    def _dimension(self, span: Span, place: int) -> int | str:
        for part in self._walker.fields(span):
            if part.number == 1 and isinstance(part.value, int) and 0 < part.value < 1 << 40:
                return part.value
            if part.number == 2:
                return shown(self._walker.text(self._span(part.value)), 60) or f"free_{place}"
        return f"free_{place}"

    def _texts(self, value: int | Span, most: int = 4096) -> dict[int, str]:
        return {
            part.number: self._walker.text(part.value, most)
            for part in self._walker.fields(self._span(value))
            if isinstance(part.value, Span)
        }

    def _span(self, value: int | Span) -> Span:
        if not isinstance(value, Span):
            raise damaged(self._file.name, "a number where a part should be")
        return value
