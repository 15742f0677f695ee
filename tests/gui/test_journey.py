"""One evening in the real window: the example, a moment of it, an own take, both side by side.

Nothing is replaced but the file dialog: the analysis runs in its process with the networks that
ship, the take comes through a sound card whose microphone hears its loudspeaker.
"""

from __future__ import annotations

import json
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPoint, Qt, QTimer
from PySide6.QtWidgets import QApplication, QFileDialog, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot
from sound_card import sound_card  # noqa: F401

from singcoach import resources
from singcoach.audio.recorder import recover_takes
from singcoach.chain.demo import demo_recording
from singcoach.gui.context import AppContext
from singcoach.gui.screens.compare import CompareScreen
from singcoach.gui.screens.home import HomeScreen
from singcoach.gui.screens.library import LibraryScreen
from singcoach.gui.screens.review import ReviewScreen
from singcoach.gui.screens.sing import SingScreen
from singcoach.gui.widgets.timeline_paint import mark_box
from singcoach.gui.window import MainWindow
from singcoach.library.store import Library

if TYPE_CHECKING:
    from sound_card import SoundCard

_SOON_MS = 30_000
_ANALYSIS_MS = 240_000
_EDGE_S = 0.3
"""A moment is played with a little before and after it."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


class _Windows(QObject):
    """Notes every window that is shown besides the one: a widget shown before it has a place."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.strange: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        shown = event.type() == QEvent.Type.Show and isinstance(watched, QWidget)
        if shown and watched.isWindow() and watched is not self._window:
            self.strange.append(f"{watched!r} {watched.accessibleName()}")
        return False


class Visitor:
    """Somebody before the window, who presses what is in view and waits for what follows."""

    def __init__(self, context: AppContext, qtbot: QtBot, folder: Path) -> None:
        self.context = context
        self.qtbot = qtbot
        self.folder = folder
        self.processes = _children()
        self.told: list[tuple[str, str]] = []
        context.told.connect(lambda kind, words, _hint: self.told.append((kind, words)))
        self.window = MainWindow(context)
        qtbot.addWidget(self.window)
        self.windows = _Windows(self.window)
        QApplication.instance().installEventFilter(self.windows)
        self.window.open()
        self.window.show()
        with qtbot.waitActive(self.window):
            self.window.activateWindow()

    def until(self, wish: Callable[[], bool], timeout_ms: int = _SOON_MS) -> None:
        """Let the window live until something is so."""
        self.qtbot.waitUntil(wish, timeout=timeout_ms)

    def rest(self) -> None:
        """Wait until nothing is done beside the window."""
        self.until(lambda: not self.context.tasks.busy)

    def on(self, name: str) -> Any:
        """Return the screen in view, which must be this one."""
        self.until(lambda: self.window.current_screen == name)
        screen = self.window.screen_widget(name)
        assert screen is not None
        assert screen.isVisible()
        return screen

    def press(self, words: str, within: QWidget | None = None) -> None:
        """Click the one button in view with these words."""
        found = [
            button
            for button in (within or self.window).findChildren(QPushButton)
            if button.isVisible() and button.text() == words
        ]
        assert len(found) == 1, (words, found)
        self.click(found[0])

    def click(self, widget: QWidget, place: QPoint | None = None) -> None:
        """Click a widget that can be clicked."""
        assert widget.isVisible()
        assert widget.isEnabled()
        at = widget.rect().center() if place is None else place
        self.qtbot.mouseClick(widget, Qt.MouseButton.LeftButton, pos=at)

    def export(self, button: QPushButton | QToolButton, words: str, target: Path) -> None:
        """Choose a form in an export menu and wait for the file."""
        assert button.isVisible()
        (action,) = [one for one in button.menu().actions() if one.text() == words]
        assert action.isEnabled()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(QFileDialog, "getSaveFileName", lambda *_a, **_k: (str(target), ""))
            action.trigger()
        self.until(target.is_file)
        self.rest()

    def analysed(self, take_id: str) -> None:
        """Wait for the analysis of a take, which must succeed."""
        library = self.context.library
        self.until(lambda: library.take(take_id).state in ("done", "failed"), _ANALYSIS_MS)
        take = library.take(take_id)
        assert take.state == "done", take.message
        self.rest()


