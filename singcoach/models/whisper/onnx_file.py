"""Writing of an ONNX file whose weights are never in memory together.

An ONNX file is one protobuf message. Its lengths follow from the shapes alone, so the file can be
written front to back while each weight is read, rounded, written and forgotten. The bytes are those
that the ``onnx`` package writes for the same graph: fields in the order of their numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from singcoach.errors import ModelError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.manifest import TensorSpec

Array = NDArray[Any]

CONTRIB = "com.microsoft"
_OPSETS = (("", 20), (CONTRIB, 1))
_IR_VERSION = 9
_LARGEST_FILE_BYTES = (1 << 31) - 1
_RAW_DATA_TAG = b"\x4a"
_INITIALIZER_TAG = b"\x2a"
_GRAPH_TAG = b"\x3a"


@dataclass(frozen=True, slots=True)
class Constant:
    """A weight that is made when it is written: ``make()`` returns ``dtype`` of ``shape``."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    make: Callable[[], Array]

    @property
    def n_bytes(self) -> int:
        """Length of its data."""
        return math.prod(self.shape) * self.dtype.itemsize


def new_node(
    operator: str,
    inputs: Sequence[str],
    outputs: str | tuple[str, ...],
    domain: str,
    attributes: Mapping[str, Any],
) -> Any:
    """Return a node that is named as its first output."""
    from onnx import helper

    names = (outputs,) if isinstance(outputs, str) else outputs
    return helper.make_node(
        operator, list(inputs), list(names), name=names[0], domain=domain, **attributes
    )


class OnnxFile:
    """Nodes and weights in the order in which they are added."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[Any] = []
        self._constants: dict[str, Constant] = {}

    @property
    def constants(self) -> tuple[Constant, ...]:
        """The weights in the file's order."""
        return tuple(self._constants.values())

    def node(
        self,
        operator: str,
        inputs: Sequence[str],
        outputs: str | tuple[str, ...],
        domain: str = "",
        **attributes: Any,
    ) -> str:
        """Add a node and return the name of its first output."""
        made = new_node(operator, inputs, outputs, domain, attributes)
        self._nodes.append(made)
        return str(made.name)

    def has(self, output: str) -> bool:
        """Whether a node already makes ``output``."""
        return any(output in node.output for node in self._nodes)

    def constant(self, name: str, array: Array) -> str:
        """Add a weight that is at hand and return its name."""
        return self.later(name, array.dtype, array.shape, lambda: array)

    def later(
        self, name: str, dtype: Any, shape: tuple[int, ...], make: Callable[[], Array]
    ) -> str:
        """Add a weight that ``make`` returns when it is written; return its name."""
        if name in self._constants:
            raise ValueError(f"the weight {name} comes twice")
        self._constants[name] = Constant(name, np.dtype(dtype), tuple(shape), make)
        return name

    def write(
        self,
        path: Path,
        *,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        stage: str = "writing the network",
        job: Job = NO_JOB,
    ) -> dict[str, int]:
        """Write the file; return at which byte the data of each weight begins.

        Raises
        ------
        ModelError
            When it would be longer than an ONNX file can be (2 GB).
        OSError
            When it cannot be written.
        """
        heads = [_initializer_head(constant) for constant in self._constants.values()]
        before, after = self._around(inputs, outputs)
        n_initializers = sum(
            len(_INITIALIZER_TAG + _varint(len(head) + c.n_bytes)) + len(head) + c.n_bytes
            for head, c in zip(heads, self._constants.values(), strict=True)
        )
        n_graph = len(before) + n_initializers + len(after)
        first, last = _model_around()
        if n_graph + len(first) + len(last) + 16 > _LARGEST_FILE_BYTES:
            raise ModelError(
                "The network is too large for one file in this precision",
                hint="Convert it in 8 bits",
                detail=f"{n_graph} bytes",
            )
        with path.open("wb") as file:
            file.write(first + _GRAPH_TAG + _varint(n_graph) + before)
            places = self._write_constants(file, heads, n_initializers, stage, job)
            file.write(after + last)
        return places

    def _write_constants(
        self, file: BinaryIO, heads: Sequence[bytes], total: int, stage: str, job: Job
    ) -> dict[str, int]:
        places: dict[str, int] = {}
        done = 0
        for head, constant in zip(heads, self._constants.values(), strict=True):
            job.report(done / max(1, total), stage)
            array = np.asarray(constant.make(), order="C")
            if array.dtype != constant.dtype or array.shape != constant.shape:
                raise ValueError(f"{constant.name} is {array.dtype} {array.shape}")
            file.write(_INITIALIZER_TAG + _varint(len(head) + constant.n_bytes) + head)
            places[constant.name] = file.tell()
            file.write(array.reshape(-1).view(np.uint8).data)
            done += constant.n_bytes
        return places

    def _around(
        self, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]
    ) -> tuple[bytes, bytes]:
        """Return the graph's bytes before and after its weights."""
        from onnx import GraphProto

        before = GraphProto(node=self._nodes, name=self._name)
        after = GraphProto(input=map(_value, inputs), output=map(_value, outputs))
        return _bytes(before), _bytes(after)


def _value(tensor: TensorSpec) -> Any:
    from onnx import TensorProto, helper

    element = TensorProto.DataType.Value({"float32": "FLOAT"}[tensor.dtype])
    return helper.make_tensor_value_info(tensor.name, element, list(tensor.shape))


def _initializer_head(constant: Constant) -> bytes:
    """Return the bytes of a weight up to its data."""
    from onnx import TensorProto, helper

    head = TensorProto(
        dims=constant.shape,
        data_type=helper.np_dtype_to_tensor_dtype(constant.dtype),
        name=constant.name,
    )
    return _bytes(head) + _RAW_DATA_TAG + _varint(constant.n_bytes)


def _model_around() -> tuple[bytes, bytes]:
    """Return the model's bytes before and after the graph."""
    from onnx import ModelProto, helper

    first = ModelProto(ir_version=_IR_VERSION, producer_name="singcoach")
    last = ModelProto(opset_import=[helper.make_opsetid(*opset) for opset in _OPSETS])
    return _bytes(first), _bytes(last)


def _bytes(message: Any) -> bytes:
    content: bytes = message.SerializeToString(deterministic=True)
    return content


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
