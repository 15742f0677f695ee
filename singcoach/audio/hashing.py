"""Content hashes of files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from singcoach.audio.sniffing import read_head
from singcoach.errors import InputError
from singcoach.jobs import NO_JOB, Job

_STEP_BYTES = 1 << 22


def sha256_file(path: Path, job: Job = NO_JOB) -> str:
    """Return the SHA-256 of a file as 64 lower-case hexadecimal digits.

    Raises
    ------
    InputError
        Missing, a folder, no permission, empty, unreadable.
    """
    read_head(path)
    digest = hashlib.sha256()
    try:
        size = max(1, path.stat().st_size)
        done = 0
        with path.open("rb") as file:
            while block := file.read(_STEP_BYTES):
                digest.update(block)
                done += len(block)
                job.report(done / size, "hashing")
    except OSError as error:
        raise InputError(
            f"{path.name} could not be read from the disk",
            hint="Check the drive and try again.",
            detail=str(error),
        ) from None
    return digest.hexdigest()