@pytest.fixture
def visitor(
    sound_card: SoundCard,  # noqa: F811
    context: AppContext,
    qtbot: QtBot,
    tmp_path: Path,
) -> Iterator[Visitor]:
    made = Visitor(context, qtbot, tmp_path)
    yield made
    QApplication.instance().removeEventFilter(made.windows)
    made.window.close()


def test_an_evening_from_the_example_to_the_comparison(
    visitor: Visitor,
    sound_card: SoundCard,  # noqa: F811
) -> None:
    example_id = _try_the_example(visitor)
    _hear_a_mark(visitor)
    _hear_a_sentence(visitor)
    take_id = _record_a_take(visitor, sound_card)
    _find_it_in_the_library(visitor, take_id, example_id)
    _compare(visitor, take_id, example_id)
    _export(visitor, take_id)
    assert visitor.windows.strange == []
    assert [words for kind, words in visitor.told if kind == "error"] == []
    assert visitor.window.banners()[-2:] == ["Written: sung.singcoach", "Written: sung.json"]
    _close(visitor)
    _everything_is_still_there(take_id, example_id)


# --- the steps ----------------------------------------------------------------------------------


def _try_the_example(visitor: Visitor) -> str:
    home = visitor.on("home")
    assert isinstance(home, HomeScreen)
    visitor.until(lambda: home.step_button.text() == "Try the example")
    visitor.rest()
    shares: list[float] = []
    visitor.context.analysis.progressed.connect(lambda _id, share, _stage: shares.append(share))
    with visitor.qtbot.waitSignal(visitor.context.take_changed, timeout=_ANALYSIS_MS) as told:
        visitor.click(home.step_button)
    (example_id,) = told.args
    visitor.analysed(example_id)
    assert visitor.context.analysis.process_id is not None
    assert len(set(shares)) > 2
    assert shares == sorted(shares)
    visitor.until(lambda: home.step_button.text() == "Open the result")
    visitor.click(home.step_button)
    review = visitor.on("review")
    visitor.until(lambda: review._stack.currentIndex() == 1)
    visitor.rest()
    take = visitor.context.library.take(example_id)
    assert take.origin == "demo"
    assert take.overall is not None
    return str(example_id)


def _hear_a_mark(visitor: Visitor) -> None:
    review = visitor.on("review")
    assert isinstance(review, ReviewScreen)
    timeline, player = review._timeline, visitor.context.player
    content = timeline._content
    assert content is not None
    assert content.moments
    last = max(range(len(content.moments)), key=lambda i: content.moments[i].start_s)
    place = mark_box(timeline.canvas(), last).center().toPoint()
    chosen = timeline.moment_under(place.toPointF())
    moment = next(one for one in content.moments if one.id == chosen)
    visitor.click(timeline, place)
    visitor.until(lambda: player.playing and player.position_s > 0.0)
    assert moment.start_s - _EDGE_S <= player.position_s <= moment.end_s + _EDGE_S
    assert timeline._lit == {moment.id}
    visitor.until(lambda: not player.playing)
    assert player.position_s == pytest.approx(moment.end_s, abs=_EDGE_S)


def _hear_a_sentence(visitor: Visitor) -> None:
    review, player = visitor.on("review"), visitor.context.player
    paragraph, number, line = next(
        (paragraph, number, line)
        for paragraph in review._page.coach._paragraphs
        for number, line in enumerate(paragraph.lines)
        if line.moments
    )
    moment = review._review.moment(line.moments[0])
    assert paragraph.isVisible()
    visitor.qtbot.keyClick(review, Qt.Key.Key_L)  # again and again: only Space ends it
    paragraph.linkActivated.emit(str(number))
    visitor.until(lambda: player.playing and moment.id in review._timeline._lit)
    assert moment.start_s - _EDGE_S <= player.position_s <= moment.end_s + _EDGE_S
    assert review._playback.loop
    visitor.qtbot.keyClick(review, Qt.Key.Key_Space)
    visitor.until(lambda: not player.playing)
    assert moment.start_s - _EDGE_S <= player.position_s <= moment.end_s + _EDGE_S


