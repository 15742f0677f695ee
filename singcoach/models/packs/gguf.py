"""Strict reading of the head of a GGUF file: what it is, and whether everything lies inside it.

GGUF versions 2 and 3, little-endian: magic, version, counts, key-value pairs, descriptions of the
tensors, then the data. Only the head is read; nothing here runs the network.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from singcoach.models.manifest import PROMPTS
from singcoach.models.weights.faults import damaged, shown, unusable
from singcoach.models.weights.weightfile import OpenFile

MAGIC = b"GGUF"

_VERSIONS = (2, 3)
_MAX_TENSORS = 100_000
_MAX_PAIRS = 100_000
_MAX_TEXTS = 1_000_000
"""In all lists together: a vocabulary of 262,000 words and the 515,000 pairs it is joined from."""

_MAX_NUMBERS = 20_000_000
_PROMPT_KEY = "singcoach.prompt"
_KEPT_KEYS = ("general.", "clip.", _PROMPT_KEY)
_WIDTH_KEY = ".embedding_length"
_MAX_TEXT_BYTES = 8 << 20
_MAX_NAME_BYTES = 256
_MAX_DIMENSIONS = 4
_MAX_DIMENSION = 1 << 40
_MAX_ALIGNMENT = 1 << 16
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 10: "Q", 11: "q", 12: "d"}
_BOOL, _TEXT, _ARRAY = 7, 8, 9
_BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34),
    9: (32, 36), 10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210),
    15: (256, 292), 16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18),
    21: (256, 110), 22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8),
    28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17),
}  # fmt: skip
"""Elements and bytes of one block of each element type."""

Part = Literal["model", "projector"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufHead:
    """What a GGUF file says of itself.

    ``prompt`` is how a model of ours wants to be asked, ``width`` the numbers in a row of a
    language model (None where it does not tell), ``settings`` those of a projector.
    """

    architecture: str
    part: Part
    name: str
    n_tensors: int
    prompt: str = ""
    width: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def read_head(file: OpenFile) -> GgufHead:
    """Read and check the head of an open GGUF file.

    Raises
    ------
    ModelError
        When a count, a length or a place is absurd or outside the file, or when it is neither a
        language model nor a projector.
    """
    return _Head(file).read()


class _Head:
    def __init__(self, file: OpenFile) -> None:
        self._file = file
        self._at = 0
        self._n_texts = 0
        self._n_numbers = 0

    def read(self) -> GgufHead:
        self._file.stream.seek(0)
        if self._take(4) != MAGIC:
            raise damaged(self._file.name, "it does not begin as a GGUF file")
        version = self._number("I")
        if version not in _VERSIONS:
            raise unusable(self._file.name, f"its GGUF version is {version}, not 2 or 3")
        n_tensors = self._count(_MAX_TENSORS, "tensors")
        pairs = self._pairs(self._count(_MAX_PAIRS, "settings"))
        self._tensors(n_tensors, pairs.get("general.alignment", 32))
        architecture = pairs.get("general.architecture")
        kind = pairs.get("general.type", "model")
        if not isinstance(architecture, str) or not architecture:
            raise unusable(self._file.name, "it does not say which network it is")
        if kind not in ("model", "mmproj"):
            raise unusable(
                self._file.name, f"it is no language model but of the kind {shown(kind, 30)}"
            )
        is_projector = kind == "mmproj" or architecture == "clip"
        width = pairs.get(architecture + _WIDTH_KEY)
        prompt = pairs.get(_PROMPT_KEY, "")
        if prompt not in PROMPTS:
            raise unusable(self._file.name, f"it is to be asked with {shown(prompt, 30)}")
        return GgufHead(
            architecture=architecture,
            part="projector" if is_projector else "model",
            name=shown(pairs.get("general.name", ""), 60),
            n_tensors=n_tensors,
            prompt=prompt,
            width=width if isinstance(width, int) and not is_projector else None,
            settings={k: v for k, v in pairs.items() if is_projector and k.startswith("clip.")},
        )

    def _pairs(self, n: int) -> dict[str, Any]:
        pairs: dict[str, Any] = {}
        for _ in range(n):
            key = self._text(_MAX_NAME_BYTES)
            if key in pairs:
                raise damaged(self._file.name, f"the setting {shown(key, 40)} comes twice")
            self._file.count()
            value = self._value(self._number("I"))
            kept = key.startswith(_KEPT_KEYS) or key.endswith(_WIDTH_KEY)
            pairs[key] = value if kept else None
        return pairs

    def _value(self, kind: int) -> Any:
        if kind in _NUMBERS:
            return self._number(_NUMBERS[kind])
        if kind == _BOOL:
            flag = self._number("B")
            if flag > 1:
                raise damaged(self._file.name, "a switch that is neither on nor off")
            return bool(flag)
        if kind == _TEXT:
            return self._text(_MAX_TEXT_BYTES)
        if kind == _ARRAY:
            self._skip_array()
            return None
        raise damaged(self._file.name, f"a setting of the unknown type {kind}")

    def _skip_array(self) -> None:
        kind = self._number("I")
        n = self._number("Q")
        self._n_texts += n if kind == _TEXT else 0
        self._n_numbers += n if kind != _TEXT else 0
        if self._n_texts > _MAX_TEXTS or self._n_numbers > _MAX_NUMBERS:
            raise damaged(self._file.name, f"a list claims {n} items")
        if kind == _TEXT:
            for _ in range(n):
                self._file.count()
                self._text(_MAX_TEXT_BYTES)
        elif kind in _NUMBERS or kind == _BOOL:
            width = struct.calcsize(_NUMBERS.get(kind, "B"))
            self._advance(n * width)
            self._file.stream.seek(self._at)
        else:
            raise damaged(self._file.name, f"a list of the type {kind}")

    def _tensors(self, n: int, alignment: object) -> None:
        if (
            isinstance(alignment, bool)
            or not isinstance(alignment, int)
            or not 0 < alignment <= _MAX_ALIGNMENT
            or alignment & (alignment - 1)
        ):
            raise damaged(self._file.name, f"its alignment is {shown(alignment, 20)}")
        names: set[str] = set()
        spans: list[tuple[int, int, str]] = []
        for _ in range(n):
            self._file.count()
            name = self._text(_MAX_NAME_BYTES)
            if name in names:
                raise damaged(self._file.name, f"the tensor {shown(name, 40)} comes twice")
            names.add(name)
            n_bytes = self._tensor_bytes(name)
            offset = self._number("Q")
            if offset % alignment:
                raise damaged(self._file.name, f"the tensor {shown(name, 40)} is not aligned")
            spans.append((offset, offset + n_bytes, name))
        start = -(-self._at // alignment) * alignment
        end = 0
        for first, after, name in sorted(spans):
            if first < end:
                raise damaged(self._file.name, f"the tensor {shown(name, 40)} overlaps another")
            end = after
        if start + end > self._file.size:
            raise damaged(self._file.name, f"it ends at byte {self._file.size}, its data later")

    def _tensor_bytes(self, name: str) -> int:
        n_dimensions = self._number("I")
        if n_dimensions > _MAX_DIMENSIONS:
            raise damaged(self._file.name, f"{shown(name, 40)} has {n_dimensions} dimensions")
        shape = [self._number("Q") for _ in range(n_dimensions)]
        if any(size > _MAX_DIMENSION for size in shape):
            raise damaged(self._file.name, f"{shown(name, 40)} has an absurd size")
        kind = self._number("I")
        if kind not in _BLOCKS:
            raise unusable(
                self._file.name, f"{shown(name, 40)} has the element type {kind}, not known here"
            )
        n_elements = math.prod(shape)
        per_block, block_bytes = _BLOCKS[kind]
        if shape and shape[0] % per_block:
            raise damaged(self._file.name, f"{shown(name, 40)} does not fill its blocks")
        n_bytes: int = n_elements // per_block * block_bytes
        return n_bytes

    def _count(self, most: int, what: str) -> int:
        n: int = self._number("Q")
        if n > most:
            raise damaged(self._file.name, f"it claims {n} {what}")
        return n

    def _number(self, code: str) -> Any:
        size = struct.calcsize("<" + code)
        return struct.unpack("<" + code, self._take(size))[0]

    def _text(self, most: int) -> str:
        n: int = self._number("Q")
        if n > most:
            raise damaged(self._file.name, f"a text claims {n} bytes")
        return self._take(n).decode("utf-8", "replace")

    def _advance(self, n_bytes: int) -> None:
        if self._at + n_bytes > self._file.size:
            raise damaged(self._file.name, f"it ends at byte {self._file.size}, within its head")
        self._at += n_bytes

    def _take(self, n_bytes: int) -> bytes:
        self._advance(n_bytes)
        taken = self._file.stream.read(n_bytes)
        if len(taken) != n_bytes:
            raise damaged(self._file.name, "it ends within its head")
        return taken
