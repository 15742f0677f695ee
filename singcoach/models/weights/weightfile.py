"""An open checkpoint: the tensors by name, read one at a time."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, BinaryIO, Literal, Self

from numpy.typing import NDArray

from singcoach.errors import ModelError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.weights.faults import unusable
from singcoach.models.weights.tensors import TensorPlace, read_place

_ITEMS_PER_REPORT = 10_000

WeightFormat = Literal["torch", "safetensors", "ctranslate2"]


class WeightFile:
    """Tensors of one checkpoint (of one or more files); made by ``open_weights``.

    Use as a context manager. Only the layout is held in memory; :meth:`read` reads one tensor from
    the disk.

    Parameters
    ----------
    path
        What the user gave: a file or a folder.
    format
        How it is stored.
    files
        The open files; they are closed with this one.
    tensors
        Where each tensor lies: one of the files, and the place in it.
    metadata
        Plain values that stand beside the tensors.
    """

    def __init__(
        self,
        path: Path,
        *,
        format: WeightFormat,  # noqa: A002 - the word for it
        files: Sequence[OpenFile],
        tensors: Mapping[str, tuple[OpenFile, TensorPlace]],
        metadata: Mapping[str, object],
    ) -> None:
        self._files = tuple(files)
        self.path = path
        self.format = format
        self._tensors = dict(tensors)
        self.shapes: Mapping[str, tuple[int, ...]] = MappingProxyType(
            {name: place.shape for name, (_, place) in tensors.items()}
        )
        self.dtypes: Mapping[str, str] = MappingProxyType(
            {name: place.dtype for name, (_, place) in tensors.items()}
        )
        self.metadata: Mapping[str, object] = MappingProxyType(dict(metadata))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; reading is over."""
        for file in self._files:
            file.close()

    def read(self, name: str) -> NDArray[Any]:
        """Return one tensor in C order; float16 and bfloat16 come as float32.

        Raises
        ------
        KeyError
            When there is no tensor of this name.
        ModelError
            When the file ends early, cannot be read or has a wrong checksum.
        """
        file, place = self._tensors[name]
        try:
            return read_place(file.stream, file.name, name, place)
        except OSError as error:
            raise unreadable(file.name, error) from error


class OpenFile:
    """A plain file that is open for reading; every fault on the way is one sentence.

    Parameters
    ----------
    path
        Where it is.
    job
        Hears of :meth:`count`, and may cancel there.
    """

    def __init__(self, path: Path, job: Job = NO_JOB) -> None:
        self.path = path
        self.name = path.name or str(path)
        self._job = job
        self._n_counted = 0
        try:
            # A pipe must not make the program wait; a device must not be read.
            handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _BINARY)
        except (OSError, ValueError) as error:
            raise unreadable(self.name, error) from error
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not an ordinary file"
                raise unusable(self.name, f"it is {kind}")
            self.size = status.st_size
            self.stream: BinaryIO = os.fdopen(handle, "rb")
        except BaseException:
            os.close(handle)
            raise

    def count(self) -> None:
        """Count one more item looked at; every 10,000 of them (some 30 ms) the job hears of it."""
        self._n_counted += 1
        if self._n_counted % _ITEMS_PER_REPORT == 0:
            self._job.report(0.0, f"looking into {self.name}")

    def close(self) -> None:
        """Close it; twice does no harm."""
        self.stream.close()


_BINARY = getattr(os, "O_BINARY", 0)


def unreadable(name: str, error: Exception) -> ModelError:
    """Return the error for a file that the system does not give."""
    if isinstance(error, FileNotFoundError):
        return ModelError(f"{name} does not exist", hint="Check the name and the folder")
    if isinstance(error, PermissionError):
        return ModelError(f"{name} may not be read", hint="Ask for read permission")
    return ModelError(
        f"{name} could not be read from the disk",
        hint="Check the name and the drive",
        detail=str(error),
    )
