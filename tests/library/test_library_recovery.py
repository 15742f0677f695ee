"""Nothing that was kept is lost: damage, upgrades, two windows, full disks."""

from __future__ import annotations

import errno
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from library_documents import document

from singcoach.errors import Cancelled, InputError, OutputError
from singcoach.jobs import Job
from singcoach.library import folders, recovery
from singcoach.library.folders import TAKE_RECORD
from singcoach.library.schema import MIGRATIONS
from singcoach.library.shelf import now
from singcoach.library.store import Library
from singcoach.library.values import LibraryTake, Singer


@pytest.fixture
def filled(home: Path, recording: Path) -> list[LibraryTake]:
    """A closed library with three takes, a renamed singer, a song, a note and a queue."""
    with Library.open(home) as library:
        ana, bo = library.add_singer("Anna"), library.add_singer("Bo")
        library.rename_singer(ana.id, "Ana")
        song = library.add_song("Song", "Artist", audio=recording)
        takes = [
            library.add_take(recording, singer_id=ana.id, song_id=song.id, title="one"),
            library.add_take(recording, singer_id=bo.id, title="two"),
            library.add_take(recording, singer_id=ana.id, title="gone"),
        ]
        library.set_assessment(takes[0].id, document(overall=3.5))
        library.add_note(takes[0].id, 1.0, 2.0, "breathe")
        library.delete_take(takes[2].id)
        library.enqueue_take(takes[1].id)
        return takes


def _titles(library: Library) -> list[str]:
    return sorted(row.title for row in library.takes())


def _check_rebuilt(library: Library, filled: list[LibraryTake]) -> None:
    assert _titles(library) == ["one", "two"]
    assert {singer.name for singer in library.singers()} == {"Ana", "Bo"}
    one = library.take(filled[0].id)
    assert (one.singer, one.song, one.overall) == ("Ana", "Song", 3.5)
    assert one.made_at == filled[0].made_at
    assert [note.text for note in library.notes(one.id)] == ["breathe"]
    assert [take.title for take in library.deleted_takes()] == ["gone"]
    assert library.songs()[0].audio is not None