def _record_a_take(visitor: Visitor, card: SoundCard) -> str:
    before = {row.id for row in visitor.context.library.takes()}
    visitor.press("Sing")
    sing = visitor.on("sing")
    assert isinstance(sing, SingScreen)
    visitor.press("Start", sing.choice)
    visitor.until(sing.stage.record.isVisible)
    visitor.until(sing.stage.record.isEnabled)
    visitor.click(sing.stage.record)
    visitor.until(lambda: sing.singing.is_recording)
    visitor.until(lambda: sing.singing.session.position_s > 0.2)
    voice = demo_recording().path
    with subprocess.Popen(["paplay", str(voice)], env=card.environment) as playing:
        visitor.until(lambda: playing.poll() is not None)
        assert playing.returncode == 0
    assert sing.singing.session.position_s > 12.0
    visitor.click(sing.stage.record)
    visitor.on("review")
    (take_id,) = {row.id for row in visitor.context.library.takes()} - before
    visitor.analysed(take_id)
    take = visitor.context.library.take(take_id)
    assert take.origin == "recorded"
    assert take.duration_s > 12.0
    assert take.overall is not None
    review = visitor.on("review")
    visitor.until(lambda: review._stack.currentIndex() == 1)
    assert recover_takes(resources.user_data_dir() / "recordings") == []
    return take_id


def _find_it_in_the_library(visitor: Visitor, take_id: str, example_id: str) -> None:
    visitor.press("Library")
    library = visitor.on("library")
    assert isinstance(library, LibraryScreen)
    rows = library.takes.rows
    visitor.until(lambda: rows.count() == 2)
    assert set(rows._model.rows.keys) == {take_id, example_id}
    top = rows.visualRect(rows.model().index(0, 0)).center()
    visitor.click(rows.viewport(), top)
    assert rows.keys == [take_id]  # the newest comes first
    assert library.takes.compare_button.isEnabled()


def _compare(visitor: Visitor, take_id: str, example_id: str) -> None:
    library = visitor.on("library")
    visitor.click(library.takes.compare_button)
    compare = visitor.on("compare")
    assert isinstance(compare, CompareScreen)
    visitor.until(lambda: compare._stack.currentIndex() == 1)
    visitor.rest()
    assert compare._ids == (example_id, take_id)
    assert compare._summary.text()
    assert compare._data is not None
    # The same voice through the air: found again, and later by the wait before it was played.
    assert compare._data.alignment.kind != "none"
    longer_s = visitor.context.library.take(take_id).duration_s - 12.0
    assert 0.0 < compare._offset_at(5.0) < longer_s + 0.5
    visitor.qtbot.keyClick(compare, Qt.Key.Key_Space)
    visitor.until(lambda: visitor.context.player.playing)
    visitor.qtbot.keyClick(compare, Qt.Key.Key_X)
    assert visitor.context.player._chosen == 1
    visitor.qtbot.keyClick(compare, Qt.Key.Key_Space)
    visitor.until(lambda: not visitor.context.player.playing)


def _export(visitor: Visitor, take_id: str) -> None:
    visitor.press("Library")
    takes = visitor.on("library").takes
    takes.rows.choose({take_id})
    whole, words = visitor.folder / "sung.singcoach", visitor.folder / "sung.json"
    visitor.export(takes.export_button, "The whole take as one file", whole)
    visitor.export(takes.export_button, "All numbers (JSON)", words)
    with zipfile.ZipFile(whole) as packed:
        assert packed.testzip() is None
        assert any(name.startswith("recording.") for name in packed.namelist())
    document = json.loads(words.read_text(encoding="utf-8"))
    assert document == visitor.context.library.assessment(take_id)


def _close(visitor: Visitor) -> None:
    window, context = visitor.window, visitor.context
    analysis = psutil.Process(context.analysis.process_id)
    with visitor.qtbot.waitSignal(window.closing):
        window.close()
    visitor.rest()
    assert not window.isVisible()
    context.close()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    running = [
        timer
        for owner in (window, context)
        for timer in owner.findChildren(QTimer)
        if timer.isActive()
    ]
    assert not running, [(timer.parent(), timer.interval()) for timer in running]
    assert not analysis.is_running()
    assert _children() == visitor.processes


def _everything_is_still_there(take_id: str, example_id: str) -> None:
    with Library.open() as library:
        assert {row.id for row in library.takes()} == {take_id, example_id}
        assert {row.state for row in library.takes()} == {"done"}
        assert library.queue(only_open=True) == []


def _children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}
