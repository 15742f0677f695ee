"""Reading of ``models/manifest.toml``: which model files exist and what they must look like.

A manifest decides which bytes a parser of models may see, so it is read strictly: an unknown key,
a missing key, a wrong type or a file name that is not a plain name in its own folder refuses the
whole manifest.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from singcoach.errors import ModelError

MANIFEST_NAME = "manifest.toml"
SCHEMA_NAME = "singcoach.models/1"

ROLES = (
    "separation",
    "dereverb",
    "pitch",
    "notes",
    "singing_detector",
    "recording_quality",
    "encoder_general",
    "encoder_singing",
    "heads",
    "language_model",
)
"""Roles that a model file can fill; a role may need several parts."""

_MAX_MANIFEST_BYTES = 1_000_000
_MAX_FILE_BYTES = 1 << 40
_MAX_CONFIG_CHARACTERS = 20_000
_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PART = re.compile(r"(?:[a-z][a-z0-9_]{0,31})?")
PROMPTS = ("", "facts")
"""How a language model wants to be asked; empty: with a sentence to say again."""

_DTYPES = frozenset({"float64", "float32", "float16", "int8", "uint8", "int32", "int64", "bool"})
_RESERVED = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
)
_HINT = "Install SingCoach again, or remove the model pack that was added last"


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorSpec:
    """Name, element type and shape of one tensor; a free dimension is a word."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """One model file as its manifest describes it.

    Attributes
    ----------
    id
        Unique lower-case name, also the name of the card ``<id>.md``.
    role, part
        What the file is for, such as ``"separation"``, ``"vocals"``; ``part`` may be empty.
    version
        Version of the weights (of the package they come from).
    file
        Plain file name inside ``folder``.
    sha256, size
        Lower-case hex digest and length in bytes of the whole file.
    licence
        SPDX identifier of the licence of the weights.
    source
        Where the weights come from, for people.
    package
        ``name==version`` of the registry package that the file is rebuilt from; empty for a file
        that the user supplied.
    sample_rate
        Rate in Hz of the audio that the model expects; None where it takes no audio.
    inputs, outputs
        Tensors; empty for files that are not tensor graphs.
    published
        Address where a user-supplied file is published; empty for shipped files.
    folder
        Folder of the manifest, which holds the file.
    config
        JSON table of what the code that runs the file must know; empty where there is nothing.
    prompt
        Of a language model: one of :data:`PROMPTS`, how it was taught to be asked.
    """

    id: str
    role: str
    part: str
    version: str
    file: str
    sha256: str
    size: int
    licence: str
    source: str
    package: str
    sample_rate: int | None
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    published: str
    folder: Path
    config: str = ""
    prompt: str = ""

    @property
    def path(self) -> Path:
        """Where the file should be."""
        return self.folder / self.file

    @property
    def card(self) -> Path:
        """Where the model card should be."""
        return self.folder / f"{self.id}.md"


def read_manifest(path: Path) -> tuple[ModelEntry, ...]:
    """Read a manifest file.

    Raises
    ------
    ModelError
        When the file cannot be read or is not a valid manifest.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_MANIFEST_BYTES + 1)
    except OSError as error:
        raise ModelError(
            f"The list of models {path} cannot be read", hint=_HINT, detail=str(error)
        ) from error
    if len(content) > _MAX_MANIFEST_BYTES:
        raise ModelError(f"The list of models {path} is too large", hint=_HINT)
    return parse_manifest(content, folder=path.parent)


def parse_manifest(content: bytes, *, folder: Path) -> tuple[ModelEntry, ...]:
    """Parse the bytes of a manifest whose model files lie in ``folder``.

    Raises
    ------
    ModelError
        When anything in it is not as it has to be; the detail names the place.
    """
    try:
        document = tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _fault(folder, str(error)) from error
    try:
        entries = _entries(document, folder)
    except _Fault as error:
        raise _fault(folder, str(error)) from error
    return entries


class _Fault(Exception):  # noqa: N818 - never leaves this module
    """Says what is wrong and where."""


def _fault(folder: Path, detail: str) -> ModelError:
    return ModelError(
        f"The list of models {folder / MANIFEST_NAME} is damaged", hint=_HINT, detail=detail
    )


def _entries(document: Mapping[str, Any], folder: Path) -> tuple[ModelEntry, ...]:
    _only_keys(document, {"schema", "model"}, set(), "the manifest")
    if document["schema"] != SCHEMA_NAME:
        raise _Fault(f"schema is not {SCHEMA_NAME!r}")
    tables = document["model"]
    if not isinstance(tables, list):
        raise _Fault("model is not an array of tables")
    entries = tuple(_entry(table, folder, f"model {i}") for i, table in enumerate(tables))
    seen: set[object] = set()
    for entry in entries:
        for key in (("id", entry.id), ("file", entry.file.lower()), (entry.role, entry.part)):
            if key in seen:
                raise _Fault(f"{entry.id}: {key[0]} {key[1]!r} appears twice")
            seen.add(key)
    return entries


