"""Where a tensor lies in a file, and how its elements are read."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from singcoach.models.weights.faults import damaged, shown

DTYPES = {
    "float64": "<f8",
    "float32": "<f4",
    "float16": "<f2",
    "bfloat16": "<u2",
    "int64": "<i8",
    "int32": "<i4",
    "int16": "<i2",
    "int8": "|i1",
    "uint8": "|u1",
    "bool": "|b1",
}
"""Element types that are read, with the little-endian form in the file."""

MAX_TENSORS = 100_000
MAX_RANK = 8
MAX_DIMENSION = 1 << 40
MAX_NAME_CHARACTERS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """Bytes in a file: first byte, length, and the checksum where the format has one."""

    start: int
    n_bytes: int
    crc32: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorPlace:
    """A tensor in a storage; ``offset`` and ``strides`` count elements."""

    storage: Storage
    dtype: str
    shape: tuple[int, ...]
    offset: int
    strides: tuple[int, ...]

    @property
    def n_elements(self) -> int:
        """How many elements it has."""
        return math.prod(self.shape)


def contiguous(storage: Storage, dtype: str, shape: tuple[int, ...]) -> TensorPlace:
    """Return the place of a tensor that fills a storage in C order."""
    strides = tuple(math.prod(shape[i + 1 :]) for i in range(len(shape)))
    return TensorPlace(storage=storage, dtype=dtype, shape=shape, offset=0, strides=strides)


def item_bytes(dtype: str) -> int:
    """Return the bytes of one element."""
    return np.dtype(DTYPES[dtype]).itemsize


def check_shape(file_name: str, name: str, shape: object) -> tuple[int, ...]:
    """Return ``shape`` as whole numbers within reason, or raise :class:`ModelError`."""
    if not isinstance(shape, list | tuple) or len(shape) > MAX_RANK:
        raise damaged(file_name, f"the shape of {shown(name)} is no list of at most {MAX_RANK}")
    sizes: list[int] = []
    for size in shape:
        if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= MAX_DIMENSION:
            raise damaged(file_name, f"{shown(name)} has the impossible size {shown(size, 30)}")
        sizes.append(size)
    return tuple(sizes)


def check_place(file_name: str, name: str, place: TensorPlace) -> None:
    """Raise :class:`ModelError` unless every element lies in the storage, none twice.

    A tensor that repeats elements (stride 0) could claim any size from a few bytes.
    """
    n_stored = place.storage.n_bytes // item_bytes(place.dtype)
    if place.n_elements > n_stored:
        raise damaged(
            file_name, f"{shown(name)} claims {place.n_elements} elements where {n_stored} are"
        )
    if place.offset < 0 or any(stride < 0 for stride in place.strides):
        raise damaged(file_name, f"{shown(name)} reaches back before its data")
    if place.n_elements and place.offset + _reach(place) > n_stored:
        raise damaged(file_name, f"{shown(name)} reaches beyond its data")


def read_place(file: BinaryIO, file_name: str, name: str, place: TensorPlace) -> NDArray[Any]:
    """Read one tensor; half and brain floats come as float32, the rest as it is stored."""
    dtype = np.dtype(DTYPES[place.dtype])
    if not place.n_elements:
        return np.zeros(place.shape, np.float32 if _is_narrow(place.dtype) else dtype)
    reach = _reach(place)
    raw = bytearray(reach * dtype.itemsize)
    start = place.storage.start + place.offset * dtype.itemsize
    file.seek(start)
    if file.readinto(raw) != len(raw):  # type: ignore[attr-defined]
        raise damaged(file_name, f"it ends within {shown(name)}")
    whole = len(raw) == place.storage.n_bytes
    if whole and place.storage.crc32 not in (None, zlib.crc32(raw)):
        raise damaged(file_name, f"the checksum of {shown(name)} is wrong")
    if place.dtype == "bool" and max(raw) > 1:
        raise damaged(file_name, f"{shown(name)} holds what is neither true nor false")
    flat = np.frombuffer(raw, dtype=dtype)
    steps = [stride * dtype.itemsize for stride in place.strides]
    view = np.lib.stride_tricks.as_strided(flat, place.shape, steps)
    if place.dtype == "bfloat16":
        return (view.astype(np.uint32, order="C") << 16).view(np.float32)
    if place.dtype == "float16":
        return view.astype(np.float32, order="C")
    return np.ascontiguousarray(view).reshape(place.shape)


def _reach(place: TensorPlace) -> int:
    steps = zip(place.shape, place.strides, strict=True)
    return 1 + sum((size - 1) * stride for size, stride in steps)


def _is_narrow(dtype: str) -> bool:
    return dtype in ("float16", "bfloat16")
