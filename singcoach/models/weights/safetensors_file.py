"""The layout of a safetensors file: a JSON header, then the tensors without a gap.

Own checks, because a header decides how much memory is taken and which bytes are read; the form is
documented with the safetensors project (format version 0.x, header at most 100 MB there;
here 8 MB: the header of a file of 10,000 tensors has 1 MB).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from singcoach.models.weights.faults import damaged, shown, unusable
from singcoach.models.weights.tensors import (
    MAX_NAME_CHARACTERS,
    MAX_TENSORS,
    Storage,
    TensorPlace,
    check_shape,
    contiguous,
    item_bytes,
)
from singcoach.models.weights.weightfile import OpenFile

_MAX_HEADER_BYTES = 8 << 20
_MAX_BRACKETS = 4 * MAX_TENSORS
_DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
}


def read_layout(file: OpenFile) -> tuple[dict[str, TensorPlace], dict[str, object]]:
    """Return the tensors and the metadata of an open safetensors file.

    Raises
    ------
    ModelError
        When the header is too long, no JSON, or names bytes outside the file, twice or not at all.
    """
    header, data_start = _header(file)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise damaged(file.name, "its metadata is not text")
    if len(header) > MAX_TENSORS:
        raise damaged(file.name, f"it names more than {MAX_TENSORS} tensors")
    places: dict[str, TensorPlace] = {}
    spans: list[tuple[int, int, str]] = []
    for name, description in header.items():
        file.count()
        place = _place(file, name, description, data_start)
        places[name] = place
        begin = place.storage.start - data_start
        spans.append((begin, begin + place.storage.n_bytes, name))
    at = 0
    for begin, end, name in sorted(spans):
        if begin != at:
            what = "overlaps another tensor" if begin < at else "leaves a gap before it"
            raise damaged(file.name, f"{shown(name)} {what}")
        at = end
    if data_start + at != file.size:
        raise damaged(
            file.name, f"its tensors end at byte {data_start + at}, the file at {file.size}"
        )
    return places, dict(metadata)


def _header(file: OpenFile) -> tuple[dict[str, Any], int]:
    file.stream.seek(0)
    length = int.from_bytes(file.stream.read(8), "little")
    if length > min(_MAX_HEADER_BYTES, file.size - 8):
        raise damaged(file.name, f"its header claims {length} bytes")
    raw = file.stream.read(length)
    if raw.count(b"{") + raw.count(b"[") > _MAX_BRACKETS:
        raise damaged(file.name, f"it names more than {MAX_TENSORS} tensors")

    def no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        file.count()
        table = dict(pairs)
        if len(table) != len(pairs):
            raise ValueError("a name comes twice")
        return table

    try:
        header = json.loads(
            raw.decode("utf-8"), object_pairs_hook=no_twins, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:
        raise damaged(file.name, "its header is not valid JSON") from error
    if not isinstance(header, dict):
        raise damaged(file.name, "its header is no table")
    return header, 8 + length


def _no_constant(word: str) -> None:
    raise ValueError(word)


def _place(file: OpenFile, name: str, description: object, data_start: int) -> TensorPlace:
    if not isinstance(description, Mapping) or description.keys() != {
        "dtype",
        "shape",
        "data_offsets",
    }:
        raise damaged(file.name, f"{shown(name)} is not described by type, shape and place")
    if len(name) > MAX_NAME_CHARACTERS:
        raise damaged(file.name, f"the name {shown(name, 30)} is too long")
    dtype = description["dtype"]
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise unusable(file.name, f"the element type {shown(dtype, 20)} is not known")
    shape = check_shape(file.name, name, description["shape"])
    offsets = description["data_offsets"]
    if (
        not isinstance(offsets, list)
        or len(offsets) != 2
        or any(isinstance(o, bool) or not isinstance(o, int) for o in offsets)
        or not 0 <= offsets[0] <= offsets[1] <= file.size - data_start
    ):
        raise damaged(file.name, f"{shown(name)} lies outside the file")
    n_bytes = offsets[1] - offsets[0]
    expected = math.prod(shape) * item_bytes(_DTYPES[dtype])
    if n_bytes != expected:
        raise damaged(file.name, f"{shown(name)} has {n_bytes} bytes where {expected} belong")
    storage = Storage(start=data_start + offsets[0], n_bytes=n_bytes)
    return contiguous(storage, _DTYPES[dtype], shape)
