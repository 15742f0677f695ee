"""Named tensors with a JSON text in one safetensors file, written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from singcoach.core.arrays import FloatArray
from singcoach.errors import InputError, ModelError
from singcoach.files import whole_file
from singcoach.models.roformer.safetensors_writer import write_safetensors
from singcoach.models.weights import open_weights

Tensors = dict[str, FloatArray]
_ABOUT = "about"


def save_tensors(
    path: Path, tensors: Mapping[str, FloatArray], about: Mapping[str, Any], *, half: bool = False
) -> None:
    """Write tensors and what they are; ``half`` stores them as float16.

    Raises
    ------
    OutputError
        When the disk is full or may not be written.
    """
    with whole_file(path) as temporary:
        write_safetensors(
            temporary,
            {name: tensor.shape for name, tensor in tensors.items()},
            tensors.__getitem__,
            metadata={_ABOUT: json.dumps(about, sort_keys=True)},
            half=half,
        )


def load_tensors(path: Path) -> tuple[Tensors, dict[str, Any]]:
    """Read what :func:`save_tensors` wrote.

    Raises
    ------
    InputError
        When the file cannot be read or is damaged.
    """
    # A temporary copy of ours has no suffix that tells what it is; a finished file has.
    try:
        with open_weights(path) as weights:
            about = json.loads(str(weights.metadata[_ABOUT]))
            tensors = {
                name: np.asarray(weights.read(name), dtype=np.float32) for name in weights.shapes
            }
        if not isinstance(about, dict):
            raise ValueError("no table")
    except (ModelError, KeyError, ValueError) as error:
        raise InputError(
            f"The weights {path} cannot be read",
            hint="Train them again",
            detail=str(error),
        ) from error
    return tensors, about
