"""The files that the user gives: which they are, and their hashes before anything is parsed."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from singcoach.errors import ModelError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.installed import SourceFile
from singcoach.models.manifest import MANIFEST_NAME
from singcoach.models.weights.faults import unusable
from singcoach.models.weights.opening import INDEX_NAME, read_json
from singcoach.models.weights.weightfile import OpenFile, unreadable

_BLOCK_BYTES = 1 << 22
_WEIGHT_SUFFIXES = frozenset({".ckpt", ".pt", ".pth", ".th", ".bin", ".safetensors", ".onnx"})
_GGUF_SUFFIX = ".gguf"
_MAX_LISTED = 10_000
_TOWER_NAMES = ("audio_tower.", "encoder.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What is to be added.

    Attributes
    ----------
    path
        The file, or the folder that holds the files.
    files
        The files of weights.
    is_pack
        Whether it is a pack folder of ours.
    """

    path: Path
    files: tuple[Path, ...]
    is_pack: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HashedFile:
    """A file with its hash and the marks by which a later change is noticed."""

    path: Path
    source: SourceFile
    marks: tuple[int, ...]


def gather(paths: Sequence[Path]) -> Given:
    """Return the files of weights that ``paths`` stand for; reads no more than lists of names.

    Raises
    ------
    ModelError
        When there is nothing to add or it is not clear what.
    """
    if not paths:
        raise ValueError("paths is empty; one file or folder would work")
    for path in paths:
        if not os.path.lexists(path):
            raise ModelError(f"{path} does not exist", hint="Check the name and the folder")
    if len(paths) == 1 and paths[0].is_dir():
        return _gather_folder(paths[0])
    if len(paths) > 1 and not all(path.suffix.lower() == _GGUF_SUFFIX for path in paths):
        raise ModelError(
            "These files do not belong together",
            hint="Add them one by one; only a GGUF language model and its projector go together",
        )
    return Given(path=paths[0], files=tuple(paths))


def _gather_folder(folder: Path) -> Given:
    name = folder.name or str(folder)
    if (folder / MANIFEST_NAME).exists():
        return Given(path=folder, files=(folder / MANIFEST_NAME,), is_pack=True)
    if (folder / INDEX_NAME).exists():
        return Given(path=folder, files=_shards(folder))
    try:
        listed = sorted(folder.iterdir())[:_MAX_LISTED]
    except OSError as error:
        raise unreadable(name, error) from error
    plain = [path for path in listed if not path.name.startswith(".")]
    gguf = [path for path in plain if path.suffix.lower() == _GGUF_SUFFIX]
    if gguf:
        return Given(path=folder, files=tuple(gguf))
    weights = [path for path in plain if path.suffix.lower() in _WEIGHT_SUFFIXES]
    # Hubs put the same weights side by side in several forms; safetensors cannot carry code.
    for chosen in ("model.safetensors", "model.bin"):
        if folder / chosen in weights:
            return Given(path=folder / chosen, files=(folder / chosen,))
    if len(weights) == 1:
        return Given(path=weights[0], files=(weights[0],))
    found = "several files of weights" if weights else "no files of weights"
    raise unusable(name, f"the folder holds {found}", hint="Give the file itself")


def _shards(folder: Path) -> tuple[Path, ...]:
    """Return the files of a checkpoint in pieces: those with an encoder where there is one."""
    table = read_json(folder / INDEX_NAME).get("weight_map")
    if not isinstance(table, dict) or not all(isinstance(v, str) for v in table.values()):
        raise unusable(INDEX_NAME, "it does not say where the tensors are")
    towers = {shard for name, shard in table.items() if any(t in name for t in _TOWER_NAMES)}
    names = sorted(towers or set(table.values()))
    if not names or any(Path(name).name != name or "\\" in name for name in names):
        raise unusable(INDEX_NAME, "it names what is no file beside it")
    return tuple(folder / name for name in names)


def hash_files(paths: Sequence[Path], job: Job = NO_JOB) -> tuple[HashedFile, ...]:
    """Read the files once and return their SHA-256, in bounded memory.

    Raises
    ------
    ModelError
        When one is missing, unreadable or not an ordinary file.
    """
    files = [OpenFile(path) for path in paths]
    try:
        total = max(1, sum(file.size for file in files))
        hashed = []
        done = 0
        for file in files:
            digest = hashlib.sha256()
            n_bytes = 0
            try:
                while block := file.stream.read(_BLOCK_BYTES):
                    digest.update(block)
                    n_bytes += len(block)
                    job.report((done + n_bytes) / total, f"reading {file.name}")
                marks = _marks(os.fstat(file.stream.fileno()))
            except OSError as error:
                raise unreadable(file.name, error) from error
            done += n_bytes
            source = SourceFile(file=file.name, sha256=digest.hexdigest(), size=n_bytes)
            hashed.append(HashedFile(path=file.path, source=source, marks=marks))
        return tuple(hashed)
    finally:
        for file in files:
            file.close()


def check_unchanged(files: Sequence[HashedFile]) -> None:
    """Raise :class:`ModelError` when a file is no longer the one that was hashed."""
    for file in files:
        try:
            same = _marks(file.path.stat()) == file.marks
        except OSError:
            same = False
        if not same:
            raise changed(file.source.file)


def hash_again(files: Sequence[HashedFile], job: Job = NO_JOB) -> None:
    """Raise :class:`ModelError` when a file has not the content any more that was hashed."""
    for before, now in zip(files, hash_files([file.path for file in files], job), strict=True):
        if not hmac.compare_digest(before.source.sha256, now.source.sha256):
            raise changed(before.source.file)


def changed(name: str) -> ModelError:
    """Return the error for a file that is not the one any more that was hashed."""
    return ModelError(
        f"{name} changed while it was being added",
        hint="Wait until its copy or download has ended, then add it again",
    )


def _marks(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
