"""Writing of a safetensors file tensor by tensor: never more than one of them in memory.

Layout (format of the safetensors project): the length of the header as 8 bytes, little-endian; the
header, JSON; the tensors without a gap.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from singcoach.jobs import NO_JOB, Job

_ALIGNMENT = 8
_STORED = {False: ("F32", "<f4", 4), True: ("F16", "<f2", 2)}


def write_safetensors(
    path: Path,
    shapes: Mapping[str, tuple[int, ...]],
    read: Callable[[str], NDArray[Any]],
    *,
    metadata: Mapping[str, str] | None = None,
    half: bool = False,
    job: Job = NO_JOB,
) -> None:
    """Write tensors as float32, or with ``half`` as float16.

    Parameters
    ----------
    path
        The file; one that is there is replaced.
    shapes
        Name and shape of every tensor, in the order in which they are asked for.
    read
        Returns a tensor by its name; called once for each.
    metadata
        Text to stand beside the tensors.
    job
        Reports after every tensor.

    Raises
    ------
    ValueError
        When a tensor has another shape than was said.
    OSError
        When the file cannot be written.
    """
    header: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    stored, dtype, n_bytes = _STORED[half]
    end = 0
    for name, shape in shapes.items():
        start, end = end, end + n_bytes * math.prod(shape)
        header[name] = {"dtype": stored, "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    n_done = 0
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for name, shape in shapes.items():
            job.report(n_done / max(end, 1), "writing the weights")
            tensor = np.asarray(read(name), dtype=dtype, order="C")
            if tensor.shape != shape:
                raise ValueError(f"{name} has shape {tensor.shape}, not {shape}")
            file.write(tensor.reshape(-1).data)
            n_done += tensor.nbytes
    job.report(1.0, "writing the weights")
