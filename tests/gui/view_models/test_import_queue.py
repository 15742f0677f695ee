"""A hundred files, one of them bad, and a restart in the middle: nothing is lost, nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gui_fakes import FakeAnalyser, write_recording

from singcoach.gui.settings import AppSettings
from singcoach.gui.view_models.import_queue import QueueWork, TimeLeft, add_paths
from singcoach.jobs import Job
from singcoach.library.store import Library


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library") as opened:
        yield opened


def _work(library: Library, analyser: FakeAnalyser) -> QueueWork:
    def singer_id() -> str:
        return (library.singers() or [library.add_singer("Me")])[0].id

    return QueueWork(library, analyser, singer_id=singer_id, settings=AppSettings)


def _states(library: Library) -> list[str]:
    return [item.state for item in library.queue()]


def test_a_hundred_files_survive_a_bad_one_and_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "songs"
    (folder / "deep").mkdir(parents=True)
    for number in range(100):
        write_recording(folder / ("deep" if number % 2 else ".") / f"take {number:03d}.wav")
    (folder / "take 050.wav").write_bytes(b"RIFF nothing that could be heard")
    (folder / "notes.txt").write_text("not a recording")
    home = tmp_path / "library"
    with Library.open(home) as library:
        assert add_paths(library, [folder]).n_files == 100
        work = _work(library, FakeAnalyser(stop_at=37))
        work_done = 0
        while work_done < 36 and work.next() is not None:
            work_done += 1
        stopped = FakeAnalyser(stop_at=0)
        work = _work(library, stopped)
        put_back = Job(lambda *_: work.put_back())
        outcome = work.next(put_back)  # the window is closed in the midst of the thirty-seventh
        assert outcome is not None
        assert outcome.state == "waiting"
        assert len(library.takes()) == 37
    with Library.open(home) as library:
        work = _work(library, FakeAnalyser())
        outcomes = []
        while (found := work.next()) is not None:
            outcomes.append(found)
        assert len(outcomes) == 64
        assert [o.item.path.name for o in outcomes if o.state == "failed"] == ["take 050.wav"]
        assert sorted(_states(library)) == ["done"] * 99 + ["failed"]
        assert len(library.takes()) == 99
        assert {take.state for take in library.takes()} == {"done"}
        failed = next(item for item in library.queue() if item.state == "failed")
        assert "take 050.wav" in failed.message or "recording" in failed.message


def test_a_kept_take_is_analysed_where_it_lies(library: Library, tmp_path: Path) -> None:
    singer = library.add_singer("Mika")
    take = library.add_take(
        write_recording(tmp_path / "a.wav"), singer_id=singer.id, title="First light"
    )
    song = tmp_path / "song.txt"
    library.enqueue_take(take.id, {"song_file": str(song), "kind": "solo"})
    analyser = FakeAnalyser()
    heard: list[str] = []
    outcome = _work(library, analyser).next(
        on_sentence=lambda part, place, words: heard.append(words)
    )
    assert outcome is not None
    assert (outcome.state, outcome.take_id, outcome.seconds) == ("done", take.id, 2.0)
    request = analyser.requests[0]
    assert (request.name, request.song, request.kind) == ("First light", song, "solo")
    assert request.folder == library.folder_of(take.id)
    assert heard == ["Well sung."]
    assert len(library.takes()) == 1


def test_faults_are_told_and_kept_with_the_item(library: Library, tmp_path: Path) -> None:
    add_paths(library, [write_recording(tmp_path / "model.wav"), tmp_path / "missing.wav"])
    work = _work(library, FakeAnalyser())
    first, second = work.next(), work.next()
    assert first is not None
    assert second is not None
    assert first.message == "The model swift-f0 is damaged. Install again"
    assert first.take_id is not None, "the recording is kept though its analysis failed"
    assert (second.state, second.take_id) == ("failed", None)
    assert work.next() is None


def test_a_bug_of_ours_leaves_no_item_running(library: Library, tmp_path: Path) -> None:
    add_paths(library, [write_recording(tmp_path / "bug.wav")])
    with pytest.raises(KeyError):
        _work(library, FakeAnalyser()).next()
    assert _states(library) == ["failed"]


def test_cancelling_and_putting_back_differ(library: Library, tmp_path: Path) -> None:
    add_paths(library, [write_recording(tmp_path / "a.wav")])
    work = _work(library, FakeAnalyser(stop_at=0))
    outcome = work.next(Job(lambda *_: work.put_back()))
    assert outcome is not None
    assert outcome.state == "waiting"
    outcome = work.next()
    assert outcome is not None
    assert outcome.state == "cancelled"
    assert len(library.takes()) == 1, "the recording was imported once and is kept"


def test_an_empty_folder_is_told(library: Library, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    added = add_paths(library, [tmp_path / "empty"])
    assert added.n_files == 0
    assert "holds no recordings" in added.faults[0].message


def test_the_time_left_is_reckoned_from_what_took_time() -> None:
    left = TimeLeft()
    assert left.seconds(waiting=3, elapsed_s=0.5, fraction=0.0) is None
    assert left.seconds(waiting=1, elapsed_s=10.0, fraction=0.5) == pytest.approx(30.0)
    left.note(8.0)
    left.note(12.0)
    assert left.seconds(waiting=2, elapsed_s=4.0, fraction=0.05) == pytest.approx(26.0)
    assert left.seconds(waiting=2, elapsed_s=0.0, fraction=1.0) == pytest.approx(20.0)
    assert left.seconds(waiting=0, elapsed_s=0.0, fraction=1.0) == 0.0
