"""A GGUF file as data: every setting with its stored bytes, and the tensors one at a time.

The head is first checked as a whole by :func:`singcoach.models.packs.gguf.read_head`: counts,
lengths, places, alignment, overlaps. Nothing in a file is run.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self

import numpy as np

from singcoach.core.arrays import FloatArray
from singcoach.jobs import NO_JOB, Job
from singcoach.models.gguf.blocks import BY_NUMBER, BlockType, stored_bytes, unpack
from singcoach.models.packs.gguf import read_head
from singcoach.models.weights.faults import damaged, shown, unusable
from singcoach.models.weights.weightfile import OpenFile, unreadable

_NUMBERS: Final = {
    0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d",
}  # fmt: skip
_TEXT, _ARRAY = 8, 9
_MOST_TENSOR_BYTES: Final = 1 << 30
_MOST_DIMENSIONS: Final = 4
_ALIGNMENT: Final = "general.alignment"


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorAt:
    """Where a tensor lies. ``shape`` is in C order, the reverse of the file's; ``kind`` may be
    a type that cannot be taken apart here: then it is None; ``number`` is ggml's type.
    """

    shape: tuple[int, ...]
    kind: BlockType | None
    number: int
    start: int
    n_bytes: int


class GgufFile:
    """An open GGUF file; made by :func:`open_gguf`, used as a context manager.

    Attributes
    ----------
    settings
        Values by key: numbers, truth values, texts, and lists of them as tuples.
    stored
        The bytes of each setting after its key (type and value), to be written again unchanged.
    tensors
        Where each tensor lies, in the order of the file.
    """

    def __init__(self, file: OpenFile) -> None:
        self._file = file
        read_head(file)
        file.stream.seek(0)
        self._at = 0
        self._take(8)
        n_tensors, n_settings = self._number("Q"), self._number("Q")
        settings: dict[str, Any] = {}
        stored: dict[str, bytes] = {}
        for _ in range(n_settings):
            file.count()
            key = self._text()
            start = self._at
            settings[key] = self._value(self._number("I"))
            end = self._at
            file.stream.seek(start)
            stored[key] = file.stream.read(end - start)
        places = [self._place() for _ in range(n_tensors)]
        alignment = int(settings.get(_ALIGNMENT, 32))
        self._data_start = -(-self._at // alignment) * alignment
        self.settings: Mapping[str, Any] = MappingProxyType(settings)
        self.stored: Mapping[str, bytes] = MappingProxyType(stored)
        self.tensors: Mapping[str, TensorAt] = MappingProxyType(self._tensors(places))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; reading is over."""
        self._file.close()

    def content(self, name: str) -> bytes:
        """Return the stored bytes of a tensor.

        Raises
        ------
        KeyError
            When there is no tensor of this name.
        ModelError
            When the file ends early or cannot be read.
        """
        place = self.tensors[name]
        try:
            self._file.stream.seek(place.start)
            content = self._file.stream.read(place.n_bytes)
        except OSError as error:
            raise unreadable(self._file.name, error) from error
        if len(content) != place.n_bytes:
            raise damaged(self._file.name, f"it ends within {shown(name, 40)}")
        return content

    def read(self, name: str) -> FloatArray:
        """Return a tensor as float32.

        Raises
        ------
        KeyError
            When there is no tensor of this name.
        ModelError
            When its type cannot be taken apart here, or a weight is not finite.
        """
        place = self.tensors[name]
        if place.kind is None:
            raise unusable(
                self._file.name, f"{shown(name, 40)} is stored in a form that is not read here"
            )
        weights = unpack(self.content(name), place.kind).reshape(place.shape)
        if not np.isfinite(weights).all():
            raise damaged(self._file.name, f"{shown(name, 40)} holds what is no number")
        return weights

    def _tensors(self, places: list[tuple[str, tuple[int, ...], int, int]]) -> dict[str, TensorAt]:
        ends = sorted({offset for *_, offset in places} | {self._file.size - self._data_start})
        after = dict(itertools.pairwise(ends))
        found = {}
        for name, shape, number, offset in places:
            kind = BY_NUMBER.get(number)
            n_bytes = stored_bytes(shape, kind) if kind else after.get(offset, offset) - offset
            if n_bytes > _MOST_TENSOR_BYTES:
                raise unusable(self._file.name, f"{shown(name, 40)} is larger than 1 GB")
            found[name] = TensorAt(
                shape=shape,
                kind=kind,
                number=number,
                start=self._data_start + offset,
                n_bytes=n_bytes,
            )
        return found

    def _place(self) -> tuple[str, tuple[int, ...], int, int]:
        self._file.count()
        name = self._text()
        n_dimensions = self._number("I")
        if n_dimensions > _MOST_DIMENSIONS:
            raise damaged(self._file.name, f"{shown(name, 40)} has {n_dimensions} dimensions")
        shape = tuple(self._number("Q") for _ in range(n_dimensions))[::-1]
        return name, shape, self._number("I"), self._number("Q")

    def _value(self, kind: int) -> Any:
        if kind == _TEXT:
            return self._text()
        if kind != _ARRAY:
            return self._number(self._code(kind))
        kind, n = self._number("I"), self._number("Q")
        if kind == _TEXT:
            found = []
            for _ in range(n):
                self._file.count()
                found.append(self._text())
            return tuple(found)
        code = self._code(kind)
        return struct.unpack(f"<{n}{code}", self._take(n * struct.calcsize(code)))

    def _code(self, kind: int) -> str:
        if kind not in _NUMBERS:
            raise damaged(self._file.name, f"a setting of the unknown type {kind}")
        return _NUMBERS[kind]

    def _number(self, code: str) -> Any:
        return struct.unpack("<" + code, self._take(struct.calcsize("<" + code)))[0]

    def _text(self) -> str:
        return self._take(self._number("Q")).decode("utf-8", "replace")

    def _take(self, n_bytes: int) -> bytes:
        if n_bytes > self._file.size - self._at:
            raise damaged(self._file.name, "it ends within its head")
        taken = self._file.stream.read(n_bytes)
        if len(taken) != n_bytes:
            raise damaged(self._file.name, "it ends within its head")
        self._at += n_bytes
        return taken


def open_gguf(path: Path, job: Job = NO_JOB) -> GgufFile:
    """Open a GGUF file.

    Raises
    ------
    ModelError
        When it cannot be read, is damaged, or is not a GGUF file.
    """
    file = OpenFile(path, job)
    try:
        return GgufFile(file)
    except OSError as error:
        file.close()
        raise unreadable(file.name, error) from error
    except BaseException:
        file.close()
        raise
