"""The queue as the window sees it: pause, resume, cancel, close, and faults that stop nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from gui_fakes import FakeAnalyser, write_recording
from pytestqt.qtbot import QtBot

from singcoach.gui.analysis_queue import AnalysisQueue
from singcoach.gui.context import AppContext
from singcoach.library.store import Library


@pytest.fixture
def analyser() -> FakeAnalyser:
    return FakeAnalyser()


@pytest.fixture
def queue(context: AppContext, analyser: FakeAnalyser, qtbot: QtBot) -> Iterator[AnalysisQueue]:
    made = AnalysisQueue(context, analyser=analyser)
    yield made
    if analyser.hold is not None:
        analyser.hold.set()
    made.close()


def _states(context: AppContext) -> list[str]:
    return [item.state for item in context.library.queue()]


def _idle(queue: AnalysisQueue, context: AppContext) -> bool:
    return not queue.running and not context.tasks.busy


def test_files_are_imported_and_analysed_and_everybody_hears_of_it(
    queue: AnalysisQueue, context: AppContext, qtbot: QtBot, tmp_path: Path
) -> None:
    changed: list[str] = []
    said: list[tuple[str, str]] = []
    context.take_changed.connect(changed.append)
    queue.sentence.connect(lambda take_id, words: said.append((take_id, words)))
    (tmp_path / "bad.wav").write_bytes(b"no sound")
    paths = [write_recording(tmp_path / f"{n}.wav") for n in range(2)]
    with qtbot.waitSignal(queue.added) as added:
        queue.add_files([*paths, tmp_path / "bad.wav"])
    assert added.args[0].n_files == 3
    qtbot.waitUntil(lambda: _states(context) == ["done", "done", "failed"])
    qtbot.waitUntil(lambda: _idle(queue, context))
    takes = {take.id for take in context.library.takes()}
    assert set(changed) == takes
    assert len(said) == 2
    assert queue.providers == ("CPUExecutionProvider",)


def test_an_empty_folder_is_told_in_the_window(
    queue: AnalysisQueue, context: AppContext, qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with qtbot.waitSignal(context.told) as told:
        queue.add_files([tmp_path / "empty"])
    assert "holds no recordings" in told.args[1]
    qtbot.waitUntil(lambda: _idle(queue, context))


def test_pausing_puts_back_and_resuming_goes_on(
    queue: AnalysisQueue,
    context: AppContext,
    analyser: FakeAnalyser,
    qtbot: QtBot,
    tmp_path: Path,
) -> None:
    analyser.hold = threading.Event()
    queue.add_files([write_recording(tmp_path / f"{n}.wav") for n in range(2)])
    qtbot.waitUntil(lambda: bool(analyser.requests))
    qtbot.waitUntil(lambda: queue.progress[1] == "listening")
    queue.pause()
    qtbot.waitUntil(lambda: _idle(queue, context))
    assert _states(context) == ["waiting", "waiting"]
    assert context.settings.queue_paused
    analyser.hold.set()
    queue.resume()
    qtbot.waitUntil(lambda: _states(context) == ["done", "done"])
    qtbot.waitUntil(lambda: _idle(queue, context))
    assert len(context.library.takes()) == 2


def test_cancelling_one_lets_the_next_run(
    queue: AnalysisQueue,
    context: AppContext,
    analyser: FakeAnalyser,
    qtbot: QtBot,
    tmp_path: Path,
) -> None:
    analyser.hold = threading.Event()
    queue.add_files([write_recording(tmp_path / f"{n}.wav") for n in range(3)])
    qtbot.waitUntil(lambda: bool(analyser.requests))
    first, second, _third = context.library.queue()
    queue.cancel(second.id)
    queue.cancel(first.id)
    qtbot.waitUntil(lambda: len(analyser.requests) == 2)
    analyser.hold.set()
    qtbot.waitUntil(lambda: _states(context) == ["cancelled", "cancelled", "done"])
    queue.retry(first.id)
    qtbot.waitUntil(lambda: _states(context) == ["done", "cancelled", "done"])
    qtbot.waitUntil(lambda: _idle(queue, context))
    queue.clear()
    assert _states(context) == []


def test_closing_in_the_midst_lets_it_wait_for_the_next_start(
    context: AppContext, analyser: FakeAnalyser, qtbot: QtBot, tmp_path: Path
) -> None:
    analyser.hold = threading.Event()
    queue = AnalysisQueue(context, analyser=analyser)
    queue.add_files([write_recording(tmp_path / "a.wav")])
    qtbot.waitUntil(lambda: bool(analyser.requests))
    folder = context.library.folder
    queue.close()
    context.close()
    with Library.open(folder) as library:
        assert [item.state for item in library.queue()] == ["waiting"]
        assert len(library.takes()) == 1


def test_a_bug_is_told_once_and_the_queue_can_go_on(
    queue: AnalysisQueue, context: AppContext, qtbot: QtBot, tmp_path: Path
) -> None:
    with qtbot.waitSignal(context.told) as told:
        queue.add_files([write_recording(tmp_path / "bug.wav")])
    assert told.args[1] == "Something went wrong inside SingCoach"
    qtbot.waitUntil(lambda: _idle(queue, context))
    queue.add_files([write_recording(tmp_path / "well.wav")])
    qtbot.waitUntil(lambda: _states(context) == ["failed", "done"])
    qtbot.waitUntil(lambda: _idle(queue, context))
