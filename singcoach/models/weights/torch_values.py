"""What a checkpoint of torch says of its tensors, before anything of it was checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageName:
    """A storage that the pickle refers to: its key in the file, element type, element count."""

    key: str
    dtype: str
    n_elements: int
    view_offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorName:
    """A tensor as the pickle describes it; nothing of it was checked against the file."""

    storage: StorageName
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that is allowed beside the tensors and that nobody needs, such as a device."""

    name: str


@dataclass(frozen=True, slots=True)
class Described:
    """What one pickle describes, and every storage that it refers to, by key."""

    value: Any
    storages: Mapping[str, StorageName]
