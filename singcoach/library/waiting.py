"""The queue of analyses, on disk: it survives a restart, and two windows never take the same."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from singcoach.errors import InputError
from singcoach.library.shelf import Shelf, clean_line, moment, now, stamp
from singcoach.library.values import QueueItem, QueueState


class QueueShelf(Shelf):
    """Putting into the queue, taking out of it, and what became of it."""

    _owner: str

    def enqueue(
        self, paths: Sequence[Path], options: Mapping[str, Any] | None = None
    ) -> list[QueueItem]:
        """Let recordings wait for import and analysis.

        ``options`` are JSON values for whoever works the queue (singer, song, language ...). A file
        that waits already is not put in twice.
        """
        words = json.dumps(dict(options or {}), ensure_ascii=False, allow_nan=False)
        identities: list[int] = []
        with self._database.change() as connection:
            waiting = {
                (row["path"], row["options"])
                for row in connection.execute(
                    "SELECT path, options FROM queue WHERE state IN ('waiting', 'running')"
                )
            }
            for path in paths:
                name = str(path.absolute())
                if (name, words) not in waiting:
                    identities.append(_insert(connection, name, None, words))
                    waiting.add((name, words))
        return [self.queue_item(identity) for identity in identities]

    def enqueue_take(self, take_id: str, options: Mapping[str, Any] | None = None) -> QueueItem:
        """Let a kept take wait for its analysis; one that waits already is returned as it is."""
        row = self._require("takes", take_id, "take")
        words = json.dumps(dict(options or {}), ensure_ascii=False, allow_nan=False)
        path = str(self.folder / "takes" / take_id / row["recording"])
        with self._database.change() as connection:
            found = connection.execute(
                "SELECT id FROM queue WHERE take_id = ? AND state IN ('waiting', 'running')",
                (take_id,),
            ).fetchone()
            identity = found["id"] if found else _insert(connection, path, take_id, words)
        return self.queue_item(identity)

    def queue(self, *, only_open: bool = False) -> list[QueueItem]:
        """Return the queue in order; ``only_open`` leaves out what is done, failed or cancelled."""
        query = "SELECT * FROM queue"
        if only_open:
            query += " WHERE state IN ('waiting', 'running')"
        return [_item(row) for row in self._database.read(query + " ORDER BY id")]

    def queue_item(self, item_id: int) -> QueueItem:
        """Return one item; raises InputError when there is none."""
        row = self._database.read_one("SELECT * FROM queue WHERE id = ?", (item_id,))
        if row is None:
            raise InputError("This recording is no longer in the queue")
        return _item(row)

    def claim_next(self) -> QueueItem | None:
        """Take the first waiting item for this window and mark it running; None when none waits."""
        with self._database.change() as connection:
            row = connection.execute(
                "SELECT id FROM queue WHERE state = 'waiting' ORDER BY id LIMIT 1"
            ).fetchone()
            if row is None:
                return None
            self._set(connection, row["id"], "running", "")
        return self.queue_item(row["id"])

    def set_queue_state(self, item_id: int, state: QueueState, message: str = "") -> None:
        """Say what became of an item; ``message`` is the sentence for the user."""
        self.queue_item(item_id)
        with self._database.change() as connection:
            self._set(connection, item_id, state, message)

    def set_queue_take(self, item_id: int, take_id: str) -> None:
        """Say which take an item became, so that a restart does not import it again."""
        with self._database.change() as connection:
            connection.execute("UPDATE queue SET take_id = ? WHERE id = ?", (take_id, item_id))

    def clear_queue(self) -> int:
        """Take everything that is neither waiting nor running out of the queue; return how many.

        What failed stays with its take as long as nothing newer happened to it.
        """
        with self._database.change() as connection:
            return connection.execute(
                "DELETE FROM queue WHERE state IN ('done', 'cancelled')"
                " OR (state = 'failed' AND take_id IS NULL)"
            ).rowcount

    def forget_queue_item(self, item_id: int) -> None:
        """Take one item out of the queue; a running one stays until it has ended."""
        with self._database.change() as connection:
            connection.execute("DELETE FROM queue WHERE id = ? AND state <> 'running'", (item_id,))

    def _set(
        self, connection: sqlite3.Connection, item_id: int, state: QueueState, message: str
    ) -> None:
        connection.execute(
            "UPDATE queue SET state = ?, message = ?, owner = ?, changed_s = ? WHERE id = ?",
            (
                state,
                clean_line(message),
                self._owner if state == "running" else "",
                stamp(now()),
                item_id,
            ),
        )


def _insert(connection: sqlite3.Connection, path: str, take_id: str | None, words: str) -> int:
    when = stamp(now())
    cursor = connection.execute(
        "INSERT INTO queue (path, take_id, options, added_s, changed_s) VALUES (?, ?, ?, ?, ?)",
        (path, take_id, words, when, when),
    )
    return int(cursor.lastrowid or 0)


def _item(row: sqlite3.Row) -> QueueItem:
    return QueueItem(
        id=row["id"],
        path=Path(row["path"]),
        take_id=row["take_id"],
        options=json.loads(row["options"]),
        state=row["state"],
        message=row["message"],
        added_at=moment(row["added_s"]),
    )
