"""The first screen and the import screen, with an analyser that hears nothing."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from gui_fakes import FakeAnalyser, write_recording
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from singcoach.audio import devices, recorder
from singcoach.audio.recorder import RecoveredTake
from singcoach.gui.analysis_queue import AnalysisQueue
from singcoach.gui.context import AppContext
from singcoach.gui.screens.home import HomeScreen
from singcoach.gui.screens.queue import QueueScreen
from singcoach.gui.widgets.base import LinkButton, PlainButton


@pytest.fixture
def analyser(context: AppContext, monkeypatch: pytest.MonkeyPatch) -> FakeAnalyser:
    made = FakeAnalyser()
    context._analysis = AnalysisQueue(context, analyser=made)
    monkeypatch.setattr(devices, "list_devices", list)
    return made


@pytest.fixture
def visited(context: AppContext) -> list[tuple[str, dict[str, Any]]]:
    seen: list[tuple[str, dict[str, Any]]] = []
    context.navigated.connect(lambda screen, arguments: seen.append((screen, arguments)))
    return seen


def _shown(screen: HomeScreen | QueueScreen, context: AppContext, qtbot: QtBot) -> None:
    qtbot.addWidget(screen)
    screen.resize(820, 700)
    screen.show()
    screen.enter()
    qtbot.wait(20)
    qtbot.waitUntil(lambda: not context.tasks.busy)


def test_the_example_goes_from_the_first_button_to_its_result(
    context: AppContext,
    analyser: FakeAnalyser,
    visited: list[tuple[str, dict[str, Any]]],
    qtbot: QtBot,
) -> None:
    screen = HomeScreen(context)
    _shown(screen, context, qtbot)
    assert screen.step_button.text() == "Try the example"
    analyser.hold = threading.Event()
    screen.step_button.click()
    qtbot.waitUntil(lambda: screen.progress.value() > 0)
    assert not screen.step_button.isVisibleTo(screen)
    analyser.hold.set()
    qtbot.waitUntil(lambda: screen.step_button.text() == "Open the result")
    assert screen.step_button.isVisibleTo(screen)
    screen.step_button.click()
    demo = context.library.takes()[0]
    assert visited == [("review", {"take_id": demo.id})]
    assert demo.singer != "Me"
    assert context.singer_id() != demo.singer_id
    assert screen.rows.count() == 1
    screen.leave()


@pytest.mark.parametrize("keep", [True, False])
def test_an_interrupted_recording_is_kept_or_discarded(
    context: AppContext,
    analyser: FakeAnalyser,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
    keep: bool,
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
    monkeypatch.setattr(
        recorder, "recover_takes", lambda _folder: [cut_off] if path.exists() else []
    )
    yes = QMessageBox.StandardButton.Yes
    monkeypatch.setattr(QMessageBox, "question", lambda *_: yes)
    screen = HomeScreen(context)
    _shown(screen, context, qtbot)
    words = "Keep" if keep else "Discard"
    button = next(
        button
        for button in screen.findChildren(PlainButton if keep else LinkButton)
        if button.text() == words
    )
    button.click()
    qtbot.waitUntil(lambda: not path.exists() and not context.tasks.busy)
    assert len(context.library.takes()) == int(keep)
    assert len(analyser.requests) == int(keep)
    screen.leave()


def test_dropped_files_are_analysed_and_a_bad_one_says_why(
    context: AppContext,
    analyser: FakeAnalyser,
    visited: list[tuple[str, dict[str, Any]]],
    tmp_path: Path,
    qtbot: QtBot,
) -> None:
    screen = QueueScreen(context)
    _shown(screen, context, qtbot)
    assert not screen.rows.isVisibleTo(screen)
    folder = tmp_path / "evening"
    folder.mkdir()
    write_recording(folder / "one.wav")
    bad = write_recording(tmp_path / "model.wav")
    dropped = QMimeData()
    dropped.setUrls([QUrl.fromLocalFile(str(path)) for path in (folder, bad)])
    event = QDropEvent(
        QPointF(9, 9),
        Qt.DropAction.CopyAction,
        dropped,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    screen.dropEvent(event)
    qtbot.waitUntil(
        lambda: (
            [item.state for item in context.library.queue()] == ["done", "failed"]
            and not context.tasks.busy
        )
    )
    good, failed = context.library.queue()
    screen.rows.choose({str(failed.id)})
    assert screen._why.text() == "The model swift-f0 is damaged. Install again"
    assert screen.retry_button.isVisibleTo(screen)
    screen.retry_button.click()
    qtbot.waitUntil(lambda: len(analyser.requests) == 3 and not context.tasks.busy)
    screen.rows.choose({str(good.id)})
    screen.open_button.click()
    assert visited == [("review", {"take_id": good.take_id})]
    screen.clear_button.click()
    assert [item.state for item in context.library.queue()] == ["failed"]  # stays with its take
    screen.leave()


def test_pausing_keeps_the_recording_and_cancelling_stops_it(
    context: AppContext, analyser: FakeAnalyser, tmp_path: Path, qtbot: QtBot
) -> None:
    screen = QueueScreen(context)
    _shown(screen, context, qtbot)
    analyser.hold = threading.Event()
    screen.add([write_recording(tmp_path / f"{name}.wav") for name in ("a", "b")])
    qtbot.waitUntil(lambda: screen.progress.value() > 0)
    assert screen.pause_button.text() == "Pause"
    screen.pause_button.click()
    qtbot.waitUntil(lambda: not context.tasks.busy)
    assert [item.state for item in context.library.queue()] == ["waiting", "waiting"]
    assert screen.pause_button.text() == "Go on"
    assert screen._now.text() == "Paused. 2 recordings wait."
    screen.pause_button.click()
    qtbot.waitUntil(lambda: len(analyser.requests) == 2)
    screen.stop_button.click()
    qtbot.waitUntil(lambda: not context.tasks.busy)
    assert [item.state for item in context.library.queue()] == ["cancelled", "cancelled"]
    screen.leave()
