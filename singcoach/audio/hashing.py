"""Content hashes of files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from singcoach.audio.sniffing import read_head
from singcoach.files import reading
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
    with reading(path, kind="a recording", hint="Give a sound file.") as file:
        size = max(1, os.fstat(file.fileno()).st_size)
        done = 0
        while block := file.read(_STEP_BYTES):
            digest.update(block)
            done += len(block)
            job.report(done / size, "hashing")
    return digest.hexdigest()