@pytest.mark.parametrize("damage", ["text", "zeros", "half", "pages", "form", "no tables"])
def test_a_damaged_database_is_set_aside_and_the_takes_found(
    home: Path, filled: list[LibraryTake], damage: str
) -> None:
    path = home / "library.db"
    content = bytearray(path.read_bytes())
    if damage == "no tables":
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            connection.execute("DROP TABLE takes")
        connection.close()
    else:
        spoilt = {
            "text": b"no database at all" * 100,
            "zeros": bytes(len(content)),
            "half": content[: len(content) // 2],
            "form": content[:60] + b"\x7f\xff\xff\xff" + content[64:],
            "pages": content[:4096] + bytes(4096) + content[8192:],
        }[damage]
        path.write_bytes(spoilt)
    with Library.open(home) as library:
        assert library.report.set_aside is not None
        assert library.report.set_aside.exists()
        _check_rebuilt(library, filled)
    with Library.open(home) as library:
        assert library.report.set_aside is None
        assert library.report.rediscovered == 0
        _check_rebuilt(library, filled)


def test_a_missing_database_is_rebuilt(home: Path, filled: list[LibraryTake]) -> None:
    (home / "library.db").unlink()
    with Library.open(home) as library:
        assert library.report.rediscovered == 3
        _check_rebuilt(library, filled)


@pytest.mark.parametrize("seed", [*range(10), 16, 41])
def test_damage_anywhere_loses_no_take(home: Path, filled: list[LibraryTake], seed: int) -> None:
    chance = random.Random(seed)
    path = home / "library.db"
    content = bytearray(path.read_bytes())
    for _ in range(chance.choice([1, 20, 400])):
        start = chance.randrange(len(content))
        content[start : start + 64] = chance.randbytes(64)
    path.write_bytes(bytes(content))
    with Library.open(home) as library:
        assert {take.id for take in filled[:2]} <= {row.id for row in library.takes()}
        for take in filled:
            assert take.recording.exists()


def test_what_can_be_read_of_a_damaged_database_comes_along(
    home: Path, filled: list[LibraryTake]
) -> None:
    """The order of the queue and its messages stand in no folder."""
    with sqlite3.connect(home / "library.db") as connection:
        connection.execute("DROP TABLE scores")
    connection.close()
    with Library.open(home) as library:
        assert [item.take_id for item in library.queue()] == [filled[1].id]


def test_damage_is_left_alone_while_another_window_lives(
    home: Path, filled: list[LibraryTake]
) -> None:
    with Library.open(home):
        damaged = home / "library.db"
        damaged.write_bytes(b"nonsense" * 1000)
        with pytest.raises(InputError, match="another SingCoach has it open"):
            Library.open(home)
        assert damaged.read_bytes() == b"nonsense" * 1000
        shutil.copy(damaged, home / "kept.db")


def test_folders_with_nonsense_are_left_alone(home: Path, filled: list[LibraryTake]) -> None:
    stray = home / "takes" / folders.new_id()
    stray.mkdir()
    (stray / TAKE_RECORD).write_text('{"format": 1}', encoding="utf-8")
    other = home / "takes" / folders.new_id()
    shutil.copytree(home / "takes" / filled[0].id, other)  # a record that names another folder
    (home / "takes" / "my own folder").mkdir()
    (home / "singers" / "x.json").write_text("[]", encoding="utf-8")
    with Library.open(home) as library:
        _check_rebuilt(library, filled)
        assert library.report.rediscovered == 0
    assert stray.exists()
    assert other.exists()


def test_a_recording_without_a_record_is_found_too(home: Path, filled: list[LibraryTake]) -> None:
    (home / "library.db").write_bytes(b"gone")
    (home / "takes" / filled[1].id / TAKE_RECORD).write_bytes(b"{damaged")
    with Library.open(home) as library:
        take = library.take(filled[1].id)
        assert (take.singer, take.recording.exists()) == ("?", True)
        assert library.change_take(take.id, title="two again").title == "two again"
    (home / "library.db").unlink()
    with Library.open(home) as library:
        assert _titles(library) == ["one", "two again"]


def test_rows_that_are_damaged_themselves_are_left_behind(
    home: Path, filled: list[LibraryTake]
) -> None:
    with sqlite3.connect(home / "library.db") as connection:
        connection.execute("UPDATE takes SET recording = '../../secret' WHERE title = 'one'")
        connection.execute("UPDATE takes SET made_s = x'00ff' WHERE title = 'two'")
        connection.execute("DROP TABLE scores")
    connection.close()
    with Library.open(home) as library:
        assert library.report.set_aside is not None
        assert library.take(filled[0].id).recording == filled[0].recording
        assert library.take(filled[1].id).made_at == filled[1].made_at


def test_a_lost_recording_is_told(home: Path, filled: list[LibraryTake]) -> None:
    shutil.rmtree(home / "takes" / filled[1].id)
    with Library.open(home) as library:
        assert library.report.lost == ("two",)


def test_old_deletions_are_purged_after_a_month(
    home: Path, filled: list[LibraryTake], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "now", lambda: now() + timedelta(days=29))
    Library.open(home).close()
    assert filled[2].recording.exists()
    monkeypatch.setattr(recovery, "now", lambda: now() + timedelta(days=31))
    Library.open(home).close()
    assert not filled[2].recording.exists()
    assert filled[0].recording.exists()


_NEXT = (*MIGRATIONS, "ALTER TABLE takes ADD COLUMN mood TEXT; CREATE TABLE moods (id TEXT)")


def test_an_upgrade_keeps_a_copy(home: Path, filled: list[LibraryTake]) -> None:
    with Library.open(home, migrations=_NEXT) as library:
        assert library.report.backup is not None
        with sqlite3.connect(library.report.backup) as backup:
            assert backup.execute("SELECT count(*) FROM takes").fetchone() == (3,)
            assert backup.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        backup.close()
        _check_rebuilt(library, filled)
    with Library.open(home, migrations=_NEXT) as library:
        assert library.report.backup is None


def test_a_newer_library_is_refused_and_untouched(home: Path, filled: list[LibraryTake]) -> None:
    Library.open(home, migrations=_NEXT).close()
    before = (home / "library.db").read_bytes()
    with pytest.raises(InputError, match="newer version"):
        Library.open(home)
    assert (home / "library.db").read_bytes() == before
    assert not list(home.glob("*damaged*"))


def test_an_upgrade_that_fails_changes_nothing(home: Path, filled: list[LibraryTake]) -> None:
    broken = (*MIGRATIONS, "ALTER TABLE takes ADD COLUMN mood TEXT; SELECT nonsense FROM nowhere")
    with pytest.raises(OutputError):
        Library.open(home, migrations=broken)
    with Library.open(home) as library:
        _check_rebuilt(library, filled)
    with Library.open(home, migrations=_NEXT) as library:
        _check_rebuilt(library, filled)


def test_only_the_last_backups_stay(home: Path, filled: list[LibraryTake]) -> None:
    steps = list(MIGRATIONS)
    for number in range(6):
        steps.append(f"CREATE TABLE more{number} (id TEXT)")
        Library.open(home, migrations=steps).close()
    assert len(list((home / "backups").glob("*.db"))) == 3


def test_two_windows_see_each_other(home: Path, recording: Path) -> None:
    with Library.open(home) as one, Library.open(home) as two:
        singer = one.add_singer("Ana")
        before = two.revision()
        take = one.add_take(recording, singer_id=singer.id)
        assert two.revision() != before
        assert [row.id for row in two.takes()] == [take.id]
        two.set_assessment(take.id, document())
        assert one.takes()[0].state == "done"
        items = one.enqueue([recording, recording.with_name("b.wav")])
        claimed = [one.claim_next(), two.claim_next(), one.claim_next()]
        assert [item.id if item else None for item in claimed] == [items[0].id, items[1].id, None]
        with Library.open(home) as three:
            assert three.report.requeued == 0
            assert [item.state for item in three.queue()] == ["running", "running"]
        one.close()
        with Library.open(home) as four:
            assert four.report.requeued == 1
            assert [item.state for item in four.queue()] == ["waiting", "running"]


def test_many_threads_share_one_library(library: Library, singer: Singer, recording: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def work(number: int) -> str:
        take = library.add_take(recording, singer_id=singer.id, title=str(number), duration_s=1.0)
        library.set_assessment(take.id, document())
        library.takes("1")
        return take.id

    with ThreadPoolExecutor(4) as pool:
        made = set(pool.map(work, range(12)))
    assert {row.id for row in library.takes()} == made
    assert all(row.state == "done" for row in library.takes())


def test_the_queue_remembers(home: Path, library: Library, singer: Singer, recording: Path) -> None:
    bad = recording.with_name("bad.wav")
    first, second, third = library.enqueue([recording, bad, recording.with_name("c.wav")], {"a": 1})
    assert library.enqueue([bad], {"a": 1}) == []
    take = library.add_take(recording, singer_id=singer.id)
    library.set_queue_take(first.id, take.id)
    claimed = library.claim_next()
    assert claimed is not None
    assert library.takes()[0].state == "running"
    library.set_queue_state(second.id, "failed", "bad.wav\nis no recording")
    library.close()
    with Library.open(home) as again:
        assert again.report.requeued == 1
        assert [(item.state, item.message) for item in again.queue()] == [
            ("waiting", ""),
            ("failed", "bad.wav is no recording"),
            ("waiting", ""),
        ]
        assert again.queue()[0].options == {"a": 1}
        assert again.queue()[0].take_id == take.id
        assert again.enqueue_take(take.id).id == first.id
        again.set_queue_state(third.id, "cancelled")
        assert len(again.queue(only_open=True)) == 1
        assert again.clear_queue() == 2
        again.forget_queue_item(first.id)
        assert again.queue() == []


def _full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("move", [False, True])
@pytest.mark.parametrize("where", ["sync", "record", "folder", "row", "drive"])
def test_a_full_disk_keeps_the_original(
    library: Library,
    singer: Singer,
    recording: Path,
    monkeypatch: pytest.MonkeyPatch,
    move: bool,
    where: str,
) -> None:
    content = recording.read_bytes()
    if where == "sync":
        monkeypatch.setattr(folders, "_sync", _full)
    elif where == "record":
        monkeypatch.setattr(folders, "make_temporary", _full)
    elif where == "folder":
        monkeypatch.setattr("singcoach.library.incoming.sync_folder", _full)
    elif where == "row":
        n_pages = library._database.read("PRAGMA page_count")[0][0]
        library._database.read(f"PRAGMA max_page_count = {n_pages}")
        with library._database.change() as connection:  # fill what is free
            connection.execute("CREATE TEMP TABLE filler (x)")
        monkeypatch.setattr(
            "singcoach.library.takes.insert_take",
            lambda connection, row: connection.execute(
                "INSERT INTO notes VALUES ('x', ?, 0, 0, zeroblob(1000000), 0)", (row["id"],)
            ),
        )
        library._database._connection.execute("PRAGMA foreign_keys = OFF")
    else:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 0))
        if move:
            monkeypatch.setattr(Path, "replace", _only_within(library.folder))
    with pytest.raises(OutputError, match=r"disk is full"):
        library.add_take(recording, singer_id=singer.id, move=move, duration_s=1.0)
    monkeypatch.undo()
    assert recording.read_bytes() == content
    assert library.takes() == []
    assert list((library.folder / "takes").iterdir()) == []


