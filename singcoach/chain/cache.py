"""Results kept by the hash of everything they were computed from."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from singcoach.core.arrays import read_only

DEFAULT_LIMIT_BYTES = 2_000_000_000
"""Size at which the least recently used results are dropped."""

Arrays = Mapping[str, Any]
"""Arrays of numbers by name."""


def make_key(stage: str, version: int, *parts: object) -> str:
    """Return the key of a result: a SHA-256 over the stage, its version and all its inputs.

    Parameters
    ----------
    stage, version
        Name of the stage and a number that is raised when its code gives other numbers.
    parts
        JSON-able values: content hashes, model hashes, settings, keys of earlier stages.
    """
    text = json.dumps([stage, version, *parts], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class Cache:
    """Arrays on disk under a key; a damaged entry counts as absent, a full disk is no error.

    Parameters
    ----------
    root
        Folder of the entries, made at the first store; None keeps nothing.
    limit_bytes
        Entries that were not used for longest go first beyond this size.
    """

    def __init__(self, root: Path | None, *, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self._root = root
        self._limit_bytes = limit_bytes

    def load(self, key: str) -> dict[str, NDArray[Any]] | None:
        """Return the read-only arrays under ``key``, or None. Never runs code from the file."""
        if self._root is None:
            return None
        path = self._path(key)
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays = {name: read_only(stored[name]) for name in stored.files}
        except OSError:
            return None
        except (ValueError, KeyError, EOFError, zipfile.BadZipFile):
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        with contextlib.suppress(OSError):  # somebody else's, or read-only: still good to read
            os.utime(path)
        return arrays

    def store(self, key: str, arrays: Arrays) -> None:
        """Keep ``arrays`` under ``key``; written beside and renamed, so never half an entry."""
        if self._root is None:
            return
        path = self._path(key)
        needed = sum(array.nbytes for array in arrays.values())
        if needed > self._limit_bytes // 2:
            return
        temporary: Path | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
            temporary = Path(name)
            with os.fdopen(handle, "wb") as file:
                np.savez(file, **arrays)
            temporary.replace(path)
            temporary = None
        except OSError:
            return
        finally:
            if temporary is not None:
                with contextlib.suppress(OSError):
                    temporary.unlink()
        self._drop_oldest()

    def clear(self) -> None:
        """Remove every entry."""
        for path in self._entries():
            with contextlib.suppress(OSError):
                path.unlink()

    def size_bytes(self) -> int:
        """Return the bytes that all entries take on disk."""
        return sum(size for _, size, _ in self._ages())

    def _path(self, key: str) -> Path:
        if self._root is None:
            raise ValueError("this cache has no folder")
        return self._root / key[:2] / f"{key}.npz"

    def _entries(self) -> list[Path]:
        if self._root is None or not self._root.is_dir():
            return []
        return sorted(self._root.glob("??/*.npz")) + sorted(self._root.glob("??/*.part"))

    def _ages(self) -> list[tuple[float, int, Path]]:
        ages = []
        for path in self._entries():
            with contextlib.suppress(OSError):
                status = path.stat()
                ages.append((status.st_mtime, status.st_size, path))
        return sorted(ages)

    def _drop_oldest(self) -> None:
        ages = self._ages()
        total = sum(size for _, size, _ in ages)
        for _, size, path in ages:
            if total <= self._limit_bytes:
                return
            with contextlib.suppress(OSError):
                path.unlink()
                total -= size
