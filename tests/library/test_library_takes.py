"""Takes are kept, listed, found, changed, deleted and brought back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from library_documents import document

from singcoach.errors import InputError
from singcoach.library.store import Library
from singcoach.library.values import Singer


def test_a_take_is_a_copy_and_comes_back_after_closing(
    home: Path, library: Library, singer: Singer, recording: Path
) -> None:
    when = datetime(2026, 3, 1, 12, tzinfo=UTC)
    take = library.add_take(recording, singer_id=singer.id, made_at=when, origin="imported")
    assert take.title == "Café song"
    assert take.duration_s == pytest.approx(1.0)
    assert take.recording.read_bytes() == recording.read_bytes()
    library.close()
    with Library.open(home) as again:
        assert again.take(take.id) == take
        assert [row.id for row in again.takes()] == [take.id]
        assert again.folder_of(take.id) == take.recording.parent
        assert again.report.rediscovered == 0


def test_scores_appear_in_the_list(library: Library, singer: Singer, recording: Path) -> None:
    take = library.add_take(recording, singer_id=singer.id)
    assert library.takes()[0].state == "new"
    assert library.assessment(take.id) is None
    assert library.curves(take.id) is None
    library.set_assessment(take.id, document(overall=3.4, half=0.5))
    row = library.takes()[0]
    assert (row.overall, row.low, row.high) == pytest.approx((3.4, 2.9, 3.9))
    assert (row.verdict, row.state) == ("pass", "done")
    assert library.assessment(take.id) == document(overall=3.4, half=0.5)


def test_what_is_no_assessment_is_a_bug_of_ours(
    library: Library, singer: Singer, recording: Path
) -> None:
    take = library.add_take(recording, singer_id=singer.id)
    with pytest.raises(ValueError, match="assessment document"):
        library.set_assessment(take.id, {"schema": "singcoach.assessment/1"})
    assert library.takes()[0].state == "new"


def test_orders_pages_and_choices(library: Library, recording: Path) -> None:
    ana, bo = library.add_singer("ana"), library.add_singer("Bo")
    song = library.add_song("Zebra", "Ärzte")
    start = datetime(2026, 1, 1, tzinfo=UTC)
    plan = [("b", bo.id, song.id, 2.0), ("A", ana.id, None, None), ("c", ana.id, song.id, 4.0)]
    for day, (title, singer_id, song_id, score) in enumerate(plan):
        take = library.add_take(
            recording,
            singer_id=singer_id,
            song_id=song_id,
            made_at=start + timedelta(days=day),
            title=title,
        )
        library.set_assessment(take.id, document(overall=score))

    def titles(**choice: object) -> str:
        return "".join(row.title for row in library.takes(**choice))  # type: ignore[arg-type]

    assert titles() == "cAb"
    assert titles(order="oldest") == "bAc"
    assert titles(order="title") == "Abc"
    assert titles(order="singer") == "cAb"
    assert titles(order="song") == "cbA"
    assert titles(order="best") == "cbA"
    assert titles(limit=1, offset=1) == "A"
    assert titles(singer_id=ana.id) == "cA"
    assert titles(song_id=song.id) == "cb"
    assert titles(singer_id=ana.id, song_id=song.id) == "c"
    assert library.count_takes(singer_id=ana.id) == 2


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", 1),
        ("cafe", 1),
        ("CAFÉ ana", 1),
        ("arzte", 1),
        ("ｚｅｂｒａ", 1),
        ("breath", 1),
        ("cafe nobody", 0),
        ("%", 0),
        ("_", 0),
        ("'", 0),
        ('"; DROP TABLE takes; --', 0),
        ("\0", 1),
    ],
)
def test_search_ignores_case_accents_and_width(
    library: Library, singer: Singer, recording: Path, search: str, found: int
) -> None:
    song = library.add_song("Zebra", "Die Ärzte")
    take = library.add_take(recording, singer_id=singer.id, song_id=song.id)
    library.add_note(take.id, 0.0, 0.5, "Breathe earlier")
    assert len(library.takes(search)) == found
    assert library.count_takes(search) == found


def test_deleting_and_undo(home: Path, library: Library, singer: Singer, recording: Path) -> None:
    take = library.add_take(recording, singer_id=singer.id)
    library.add_note(take.id, 0.0, 1.0, "good")
    token = library.delete_take(take.id)
    assert library.takes() == []
    assert [gone.id for gone in library.deleted_takes()] == [take.id]
    with pytest.raises(InputError):
        library.set_assessment(take.id, document())
    library.close()
    with Library.open(home) as again:
        assert again.takes() == []
        again.undo(token)
        assert [row.id for row in again.takes()] == [take.id]
        assert [note.text for note in again.notes(take.id)] == ["good"]
        assert take.recording.exists()


def test_purging_takes_the_files(library: Library, singer: Singer, recording: Path) -> None:
    kept = library.add_take(recording, singer_id=singer.id)
    token = library.delete_take(library.add_take(recording, singer_id=singer.id).id)
    assert library.purge(token) == 1
    assert not library.folder_of(token.id).exists()
    assert kept.recording.exists()
    with pytest.raises(InputError, match="removed for good"):
        library.undo(token)
    assert library.purge() == 0


def test_notes_of_a_teacher(library: Library, singer: Singer, recording: Path) -> None:
    take = library.add_take(recording, singer_id=singer.id)
    late = library.add_note(take.id, 5.0, 6.0, "late")
    early = library.add_note(take.id, 2.0, 1.0, " early\nand more ")
    assert [note.id for note in library.notes(take.id)] == [early.id, late.id]
    assert (early.start_s, early.end_s, early.text) == (2.0, 2.0, "early\nand more")
    changed = library.change_note(late.id, text="sooner", start_s=1.0)
    assert library.notes(take.id)[0] == changed
    assert library.takes()[0].notes == 2
    gone = library.delete_note(changed.id)
    assert len(library.notes(take.id)) == 1
    library.restore_note(gone)
    assert library.notes(take.id)[0] == changed
    with pytest.raises(InputError, match="empty"):
        library.add_note(take.id, 0.0, 1.0, " \n ")
    with pytest.raises(ValueError, match="nan"):
        library.add_note(take.id, float("nan"), 1.0, "x")


def test_singers_and_songs_are_renamed_and_deleted(library: Library, recording: Path) -> None:
    ana = library.add_singer("  Ana \n Maria ")
    assert ana.name == "Ana Maria"
    with pytest.raises(InputError, match="called Ana Maria already"):
        library.add_singer("ANA MARIA")
    with pytest.raises(InputError, match="needs a name"):
        library.add_singer(" ")
    assert library.rename_singer(ana.id, "ana maria").name == "ana maria"
    take = library.add_take(recording, singer_id=ana.id)
    with pytest.raises(InputError, match="has takes"):
        library.delete_singer(ana.id)
    bo = library.add_singer("Bo")
    assert library.change_take(take.id, singer_id=bo.id, title="new").singer == "Bo"
    token = library.delete_singer(ana.id)
    assert [singer.name for singer in library.singers()] == ["Bo"]
    library.undo(token)
    assert [singer.name for singer in library.singers()] == ["ana maria", "Bo"]


def test_songs_keep_their_own_copies(library: Library, recording: Path, tmp_path: Path) -> None:
    words = tmp_path / "w.TXT"
    words.write_text("la", encoding="utf-8")
    song = library.add_song("Song", "Somebody", audio=recording, lyrics=words)
    words.unlink()
    assert song.audio is not None
    assert song.audio.read_bytes() == recording.read_bytes()
    assert song.lyrics is not None
    assert song.lyrics.read_text(encoding="utf-8") == "la"
    assert library.change_song(song.id, title="Other").title == "Other"
    assert [found.id for found in library.songs("OTHER somebody")] == [song.id]
    assert library.songs("nothing") == []
    token = library.delete_song(song.id)
    assert library.songs() == []
    library.undo(token)
    assert library.song(song.id).audio == song.audio
    with pytest.raises(InputError):
        library.add_song("Broken", audio=tmp_path / "missing.mp3")
    assert len(list((library.folder / "songs").iterdir())) == 1


def test_refusals(library: Library, singer: Singer, recording: Path, tmp_path: Path) -> None:
    text = tmp_path / "words.txt"
    text.write_text("no recording", encoding="utf-8")
    with pytest.raises(InputError):
        library.add_take(text, singer_id=singer.id, origin="imported")
    with pytest.raises(InputError):
        library.add_take(tmp_path / "missing.wav", singer_id=singer.id)
    with pytest.raises(InputError):
        library.add_take(recording, singer_id="nobody")
    with pytest.raises(InputError):
        library.add_take(recording, singer_id=singer.id, song_id="none")
    with pytest.raises(ValueError, match="time zone"):
        library.add_take(recording, singer_id=singer.id, made_at=datetime(2026, 1, 1))
    for name in ("../..", "x", "", "../" + singer.id):
        with pytest.raises(InputError):
            library.folder_of(name)
        with pytest.raises(InputError):
            library.take(name)
    assert library.takes() == []
    assert list((library.folder / "takes").iterdir()) == []


def test_a_recorded_take_is_kept_whatever_it_holds(
    library: Library, singer: Singer, tmp_path: Path
) -> None:
    odd = tmp_path / "take.wav"
    odd.write_bytes(b"RIFF....")
    take = library.add_take(odd, singer_id=singer.id, origin="recorded", move=True)
    assert take.recording.read_bytes() == b"RIFF...."
    assert not odd.exists()
    assert take.duration_s == 0.0