def _only_within(folder: Path) -> object:
    replace = Path.replace

    def other_drive(self: Path, target: Path) -> Path:
        if self.is_relative_to(folder) != Path(target).is_relative_to(folder):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        return replace(self, target)

    return other_drive


def test_moving_between_drives_copies_first(
    library: Library, singer: Singer, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = recording.read_bytes()
    monkeypatch.setattr(Path, "replace", _only_within(library.folder))
    take = library.add_take(recording, singer_id=singer.id, move=True)
    assert take.recording.read_bytes() == content
    assert not recording.exists()


def test_stopping_a_copy_leaves_nothing(library: Library, singer: Singer, recording: Path) -> None:
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        library.add_take(recording, singer_id=singer.id, job=job)
    assert recording.exists()
    assert list((library.folder / "takes").iterdir()) == []


def test_a_full_disk_keeps_the_former_assessment(
    library: Library, singer: Singer, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = library.add_take(recording, singer_id=singer.id)
    library.set_assessment(take.id, document(overall=2.0))
    with monkeypatch.context() as patch:
        patch.setattr(folders, "_sync", _full)
        with pytest.raises(OutputError, match="disk is full"):
            library.set_assessment(take.id, document(overall=4.0))
    assert library.assessment(take.id) == document(overall=2.0)
    assert library.takes()[0].overall == 2.0


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may write anywhere")
def test_a_library_that_may_not_be_written_is_told(home: Path) -> None:
    home.mkdir()
    home.chmod(0o500)
    with pytest.raises(OutputError):
        Library.open(home)


_CHILD = """
import itertools, os, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from library_documents import document
from singcoach.library.store import Library
library = Library.open(Path({home!r}))
singer = library.singers()[0]
spare = Path({spare!r})
print("ready", flush=True)
for number in itertools.count():
    source = Path({recording!r})
    if number % 2:
        moved = spare / f"m{{os.getpid()}}-{{number}}.wav"
        moved.write_bytes(source.read_bytes())
        print("made", moved, flush=True)
        source = moved
    take = library.add_take(source, singer_id=singer.id, duration_s=1.0, move=bool(number % 2))
    print("take", take.id, flush=True)
    library.set_assessment(take.id, document(overall=2.5))
    print("score", take.id, flush=True)
    library.add_note(take.id, 0.0, 1.0, "note of " + take.id)
    print("note", take.id, flush=True)
"""


def test_killing_the_window_loses_nothing_that_was_reported(
    home: Path, recording: Path, tmp_path: Path
) -> None:
    """The child is killed at random moments while it keeps, judges and writes."""
    with Library.open(home) as library:
        library.add_singer("Ana")
    content = recording.read_bytes()
    spare = tmp_path / "spare"
    spare.mkdir()
    script = _CHILD.format(
        tests=str(Path(__file__).parent),
        home=str(home),
        spare=str(spare),
        recording=str(recording),
    )
    chance = random.Random(5)
    told: list[list[str]] = []
    for _ in range(6):
        child = subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
        )
        assert child.stdout is not None
        for line in child.stdout:
            told.append(line.split(maxsplit=1))
            if line.startswith("ready"):
                break
        for _ in range(chance.randrange(1, 40)):
            told.append(child.stdout.readline().split(maxsplit=1))
        child.kill()
        told += [line.split(maxsplit=1) for line in child.stdout.read().splitlines()]
        child.stdout.close()
        child.wait()
    by_kind: dict[str, set[str]] = {"take": set(), "score": set(), "note": set(), "made": set()}
    for words in told:
        if len(words) == 2 and words[0] in by_kind:
            by_kind[words[0]].add(words[1].strip())
    assert len(by_kind["take"]) > 10
    with Library.open(home) as library:
        assert library.report.set_aside is None
        rows = {row.id: row for row in library.takes()}
        assert by_kind["take"] <= set(rows)
        for identity in rows:
            assert library.take(identity).recording.read_bytes() == content
        for identity in by_kind["score"]:
            assert rows[identity].overall == 2.5
            assert library.assessment(identity) == document(overall=2.5)
        for identity in by_kind["note"]:
            assert library.notes(identity)[0].text == "note of " + identity
        # whatever was to be moved is at its old place or in the library, and nothing half is left
        moved = sum(not Path(name).exists() for name in by_kind["made"])
        assert sum(row.title.startswith("m") for row in rows.values()) == moved
        assert not list((home / "takes").glob(".*"))