_REQUIRED = frozenset(
    {"id", "role", "version", "file", "sha256", "size", "licence", "source"}
)  # the rest has a default
_OPTIONAL = frozenset(
    {"part", "package", "sample_rate", "inputs", "outputs", "published", "config", "prompt"}
)


def _entry(table: object, folder: Path, where: str) -> ModelEntry:
    if not isinstance(table, dict):
        raise _Fault(f"{where} is not a table")
    _only_keys(table, _REQUIRED, _OPTIONAL, where)
    return ModelEntry(
        id=_text(table, "id", where, is_plain_id),
        role=_text(table, "role", where, ROLES.__contains__),
        part=_text({"part": "", **table}, "part", where, _PART.fullmatch),
        version=_text(table, "version", where, _plain),
        file=_text(table, "file", where, _plain_file_name),
        sha256=_text(table, "sha256", where, _SHA256.fullmatch),
        size=_whole_number(table, "size", where, 1, _MAX_FILE_BYTES),
        licence=_text(table, "licence", where, _plain),
        source=_text(table, "source", where, _plain),
        package=_text({"package": "", **table}, "package", where, _plain_or_empty),
        sample_rate=(
            _whole_number(table, "sample_rate", where, 1_000, 768_000)
            if "sample_rate" in table
            else None
        ),
        inputs=_tensors(table, "inputs", where),
        outputs=_tensors(table, "outputs", where),
        published=_text({"published": "", **table}, "published", where, _plain_or_empty),
        folder=folder,
        config=_text({"config": "", **table}, "config", where, _json_table_or_empty),
        prompt=_text({"prompt": "", **table}, "prompt", where, PROMPTS.__contains__),
    )


def _only_keys(
    table: Mapping[str, Any], required: frozenset[str] | set[str], optional: object, where: str
) -> None:
    missing = sorted(required - table.keys())
    if missing:
        raise _Fault(f"{where} has no {', '.join(missing)}")
    allowed = required | (optional if isinstance(optional, frozenset) else set())
    unknown = sorted(table.keys() - allowed)
    if unknown:
        raise _Fault(f"{where} has unknown keys: {', '.join(unknown)[:200]}")


def _text(table: Mapping[str, Any], key: str, where: str, accepts: Callable[[str], object]) -> str:
    value = table[key]
    if not isinstance(value, str) or not accepts(value):
        raise _Fault(f"{where}: {key} is {repr(value)[:120]}")
    return value


def _plain(value: str) -> bool:
    return 0 < len(value) <= 500 and value.isprintable() and value == value.strip()


def _plain_or_empty(value: str) -> bool:
    return not value or _plain(value)


def _json_table_or_empty(value: str) -> bool:
    if len(value) > _MAX_CONFIG_CHARACTERS:
        return False
    try:
        return not value or isinstance(json.loads(value), dict)
    except (ValueError, RecursionError):
        return False


def is_plain_id(value: str) -> bool:
    """Whether ``value`` can name a model or a pack on every system."""
    return (
        _ID.fullmatch(value) is not None
        and not value.endswith(".")
        and value.split(".")[0] not in _RESERVED
    )


def _plain_file_name(value: str) -> bool:
    """Whether the name stays inside its folder on every system."""
    return (
        _FILE.fullmatch(value) is not None
        and not value.endswith(".")
        and value.split(".")[0].lower() not in _RESERVED
        and value != MANIFEST_NAME
    )


def _whole_number(table: Mapping[str, Any], key: str, where: str, low: int, high: int) -> int:
    value = table[key]
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise _Fault(f"{where}: {key} is {repr(value)[:40]}, not a number in {low}..{high}")
    return value


def _tensors(table: Mapping[str, Any], key: str, where: str) -> tuple[TensorSpec, ...]:
    tables = table.get(key, [])
    if not isinstance(tables, list):
        raise _Fault(f"{where}: {key} is not an array")
    return tuple(_tensor(item, f"{where}: {key} {i}") for i, item in enumerate(tables))


def _tensor(table: object, where: str) -> TensorSpec:
    if not isinstance(table, dict):
        raise _Fault(f"{where} is not a table")
    _only_keys(table, {"name", "dtype", "shape"}, frozenset(), where)
    shape = table["shape"]
    if not isinstance(shape, list) or not all(map(_is_dimension, shape)):
        raise _Fault(f"{where}: shape is {repr(shape)[:120]}")
    return TensorSpec(
        name=_text(table, "name", where, _plain),
        dtype=_text(table, "dtype", where, _DTYPES.__contains__),
        shape=tuple(shape),
    )


def _is_dimension(value: object) -> bool:
    if isinstance(value, str):
        return _plain(value)
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
