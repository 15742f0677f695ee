"""Locks between processes that the system lets go when their holder dies, however it dies."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from singcoach.errors import OutputError
from singcoach.jobs import Job

_WAIT_S = 0.05
_HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)
"""What the systems answer when another process holds the lock (EDEADLK: Windows alone)."""


class FileLock:
    """A lock on a small file of its own; not to be shared between threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO | None = None

    def take(self) -> bool:
        """Take it if nobody holds it; return whether it is held now.

        Raises
        ------
        OutputError
            When the drive knows no locks.
        OSError
            When the file cannot be opened.
        """
        file = self.path.open("ab")
        try:
            _lock(file)
        except OSError as error:
            file.close()
            if error.errno in _HELD:
                return False
            raise OutputError(
                f"The drive of {self.path.parent} does not let programs lock files",
                hint="Set SINGCOACH_HOME to a folder on another drive",
                detail=str(error),
            ) from error
        except BaseException:
            file.close()
            raise
        self._file = file
        return True

    def release(self, *, remove: bool = False) -> None:
        """Let it go; ``remove`` takes the file away as well."""
        if self._file is None:
            return
        if remove and sys.platform != "win32":
            self.path.unlink(missing_ok=True)
        self._file.close()
        self._file = None
        if remove:
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)


@contextlib.contextmanager
def exclusive(path: Path, job: Job) -> Iterator[None]:
    """Hold the lock at ``path``; waits for whoever holds it, unless ``job`` is cancelled."""
    lock = FileLock(path)
    while not lock.take():
        job.report(0.0, "waiting for another change of the models")
        time.sleep(_WAIT_S)
    try:
        yield
    finally:
        lock.release()


if sys.platform == "win32":
    import msvcrt

    def _lock(file: BinaryIO) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: BinaryIO) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
