"""What the user chooses once: few settings, each explained, and every change holds at once."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from singcoach import __version__, resources
from singcoach.chain.demo import demo_recording
from singcoach.errors import SingCoachError
from singcoach.gui.context import AppContext
from singcoach.gui.screens.settings_models import ModelsCard
from singcoach.gui.settings import config_dir
from singcoach.gui.texts import LANGUAGE_NAMES, file_size, text
from singcoach.gui.theme import XL, XS, S
from singcoach.gui.view_models.settings_models import folder_bytes
from singcoach.gui.widgets.base import (
    Body,
    Card,
    Heading,
    Hint,
    Page,
    PlainButton,
    ScreenHeader,
    Segments,
    Strong,
    row,
)
from singcoach.jobs import Job

_CONTROL_WIDTH = 260
_THEMES = ("light", "dark", "system")
_PROFILES = ("fast", "balanced", "best")
_DEVICES = ("auto", "cpu", "cuda", "mps")
_COACHES = ("auto", "template")


class SettingsScreen(QWidget):
    """Language, look, sound, analysis, models, privacy."""

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._context = context
        page = Page(most_width=860)
        page.body.addWidget(ScreenHeader(text("settings.title"), words=text("settings.words")))
        for card in (self._look(), self._sound(), self._analysis()):
            page.body.addWidget(card)
        self._models = ModelsCard(context)
        page.body.addWidget(self._models)
        for card in (self._privacy(), _about()):
            page.body.addWidget(card)
        page.body.addStretch(1)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(page)
        context.settings_changed.connect(self._refresh)
        self._refresh()

    def enter(self, **_arguments: Any) -> None:
        """Look again at what may have changed meanwhile."""
        self._refresh()
        self._models.load()
        self._weigh_cache()

    def leave(self) -> None:
        """Stop checking models."""
        self._models.stop()

    # --- the cards ----------------------------------------------------------------------------

    def _look(self) -> Card:
        self._language = _combo(text("settings.language"), list(LANGUAGE_NAMES.items()))
        self._language.activated.connect(
            lambda _index: self._change(language=self._language.currentData())
        )
        self._theme = Segments(_named("theme", _THEMES), name=text("settings.theme"))
        self._theme.chosen.connect(lambda key: self._change(theme=key))
        return Card(
            Heading(text("settings.look")),
            _setting("settings.language", "settings.language_words", self._language),
            _setting("settings.theme", "", self._theme),
        )

    def _sound(self) -> Card:
        self._input, self._output = Body(), Body()
        button = PlainButton(
            text("settings.sound_open"),
            "microphone",
            on_click=lambda: self._context.navigate("sound"),
        )
        names = QVBoxLayout()
        names.setSpacing(XS)
        names.addWidget(self._input)
        names.addWidget(self._output)
        devices = QHBoxLayout()
        devices.addLayout(names, 1)
        devices.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        card = Card(Heading(text("settings.sound")))
        card.body.addLayout(devices)
        self._monitor = self._switch(card, "monitor")
        self._speak = self._switch(card, "speak")
        return card

    def _switch(self, card: Card, name: str) -> QCheckBox:
        box = QCheckBox(text(f"settings.{name}"))
        box.setAccessibleDescription(text(f"settings.{name}_words"))
        box.toggled.connect(lambda on: self._change(**{name: on}))
        card.body.addSpacing(S)
        card.body.addWidget(box)
        hint = Hint(text(f"settings.{name}_words"))
        hint.setContentsMargins(XL + XS, 0, 0, 0)
        card.body.addWidget(hint)
        return box

    def _analysis(self) -> Card:
        self._profile = Segments(_named("profile", _PROFILES), name=text("settings.profile"))
        self._profile.chosen.connect(lambda key: self._change(profile=key))
        self._profile_words = Hint()
        self._device = _combo(text("settings.device"), _named("device", _DEVICES))
        self._device.activated.connect(
            lambda _index: self._change(device=self._device.currentData())
        )
        self._coach = Segments(_named("coach", _COACHES), name=text("settings.coach"))
        self._coach.chosen.connect(lambda key: self._change(coach=key))
        return Card(
            Heading(text("settings.analysis")),
            _setting("settings.profile", self._profile_words, self._profile),
            _setting("settings.device", "settings.device_words", self._device),
            _stacked("settings.coach", "settings.coach_words", self._coach),
        )

    def _privacy(self) -> Card:
        folder = resources.user_data_dir()
        self._cache_words = Hint()
        card = Card(Heading(text("settings.privacy")), Body(text("settings.privacy_words")))
        for key, where in (("privacy_place", folder), ("privacy_settings", config_dir())):
            place = Hint(text(f"settings.{key}", folder=where))
            place.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            card.body.addWidget(place)
        self._clear = PlainButton(
            text("settings.clear_cache"), "delete", on_click=self._on_clear_clicked
        )
        open_button = PlainButton(
            text("settings.open_folder"), "folder", on_click=lambda: _show_folder(folder)
        )
        card.body.addWidget(self._cache_words)
        card.body.addLayout(row(open_button, self._clear, 1))
        return card

    # --- what happens -------------------------------------------------------------------------

    def _change(self, **changes: Any) -> None:
        self._context.change_settings(**changes)

    def _refresh(self) -> None:
        settings = self._context.settings
        for combo, value in ((self._language, settings.language), (self._device, settings.device)):
            with QSignalBlocker(combo):
                combo.setCurrentIndex(combo.findData(value))
        self._theme.choose(settings.theme)
        self._profile.choose(settings.profile)
        self._profile_words.setText(text(f"settings.profile_{settings.profile}_words"))
        self._coach.choose("template" if settings.coach == "template" else "auto")
        for box, on in ((self._monitor, settings.monitor), (self._speak, settings.speak)):
            with QSignalBlocker(box):
                box.setChecked(on)
        for label, key, device in (
            (self._input, "settings.sound_input", settings.input_device),
            (self._output, "settings.sound_output", settings.output_device),
        ):
            name = device.partition("|")[2] if device else text("settings.sound_system")
            label.setText(text(key, name=name))

    def _weigh_cache(self) -> None:
        self._context.tasks.run(
            lambda _job: folder_bytes(_cache_folder()),
            lambda size: self._cache_words.setText(
                text("settings.cache_words", size=file_size(size))
            ),
            owner=self,
        )

    def _on_clear_clicked(self) -> None:
        def clear(_job: Job) -> None:
            shutil.rmtree(_cache_folder(), ignore_errors=True)  # what is in use stays

        def done(_result: None) -> None:
            self._clear.setEnabled(True)
            self._context.tell(text("settings.cache_cleared"), kind="good")
            self._weigh_cache()

        self._clear.setEnabled(False)
        self._context.tasks.run(clear, done, owner=self)


def _about() -> Card:
    card = Card(
        Heading(text("settings.about", version=__version__)),
        Body(text("settings.about_words")),
    )
    try:
        credit = "; ".join(demo_recording(role).attribution for role in ("demo", "mixture"))
    except SingCoachError:  # told where the demo is asked for
        return card
    card.body.addWidget(Hint(text("settings.demo_credit", attribution=credit)))
    return card


def _cache_folder() -> Path:
    return resources.cache_dir() / "results"


def _show_folder(folder: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def _named(group: str, keys: Sequence[str]) -> list[tuple[str, str]]:
    return [(key, text(f"settings.{group}_{key}")) for key in keys]


def _combo(name: str, choices: Sequence[tuple[str, str]]) -> QComboBox:
    combo = QComboBox()
    combo.setAccessibleName(name)
    combo.setMinimumWidth(_CONTROL_WIDTH)
    for key, words in choices:
        combo.addItem(words, key)
    return combo


def _setting(name: str, words: str | Hint, control: QWidget) -> QWidget:
    """One setting: what it is at the left, how it is at the right."""
    whole = QWidget()
    box = QHBoxLayout(whole)
    box.setContentsMargins(0, S, 0, S)
    box.setSpacing(XL)
    column = QVBoxLayout()
    column.setSpacing(0)
    column.addWidget(Strong(text(name)))
    if isinstance(words, Hint):
        column.addWidget(words)
    elif words:
        column.addWidget(Hint(text(words)))
    box.addLayout(column, 1)
    box.addWidget(control, 0, Qt.AlignmentFlag.AlignVCenter)
    return whole


def _stacked(name: str, words: str, control: QWidget) -> QWidget:
    """One setting whose control needs the whole width."""
    whole = QWidget()
    box = QVBoxLayout(whole)
    box.setContentsMargins(0, S, 0, S)
    box.setSpacing(XS)
    box.addWidget(Strong(text(name)))
    box.addWidget(Hint(text(words)))
    box.addWidget(control)
    return whole
