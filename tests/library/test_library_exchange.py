"""Takes travel as one file; hostile files are refused; other programs read the rest."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import random
import zipfile
from pathlib import Path

import mido
import numpy as np
import pytest
from library_documents import document

from singcoach.core.music import Note, Phrase
from singcoach.errors import Cancelled, InputError, OutputError, SingCoachError
from singcoach.jobs import Job
from singcoach.library.curves import TakeCurves, save_curves
from singcoach.library.exchange import (
    export_csv,
    export_json,
    export_midi,
    export_notes_csv,
    export_pdf,
    export_pitch_csv,
    export_take,
    import_take,
)
from singcoach.library.folders import CURVES
from singcoach.library.store import Library
from singcoach.library.values import LibraryTake, Singer


@pytest.fixture
def analysed(library: Library, singer: Singer, recording: Path) -> LibraryTake:
    song = library.add_song("Lied", "Jemand")
    take = library.add_take(recording, singer_id=singer.id, song_id=song.id, origin="imported")
    times = np.arange(300) * 0.016
    curves = TakeCurves(
        duration_s=4.8,
        times_s=times,
        f0_hz=np.where(times < 3.0, 220.0, np.nan),
        confidence=np.ones(300),
        peaks=np.zeros((240, 2), np.float32),
        notes=(Note(onset_s=0.5, offset_s=1.5, midi=57, cents_deviation=10.0),),
        phrases=(Phrase(start_s=0.0, end_s=3.0),),
        tuning_cents=0.0,
    )
    save_curves(library.folder_of(take.id) / CURVES, curves)
    library.set_assessment(take.id, document(overall=3.5))
    library.add_note(take.id, 1.0, 2.0, "=breathe\nhere")
    return library.take(take.id)


def test_a_take_travels_whole(library: Library, analysed: LibraryTake, tmp_path: Path) -> None:
    path = tmp_path / "t.singcoach"
    export_take(library, analysed.id, path)
    with Library.open(tmp_path / "other") as other:
        found = import_take(other, path)
        assert found.recording.read_bytes() == analysed.recording.read_bytes()
        for name in ("id", "title", "singer", "song", "made_at", "origin", "overall", "state"):
            assert getattr(found, name) == getattr(analysed, name)
        assert other.assessment(found.id) == document(overall=3.5)
        assert other.curves(found.id) is not None
        assert [note.text for note in other.notes(found.id)] == ["=breathe\nhere"]
        assert len(list((other.folder / "takes").iterdir())) == 1
    with Library.open(tmp_path / "other") as other:
        assert other.report.rediscovered == 0
        assert other.report.lost == ()


def test_the_same_take_gives_the_same_bytes(
    library: Library, analysed: LibraryTake, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        export_take(library, analysed.id, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_teacher_sends_a_take_back(
    library: Library, analysed: LibraryTake, tmp_path: Path
) -> None:
    path = tmp_path / "t.singcoach"
    export_take(library, analysed.id, path)
    with Library.open(tmp_path / "teacher") as teacher:
        take = import_take(teacher, path)
        teacher.add_note(take.id, 3.0, 3.5, "open the vowel")
        export_take(teacher, take.id, path)
    back = import_take(library, path)
    assert back.id == analysed.id
    assert len(library.takes()) == 1
    assert [note.text for note in library.notes(back.id)] == ["=breathe\nhere", "open the vowel"]
    library.delete_take(back.id)
    assert import_take(library, path).deleted_at is None


def test_another_recording_under_the_same_id_is_another_take(
    library: Library, analysed: LibraryTake, tmp_path: Path
) -> None:
    path = tmp_path / "t.singcoach"
    export_take(library, analysed.id, path)
    content = analysed.recording.read_bytes()
    analysed.recording.write_bytes(content[:-2] + b"\0\1")
    found = import_take(library, path)
    assert found.id != analysed.id
    assert found.recording.read_bytes() == content
    assert len(library.notes(found.id)) == 1
    assert (found.singer_id, found.song_id) == (analysed.singer_id, analysed.song_id)


def _members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _write(path: Path, members: dict[str, bytes], *, describe: bool = True) -> Path:
    """Write an archive; ``describe`` makes the manifest true to the members."""
    if describe:
        manifest = json.loads(members["manifest.json"])
        manifest["files"] = {
            name: {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in members.items()
            if name != "manifest.json"
        }
        members = {**members, "manifest.json": json.dumps(manifest).encode()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def _refused(library: Library, path: Path) -> str:
    before = sorted(p.name for p in library.folder.parent.rglob("*") if ".db" not in p.name)
    with pytest.raises(InputError) as refusal:
        import_take(library, path)
    after = sorted(p.name for p in library.folder.parent.rglob("*") if ".db" not in p.name)
    assert after == before
    return refusal.value.detail


@pytest.mark.parametrize(
    "name",
    [
        "../evil.wav",
        "/etc/passwd",
        "..\\evil.wav",
        "takes/recording.wav",
        "recording.wav/",
        "C:evil",
        "recording.exe\0.wav",
        "run.py",
        "recording.WAV",
    ],
)
def test_foreign_names_are_refused(
    library: Library, analysed: LibraryTake, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "t.singcoach"
    export_take(library, analysed.id, path)
    _write(path, {**_members(path), name: b"RIFF"})
    _refused(library, path)


@pytest.mark.parametrize(
    "change",
    [
        {"id": "../../evil"},
        {"recording": "../recording.wav"},
        {"recording": "manifest.json"},
        {"origin": "stolen"},
        {"duration_s": -1.0},
        {"duration_s": float("nan")},
        {"made_at": "yesterday"},
        {"made_at": "99999-01-01T00:00:00+00:00"},
        {"notes": [{"id": "x"}]},
        {"notes": 5},
        {"singer": {"id": "../x", "name": "x"}},
        {"format": 99},
    ],
)
def test_records_that_are_none_are_refused(
    library: Library, analysed: LibraryTake, tmp_path: Path, change: dict[str, object]
) -> None:
    path = tmp_path / "t.singcoach"
    export_take(library, analysed.id, path)
    members = _members(path)
    manifest = json.loads(members["manifest.json"])
    manifest["take"].update(change)
    _write(path, {**members, "manifest.json": json.dumps(manifest).encode()})
    _refused(library, path)


def test_contents_that_do_not_match_are_refused(
    library: Library, analysed: LibraryTake, tmp_path: Path
) -> None:
    path = tmp_path / "t.singcoach"
    export_take(library, analysed.id, path)
    members = _members(path)
    spoilt = {**members, "assessment.json": b" " + members["assessment.json"]}
    assert "larger than" in _refused(library, _write(path, spoilt, describe=False))
    flipped = members["recording.wav"][:-1] + b"\x55"
    spoilt = {**members, "recording.wav": flipped}
    assert "not what was sent" in _refused(library, _write(path, spoilt, describe=False))
    shorter = {**members, "recording.wav": members["recording.wav"][:-2]}
    assert "shorter than" in _refused(library, _write(path, shorter, describe=False))
    without = {name: c for name, c in members.items() if name != "recording.wav"}
    _refused(library, _write(path, without))
    _refused(library, _write(path, {**members, "recording.wav": b"no sound"}))
    _refused(library, _write(path, {**members, "assessment.json": b'{"schema": 1}'}))
    _refused(library, _write(path, {**members, "assessment.json": b"[" * 200_000}))
    _refused(library, _write(path, {**members, "curves.npz": b"PK"}))
    _refused(library, _write(path, {**members, "manifest.json": b"[]"}, describe=False))
    assert import_take(library, _write(path, members)).id == analysed.id


def test_a_bomb_is_stopped_at_the_size_it_admits(
    library: Library, analysed: LibraryTake, tmp_path: Path
) -> None:
    """The manifest says one byte; a gigabyte of zeros would come out."""
    path = tmp_path / "t.singcoach"
    export_take(library, analysed.id, path)
    members = _members(path)
    members["recording.wav"] = bytes(64 << 20)
    manifest = json.loads(members["manifest.json"])
    manifest["files"]["recording.wav"] = {"size": 1, "sha256": "0" * 64}
    members["manifest.json"] = json.dumps(manifest).encode()
    assert "larger than" in _refused(library, _write(path, members, describe=False))
    manifest["files"]["recording.wav"]["size"] = 1 << 50
    members["manifest.json"] = json.dumps(manifest).encode()
    with pytest.raises(OutputError, match="disk is full"):
        import_take(library, _write(path, members, describe=False))


def test_double_members_and_other_zips_are_refused(
    library: Library, analysed: LibraryTake, tmp_path: Path
) -> None:
    path = tmp_path / "t.singcoach"
    export_take(library, analysed.id, path)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("assessment.json", b"{}")
    _refused(library, path)
    for content in (b"", b"PK\x05\x06" + bytes(18), b"no zip", bytes(1000)):
        path.write_bytes(content)
        _refused(library, path)
    _refused(library, tmp_path / "missing.singcoach")
    _refused(library, tmp_path)


@pytest.mark.parametrize("seed", range(40))
def test_damaged_archives_are_refused_or_whole(
    library: Library, analysed: LibraryTake, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    path = tmp_path / "t.singcoach"
    export_take(library, analysed.id, path)
    content = bytearray(path.read_bytes())
    for _ in range(chance.choice([1, 3, 30])):
        content[chance.randrange(len(content))] = chance.randrange(256)
    path.write_bytes(bytes(content[: chance.choice([len(content), len(content) // 2])]))
    with Library.open(tmp_path / "other") as other:
        try:
            found = import_take(other, path)
        except SingCoachError:
            assert other.takes() == []
        else:
            assert found.recording.read_bytes() == analysed.recording.read_bytes()
        assert len(list((other.folder / "takes").iterdir())) == len(other.takes())


def test_stopping_leaves_nothing(library: Library, analysed: LibraryTake, tmp_path: Path) -> None:
    path = tmp_path / "t.singcoach"
    stopped = Job()
    stopped.cancel()
    with pytest.raises(Cancelled):
        export_take(library, analysed.id, path, stopped)
    assert not path.exists()
    export_take(library, analysed.id, path)
    with Library.open(tmp_path / "other") as other:
        with pytest.raises(Cancelled):
            import_take(other, path, job=stopped)
        assert list((other.folder / "takes").iterdir()) == []


def test_other_programs_read_it(library: Library, analysed: LibraryTake, tmp_path: Path) -> None:
    export_json(library, analysed.id, tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == document(overall=3.5)
    export_pdf(library, analysed.id, tmp_path / "a.pdf")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    export_midi(library, analysed.id, tmp_path / "a.mid")
    played = [m for m in mido.MidiFile(tmp_path / "a.mid").tracks[0] if m.type == "note_on"]
    assert [message.note for message in played] == [57]
    export_pitch_csv(library, analysed.id, tmp_path / "p.csv")
    rows = (tmp_path / "p.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0] == "time_s,f0_hz,confidence,voiced"
    assert len(rows) == 301
    export_notes_csv(library, analysed.id, tmp_path / "n.csv")
    notes = list(csv.reader(io.StringIO((tmp_path / "n.csv").read_text(encoding="utf-8-sig"))))
    assert notes[1][2] == "'=breathe\nhere"


def test_a_list_for_spreadsheets(
    library: Library, analysed: LibraryTake, recording: Path, tmp_path: Path
) -> None:
    bad = library.add_take(recording, singer_id=analysed.singer_id, title="=1+1")
    assert export_csv(library, tmp_path / "l.csv") == 2
    text = (tmp_path / "l.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    by_id = {row["id"]: row for row in rows}
    assert by_id[analysed.id]["overall"] == "3.50"
    assert by_id[analysed.id]["breath_low"] == "2.00"
    assert by_id[bad.id]["title"] == "'=1+1"
    assert by_id[bad.id]["overall"] == ""
    assert export_csv(library, tmp_path / "l.csv", search="cafe") == 1


def test_what_was_not_analysed_is_told(
    library: Library, singer: Singer, recording: Path, tmp_path: Path
) -> None:
    take = library.add_take(recording, singer_id=singer.id)
    for export in (export_json, export_pdf, export_midi, export_pitch_csv):
        with pytest.raises(InputError, match="not analysed yet"):
            export(library, take.id, tmp_path / "x")
    with pytest.raises(OutputError, match="recording itself"):
        export_take(library, take.id, take.recording)
    with pytest.raises(OutputError):
        export_csv(library, tmp_path / "no folder" / "x.csv")
    assert take.recording.read_bytes() == recording.read_bytes()
