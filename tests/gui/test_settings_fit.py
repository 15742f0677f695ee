"""The settings screen shows what holds, asks before it removes, and fits in every language."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from singcoach import __version__
from singcoach.core.languages import LANGUAGES
from singcoach.gui.context import AppContext
from singcoach.gui.screens.settings import SettingsScreen
from singcoach.gui.texts import text
from singcoach.gui.widgets.base import Banner, IconButton, Page, PlainButton
from singcoach.models.installed import packs_dir

_ROOM_IN_SMALLEST_WINDOW = 816


@pytest.fixture
def screen(context: AppContext, qtbot: QtBot) -> Iterator[SettingsScreen]:
    made = SettingsScreen(context)
    qtbot.addWidget(made)
    made.show()
    made.enter()
    qtbot.waitUntil(lambda: bool(made._models.lines) and not context.tasks.busy)
    yield made
    made.leave()


def test_hearing_oneself_and_reading_aloud_are_off_until_chosen(
    screen: SettingsScreen, context: AppContext
) -> None:
    assert not screen._monitor.isChecked()
    assert not screen._speak.isChecked()
    screen._monitor.click()
    screen._speak.click()
    assert (context.settings.monitor, context.settings.speak) == (True, True)


def test_a_change_made_elsewhere_is_shown(screen: SettingsScreen, context: AppContext) -> None:
    context.change_settings(input_device="ALSA|Microphone A", monitor=True, profile="best")
    assert "Microphone A" in screen._input.text()
    assert screen._monitor.isChecked()
    assert screen._profile.value == "best"
    assert screen._profile_words.text() == text("settings.profile_best_words")


def test_every_model_is_shown_with_licence_and_fingerprint(screen: SettingsScreen) -> None:
    shown = "\n".join(label.text() for label in screen.findChildren(QLabel))
    for line in screen._models.lines:
        assert line.id in shown
        assert line.licence in shown
        assert line.sha256[:12] in shown
    assert __version__ in shown


def test_the_devices_are_chosen_on_the_screen_of_the_microphone(
    screen: SettingsScreen, context: AppContext, qtbot: QtBot
) -> None:
    (button,) = [
        button
        for button in screen.findChildren(PlainButton)
        if button.accessibleName() == text("settings.sound_open")
    ]
    with qtbot.waitSignal(context.navigated) as navigated:
        button.click()
    assert navigated.args is not None
    assert navigated.args[0] == "sound"


def test_a_pack_is_removed_only_after_a_second_word(
    screen: SettingsScreen, context: AppContext, qtbot: QtBot
) -> None:
    pack = packs_dir() / "broken"
    pack.mkdir(parents=True)
    (pack / "manifest.toml").write_text("no manifest [", encoding="utf-8")
    screen._models.load()
    qtbot.waitUntil(lambda: any(line.pack == "broken" for line in screen._models.lines))
    name = text("settings.remove", name="broken")
    (remove,) = [b for b in screen.findChildren(IconButton) if b.accessibleName() == name]
    remove.click()
    assert pack.is_dir()
    (asked,) = screen.findChildren(Banner)
    assert asked.words.text() == text("settings.remove_sure", name="broken")
    assert asked.button is not None
    asked.button.click()
    qtbot.waitUntil(lambda: not pack.exists() and not context.tasks.busy)
    qtbot.waitUntil(lambda: all(line.pack != "broken" for line in screen._models.lines))


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_fits_the_smallest_window_in_every_language(
    context: AppContext, qtbot: QtBot, language: str
) -> None:
    context.change_settings(language=language)
    made = SettingsScreen(context)
    qtbot.addWidget(made)
    made.resize(_ROOM_IN_SMALLEST_WINDOW, 700)
    made.show()
    made.enter()
    qtbot.waitUntil(lambda: bool(made._models.lines) and not context.tasks.busy)
    (page,) = made.findChildren(Page)
    assert page.widget().minimumSizeHint().width() <= page.viewport().width()
    made.leave()
