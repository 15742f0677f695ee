"""A process of its own that adds a pack and is hindered on the way.

``pack_child.py SOURCE NAME KIND N``: KIND ``progress`` dies by SIGKILL at the Nth report of
progress, ``rename`` before the Nth renaming, ``renamed`` after it, ``removal`` at the Nth removal
of a folder, ``filesize`` may write no file of more than N bytes, ``none`` nothing. Prints the
number of reports; exits with the error's code.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

from singcoach.errors import SingCoachError
from singcoach.jobs import Job
from singcoach.models.packs.adding import add


class Moments:
    """Counts, and kills the process at one of them."""

    def __init__(self, fatal: int | None) -> None:
        self.n = 0
        self.fatal = fatal

    def pass_one(self) -> None:
        if self.n == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        self.n += 1


def main(source: str, name: str, kind: str, n: int) -> int:
    reports = Moments(n if kind == "progress" else None)
    renames = Moments(n if kind == "rename" else None)
    renamed = Moments(n if kind == "renamed" else None)
    removals = Moments(n if kind == "removal" else None)
    rename, rmtree = Path.rename, shutil.rmtree

    def counting_rename(self: Path, target: Path) -> Path:
        renames.pass_one()
        result = rename(self, target)
        renamed.pass_one()
        return result

    def counting_rmtree(*args: object, **keys: object) -> None:
        removals.pass_one()
        rmtree(*args, **keys)  # type: ignore[arg-type]

    Path.rename = counting_rename  # type: ignore[method-assign, assignment]
    shutil.rmtree = counting_rmtree  # type: ignore[assignment]
    if kind == "filesize":
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (n, n))
    try:
        add(
            [Path(source)],
            trust=True,
            name=name,
            replace=True,
            role="dereverb",
            job=Job(lambda _fraction, _stage: reports.pass_one()),
        )
    except SingCoachError as error:
        sys.stderr.write(error.message)
        return error.exit_code
    sys.stdout.write(str(reports.n))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
