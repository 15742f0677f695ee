"""How long a large library takes to open and to list: ``python -m singcoach.library.speed``.

Makes a library of ``--takes`` analysed takes in a temporary folder (rows and folders as the program
makes them, with empty recordings) and prints medians. For comparison it times reading the folder of
takes, which every listing without a database would have to do at least.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from singcoach.core.scores import DIMENSIONS
from singcoach.library.folders import TAKE_RECORD, new_id, write_record
from singcoach.library.keeping import insert_take
from singcoach.library.records import record_of
from singcoach.library.store import Library

_DAY_S = 86_400.0


def fill(library: Library, n_takes: int) -> None:
    """Put ``n_takes`` takes of five singers and 40 songs with scores into a library."""
    chance = np.random.default_rng(1)
    singers = [library.add_singer(f"Singer {number}") for number in range(5)]
    songs = [library.add_song(f"Song {number}", "Somebody") for number in range(40)]
    rows = []
    for number in range(n_takes):
        singer, song = singers[number % 5], songs[number % 40]
        row = {
            "id": new_id(),
            "title": f"Take {number}",
            "singer_id": singer.id,
            "song_id": song.id,
            "made_s": 1.7e9 + number * _DAY_S / 4,
            "added_s": 1.7e9 + number,
            "origin": "recorded",
            "duration_s": 200.0,
            "recording": "recording.wav",
            "deleted_s": None,
        }
        folder = library.folder / "takes" / str(row["id"])
        folder.mkdir()
        (folder / "recording.wav").write_bytes(b"")
        names = (
            {"id": singer.id, "name": singer.name},
            {"id": song.id, "title": song.title, "artist": song.artist},
        )
        write_record(folder / TAKE_RECORD, record_of(row, *names, notes=()))
        rows.append(row)
    with library._database.change() as connection:
        for row in rows:
            insert_take(connection, row)
            score = float(chance.uniform(1.5, 4.5))
            connection.execute(
                "UPDATE takes SET analysed = 1, overall = ?, low = ?, high = ?, verdict = 'pass'"
                " WHERE id = ?",
                (score, score - 0.5, score + 0.5, row["id"]),
            )
            connection.executemany(
                "INSERT INTO scores VALUES (?, ?, ?, ?, ?)",
                [
                    (row["id"], name, score, score - 0.5, score + 0.5)
                    for name in (*DIMENSIONS, "overall")
                ],
            )


def measure(n_takes: int, *, repeats: int = 7) -> dict[str, float]:
    """Return medians in milliseconds by name."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "library"
        with Library.open(folder) as library:
            fill(library, n_takes)
        found = {"open": _median_ms(lambda: Library.open(folder).close(), repeats)}
        with Library.open(folder) as library:
            singer = library.singers()[0].id
            found |= {
                "list all": _median_ms(library.takes, repeats),
                "list the first 100": _median_ms(lambda: library.takes(limit=100), repeats),
                "search": _median_ms(lambda: library.takes("song 7 singer"), repeats),
                "order by title": _median_ms(lambda: library.takes(order="title"), repeats),
                "a progress curve": _median_ms(lambda: library.progress(singer, "breath"), repeats),
            }
        found["peer: reading every take.json"] = _median_ms(
            lambda: [path.read_bytes() for path in folder.glob(f"takes/*/{TAKE_RECORD}")], repeats
        )
        return found


def _median_ms(work: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(1000.0 * (time.perf_counter() - start))
    return statistics.median(times)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--takes", type=int, default=1000)
    found = measure(parser.parse_args().takes)
    sys.stdout.writelines(f"{name:32s} {value:8.1f} ms\n" for name, value in found.items())
    return 0


if __name__ == "__main__":
    sys.exit(main())
