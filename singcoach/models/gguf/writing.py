"""Writing a GGUF file, version 3: settings as bytes, then one tensor after another."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from singcoach.jobs import NO_JOB, Job

_MAGIC: Final = b"GGUF"
_VERSION: Final = 3
_ALIGNMENT_KEY: Final = "general.alignment"
_ALIGNMENT: Final = 32
_U32, _TEXT = 4, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """What stands in a file for one tensor. ``shape`` in C order; ``number`` is ggml's type."""

    shape: tuple[int, ...]
    number: int
    n_bytes: int


def text_setting(value: str) -> bytes:
    """Return the stored form of a text."""
    return struct.pack("<I", _TEXT) + _string(value)


def number_setting(value: int) -> bytes:
    """Return the stored form of a number without sign."""
    return struct.pack("<II", _U32, value)


def write_gguf(
    path: Path,
    settings: Mapping[str, bytes],
    tensors: Mapping[str, Tensor],
    read: Callable[[str], bytes],
    *,
    job: Job = NO_JOB,
) -> None:
    """Write a file.

    Parameters
    ----------
    path
        The file; one that is there is replaced.
    settings
        Stored forms by key, as :attr:`GgufFile.stored` has them; the order is kept.
    tensors
        Every tensor, in the order in which they are asked for.
    read
        Returns the bytes of a tensor by its name; called once for each.
    job
        Reports after every tensor.

    Raises
    ------
    ValueError
        When a tensor has another size than was said, or the settings ask for an alignment other
        than 32.
    OSError
        When the file cannot be written.
    """
    if settings.get(_ALIGNMENT_KEY, number_setting(_ALIGNMENT)) != number_setting(_ALIGNMENT):
        raise ValueError(f"an alignment other than {_ALIGNMENT}")
    head = _MAGIC + struct.pack("<IQQ", _VERSION, len(tensors), len(settings))
    head += b"".join(_string(key) + value for key, value in settings.items())
    descriptions, end = [], 0
    for name, tensor in tensors.items():
        descriptions.append(_string(name) + struct.pack("<I", len(tensor.shape)))
        descriptions += [struct.pack("<Q", size) for size in reversed(tensor.shape)]
        descriptions.append(struct.pack("<IQ", tensor.number, end))
        end += tensor.n_bytes + _gap(tensor.n_bytes)
    head += b"".join(descriptions)
    n_done = 0
    with path.open("wb") as file:
        file.write(head + bytes(_gap(len(head))))
        for name, tensor in tensors.items():
            job.report(n_done / max(end, 1), "writing the language model")
            content = read(name)
            if len(content) != tensor.n_bytes:
                raise ValueError(f"{name} has {len(content)} bytes, not {tensor.n_bytes}")
            file.write(content + bytes(_gap(len(content))))
            n_done += len(content)
    job.report(1.0, "writing the language model")


def _gap(n_bytes: int) -> int:
    return -n_bytes % _ALIGNMENT


def _string(text: str) -> bytes:
    content = text.encode("utf-8", "surrogateescape")
    return struct.pack("<Q", len(content)) + content
