"""An ONNX file without its weights, which stay where they are in the file.

A parser of a model of hundreds of megabytes holds the bytes, the parsed message and the weights at
once: three times the file. Here the large weights are left in the file and named by their place, as
ONNX's own form for external weights does, so that the runtime maps them from there.

Facts: the field numbers of ``onnx.proto`` and the wire format of protocol buffers.
"""

from __future__ import annotations

from collections.abc import Iterator

LEAST_BYTES = 4096
"""Smaller weights stay inside: shapes and axes have to be known when the graph is read."""

_MODEL_GRAPH = 7
_GRAPH_INITIALIZER = 5
_TENSOR_RAW_DATA = 9
_TENSOR_EXTERNAL_DATA = 13
_TENSOR_DATA_LOCATION = 14
_EXTERNAL = 1
_MAX_VARINT_BYTES = 10


class NotAModelError(ValueError):
    """The bytes are no ONNX model, or one whose weights lie elsewhere already."""


def skeleton(content: memoryview | bytes, file_name: str) -> bytes:
    """Return the model with its large weights named as places in ``file_name``.

    Parameters
    ----------
    content
        The whole file, best mapped: only what is not a large weight is looked at.
    file_name
        Plain name of the file that holds ``content``.

    Raises
    ------
    NotAModelError
        When the bytes do not follow the format, or weights lie in other files.
    """
    data = memoryview(content)
    model: list[bytes] = []
    for field, start, body, end in _fields(data, 0, len(data)):
        if field == _MODEL_GRAPH:
            model.append(_message(field, _graph(data, body, end, file_name)))
        else:
            model.append(bytes(data[start:end]))
    return b"".join(model)


def _graph(data: memoryview, start: int, end: int, file_name: str) -> bytes:
    parts: list[bytes] = []
    for field, first, body, last in _fields(data, start, end):
        if field == _GRAPH_INITIALIZER:
            parts.append(_message(field, _tensor(data, body, last, file_name)))
        else:
            parts.append(bytes(data[first:last]))
    return b"".join(parts)


def _tensor(data: memoryview, start: int, end: int, file_name: str) -> bytes:
    parts: list[bytes] = []
    for field, first, body, last in _fields(data, start, end):
        if field in (_TENSOR_EXTERNAL_DATA, _TENSOR_DATA_LOCATION):
            raise NotAModelError("weights lie outside of the file")
        if field == _TENSOR_RAW_DATA and last - body >= LEAST_BYTES:
            place = {"location": file_name, "offset": str(body), "length": str(last - body)}
            for key, value in place.items():
                pair = _message(1, key.encode()) + _message(2, value.encode())
                parts.append(_message(_TENSOR_EXTERNAL_DATA, pair))
            parts.append(_varint(_TENSOR_DATA_LOCATION << 3) + _varint(_EXTERNAL))
        else:
            parts.append(bytes(data[first:last]))
    return b"".join(parts)


def _fields(data: memoryview, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield number, start, start of the content and end of each field of a message."""
    place = start
    while place < end:
        key, body = _read_varint(data, place, end)
        wire = key & 7
        if wire == 2:
            length, body = _read_varint(data, body, end)
            after = body + length
        elif wire == 0:
            _, after = _read_varint(data, body, end)
        elif wire in (1, 5):
            after = body + (8 if wire == 1 else 4)
        else:
            raise NotAModelError(f"wire type {wire} at byte {place}")
        if after > end:
            raise NotAModelError(f"the field at byte {place} is longer than what holds it")
        yield key >> 3, place, body, after
        place = after


def _read_varint(data: memoryview, place: int, end: int) -> tuple[int, int]:
    number = 0
    for i, byte in enumerate(data[place : min(end, place + _MAX_VARINT_BYTES)]):
        number |= (byte & 127) << (7 * i)
        if byte < 128:
            return number, place + i + 1
    raise NotAModelError(f"no number at byte {place}")


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _message(field: int, body: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(body)) + body
