"""Telling the forms of checkpoints apart by their content, and opening each."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from singcoach.jobs import NO_JOB, Job
from singcoach.models.weights import ctranslate2_layout, safetensors_file, torch_files
from singcoach.models.weights.faults import damaged, shown, unusable
from singcoach.models.weights.state_dict import peel_prefixes
from singcoach.models.weights.tensors import MAX_TENSORS, TensorPlace
from singcoach.models.weights.weightfile import OpenFile, WeightFile, WeightFormat, unreadable

INDEX_NAME = "model.safetensors.index.json"
_SINGLE_NAMES = ("model.safetensors", "model.bin", "pytorch_model.bin", "model.pt")
_CONFIG_NAME = "config.json"
_MAX_JSON_BYTES = 8 << 20
_MAX_SHARDS = 1_000


def open_weights(
    path: Path, *, shards: Collection[str] | None = None, job: Job = NO_JOB
) -> WeightFile:
    """Open a checkpoint by its content: torch (both forms), safetensors, CTranslate2.

    Parameters
    ----------
    path
        A file, or a folder as hubs lay it out: one file of weights or several with their index,
        and ``config.json``, whose content is found in ``metadata["config"]``.
    shards
        Of a checkpoint in pieces: the names of the files to open; the others need not be there.
    job
        Reports the looking, and may cancel it.

    Raises
    ------
    ModelError
        When there is no such file, its form is not known, it is damaged, or it is more than data.
    """
    if path.is_dir():
        return _open_folder(path, shards, job)
    return _open_file(path, path, job)


def _open_folder(folder: Path, shards: Collection[str] | None, job: Job) -> WeightFile:
    index = folder / INDEX_NAME
    if index.exists():
        return _open_shards(folder, index, shards, job)
    for name in _SINGLE_NAMES:
        if (folder / name).exists():
            return _open_file(folder / name, folder, job)
    raise unusable(
        folder.name or str(folder),
        "the folder holds no weights under a name that is known",
        hint=f"It should hold {', '.join(_SINGLE_NAMES)} or {INDEX_NAME}",
    )


def _open_file(path: Path, given: Path, job: Job) -> WeightFile:
    file = OpenFile(path, job)
    try:
        form, places, metadata = _layout(file)
        if path.name in _SINGLE_NAMES:  # else a config.json beside it may belong to anything
            metadata |= _config(path.parent)
    except OSError as error:
        file.close()
        raise unreadable(file.name, error) from error
    except BaseException:
        file.close()
        raise
    tensors = {name: (file, place) for name, place in peel_prefixes(places).items()}
    return WeightFile(given, format=form, files=[file], tensors=tensors, metadata=metadata)


def _layout(file: OpenFile) -> tuple[WeightFormat, dict[str, TensorPlace], dict[str, object]]:
    file.stream.seek(0)
    start = file.stream.read(16)
    if start.startswith(b"PK\x03\x04"):
        return "torch", *torch_files.read_zip(file)
    if torch_files.looks_like_pickle(start) and start[8:9] != b"{":
        return "torch", *torch_files.read_legacy(file)
    if start[8:9] == b"{":
        return "safetensors", *safetensors_file.read_layout(file)
    if start[:4] == ctranslate2_layout.VERSION.to_bytes(4, "little"):
        layout = ctranslate2_layout.read_layout(file.stream, size=file.size, name=file.name)
        return "ctranslate2", layout.places, {"spec": layout.spec, "revision": layout.revision}
    raise unusable(
        file.name,
        "it is no checkpoint of a form that is known",
        hint="Known are torch (.ckpt, .pt, .pth), safetensors, CTranslate2, ONNX and GGUF",
    )


def _open_shards(folder: Path, index: Path, shards: Collection[str] | None, job: Job) -> WeightFile:
    """Open the files that an index names; each tensor must be where the index says."""
    table = read_json(index).get("weight_map")
    if not isinstance(table, dict) or not table or len(table) > MAX_TENSORS:
        raise damaged(index.name, "it does not say where the tensors are")
    if shards is not None:
        table = {tensor: shard for tensor, shard in table.items() if shard in shards}
    names = sorted({_plain_name(index, name) for name in table.values()})
    if len(names) > _MAX_SHARDS:
        raise damaged(index.name, f"it names {len(names)} files")
    tensors: dict[str, tuple[OpenFile, TensorPlace]] = {}
    files: list[OpenFile] = []
    try:
        for name in names:
            file = OpenFile(folder / name, job)
            files.append(file)
            places, _ = safetensors_file.read_layout(file)
            wanted = {tensor for tensor, shard in table.items() if shard == name}
            if missing := sorted(wanted - places.keys()):
                raise damaged(name, f"the index promises {shown(missing[0])}, which is not there")
            tensors |= {tensor: (file, places[tensor]) for tensor in wanted}
        metadata = _config(folder)
    except BaseException:
        for file in files:
            file.close()
        raise
    ordered = {tensor: tensors[tensor] for tensor in table}
    return WeightFile(
        folder,
        format="safetensors",
        files=files,
        tensors=peel_prefixes(ordered),
        metadata=metadata,
    )


def _plain_name(index: Path, name: object) -> str:
    plain = isinstance(name, str) and Path(name).name == name and name.endswith(".safetensors")
    if not isinstance(name, str) or not plain or "\\" in name or ":" in name:
        raise damaged(index.name, f"it names {shown(name)}, which is no file beside it")
    return name


def _config(folder: Path) -> dict[str, object]:
    path = folder / _CONFIG_NAME
    return {"config": read_json(path)} if path.is_file() else {}


def read_json(path: Path) -> dict[str, Any]:
    """Read a small JSON table strictly; :class:`ModelError` when it is not one."""
    file = OpenFile(path)
    try:
        raw = file.stream.read(min(file.size, _MAX_JSON_BYTES) + 1)
    except OSError as error:
        raise unreadable(file.name, error) from error
    finally:
        file.close()
    if len(raw) > _MAX_JSON_BYTES:
        raise damaged(file.name, "it is too large for a table of names")
    try:
        table = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise damaged(file.name, "it is not valid JSON") from error
    if not isinstance(table, dict):
        raise damaged(file.name, "it is no table")
    return table
