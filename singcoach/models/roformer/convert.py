"""A published checkpoint as the two files of a pack: for processors and for accelerators."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from singcoach.core.arrays import FloatArray
from singcoach.errors import ModelError
from singcoach.files import cannot_write
from singcoach.jobs import NO_JOB, Job
from singcoach.models.packfile import PackFile
from singcoach.models.roformer.config import (
    RoformerConfig,
    config_from_shapes,
    config_to_json,
    expected_shapes,
)
from singcoach.models.roformer.graph import tensor_specs, write_graph
from singcoach.models.roformer.graph_parts import Precision
from singcoach.models.roformer.safetensors_writer import write_safetensors

NETWORK_FILE = "network.onnx"
WEIGHTS_FILE = "weights.safetensors"

_WEIGHTS_SHARE = 0.2
_FLOATS = frozenset({"float64", "float32", "float16", "bfloat16"})
_HINT = "Get the checkpoint again from where it was published"


class Weights(Protocol):
    """The part of an open checkpoint that is needed."""

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shape of every tensor by its published name."""
        ...

    @property
    def dtypes(self) -> Mapping[str, str]:
        """Element type of every tensor."""
        ...

    def read(self, name: str) -> NDArray[Any]:
        """Return one tensor."""
        ...


def convert(
    weights: Weights,
    out_dir: Path,
    *,
    role: Literal["separation", "dereverb"],
    precision: Precision = "int8",
    config: RoformerConfig | None = None,
    job: Job = NO_JOB,
) -> tuple[PackFile, ...]:
    """Write a checkpoint as ``network.onnx`` (processors) and ``weights.safetensors`` (torch).

    Parameters
    ----------
    weights
        An open checkpoint; one tensor of it is read at a time.
    out_dir
        Folder for the files, which is there.
    role
        What the network was trained for; the tensors do not tell.
    precision
        Of the matrices in ``network.onnx``; the weights for torch stay as published, in float32.
    config
        The configuration where it is known better than by the tensors (hop, chunk); its tensors
        have to be those of the checkpoint.
    job
        Reports several times a second.

    Raises
    ------
    ModelError
        When the checkpoint is not of the family, or its values are no finite real numbers.
    OutputError
        When the files cannot be written.
    """
    config = _known(weights, config)
    checked = _Checked(weights)
    try:
        write_safetensors(
            out_dir / WEIGHTS_FILE,
            expected_shapes(config),
            checked.read,
            job=job.part(0.0, _WEIGHTS_SHARE),
        )
        write_graph(
            checked,
            config,
            out_dir / NETWORK_FILE,
            precision=precision,
            job=job.part(_WEIGHTS_SHARE, 1.0),
        )
    except OSError as error:
        raise cannot_write(out_dir, error) from error
    taken, given = tensor_specs(config)
    text = config_to_json(config)
    return (
        PackFile(
            file=NETWORK_FILE,
            role=role,
            part="network",
            sample_rate=config.sample_rate,
            inputs=(taken,),
            outputs=(given,),
            config=text,
        ),
        PackFile(
            file=WEIGHTS_FILE,
            role=role,
            part="weights",
            sample_rate=config.sample_rate,
            config=text,
        ),
    )


def _known(weights: Weights, config: RoformerConfig | None) -> RoformerConfig:
    found = config_from_shapes(weights.shapes)
    if found is None:
        raise ModelError("The checkpoint is not a MelBand Roformer", hint=_HINT)
    if config is None:
        return found
    if expected_shapes(config) != expected_shapes(found):
        raise ModelError(
            "The configuration does not belong to this MelBand Roformer",
            hint="Use the configuration file that was published with the checkpoint",
        )
    return config


class _Checked:
    """The tensors of a checkpoint as float32, each found to be usable numbers."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return self._weights.shapes

    def read(self, name: str) -> FloatArray:
        """Return one tensor."""
        if self._weights.dtypes[name] not in _FLOATS:
            raise _unusable(f"{name} is {self._weights.dtypes[name]}")
        with np.errstate(over="ignore"):  # what does not fit becomes infinite and is refused
            tensor = np.asarray(self._weights.read(name), dtype=np.float32)
        if not np.isfinite(tensor).all():
            raise _unusable(f"{name} is not finite")
        return tensor


def _unusable(detail: str) -> ModelError:
    return ModelError("The weights of this MelBand Roformer are damaged", hint=_HINT, detail=detail)
