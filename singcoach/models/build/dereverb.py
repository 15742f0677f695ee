"""The dereverb network: drawing its examples, training it, and writing it as an ONNX graph.

    python -m singcoach.models.build.dereverb --data DIR --work DIR --out FILE.onnx

``--data`` holds vocadito, vocobox and vocalset_1s. ``--work`` keeps examples and checkpoints: the
same command goes on where it was stopped. One thread; about an hour on one core.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from singcoach.dsp.dereverb_bands import N_BANDS, N_FEATURES
from singcoach.jobs import Job
from singcoach.models.build.dereverb_examples import draw_examples

EXAMPLES = {"training_1": (260, 1), "training_3": (260, 3), "validation": (48, 2)}
"""Files, the examples in each and their seeds."""
STEPS = 1400

_OPSET = 17
_IR_VERSION = 8

Weights = Mapping[str, NDArray[np.float32]]


def build(data: Path, work: Path, out: Path, *, steps: int = STEPS, job: Job) -> None:
    """Draw examples, train, and write the graph to ``out``."""
    from singcoach.models.build.dereverb_network import train

    work.mkdir(parents=True, exist_ok=True)
    paths = {name: work / f"{name}.npz" for name in EXAMPLES}
    for name, (count, seed) in EXAMPLES.items():
        if not paths[name].exists():
            part = paths[name].with_suffix(".part")
            draw_examples(data, part, count=count, seed=seed, job=job)
            part.replace(paths[name])
    weights = train(
        [path for name, path in paths.items() if name != "validation"],
        paths["validation"],
        work / "checkpoint.pt",
        steps=steps,
        job=job,
    )
    out.write_bytes(graph_bytes(weights))


def graph_bytes(weights: Weights) -> bytes:
    """Return the ONNX file of the network, the same bytes for the same weights.

    Input ``features`` as :func:`singcoach.dsp.dereverb_bands.features` makes them, with a batch
    axis of 1; output ``gains``: the mask, and the share of the predicted room.
    """
    from onnx import TensorProto, helper

    from singcoach.models.build import dereverb_network as net

    graph = _Graph(weights, net.LEAK)
    shift = graph.constant("shift", np.array(net.FEATURE_SHIFT, np.float32))
    scale = graph.constant("scale", np.array(net.FEATURE_SCALE, np.float32))
    shifted = graph.node("Add", ["features", shift], "shifted")
    seen = graph.node("Mul", [shifted, scale], "seen")
    first = graph.node(
        "Slice",
        [
            seen,
            graph.constant("from_0", np.array([0], np.int64)),
            graph.constant("to_2", np.array([2], np.int64)),
            graph.constant("channels", np.array([1], np.int64)),
        ],
        "first",
    )
    turned = graph.node("Transpose", [first], "turned", perm=[0, 1, 3, 2])
    flat_shape = graph.constant("flat_shape", np.array([1, 2 * N_BANDS, -1], np.int64))
    flat = graph.node("Reshape", [turned, flat_shape], "flat")
    signal = graph.act(graph.convolution("gather", flat))
    for index, dilation in enumerate(net.CONTEXT_DILATIONS):
        block = f"context.{index}"
        hidden = graph.act(graph.convolution(f"{block}.widen", signal))
        spread = graph.convolution(
            f"{block}.spread",
            hidden,
            pads=[dilation, dilation],
            dilations=[dilation],
            group=net.HIDDEN,
        )
        spread = graph.act(spread)
        narrow = graph.convolution(f"{block}.narrow", spread)
        signal = graph.node("Add", [signal, narrow], block)
    scattered = graph.convolution("scatter", signal)
    image_shape = graph.constant(
        "image_shape", np.array([1, net.CONTEXT_CHANNELS, N_BANDS, -1], np.int64)
    )
    found = graph.node("Reshape", [scattered, image_shape], "found")
    found = graph.node("Transpose", [found], "found_turned", perm=[0, 1, 3, 2])
    joined = graph.node("Concat", [seen, found], "joined", axis=1)
    image = graph.act(graph.convolution("open", joined, pads=[1, 1, 1, 1]))
    image = graph.act(graph.convolution("mix", image))
    closed = graph.convolution("close", image)
    biases = np.array([net.MASK_BIAS, net.SHARE_BIAS], np.float32).reshape(1, 2, 1, 1)
    biased = graph.node("Add", [closed, graph.constant("biases", biases)], "biased")
    graph.node("Sigmoid", [biased], "gains")
    in_shape: list[str | int | None] = [1, N_FEATURES, "frames", N_BANDS]
    out_shape: list[str | int | None] = [1, 2, "frames", N_BANDS]
    proto = helper.make_graph(
        graph.nodes,
        "dereverb-rooms",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, in_shape)],
        [helper.make_tensor_value_info("gains", TensorProto.FLOAT, out_shape)],
        graph.initializers,
    )
    model = helper.make_model(
        proto,
        producer_name="singcoach",
        ir_version=_IR_VERSION,
        opset_imports=[helper.make_opsetid("", _OPSET)],
    )
    return bytes(model.SerializeToString(deterministic=True))


class _Graph:
    """Nodes and initializers in the order in which they were added."""

    def __init__(self, weights: Weights, leak: float) -> None:
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self._weights = weights
        self._leak = leak

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def constant(self, name: str, values: NDArray[Any]) -> str:
        from onnx import numpy_helper

        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def convolution(self, name: str, signal: str, **attributes: Any) -> str:
        weight = self._weights[f"{name}.weight"]
        inputs = [
            signal,
            self.constant(f"{name}.weight", weight),
            self.constant(f"{name}.bias", self._weights[f"{name}.bias"]),
        ]
        return self.node("Conv", inputs, name, kernel_shape=list(weight.shape[2:]), **attributes)

    def act(self, signal: str) -> str:
        """Add a leaky rectifier."""
        return self.node("LeakyRelu", [signal], f"{signal}_act", alpha=self._leak)


def _show(fraction: float, stage: str) -> None:
    sys.stderr.write(f"{fraction:6.1%} {stage}\n")


def main() -> None:
    """Read the arguments and build."""
    parser = argparse.ArgumentParser(prog="python -m singcoach.models.build.dereverb")
    parser.add_argument("--data", type=Path, required=True, help="folder of the dry voices")
    parser.add_argument("--work", type=Path, required=True, help="folder for examples, checkpoints")
    parser.add_argument("--out", type=Path, required=True, help="the ONNX file to write")
    parser.add_argument("--steps", type=int, default=STEPS)
    args = parser.parse_args()
    build(args.data, args.work, args.out, steps=args.steps, job=Job(_show))


if __name__ == "__main__":
    main()
