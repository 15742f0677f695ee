"""A recording on its way into the library: visible as a whole, or where it came from."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from singcoach.files import cannot_write, make_folder
from singcoach.jobs import Job
from singcoach.library.folders import (
    TAKE_RECORD,
    copy_durably,
    move_durably,
    remove_tree,
    write_record,
)
from singcoach.models.packs.locking import sync_folder

PREFIX: Final = ".incoming-"
UNPACKED: Final = ".unpacked-"
"""Folders ``.unpacked-<number>.<owner>`` hold what an archive brings until it was looked at."""


class Incoming:
    """A folder ``takes/.incoming-<take>.<owner>`` that becomes ``takes/<take>``.

    The record is written before the recording arrives, so that after a sudden end the next start
    knows whose it is and finishes the job (``recovery.py``).
    """

    def __init__(self, takes: Path, take_id: str, owner: str) -> None:
        self._takes = takes
        self._folder = takes / f"{PREFIX}{take_id}.{owner}"
        self._target = takes / take_id
        self._origin: Path | None = None
        self._moved_to: str | None = None
        self._copied = False

    def start(self, record: Mapping[str, Any]) -> None:
        """Make the folder with the record of the take."""
        make_folder(self._folder)
        write_record(self._folder / TAKE_RECORD, record)

    def bring(self, recording: Path, name: str, *, move: bool, job: Job) -> None:
        """Bring the recording in as ``name``."""
        target = self._folder / name
        if not move:
            copy_durably(recording, target, job)
            return
        self._origin = recording
        if move_durably(recording, target, job):
            self._moved_to = name
        else:
            self._copied = True

    def bring_beside(self, files: Mapping[str, Path]) -> None:
        """Move files of the same drive in beside the recording, by the names they get."""
        try:
            for name, path in files.items():
                path.replace(self._folder / name)
        except OSError as error:
            raise cannot_write(self._folder, error) from error

    def finish(self) -> None:
        """Give the folder its name; from here on a restart lists the take."""
        try:
            self._folder.replace(self._target)
            sync_folder(self._takes)
        except OSError as error:
            raise cannot_write(self._target, error) from error

    def give_back(self) -> None:
        """Undo everything: a moved recording returns, and the folder goes.

        Where it cannot return it stays, and the next start of the library lists it.
        """
        for folder in (self._folder, self._target):
            if self._moved_to is not None and self._origin is not None:
                with contextlib.suppress(OSError):
                    if not self._origin.exists():
                        (folder / self._moved_to).rename(self._origin)
            if self._moved_to is None or not (folder / self._moved_to).exists():
                remove_tree(folder)

    def forget_original(self) -> None:
        """Remove the original that was copied between drives although it was to be moved."""
        if self._copied and self._origin is not None:
            with contextlib.suppress(OSError):
                self._origin.unlink()
