"""The layout of a CTranslate2 ``model.bin``, read without CTranslate2 and without its data."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import BinaryIO

from singcoach.models.weights.faults import damaged, unusable
from singcoach.models.weights.tensors import Storage, TensorPlace, contiguous, item_bytes

VERSION = 6
_DTYPES = {0: "float32", 1: "int8", 2: "int16", 3: "int32", 4: "float16", 5: "bfloat16"}
_MAX_VARIABLES = 10_000
_MAX_RANK = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The name of the architecture, its revision, and where each variable lies."""

    spec: str
    revision: int
    places: dict[str, TensorPlace]


def read_layout(stream: BinaryIO, *, size: int, name: str) -> Layout:
    """Read a binary of format version 6 (little-endian): header, variables, aliases.

    Raises
    ------
    ModelError
        When the file is of another version, ends early, goes on after the end, names a variable
        twice, or gives a size that does not fit shape and element type.
    """
    reader = _Reader(stream, size, name)
    version = reader.number("I")
    if version != VERSION:
        raise unusable(name, f"its CTranslate2 format is version {version}, not {VERSION}")
    spec = reader.text()
    revision = reader.number("I")
    places: dict[str, TensorPlace] = {}
    for _ in range(reader.count()):
        variable, place = reader.variable()
        if variable in places:
            raise damaged(name, f"{variable} comes twice")
        places[variable] = place
    for _ in range(reader.count()):
        alias, variable = reader.text(), reader.text()
        if alias in places or variable not in places:
            raise damaged(name, f"{alias} cannot stand for {variable}")
        places[alias] = places[variable]
    reader.end()
    return Layout(spec=spec, revision=revision, places=places)


class _Reader:
    def __init__(self, stream: BinaryIO, size: int, name: str) -> None:
        self._stream = stream
        self._size = size
        self._name = name
        self._at = 0
        stream.seek(0)

    def _advance(self, n_bytes: int) -> int:
        start, end = self._at, self._at + n_bytes
        if end > self._size:
            raise damaged(self._name, f"it ends at byte {self._size}, before {end}")
        self._at = end
        return start

    def _take(self, n_bytes: int) -> bytes:
        self._advance(n_bytes)
        taken = self._stream.read(n_bytes)
        if len(taken) != n_bytes:
            raise damaged(self._name, "it ends early")
        return taken

    def number(self, code: str) -> int:
        return int(struct.unpack("<" + code, self._take(struct.calcsize("<" + code)))[0])

    def count(self) -> int:
        n = self.number("I")
        if n > _MAX_VARIABLES:
            raise damaged(self._name, f"it claims {n} variables, more than {_MAX_VARIABLES}")
        return n

    def text(self) -> str:
        raw = self._take(self.number("H"))
        if not raw.endswith(b"\0") or b"\0" in raw[:-1] or not raw.isascii():
            raise damaged(self._name, f"a name that is no name at byte {self._at}")
        return raw[:-1].decode("ascii")

    def variable(self) -> tuple[str, TensorPlace]:
        variable = self.text()
        rank = self.number("B")
        if rank > _MAX_RANK:
            raise damaged(self._name, f"{variable} has {rank} dimensions")
        shape = tuple(self.number("I") for _ in range(rank))
        code = self.number("B")
        if code not in _DTYPES:
            raise damaged(self._name, f"{variable} has the unknown element type {code}")
        n_bytes = self.number("I")
        expected = math.prod(shape) * item_bytes(_DTYPES[code])
        if expected != n_bytes:
            raise damaged(self._name, f"{variable} has {n_bytes} bytes, not {expected}")
        start = self._advance(n_bytes)
        self._stream.seek(self._at)
        return variable, contiguous(Storage(start=start, n_bytes=n_bytes), _DTYPES[code], shape)

    def end(self) -> None:
        if self._at != self._size:
            raise damaged(self._name, f"{self._size - self._at} bytes follow after the end")
