"""What the first screen offers, and what the lines of the queue say."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from singcoach.audio.recorder import RecoveredTake
from singcoach.gui.view_models.home import (
    add_demo,
    find_interrupted,
    has_microphone,
    interrupted_words,
    keep_interrupted,
    read_home,
)
from singcoach.gui.view_models.queue_lines import (
    device_words,
    failure_words,
    in_order,
    queue_rows,
    stage_words,
    summarise,
)
from singcoach.library.store import Library

sys.path.insert(0, str(Path(__file__).parents[1]))
from gui_fakes import document, write_recording


@pytest.fixture
def library() -> Iterator[Library]:
    with Library.open() as opened:
        yield opened


def test_the_next_step_goes_from_the_example_to_singing(library: Library, tmp_path: Path) -> None:
    assert read_home(library, singer_id=None).step == "demo"
    assert library.singers() == []  # looking makes nobody

    me = library.add_singer("Me")
    demo = add_demo(library, singer_id=me.id)
    assert demo.origin == "demo"
    assert demo.singer_id != me.id  # the example is not part of one's own progress
    assert read_home(library, singer_id=me.id).step == "demo"
    item = library.enqueue_take(demo.id)
    assert read_home(library, singer_id=me.id).step == "demo_waits"
    library.claim_next()
    assert read_home(library, singer_id=me.id).step == "demo_running"
    library.set_queue_state(item.id, "done")
    library.set_assessment(demo.id, document())
    content = read_home(library, singer_id=me.id)
    assert (content.step, content.demo_id) == ("demo_open", demo.id)
    assert content.progress == ""

    own = library.add_take(write_recording(tmp_path / "a.wav"), singer_id=me.id)
    library.set_assessment(own.id, document())
    content = read_home(library, singer_id=me.id)
    assert content.step == "sing"
    assert content.rows.keys[0] == own.id
    assert content.rows[0].bar is not None
    assert content.progress.startswith("One take is judged")


def test_an_interrupted_recording_becomes_a_take_of_its_time(
    library: Library, tmp_path: Path
) -> None:
    path = write_recording(tmp_path / "cut.wav")
    cut_off = RecoveredTake(
        path=path,
        duration_s=0.1,
        sample_rate=8000,
        made_at="2026-09-03T18:20:00+00:00",
        interrupted=True,
        backing=None,
        backing_offset_s=0.0,
    )
    assert "2026, " in interrupted_words(cut_off)
    kept = keep_interrupted(library, cut_off, singer_id=library.add_singer("Me").id)
    assert kept.made_at == datetime(2026, 9, 3, 18, 20, tzinfo=UTC)
    assert kept.recording.is_file()
    assert not path.exists()
    assert find_interrupted(tmp_path) == []


def test_a_computer_without_sound_has_no_microphone(monkeypatch: pytest.MonkeyPatch) -> None:
    from singcoach.audio import devices
    from singcoach.errors import DeviceError

    def refuse() -> list[devices.AudioDevice]:
        raise DeviceError("no sound system")

    monkeypatch.setattr(devices, "list_devices", refuse)
    assert not has_microphone()
    monkeypatch.setattr(devices, "list_devices", list)
    assert not has_microphone()


def test_the_queue_shows_what_needs_a_look_first(library: Library, tmp_path: Path) -> None:
    done, failed, waiting = library.enqueue([tmp_path / f"{n}.wav" for n in ("a", "b", "c")])
    library.set_queue_state(done.id, "done")
    library.set_queue_state(failed.id, "failed", "b.wav is no recording. Choose another file")
    items = in_order(library.queue())
    assert [item.id for item in items] == [failed.id, waiting.id, done.id]
    assert failure_words(items[0]) == "B.wav is no recording. Choose another file"
    assert failure_words(items[1]) == ""
    rows = queue_rows(items, library)
    assert rows[0].tint == "danger"
    assert rows[0].detail == failure_words(items[0])
    assert rows[1].title == "c.wav"
    summary = summarise(items)
    assert (summary.waiting, summary.ended) == (1, 2)
    assert summary.words == "One done · One waiting · One failed"


def test_stages_and_devices_are_said_in_plain_words() -> None:
    assert stage_words("pitch contours") == "Following the melody"
    assert stage_words("finding the singing") == "Finding the voice"
    assert stage_words("something new") == "Listening"
    assert device_words(("CPUExecutionProvider",), "auto") == "The processor works"
    assert device_words(("CUDAExecutionProvider",), "cpu") == "The graphics card works"
    assert device_words((), "cpu") == "The processor works"
