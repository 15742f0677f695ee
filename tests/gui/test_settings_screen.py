"""Settings hold at once, models are checked, added and removed where the user looks at them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from singcoach.errors import ModelError
from singcoach.gui.app import Desktop
from singcoach.gui.context import AppContext
from singcoach.gui.screens import settings_models
from singcoach.gui.screens.settings import SettingsScreen
from singcoach.gui.view_models.settings_models import Added, check_all, read_lines
from singcoach.gui.widgets.base import Banner


@pytest.fixture
def screen(context: AppContext, qtbot: QtBot) -> SettingsScreen:
    made = SettingsScreen(context)
    qtbot.addWidget(made)
    made.enter()
    qtbot.waitUntil(lambda: bool(made._models.lines) and not context.tasks.busy)
    return made


def _press(screen: SettingsScreen, words: str) -> None:
    buttons = [b for b in screen.findChildren(QPushButton) if b.text() == words]
    assert len(buttons) == 1, [b.text() for b in screen.findChildren(QPushButton)]
    buttons[0].click()


def _told(screen: SettingsScreen) -> list[str]:
    banners = [b for b in screen.findChildren(Banner) if b.parent() is not None]
    return [b.words.text() for b in banners]


def test_a_choice_holds_at_once_and_after_a_restart(
    screen: SettingsScreen, context: AppContext
) -> None:
    _press(screen, "Best")
    _press(screen, "Built-in sentences")
    screen._speak.setChecked(True)
    found = type(context.settings_store)(context.settings_store.path).current
    assert (found.profile, found.coach, found.speak) == ("best", "template", True)
    assert "stronger models" in screen._profile_words.text()


def test_another_language_makes_the_window_anew(
    context: AppContext, qapp: Any, qtbot: QtBot
) -> None:
    desktop = Desktop(qapp, context)
    desktop.window.open("settings")
    first = desktop.window
    context.change_settings(language="de")
    qtbot.addWidget(desktop.window)
    assert desktop.window is not first
    assert desktop.window.current_screen == "settings"
    shown = desktop.window.screen_widget("settings")
    assert shown is not None
    assert "Hell" in [b.text() for b in shown.findChildren(QPushButton)]
    qtbot.waitUntil(lambda: not context.tasks.busy)


def test_every_model_shows_its_licence_and_hash(screen: SettingsScreen) -> None:
    lines = screen._models.lines
    assert {line.role for line in lines} >= {"separation", "pitch", "heads", "encoder_general"}
    for line in lines:
        assert len(line.sha256) == 64
        assert line.licence


def test_all_files_are_checked(
    screen: SettingsScreen, context: AppContext, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = screen._models.lines[0].id
    monkeypatch.setattr(settings_models, "check_all", lambda job: {first: "It is damaged"})
    _press(screen, "Check all files")
    qtbot.waitUntil(lambda: bool(_told(screen)))
    assert _told(screen) == ["Some files are damaged."]


def test_checking_reads_the_files_that_are_there() -> None:
    found = check_all()
    assert set(found) == {line.id for line in read_lines() if line.state == "built_in"}
    assert not any(found.values())


def test_an_unknown_file_is_added_only_when_the_user_vouches_for_it(
    screen: SettingsScreen,
    context: AppContext,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    asked: list[bool] = []

    def add(paths: list[Path], *, trust: bool, job: Any) -> Added:
        asked.append(trust)
        if not trust:
            raise ModelError("x.ckpt is not known", hint="Add it with --trust")
        return Added(name="x", writes_words=False)

    monkeypatch.setattr(settings_models, "add_files", add)
    screen._models.add([tmp_path / "x.ckpt"])
    qtbot.waitUntil(lambda: bool(_told(screen)))
    assert _told(screen) == ["x.ckpt is not known"]
    _press(screen, "I trust where it came from: add it")
    qtbot.waitUntil(lambda: asked == [False, True] and not context.tasks.busy)
    assert _told(screen) == ["x was added. The profile Best uses it."]


def test_a_file_that_is_no_model_is_one_sentence(
    screen: SettingsScreen, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "song.ckpt"
    path.write_bytes(b"no model")
    screen._models.add([path], trust=True)
    qtbot.waitUntil(lambda: bool(_told(screen)), timeout=30_000)
    assert "song.ckpt" in _told(screen)[0]


def test_intermediate_results_can_be_cleared(
    screen: SettingsScreen, context: AppContext, qtbot: QtBot
) -> None:
    from singcoach import resources

    kept = resources.cache_dir() / "results" / "a.npz"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"x" * 2_000_000)
    with qtbot.waitSignal(context.told) as told:
        _press(screen, "Clear intermediate results")
    assert told.args[1] == "The intermediate results were cleared."
    assert not kept.exists()
    qtbot.waitUntil(lambda: not context.tasks.busy)
