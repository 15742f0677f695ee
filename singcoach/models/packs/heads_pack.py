"""Packs of score heads: a heads file in TOML, and an ONNX network for each head that is one.

What the heads file means is known further up (``singcoach.scoring``), which reads it strictly every
time it is used; here it is plain text of bounded size that has to be TOML.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

from singcoach.models.manifest import ModelEntry
from singcoach.models.packs.onnx_file import OnnxHead
from singcoach.models.weights.faults import damaged, unusable
from singcoach.models.weights.weightfile import OpenFile, unreadable

_MAX_BYTES = 1_000_000
_MAX_CARD_BYTES = 100_000
_INPUTS = {"measures": 2, "general": 3, "singing": 3}
_MAX_MEMBERS = 50
_HINT = "Train the heads again with `singcoach train heads`"


def check_files(name: str, entries: Sequence[ModelEntry]) -> None:
    """Raise :class:`ModelError` unless the entries are one heads file and its networks."""
    files = [entry for entry in entries if not entry.part]
    networks = [entry for entry in entries if entry.part]
    if (
        len(files) != 1
        or not files[0].file.endswith(".toml")
        or any(entry.file != f"{entry.part}.onnx" for entry in networks)
    ):
        raise unusable(name, "its files for heads do not belong together", hint=_HINT)


def check_heads_file(path: Path) -> None:
    """Raise :class:`ModelError` unless a file is TOML of a size that heads can have."""
    content = _read(path, _MAX_BYTES)
    if content is None:
        raise unusable(path.name, "it is too large for a heads file", hint=_HINT)
    try:
        tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise damaged(path.name, "it is no TOML") from error


def check_head(head: OnnxHead) -> bool:
    """Whether the tensors are those of a head: measures or rows, to one number per member."""
    given = {spec.name: spec for spec in head.inputs}
    return (
        bool(given)
        and len(given) == len(head.inputs)
        and all(name in _INPUTS for name in given)
        and all(
            spec.dtype == "float32"
            and len(spec.shape) == _INPUTS[name]
            and spec.shape[0] == 1
            and isinstance(spec.shape[-1], int)
            for name, spec in given.items()
        )
        and len(head.outputs) == 1
        and head.outputs[0].dtype == "float32"
        and len(head.outputs[0].shape) == 2
        and head.outputs[0].shape[0] == 1
        and head.outputs[0].shape[1] in range(1, _MAX_MEMBERS + 1)
    )


def read_card(path: Path) -> str:
    """Return the text of a foreign card as far as it can be shown; empty where there is none."""
    if path.is_symlink() or not path.is_file():
        return ""
    text = (_read(path, _MAX_CARD_BYTES) or b"").decode("utf-8", "replace")
    lines = ("".join(c for c in line if c.isprintable()) for line in text.splitlines())
    return "\n".join(lines)


def _read(path: Path, most: int) -> bytes | None:
    """Return the bytes of an ordinary file, None where there are more than ``most``."""
    file = OpenFile(path)
    try:
        content = file.stream.read(most + 1)
    except OSError as error:
        raise unreadable(file.name, error) from error
    finally:
        file.close()
    return content if len(content) <= most else None
