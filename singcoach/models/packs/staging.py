"""A pack in the making: a hidden folder that takes its name in one step, or leaves no trace.

``.adding-*`` is being made (its ``.lock`` is held as long as its maker lives), ``.removed-*`` is on
its way out, ``.replaced-ID`` is the old pack while a new one takes its name. What a killed program
left of these is put right by the next change.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from singcoach.errors import ModelError, OutputError
from singcoach.files import cannot_write
from singcoach.jobs import NO_JOB, Job
from singcoach.models.installed import REPLACED_PREFIX, packs_dir
from singcoach.models.packs.locking import FileLock, exclusive, sync_folder

_ADDING_PREFIX = ".adding-"
_REMOVED_PREFIX = ".removed-"
_LOCK_SUFFIX = ".lock"
_CHANGES_LOCK = ".changes.lock"
_RESERVE_BYTES = 64 << 20


class Staging:
    """A folder in a hidden one beside the packs; as a context manager it vanishes unless published.

    Parameters
    ----------
    pack_id
        Name of the folder in the making, so that faults name the pack.
    needed_bytes
        What will be written at most: refused at once where the disk has less.
    job
        Cancels the wait for another change that is under way.
    """

    def __init__(self, pack_id: str, *, needed_bytes: int, job: Job = NO_JOB) -> None:
        self._root = packs_dir()
        self._id = pack_id
        self._needed_bytes = needed_bytes
        self._job = job
        self._lock: FileLock | None = None
        self._hidden: Path | None = None

    @property
    def folder(self) -> Path:
        """Where to write."""
        if self._hidden is None:
            raise ValueError("the folder is only there inside the with block")
        return self._hidden / self._id

    def __enter__(self) -> Self:
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            with exclusive(self._root / _CHANGES_LOCK, self._job):
                _tidy(self._root)
                self._check_space()
                hidden = Path(tempfile.mkdtemp(prefix=_ADDING_PREFIX, dir=self._root))
                self._hidden = hidden
                self._lock = FileLock(hidden.with_name(hidden.name + _LOCK_SUFFIX))
                self._lock.take()
                self.folder.mkdir()
        except OSError as error:
            self._discard()
            raise cannot_write(self._root / f"the pack {self._id}", error) from error
        except BaseException:
            self._discard()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._discard()

    def publish(self, *, replace: bool) -> Path:
        """Give the finished folder its name; the files in it become durable first.

        Raises
        ------
        ModelError
            When there is a pack of this name and ``replace`` is false.
        OSError
            When the system refuses.
        """
        for path in self.folder.iterdir():
            _sync_file(path)
        sync_folder(self.folder)
        target = self._root / self._id
        with exclusive(self._root / _CHANGES_LOCK, self._job):
            _tidy(self._root)
            if target.exists():
                if not replace:
                    raise already_there(self._id)
                old = self._root / f"{REPLACED_PREFIX}{self._id}"
                target.rename(old)
                try:
                    self.folder.rename(target)
                except BaseException:
                    old.rename(target)
                    raise
                sync_folder(self._root)
                _remove_tree(old)
            else:
                self.folder.rename(target)
            sync_folder(self._root)
        return target

    def _check_space(self) -> None:
        free_bytes = shutil.disk_usage(self._root).free
        if free_bytes < self._needed_bytes + _RESERVE_BYTES:
            raise OutputError(
                f"The disk is too full: the pack needs {_megabytes(self._needed_bytes)}, "
                f"{_megabytes(free_bytes)} are free in {self._root}",
                hint="Free some space and try again",
            )

    def _discard(self) -> None:
        hidden, self._hidden = self._hidden, None
        if hidden is not None:
            _remove_tree(hidden)
        if self._lock is not None:
            with contextlib.suppress(OSError):
                self._lock.release(remove=True)
            self._lock = None


def remove(pack_id: str, job: Job = NO_JOB) -> None:
    """Take a pack away: out of its name in one step, then from the disk.

    ``pack_id`` has to be the name of a folder as the list shows it, be it damaged; a path is none.

    Raises
    ------
    ModelError
        When there is no such pack.
    OutputError
        When the system refuses.
    """
    root = packs_dir()
    if not root.is_dir():
        raise _unknown(pack_id, root)
    try:
        with exclusive(root / _CHANGES_LOCK, job):
            _tidy(root)
            if pack_id not in _listed(root):
                raise _unknown(pack_id, root)
            target = root / pack_id
            aside = Path(tempfile.mkdtemp(prefix=_REMOVED_PREFIX, dir=root))
            target.rename(aside / pack_id)
            sync_folder(root)
            _remove_tree(aside)
    except OSError as error:
        raise OutputError(
            f"The pack {pack_id} could not be removed: {error.strerror or 'unknown reason'}",
            hint="Close other programs that use it and try again",
            detail=str(error),
        ) from error


def already_there(pack_id: str) -> ModelError:
    """Return the error for a name that is taken."""
    return ModelError(
        f"There is a pack {pack_id} already",
        hint="Replace it with --replace, or give the new one another name with --name",
    )


def _tidy(root: Path) -> None:
    """Put right what killed programs left; the caller holds the lock on changes."""
    for path in sorted(root.iterdir()):
        name = path.name
        if name.startswith(_ADDING_PREFIX) and not name.endswith(_LOCK_SUFFIX):
            lock = FileLock(path.with_name(name + _LOCK_SUFFIX))
            if lock.take():
                _remove_tree(path)
                lock.release(remove=True)
        elif name.startswith(_ADDING_PREFIX):
            lock = FileLock(path)
            is_alone = not path.with_name(name.removesuffix(_LOCK_SUFFIX)).exists()
            if is_alone and lock.take():
                lock.release(remove=True)
        elif name.startswith(_REMOVED_PREFIX):
            _remove_tree(path)
        elif name.startswith(REPLACED_PREFIX):
            owner = root / name.removeprefix(REPLACED_PREFIX)
            if owner.exists():
                _remove_tree(path)
            else:
                path.rename(owner)


def _unknown(pack_id: str, root: Path) -> ModelError:
    shown = ", ".join(_listed(root)) if root.is_dir() else ""
    return ModelError(
        f"There is no pack {pack_id!r}",
        hint=f"Installed are {shown}" if shown else "No packs are installed",
    )


def _listed(root: Path) -> list[str]:
    """Return the names of the folders that are packs, whole or damaged."""
    return sorted(p.name for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))


def _remove_tree(folder: Path) -> None:
    """Remove a folder as far as the system lets us; what is left is hidden and tried again."""

    def unlock(function: Any, path: str, _error: Any) -> None:
        with contextlib.suppress(OSError):
            Path(path).chmod(stat.S_IRUSR | stat.S_IWUSR)
            function(path)

    shutil.rmtree(folder, onerror=unlock)


def _sync_file(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
    path.chmod(0o444)


def _megabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.0f} MB"
