"""The frame: screens come and go, faults are told in one sentence, the language changes."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from singcoach.errors import Cancelled, InputError, SingCoachError
from singcoach.gui import screens, theme
from singcoach.gui.context import AppContext
from singcoach.gui.widgets.base import Body, IconButton, PlainButton, Segments
from singcoach.gui.widgets.icons import ICONS, icon_path
from singcoach.gui.window import MainWindow
from singcoach.jobs import Job


class _Visited(QWidget):
    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self.visits: list[Any] = []
        QVBoxLayout(self).addWidget(Body("here"))

    def enter(self, **arguments: Any) -> None:
        self.visits.append(arguments)
        if arguments.get("broken"):
            raise RuntimeError("a bug of ours")

    def leave(self) -> None:
        self.visits.append("left")


@pytest.fixture
def window(context: AppContext, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> MainWindow:
    def make(name: str, given: AppContext) -> QWidget:
        if name == "compare":
            raise RuntimeError("cannot be made")
        return _Visited(given)

    monkeypatch.setattr("singcoach.gui.window.make_screen", make)
    made = MainWindow(context)
    qtbot.addWidget(made)
    made.open()
    return made


def test_screens_are_entered_and_left(window: MainWindow, context: AppContext) -> None:
    context.navigate("library", take_id="7")
    context.navigate("home")
    library = window.screen_widget("library")
    assert isinstance(library, _Visited)
    assert library.visits == [{"take_id": "7"}, "left"]
    window.go_back()
    assert window.current_screen == "library"
    assert library.visits[-1] == {"take_id": "7"}


def test_a_screen_that_cannot_be_made_or_entered_is_told(
    window: MainWindow, context: AppContext
) -> None:
    context.navigate("compare")
    context.navigate("library", broken=True)
    assert window.banners() == ["Something went wrong inside SingCoach"]
    assert window.current_screen == "library"


def test_a_fault_is_one_sentence_and_told_once(window: MainWindow, context: AppContext) -> None:
    for _ in range(2):
        context.tell_fault(InputError("a.wav is empty", hint="Choose another file"))
    assert window.banners() == ["a.wav is empty"]


def test_every_icon_can_be_drawn() -> None:
    for name in ICONS:
        assert all(not path.isEmpty() for path, _ in icon_path(name)), name


def test_every_screen_has_an_icon() -> None:
    assert {entry.icon for entry in screens.SCREENS.values()} <= set(ICONS)


@pytest.mark.parametrize("palette", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
def test_text_can_be_read_in_both_themes(palette: theme.Palette) -> None:
    for ground in ("background", "surface", "sunken"):
        for ink in ("text", "text_soft", "accent", "good", "warning", "danger"):
            assert _contrast(palette, ink, ground) >= 4.5, (ink, ground)
        for mark in ("breath", "line_strong"):
            assert _contrast(palette, mark, ground) >= 2.9, (mark, ground)
    for kind in ("good", "warning", "danger", "accent"):
        for ink in (kind, "text", "text_soft"):
            assert _contrast(palette, ink, f"{kind}_soft") >= 4.5, (ink, kind)
    assert _contrast(palette, "on_accent", "accent") >= 4.5
    assert _contrast(palette, "on_accent", "accent_hover") >= 4.5


def _contrast(palette: theme.Palette, ink: str, ground: str) -> float:
    def luminance(name: str) -> float:
        value = getattr(palette, name)
        shares = [int(value[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    first, second = sorted((luminance(ink), luminance(ground)), reverse=True)
    return (first + 0.05) / (second + 0.05)


def test_the_theme_changes_what_is_shown(context: AppContext, qapp: Any) -> None:
    button = IconButton("play", "Play")
    light = button.icon().pixmap(20, 20).toImage()
    theme.apply_theme(qapp, "dark")
    assert theme.theme().dark
    assert button.icon().pixmap(20, 20).toImage() != light
    theme.apply_theme(qapp, "light")
    button.deleteLater()


def test_buttons_say_what_they_do(context: AppContext, qtbot: QtBot) -> None:
    pressed: list[int] = []
    button = PlainButton("Play", "play", shortcut="Space", on_click=lambda: pressed.append(1))
    qtbot.addWidget(button)
    button.click()
    assert pressed == [1]
    assert button.accessibleName() == "Play"
    assert button.toolTip() == "Play (Space)"


def test_segments_tell_what_was_chosen(context: AppContext, qtbot: QtBot) -> None:
    segments = Segments([("a", "One"), ("b", "Two")], name="Which")
    qtbot.addWidget(segments)
    segments.choose("a")
    with qtbot.waitSignal(segments.chosen) as told:
        segments.findChildren(PlainButton.__mro__[1].__mro__[1])[1].click()
    assert told.args == ["b"]
    assert segments.value == "b"


class TestTasks:
    def test_the_result_arrives_in_the_windows_thread(
        self, context: AppContext, qtbot: QtBot
    ) -> None:
        seen: list[Any] = []
        context.tasks.run(
            lambda job: threading.current_thread().name,
            lambda name: seen.extend([name, threading.current_thread() is threading.main_thread()]),
        )
        qtbot.waitUntil(lambda: len(seen) == 2)
        assert seen == ["singcoach-task", True]
        assert not context.tasks.busy

    def test_a_fault_arrives_as_one(self, context: AppContext, qtbot: QtBot) -> None:
        def fail(job: Job) -> None:
            raise InputError("no")

        seen: list[SingCoachError] = []
        context.tasks.run(fail, on_failed=seen.append)
        qtbot.waitUntil(lambda: bool(seen))
        assert seen[0].message == "no"

    def test_a_bug_becomes_one_sentence_for_everybody(
        self, context: AppContext, qtbot: QtBot
    ) -> None:
        def fail(job: Job) -> None:
            raise KeyError("secret")

        with qtbot.waitSignal(context.told) as told:
            context.tasks.run(fail)
        assert told.args[1] == "Something went wrong inside SingCoach"

    def test_progress_is_polled_and_cancelling_ends_it(
        self, context: AppContext, qtbot: QtBot
    ) -> None:
        go_on = threading.Event()

        def work(job: Job) -> None:
            job.report(0.5, "half")
            while not job.cancelled:
                go_on.wait(0.01)
            raise Cancelled

        progress: list[Any] = []
        ended: list[str] = []
        task = context.tasks.run(
            work,
            on_progress=lambda fraction, stage: progress.append((fraction, stage)),
            on_cancelled=lambda: ended.append("cancelled"),
        )
        qtbot.waitUntil(lambda: bool(progress))
        assert progress == [(0.5, "half")]
        task.cancel()
        qtbot.waitUntil(lambda: bool(ended))

    def test_results_for_nobody_are_dropped(self, context: AppContext, qtbot: QtBot) -> None:
        owner = QObject()
        may_end = threading.Event()
        seen: list[int] = []

        def work(job: Job) -> int:
            may_end.wait(5)
            return 1

        import shiboken6

        context.tasks.run(work, seen.append, owner=owner)
        shiboken6.delete(owner)
        may_end.set()
        qtbot.waitUntil(lambda: not context.tasks.busy)
        assert seen == []
