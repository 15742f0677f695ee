"""The library: one folder with every take, and a database that lists them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final

from singcoach import resources
from singcoach.errors import InputError, OutputError
from singcoach.files import cannot_write, make_folder
from singcoach.library.database import Database
from singcoach.library.folders import new_id
from singcoach.library.notes import NoteShelf
from singcoach.library.progress import ProgressShelf
from singcoach.library.recovery import Repaired, is_alive, open_repaired, purge_take
from singcoach.library.schema import MIGRATIONS
from singcoach.library.singers import SingerShelf
from singcoach.library.songs import SongShelf
from singcoach.library.values import OpeningReport, UndoToken
from singcoach.library.waiting import QueueShelf
from singcoach.models.packs.locking import FileLock

_WAIT_S: Final = 30.0


class Library(NoteShelf, SingerShelf, SongShelf, QueueShelf, ProgressShelf):
    """Singers, songs, takes, notes, results and the queue of one user.

    Made by :meth:`open`. Any thread may call any method. Several windows may have the same library
    open; each holds a lock of its own as long as it lives, so that the next one to open knows whose
    unfinished work nobody finishes any more.

    Attributes
    ----------
    folder
        ``library.db``, ``takes/<id>``, ``songs/<id>``, ``singers/<id>.json``, ``backups``.
    report
        What had to be put right when it was opened.
    """

    report: OpeningReport

    def __init__(self, database: Database, folder: Path, owner: str, lock: FileLock) -> None:
        super().__init__(database, folder)
        self._owner = owner
        self._lock = lock

    @classmethod
    def open(cls, folder: Path | None = None, *, migrations: Sequence[str] = MIGRATIONS) -> Library:
        """Open the library in ``folder``, or the user's own; make it when there is none.

        Raises
        ------
        InputError
            A newer version of SingCoach made it.
        OutputError
            The folder cannot be written to.
        """
        folder = resources.user_data_dir() / "library" if folder is None else folder
        for name in ("takes", "songs", "singers", "windows"):
            make_folder(folder / name)
        owner = new_id()
        with _opening(folder):
            others = list((folder / "windows").glob("*.lock"))
            alive = any(is_alive(folder, path.stem) for path in others)
            repaired = open_repaired(folder, others=alive, migrations=migrations)
            lock = FileLock(folder / "windows" / f"{owner}.lock")
            try:
                lock.take()
            except OSError as error:
                repaired.database.close()
                raise cannot_write(lock.path, error) from error
        library = cls(repaired.database, folder, owner, lock)
        library.report = _report(repaired)
        return library

    def close(self) -> None:
        """Close it; what this window was analysing waits for the next one."""
        self._database.close()
        self._lock.release(remove=True)

    def __enter__(self) -> Library:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def undo(self, token: UndoToken) -> None:
        """Bring back what was deleted.

        Raises
        ------
        InputError
            It was purged in the meantime.
        """
        table = {"take": "takes", "song": "songs", "singer": "singers"}[token.kind]
        with self._database.change() as connection:
            found = connection.execute(
                f"UPDATE {table} SET deleted_s = NULL WHERE id = ?",  # noqa: S608 - one of three names
                (token.id,),
            ).rowcount
            if token.kind == "take":
                connection.execute(
                    "UPDATE singers SET deleted_s = NULL WHERE id ="
                    " (SELECT singer_id FROM takes WHERE id = ?)",
                    (token.id,),
                )
        if not found:
            raise InputError(f"{token.name} was removed for good and cannot be brought back")
        if token.kind == "take":
            self.write_take_record(token.id)

    def purge(self, token: UndoToken | None = None) -> int:
        """Remove deleted takes for good, one or all; return how many.

        Raises
        ------
        OutputError
            A file is in use.
        """
        query = "SELECT id FROM takes WHERE deleted_s IS NOT NULL"
        identities = [row["id"] for row in self._database.read(query)]
        if token is not None:
            identities = [identity for identity in identities if identity == token.id]
        for identity in identities:
            purge_take(self._database, self.folder, identity)
        return len(identities)

    def revision(self) -> tuple[int, int]:
        """Return two numbers that differ once any window changed something; cheap to ask."""
        return self._database.revision()

    @property
    def owner(self) -> str:
        """Name of this window, in what it has not finished yet."""
        return self._owner

    @property
    def queries(self) -> int:
        """How many questions the database was asked so far."""
        return self._database.queries


@contextlib.contextmanager
def _opening(folder: Path) -> Iterator[None]:
    """Hold the lock under which a library is opened and put right."""
    lock = FileLock(folder / "library.lock")
    until = time.monotonic() + _WAIT_S
    try:
        while not lock.take():
            if time.monotonic() > until:
                raise OutputError(
                    "Another window of SingCoach is busy with the library",
                    hint="Wait a moment and start again",
                )
            time.sleep(0.02)
    except OSError as error:
        raise cannot_write(lock.path, error) from error
    try:
        yield
    finally:
        lock.release()


def _report(repaired: Repaired) -> OpeningReport:
    return OpeningReport(
        set_aside=repaired.set_aside,
        backup=repaired.backup,
        rediscovered=repaired.rediscovered,
        requeued=repaired.requeued,
        lost=repaired.lost,
    )
