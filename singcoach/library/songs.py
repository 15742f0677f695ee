"""Songs of the library, each with its own copies of sound and words."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from singcoach.files import make_folder
from singcoach.jobs import NO_JOB, Job
from singcoach.library.database import fold
from singcoach.library.folders import (
    FORMAT,
    SONG_RECORD,
    copy_durably,
    new_id,
    remove_tree,
    to_text,
    write_record,
)
from singcoach.library.searching import words_of
from singcoach.library.shelf import Shelf, checked_id, clean_line, clean_name, moment, now, stamp
from singcoach.library.values import LibrarySong, UndoToken

_SONGS = """
    SELECT songs.*, (SELECT count(*) FROM takes
                     WHERE takes.song_id = songs.id AND takes.deleted_s IS NULL) AS n_takes
    FROM songs WHERE deleted_s IS NULL
"""


class SongShelf(Shelf):
    """Adding, listing, changing and deleting songs."""

    def add_song(
        self,
        title: str,
        artist: str = "",
        *,
        audio: Path | None = None,
        lyrics: Path | None = None,
        job: Job = NO_JOB,
    ) -> LibrarySong:
        """Add a song; ``audio`` and ``lyrics`` are copied and may go away afterwards.

        Raises
        ------
        InputError
            No title, or a file cannot be read.
        OutputError
            No room or no right to write; nothing is left behind.
        """
        title, artist = clean_name(title, "song"), clean_line(artist)
        identity, made = new_id(), now()
        folder = self.folder / "songs" / identity
        make_folder(folder)
        try:
            names: dict[str, str | None] = {}
            for role, source in (("audio", audio), ("lyrics", lyrics)):
                names[role] = None if source is None else f"{role}{_suffix(source)}"
                if source is not None:
                    copy_durably(source, folder / f"{role}{_suffix(source)}", job)
            self._write_song(identity, title, artist, names, stamp(made))
            with self._database.change() as connection:
                connection.execute(
                    "INSERT INTO songs (id, title, artist, audio, lyrics, made_s)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    (identity, title, artist, names["audio"], names["lyrics"], stamp(made)),
                )
        except BaseException:
            remove_tree(folder)
            raise
        return self.song(identity)

    def songs(self, search: str = "") -> list[LibrarySong]:
        """Return the songs whose title or artist holds every word of ``search``, by title."""
        conditions, values = words_of(search, ("songs.title", "songs.artist"))
        rows = self._database.read(_SONGS + conditions, values)
        songs = (self._song(row) for row in rows)
        return sorted(songs, key=lambda song: (fold(song.title), fold(song.artist)))

    def song(self, song_id: str) -> LibrarySong:
        """Return one song; raises InputError when there is none."""
        self._require("songs", song_id, "song")
        return self._song(self._database.read(_SONGS + " AND songs.id = ?", (song_id,))[0])

    def song_folder(self, song_id: str) -> Path:
        """Return the folder of a song, where what was made of it may be kept."""
        return self.folder / "songs" / checked_id(song_id, "song")

    def change_song(
        self,
        song_id: str,
        *,
        title: str | None = None,
        artist: str | None = None,
        lyrics: Path | None = None,
        job: Job = NO_JOB,
    ) -> LibrarySong:
        """Change what is named; the rest stays. ``lyrics`` is copied."""
        row = self._require("songs", song_id, "song")
        new_title = row["title"] if title is None else clean_name(title, "song")
        new_artist = row["artist"] if artist is None else clean_line(artist)
        names = {"audio": row["audio"], "lyrics": row["lyrics"]}
        if lyrics is not None:
            names["lyrics"] = f"lyrics{_suffix(lyrics)}"
            copy_durably(lyrics, self.song_folder(song_id) / names["lyrics"], job)
        with self._database.change() as connection:
            connection.execute(
                "UPDATE songs SET title = ?, artist = ?, lyrics = ? WHERE id = ?",
                (new_title, new_artist, names["lyrics"], song_id),
            )
        self._write_song(song_id, new_title, new_artist, names, row["made_s"])
        return self.song(song_id)

    def delete_song(self, song_id: str) -> UndoToken:
        """Delete a song; its takes keep its name. :meth:`Library.undo` brings it back."""
        row = self._require("songs", song_id, "song")
        with self._database.change() as connection:
            connection.execute(
                "UPDATE songs SET deleted_s = ? WHERE id = ?", (stamp(now()), song_id)
            )
        return UndoToken(kind="song", id=song_id, name=row["title"])

    def _song(self, row: sqlite3.Row) -> LibrarySong:
        folder = self.folder / "songs" / row["id"]
        return LibrarySong(
            id=row["id"],
            title=row["title"],
            artist=row["artist"],
            audio=folder / row["audio"] if row["audio"] else None,
            lyrics=folder / row["lyrics"] if row["lyrics"] else None,
            made_at=moment(row["made_s"]),
            takes=row["n_takes"],
        )

    def _write_song(
        self, song_id: str, title: str, artist: str, names: dict[str, Any], made_s: float
    ) -> None:
        write_record(
            self.folder / "songs" / song_id / SONG_RECORD,
            {
                "format": FORMAT,
                "id": song_id,
                "title": title,
                "artist": artist,
                "audio": names["audio"],
                "lyrics": names["lyrics"],
                "made_at": to_text(moment(made_s)),
            },
        )


def _suffix(path: Path) -> str:
    """Return the ending of a file's name, as far as it is harmless in another name."""
    suffix = path.suffix.lower()
    return suffix if suffix[1:].isascii() and suffix[1:].isalnum() and len(suffix) < 9 else ""
