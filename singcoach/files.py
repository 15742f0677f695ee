"""Files: read with one sentence for every fault, written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from singcoach.errors import InputError, OutputError

_LEAST_FREE_BYTES = 1 << 20
_FULL = tuple(getattr(errno, name, None) for name in ("ENOSPC", "EDQUOT", "EFBIG"))


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that takes its name when the block ends well.

    Whatever goes wrong, a stop included, the old file (or none) stays and nothing is left behind.
    A link keeps pointing where it points: its target is replaced. What is no ordinary file (a
    device, a pipe) is never replaced but written to when the block ends well.

    Raises
    ------
    OutputError
        No permission, no such folder, a folder in the way, disk full.
    """
    temporary: Path | None = None
    try:
        temporary = make_temporary(path)
        yield temporary
        publish(temporary, path)
        temporary = None
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes | str) -> None:
    """Write ``content`` (text as UTF-8) to ``path``; see :func:`whole_file`."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    with whole_file(path) as temporary:
        temporary.write_bytes(data)


@contextlib.contextmanager
def reading(path: Path, *, kind: str, hint: str) -> Iterator[BinaryIO]:
    """Open an ordinary file for reading; every fault on the way becomes one sentence.

    Parameters
    ----------
    kind
        What the file should be, with its article: ``"a recording"``.
    hint
        What to give instead of a folder.

    Raises
    ------
    InputError
        Missing, a folder, no permission, not an ordinary file, unreadable.
    """
    name = path.name or str(path)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise InputError(f"{name} is a folder, not {kind}", hint=hint)
        if not stat.S_ISREG(mode):
            raise InputError(f"{name} is not an ordinary file", hint=hint)
        with path.open("rb") as file:
            yield file
    except FileNotFoundError as error:
        raise InputError(
            f"{name} does not exist", hint="Check the name and the folder.", detail=str(error)
        ) from None
    except PermissionError as error:
        raise InputError(
            f"{name} may not be read", hint="Ask for read permission.", detail=str(error)
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(
            f"{name} could not be read from the disk",
            hint="Check the name and the drive.",
            detail=str(error),
        ) from None


def make_folder(folder: Path) -> None:
    """Make ``folder`` with its parents; a fault is an :class:`OutputError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"the folder {folder} cannot be made: {error.strerror or 'unknown reason'}",
            hint="Choose another place",
            detail=str(error),
        ) from error


def cannot_write(path: Path, error: Exception) -> OutputError:
    """Return the sentence for a file that could not be written."""
    number = getattr(error, "errno", None)
    if isinstance(error, PermissionError) or number == errno.EROFS:
        message, hint = f"{path.name} may not be written in {path.parent}", "Choose another folder"
    elif number is not None and number in _FULL:
        message, hint = f"The disk is full; {path.name} was not written", "Free some space"
    elif isinstance(error, IsADirectoryError) or path.is_dir():
        message, hint = f"{path.name} is a folder, not a file", "Choose another name"
    elif isinstance(error, FileNotFoundError | NotADirectoryError):
        message, hint = f"The folder {path.parent} does not exist", "Make it first"
    elif _is_full(path.parent):
        message, hint = f"The disk is full; {path.name} was not written", "Free some space"
    else:
        message, hint = f"{path.name} could not be written", "Choose another folder"
    return OutputError(message, hint=hint, detail=str(error))


def make_temporary(path: Path) -> Path:
    """Make an empty file for what :func:`publish` will put to ``path``; raises OSError."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    target = Path(os.path.realpath(path))
    folder = None if _is_special(target) else target.parent
    handle, name = tempfile.mkstemp(dir=folder, prefix=".singcoach-", suffix=".part")
    os.close(handle)
    return Path(name)


def publish(temporary: Path, path: Path) -> None:
    """Give a finished temporary file its name, with the permissions new files usually have."""
    target = Path(os.path.realpath(path))
    if _is_special(target):
        with temporary.open("rb") as source, target.open("wb") as sink:
            shutil.copyfileobj(source, sink)
        temporary.unlink()
        return
    mask = os.umask(0)
    os.umask(mask)
    temporary.chmod(0o666 & ~mask)
    temporary.replace(target)


def check_output(path: Path, inputs: Iterable[Path | None] = ()) -> None:
    """Raise :class:`OutputError` at once when a result could not be written to ``path`` later.

    Call before the work whose result it is. ``inputs`` are the files that are read: none of them
    may be the output.
    """
    refuse_overwriting(path, inputs)
    try:
        make_temporary(path).unlink()
    except OSError as error:
        raise cannot_write(path, error) from error


def refuse_overwriting(output: Path, inputs: Iterable[Path | None]) -> None:
    """Raise :class:`OutputError` when ``output`` is one of the files that are read.

    A recording is never lost because its name was given twice.
    """
    for source in inputs:
        with contextlib.suppress(OSError):
            if source is not None and output.samefile(source):
                raise OutputError(
                    f"{output.name} is the recording itself and would be overwritten",
                    hint="Give the result another name or folder",
                )


def _is_special(path: Path) -> bool:
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def _is_full(folder: Path) -> bool:
    """Whether next to nothing is left; not every library says why it could not write."""
    try:
        return shutil.disk_usage(folder).free < _LEAST_FREE_BYTES
    except OSError:
        return False
