"""Weights in blocks of 32 with a scale, as GGUF stores them, to float32 and back.

The layouts are those of ggml (version 3 of GGUF): ``q4_0`` a float16 scale and 32 nibbles around 8;
``q4_1`` a float16 scale, a float16 least value and 32 nibbles; ``q8_0`` a float16 scale and 32
signed bytes. Of the nibbles the low halves are the first 16 weights, the high halves the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from singcoach.core.arrays import FloatArray

BlockType = Literal["f32", "f16", "q4_0", "q4_1", "q8_0"]
BLOCK: Final = 32
_HALF: Final = BLOCK // 2
_NIBBLE: Final = 15


@dataclass(frozen=True, slots=True)
class Layout:
    """How one element type is stored: its number in the file, elements and bytes of a block."""

    number: int
    elements: int
    n_bytes: int


LAYOUTS: Final[dict[BlockType, Layout]] = {
    "f32": Layout(0, 1, 4),
    "f16": Layout(1, 1, 2),
    "q4_0": Layout(2, BLOCK, 18),
    "q4_1": Layout(3, BLOCK, 20),
    "q8_0": Layout(8, BLOCK, 34),
}
BY_NUMBER: Final = {layout.number: name for name, layout in LAYOUTS.items()}


def stored_bytes(shape: tuple[int, ...], kind: BlockType) -> int:
    """Bytes that a tensor takes.

    Raises
    ------
    ValueError
        When its rows do not fill whole blocks.
    """
    layout = LAYOUTS[kind]
    if shape and shape[-1] % layout.elements:
        raise ValueError(f"rows of {shape[-1]} do not fill blocks of {layout.elements}")
    return int(np.prod(shape, dtype=np.int64)) // layout.elements * layout.n_bytes


def unpack(content: bytes, kind: BlockType) -> FloatArray:
    """Return the weights of whole blocks as float32, ``(n,)``.

    Raises
    ------
    ValueError
        When the bytes are no whole number of blocks.
    """
    layout = LAYOUTS[kind]
    if len(content) % layout.n_bytes:
        raise ValueError(f"{len(content)} bytes are no whole blocks of {layout.n_bytes}")
    if kind == "f32":
        return np.frombuffer(content, dtype="<f4").astype(np.float32)
    if kind == "f16":
        return np.frombuffer(content, dtype="<f2").astype(np.float32)
    rows = np.frombuffer(content, dtype=np.uint8).reshape(-1, layout.n_bytes)
    scale = _halves(rows[:, :2])
    if kind == "q8_0":
        return (rows[:, 2:].view(np.int8).astype(np.float32) * scale).reshape(-1)
    if kind == "q4_0":
        return ((_nibbles(rows[:, 2:]) - np.float32(8.0)) * scale).reshape(-1)
    return (_nibbles(rows[:, 4:]) * scale + _halves(rows[:, 2:4])).reshape(-1)


def pack(weights: NDArray[Any], kind: BlockType) -> bytes:
    """Round weights to blocks; the last dimension has to fill whole ones.

    ``q8_0`` errs by at most half a step of the largest weight of the block over 127, ``q4_1`` by
    half a step of the block's span over 15, both with the float16 rounding of the scale on top.

    Raises
    ------
    ValueError
        When a row does not fill its blocks, a weight is not finite or too large for the type.
    """
    with np.errstate(over="ignore"):  # what overflows is refused below
        weights = np.asarray(weights, dtype=np.float32)
    stored_bytes(weights.shape, kind)
    if not np.isfinite(weights).all():
        raise ValueError("a weight is not finite")
    if kind == "f32":
        return weights.astype("<f4").tobytes()
    if kind == "f16":
        return _to_halves(weights).tobytes()
    rows = weights.reshape(-1, BLOCK)
    if kind == "q8_0":
        scale = np.abs(rows).max(axis=1, keepdims=True) / np.float32(127.0)
        steps = np.rint(rows * _inverse(scale)).clip(-127, 127).astype(np.int8)
        return np.hstack([_to_halves(scale).view(np.uint8), steps.view(np.uint8)]).tobytes()
    if kind == "q4_0":
        peak = np.take_along_axis(rows, np.abs(rows).argmax(axis=1)[:, None], axis=1)
        scale = (peak / -8.0).astype(np.float32)
        steps = (np.floor(rows * _inverse(scale) + 8.5)).clip(0, _NIBBLE).astype(np.uint8)
        return np.hstack([_to_halves(scale).view(np.uint8), _joined(steps)]).tobytes()
    least = rows.min(axis=1, keepdims=True)
    scale = ((rows.max(axis=1, keepdims=True) - least) / _NIBBLE).astype(np.float32)
    steps = np.floor((rows - least) * _inverse(scale) + 0.5).clip(0, _NIBBLE).astype(np.uint8)
    head = np.hstack([_to_halves(scale), _to_halves(least)]).view(np.uint8)
    return np.hstack([head, _joined(steps)]).tobytes()


def _halves(content: NDArray[np.uint8]) -> FloatArray:
    return np.ascontiguousarray(content).view("<f2").astype(np.float32)


def _to_halves(values: FloatArray) -> NDArray[Any]:
    if values.size and np.abs(values).max() > np.finfo(np.float16).max:
        raise ValueError("a weight is too large for float16")
    return np.ascontiguousarray(values.astype("<f2"))


def _nibbles(content: NDArray[np.uint8]) -> FloatArray:
    return np.hstack([content & _NIBBLE, content >> 4]).astype(np.float32)


def _joined(steps: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return (steps[:, :_HALF] | (steps[:, _HALF:] << 4)).astype(np.uint8)


def _inverse(scale: FloatArray) -> FloatArray:
    safe = np.where(scale == 0.0, np.float32(1.0), scale)
    return np.where(scale == 0.0, np.float32(0.0), np.float32(1.0) / safe)
