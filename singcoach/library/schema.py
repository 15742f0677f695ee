"""The tables of the library and how older ones become newer ones."""

from __future__ import annotations

from typing import Final

MIGRATIONS: Final[tuple[str, ...]] = (
    """
    CREATE TABLE singers (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        made_s REAL NOT NULL,
        deleted_s REAL
    );
    CREATE TABLE songs (
        id TEXT PRIMARY KEY,
        title TEXT NOT NULL,
        artist TEXT NOT NULL DEFAULT '',
        audio TEXT,
        lyrics TEXT,
        made_s REAL NOT NULL,
        deleted_s REAL
    );
    CREATE TABLE takes (
        id TEXT PRIMARY KEY,
        title TEXT NOT NULL,
        singer_id TEXT NOT NULL REFERENCES singers(id),
        song_id TEXT REFERENCES songs(id),
        made_s REAL NOT NULL,
        added_s REAL NOT NULL,
        origin TEXT NOT NULL CHECK (origin IN ('recorded', 'imported', 'demo')),
        duration_s REAL NOT NULL,
        recording TEXT NOT NULL,
        analysed INTEGER NOT NULL DEFAULT 0,
        overall REAL,
        low REAL,
        high REAL,
        verdict TEXT,
        deleted_s REAL
    );
    CREATE INDEX takes_by_time ON takes (made_s);
    CREATE INDEX takes_by_singer ON takes (singer_id, made_s);
    CREATE INDEX takes_by_song ON takes (song_id, made_s);
    CREATE TABLE scores (
        take_id TEXT NOT NULL REFERENCES takes(id) ON DELETE CASCADE,
        dimension TEXT NOT NULL,
        score REAL,
        low REAL,
        high REAL,
        PRIMARY KEY (take_id, dimension)
    ) WITHOUT ROWID;
    CREATE TABLE notes (
        id TEXT PRIMARY KEY,
        take_id TEXT NOT NULL REFERENCES takes(id) ON DELETE CASCADE,
        start_s REAL NOT NULL,
        end_s REAL NOT NULL,
        text TEXT NOT NULL,
        made_s REAL NOT NULL
    );
    CREATE INDEX notes_by_take ON notes (take_id, start_s);
    CREATE TABLE queue (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        path TEXT NOT NULL,
        take_id TEXT REFERENCES takes(id) ON DELETE SET NULL,
        options TEXT NOT NULL DEFAULT '{}',
        state TEXT NOT NULL DEFAULT 'waiting'
            CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
        message TEXT NOT NULL DEFAULT '',
        owner TEXT NOT NULL DEFAULT '',
        added_s REAL NOT NULL,
        changed_s REAL NOT NULL
    );
    CREATE INDEX queue_by_take ON queue (take_id);
    """,
)
"""Script ``i`` leads from ``user_version`` ``i`` to ``i + 1``; a released one never changes."""

TABLES: Final = ("singers", "songs", "takes", "scores", "notes", "queue")
"""In an order that satisfies the references."""
