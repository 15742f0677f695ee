"""Walking through a protobuf message without building it: numbers, and where its parts lie.

For looking into foreign ONNX files before any library parses them. Nothing is copied but short
texts, so a length in the file takes no memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from singcoach.models.weights.faults import damaged
from singcoach.models.weights.weightfile import OpenFile

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_FIELDS = 500_000
"""A network of 3,000 operators has 40,000 parts."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes ``start`` up to ``end`` of the file."""

    start: int
    end: int

    @property
    def n_bytes(self) -> int:
        """Length."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its number, and a whole number or where its bytes lie."""

    number: int
    value: int | Span


class Walker:
    """Reads the fields of messages in an open file.

    Raises
    ------
    ModelError
        From every method, when a field goes beyond its message or is none.
    """

    def __init__(self, file: OpenFile) -> None:
        self._file = file
        self._stream = file.stream
        self._name = file.name
        self._n_fields = 0

    def fields(self, span: Span) -> Iterator[Field]:
        """Yield the fields of the message in ``span``."""
        at = span.start
        while at < span.end:
            self._n_fields += 1
            self._file.count()
            if self._n_fields > _MAX_FIELDS:
                raise damaged(self._name, "it has more parts than any network")
            key, at = self._varint(at, span.end)
            number, kind = key >> 3, key & 7
            if number == 0:
                raise damaged(self._name, "a part without a number")
            if kind == _VARINT:
                value, at = self._varint(at, span.end)
                yield Field(number, value)
                continue
            if kind == _BYTES:
                length, at = self._varint(at, span.end)
            elif kind in (_FIXED32, _FIXED64):
                length = 4 if kind == _FIXED32 else 8
            else:
                raise damaged(self._name, "a part of an unknown kind")
            if at + length > span.end:
                raise damaged(self._name, "it ends early, or a length in it is wrong")
            yield Field(number, Span(at, at + length))
            at += length

    def varints(self, span: Span) -> list[int]:
        """Return whole numbers that stand packed in ``span``."""
        values = []
        at = span.start
        while at < span.end:
            value, at = self._varint(at, span.end)
            values.append(value)
        return values

    def text(self, span: Span, most: int = 4096) -> str:
        """Return a short text."""
        if span.n_bytes > most:
            raise damaged(self._name, f"a name of {span.n_bytes} bytes")
        self._stream.seek(span.start)
        return self._stream.read(span.n_bytes).decode("utf-8", "replace")

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        self._stream.seek(at)
        raw = self._stream.read(min(10, end - at))
        value = 0
        for i, byte in enumerate(raw):
            value |= (byte & 0x7F) << (7 * i)
            if byte < 0x80:
                return value & ((1 << 64) - 1), at + i + 1
        raise damaged(self._name, "a number that does not end")
