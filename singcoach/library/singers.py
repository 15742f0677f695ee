"""Singers of the library."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from singcoach.errors import InputError
from singcoach.library.database import fold
from singcoach.library.folders import FORMAT, new_id, to_text, write_record
from singcoach.library.shelf import Shelf, clean_name, moment, now, stamp
from singcoach.library.values import Singer, UndoToken

_SINGERS = """
    SELECT singers.*, (SELECT count(*) FROM takes
                       WHERE takes.singer_id = singers.id AND takes.deleted_s IS NULL) AS n_takes
    FROM singers WHERE deleted_s IS NULL
"""


class SingerShelf(Shelf):
    """Adding, listing, renaming and deleting singers."""

    def add_singer(self, name: str) -> Singer:
        """Add a singer.

        Raises
        ------
        InputError
            No name, or one that another singer has.
        """
        name = self._free_name(name, except_id="")
        singer = Singer(id=new_id(), name=name, made_at=now())
        self._write_singer(singer.id, name, stamp(singer.made_at))
        with self._database.change() as connection:
            connection.execute(
                "INSERT INTO singers (id, name, made_s) VALUES (?, ?, ?)",
                (singer.id, name, stamp(singer.made_at)),
            )
        return singer

    def singers(self) -> list[Singer]:
        """Return all singers by name."""
        rows = self._database.read(_SINGERS)
        return sorted((_singer(row) for row in rows), key=lambda singer: fold(singer.name))

    def singer(self, singer_id: str) -> Singer:
        """Return one singer; raises InputError when there is none."""
        row = self._database.read_one(_SINGERS + " AND singers.id = ?", (singer_id,))
        if row is None:
            raise InputError("This singer is no longer in the library", hint="Choose another")
        return _singer(row)

    def rename_singer(self, singer_id: str, name: str) -> Singer:
        """Give a singer another name; raises InputError as :meth:`add_singer` does."""
        row = self._require("singers", singer_id, "singer")
        name = self._free_name(name, except_id=singer_id)
        with self._database.change() as connection:
            connection.execute("UPDATE singers SET name = ? WHERE id = ?", (name, singer_id))
        self._write_singer(singer_id, name, row["made_s"])
        return self.singer(singer_id)

    def delete_singer(self, singer_id: str) -> UndoToken:
        """Delete a singer who has no takes; :meth:`Library.undo` brings them back.

        Raises
        ------
        InputError
            There are takes of this singer.
        """
        singer = self.singer(singer_id)
        if singer.takes:
            raise InputError(
                f"{singer.name} has takes in the library",
                hint="Delete them or give them to another singer first",
            )
        with self._database.change() as connection:
            connection.execute(
                "UPDATE singers SET deleted_s = ? WHERE id = ?", (stamp(now()), singer_id)
            )
        return UndoToken(kind="singer", id=singer_id, name=singer.name)

    def _free_name(self, name: str, *, except_id: str) -> str:
        name = clean_name(name, "singer")
        for singer in self.singers():
            if singer.id != except_id and fold(singer.name) == fold(name):
                raise InputError(
                    f"There is a singer called {singer.name} already", hint="Choose another name"
                )
        return name

    def _write_singer(self, singer_id: str, name: str, made_s: float) -> None:
        """Keep the name beside the database, so that takes find it again without one."""
        record: Mapping[str, Any] = {
            "format": FORMAT,
            "id": singer_id,
            "name": name,
            "made_at": to_text(moment(made_s)),
        }
        write_record(self.folder / "singers" / f"{singer_id}.json", record)


def _singer(row: sqlite3.Row) -> Singer:
    return Singer(
        id=row["id"], name=row["name"], made_at=moment(row["made_s"]), takes=row["n_takes"]
    )
