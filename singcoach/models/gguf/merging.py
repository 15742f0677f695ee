"""A language model with an adapter merged into its weights, written as a new GGUF file.

Only the matrices that the adapter names change; every other tensor and every setting of the base
stays as it is, byte for byte. An adapter is a safetensors file with ``<matrix>.a`` (rank, inputs)
and ``<matrix>.b`` (outputs, rank); its text ``about`` names the SHA-256 of its base.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from pathlib import Path
from typing import Any, Final

import numpy as np

from singcoach.core.arrays import FloatArray, RealArray
from singcoach.errors import ModelError
from singcoach.files import whole_file
from singcoach.jobs import NO_JOB, Job
from singcoach.models.gguf.blocks import LAYOUTS, BlockType, pack, stored_bytes
from singcoach.models.gguf.reading import GgufFile, open_gguf
from singcoach.models.gguf.writing import Tensor, text_setting, write_gguf
from singcoach.models.weights import open_weights

ADAPTER_FORMAT: Final = "singcoach.adapter/1"
ADAPTER_KEY: Final = "singcoach.adapter_sha256"
"""Setting of the written file that names the adapter in it."""

PROMPT_KEY: Final = "singcoach.prompt"
"""Setting of the written file that tells how the model was taught to be asked."""

_BLOCK_BYTES: Final = 1 << 22
_HINT: Final = "Give the adapter together with the file that it was trained on"


def file_sha256(path: Path, job: Job = NO_JOB) -> str:
    """Return the SHA-256 of a file in hexadecimal digits.

    Raises
    ------
    ModelError
        When it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                job.report(0.0, f"checking {path.name}")
                digest.update(block)
    except OSError as error:
        raise ModelError(
            f"{path.name} cannot be read", hint="Check the name and the folder", detail=str(error)
        ) from error
    return digest.hexdigest()


def merge_adapter(
    base: Path,
    adapter: Path,
    out: Path,
    *,
    kind: BlockType = "q8_0",
    job: Job = NO_JOB,
) -> None:
    """Write ``out``: the base with ``alpha / rank * b @ a`` added to the adapter's matrices.

    The same files give the same bytes.

    Parameters
    ----------
    kind
        How the changed matrices are stored.

    Raises
    ------
    ModelError
        When a file is damaged, or the adapter belongs to another base.
    OutputError
        When ``out`` cannot be written.
    """
    added, about = _adapter(adapter)
    if not hmac.compare_digest(file_sha256(base, job), str(about["base_sha256"])):
        raise ModelError(f"{adapter.name} was not trained on {base.name}", hint=_HINT)
    scale = about["alpha"] / about["rank"]
    with open_gguf(base, job) as file, whole_file(out) as temporary:
        tensors = {name: _described(file, name, kind, name in added) for name in file.tensors}
        for name, (a, b) in added.items():
            if name not in tensors or tensors[name].shape != (b.shape[0], a.shape[1]):
                raise ModelError(f"{adapter.name} does not fit {base.name}", hint=_HINT)

        def read(name: str) -> bytes:
            if name not in added:
                return file.content(name)
            a, b = added[name]
            try:
                return pack(file.read(name) + scale * _product(b, a), kind)
            except ValueError as error:
                raise ModelError(
                    f"{adapter.name} makes weights that cannot be stored",
                    hint=_HINT,
                    detail=f"{name}: {error}",
                ) from error

        settings = {**file.stored, ADAPTER_KEY: text_setting(file_sha256(adapter))}
        if about.get("prompt"):
            settings[PROMPT_KEY] = text_setting(str(about["prompt"]))
        write_gguf(temporary, settings, tensors, read, job=job)


def _product(b: FloatArray, a: FloatArray) -> RealArray:
    """Return ``b @ a`` summed in the order of the rank: the same bits on every machine."""
    total = np.zeros((len(b), a.shape[1]))
    for column, row in zip(b.T.astype(np.float64), a.astype(np.float64), strict=True):
        total += column[:, None] * row
    return total


def _described(file: GgufFile, name: str, kind: BlockType, changed: bool) -> Tensor:
    place = file.tensors[name]
    if changed:
        n_bytes = stored_bytes(place.shape, kind)
        return Tensor(shape=place.shape, number=LAYOUTS[kind].number, n_bytes=n_bytes)
    return Tensor(shape=place.shape, number=place.number, n_bytes=place.n_bytes)


def _adapter(path: Path) -> tuple[dict[str, tuple[FloatArray, FloatArray]], dict[str, Any]]:
    try:
        with open_weights(path) as weights:
            about = json.loads(str(weights.metadata["about"]))
            if about["format"] != ADAPTER_FORMAT:
                raise ValueError(about["format"])
            rank, alpha = about["rank"], about["alpha"]
            if not (isinstance(rank, int) and rank > 0 and math.isfinite(alpha)):
                raise ValueError(f"rank {rank}, alpha {alpha}")
            names = {name.rpartition(".")[0] for name in weights.shapes}
            if set(weights.shapes) != {f"{name}.{part}" for name in names for part in "ab"}:
                raise ValueError("names")
            found = {}
            for name in sorted(names):
                a, b = weights.read(f"{name}.a"), weights.read(f"{name}.b")
                if a.ndim != 2 or b.ndim != 2 or not len(a) == b.shape[1] == rank:
                    raise ValueError(f"{name}: {a.shape}, {b.shape}")
                found[name] = (a, b)
            str(about["base_sha256"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ModelError(
            f"{path.name} is no adapter of a language model", hint=_HINT, detail=str(error)
        ) from error
    return found, about
