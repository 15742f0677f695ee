"""Reports appear under their name whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from singcoach.audio.writing import publish
from singcoach.errors import OutputError


def write_whole(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``; whatever happens, no half file stays behind.

    Raises
    ------
    OutputError
        No permission, no such folder, a folder in the way, disk full.
    """
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".sc-", suffix=".part")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        publish(temporary, path)
        temporary = None
    except OSError as error:
        raise OutputError(
            f"{path.name} could not be written: {error.strerror or 'unknown reason'}",
            hint="Choose a folder that exists and that you may write to.",
            detail=str(error),
        ) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
