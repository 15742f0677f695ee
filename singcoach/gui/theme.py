"""How the window looks: colours of the light and the dark theme, spacing, sizes, one style sheet.

No widget names a colour or a size of its own. What changes with the theme asks :func:`colour`
when it paints, and repaints on :attr:`Theme.changed`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from singcoach.gui.style_sheet import style_sheet

ThemeChoice = Literal["light", "dark", "system"]

SPACE: Final = (4, 8, 12, 16, 24, 32)
"""The distances in use, in device-independent pixels."""
XS, S, M, L, XL, XXL = SPACE
CARD_RADIUS: Final = 12
CONTROL_RADIUS: Final = 8

FONT_SMALL: Final = 13
FONT_BODY: Final = 14
FONT_HEADING: Final = 17
FONT_TITLE: Final = 26
FONT_NUMBER: Final = 34
"""Heights of the letters in device-independent pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Colours of one theme as ``#RRGGBB``.

    Text colours reach a contrast of 4.5 on ``background``, ``surface`` and ``sunken``; the colours
    of the four dimensions are those of Okabe and Ito (in the dark theme lightened) and never carry
    a meaning alone.
    """

    background: str
    surface: str
    sunken: str
    hover: str
    line: str
    line_strong: str
    text: str
    text_soft: str
    accent: str
    accent_hover: str
    accent_soft: str
    on_accent: str
    good: str
    good_soft: str
    warning: str
    warning_soft: str
    danger: str
    danger_soft: str
    breath: str
    timbre: str
    emotion: str
    technique: str
    voice: str
    melody: str
    waveform: str


LIGHT: Final = Palette(
    background="#F5F4F1",
    surface="#FFFFFF",
    sunken="#ECEBE7",
    hover="#E4E2DD",
    line="#DEDCD6",
    line_strong="#8A8881",
    text="#1C1E24",
    text_soft="#555963",
    accent="#4A3FC4",
    accent_hover="#3B319F",
    accent_soft="#E8E6FA",
    on_accent="#FFFFFF",
    good="#146C43",
    good_soft="#DFF2E7",
    warning="#7A4B00",
    warning_soft="#FBEFD3",
    danger="#A8201A",
    danger_soft="#FBE3E1",
    breath="#0072B2",
    timbre="#009E73",
    emotion="#CC79A7",
    technique="#E69F00",
    voice="#4A3FC4",
    melody="#A9ACB5",
    waveform="#B9BCC6",
)
DARK: Final = Palette(
    background="#14151A",
    surface="#1D1F26",
    sunken="#101116",
    hover="#2A2D36",
    line="#31343E",
    line_strong="#767B89",
    text="#ECEDF1",
    text_soft="#ABB0BD",
    accent="#A9A0FF",
    accent_hover="#BFB8FF",
    accent_soft="#2C2A48",
    on_accent="#15122B",
    good="#6FD3A0",
    good_soft="#17352A",
    warning="#F0C060",
    warning_soft="#3A2E14",
    danger="#FF9A92",
    danger_soft="#42211F",
    breath="#4FA8DC",
    timbre="#2FBF95",
    emotion="#DB94BB",
    technique="#F0B429",
    voice="#A9A0FF",
    melody="#6B7080",
    waveform="#4B505D",
)


class Theme(QObject):
    """The theme in force. There is one, because there is one screen to look at: :func:`theme`."""

    changed = Signal()
    """After the colours have changed; whatever paints itself repaints."""

    def __init__(self) -> None:
        super().__init__()
        self._choice: ThemeChoice = "light"
        self._followed: QObject | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.palette: Palette = LIGHT

    @property
    def dark(self) -> bool:
        """Whether the dark theme is in force."""
        return self.palette is DARK

    def apply(self, app: QApplication, choice: ThemeChoice) -> None:
        """Dress ``app``; ``system`` follows what the desktop asks for, also later."""
        self._choice = choice
        hints = app.styleHints()
        if self._followed is not hints:
            hints.colorSchemeChanged.connect(self._on_scheme_changed)
            self._followed = hints
        scheme = {
            "light": Qt.ColorScheme.Light,
            "dark": Qt.ColorScheme.Dark,
            "system": Qt.ColorScheme.Unknown,
        }[choice]
        hints.setColorScheme(scheme)  # native title bars and dialogs follow
        self._dress(app)

    def _on_scheme_changed(self) -> None:
        app = QApplication.instance()
        if self._choice == "system" and isinstance(app, QApplication):
            self._dress(app)

    def _dress(self, app: QApplication) -> None:
        dark = self._choice == "dark" or (
            self._choice == "system" and app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        )
        self.palette = DARK if dark else LIGHT
        app.setPalette(_qt_palette(self.palette))
        check = self._drawn("check", self.palette.on_accent)
        chevron = self._drawn("chevron-down", self.palette.text_soft)
        app.setStyleSheet(style_sheet(colours(self.palette), check=check, chevron=chevron))
        self.changed.emit()

    def _drawn(self, name: str, ink: str) -> str:
        """Draw an icon into a file, which is how a style sheet wants it; returns its path."""
        from singcoach.gui.widgets.icons import icon_pixmap  # it asks the theme for its colours

        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(
                prefix="singcoach-", ignore_cleanup_errors=True
            )
        place = Path(self._folder.name)
        stem = f"{name}-{ink.removeprefix('#')}"
        for scale, suffix in ((1.0, ""), (2.0, "@2x"), (3.0, "@3x")):
            file = place / f"{stem}{suffix}.png"
            if not file.exists():
                icon_pixmap(name, 16, QColor(ink), scale=scale).save(str(file))
        return (place / f"{stem}.png").as_posix()


_theme: Theme | None = None


def theme() -> Theme:
    """Return the theme in force."""
    global _theme
    if _theme is None:
        _theme = Theme()
    return _theme


def apply_theme(app: QApplication, choice: ThemeChoice) -> None:
    """Dress the application in ``choice``."""
    if app.style().objectName().lower() != "fusion":
        app.setStyle("Fusion")
    theme().apply(app, choice)


def colour(name: str) -> QColor:
    """Return a colour of the theme in force by its name in :class:`Palette`.

    Raises
    ------
    ValueError
        There is no such colour.
    """
    try:
        return QColor(getattr(theme().palette, name))
    except AttributeError:
        raise ValueError(f"no colour is called {name!r}") from None


def colours(palette: Palette) -> Mapping[str, str]:
    """Return the colours of a palette by name."""
    return {field.name: getattr(palette, field.name) for field in fields(palette)}


_FAMILIES: Final = (
    "Inter",
    "Segoe UI",
    "SF Pro Text",
    "Helvetica Neue",
    "Noto Sans",
)
_FAMILIES_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "ja": ("Yu Gothic UI", "Hiragino Sans", "Noto Sans CJK JP", "Noto Sans JP"),
    "zh": ("Microsoft YaHei UI", "PingFang SC", "Noto Sans CJK SC", "Noto Sans SC"),
}


def apply_font(app: QGuiApplication, language: str) -> None:
    """Choose the letters for a language: Chinese and Japanese share characters but not shapes."""
    font = QFont()
    wanted = (*_FAMILIES, *_FAMILIES_OF.get(language, _FAMILIES_OF["ja"]), "DejaVu Sans")
    font.setFamilies([*wanted])
    font.setPixelSize(FONT_BODY)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    app.setFont(font)


def scaled_font(pixels: int, *, bold: bool = False, mono_digits: bool = False) -> QFont:
    """Return the application's font at another height, for what paints its own text."""
    font = QFont(QGuiApplication.font())
    font.setPixelSize(pixels)
    if bold:
        font.setWeight(QFont.Weight.DemiBold)
    if mono_digits:
        font.setFeature(QFont.Tag("tnum"), 1)
    return font


def _qt_palette(palette: Palette) -> QPalette:
    """Give Qt's own painting (menus, selections, placeholders) the same colours."""
    result = QPalette()
    role = QPalette.ColorRole
    for target, name in (
        (role.Window, "background"),
        (role.WindowText, "text"),
        (role.Base, "surface"),
        (role.AlternateBase, "sunken"),
        (role.Text, "text"),
        (role.Button, "surface"),
        (role.ButtonText, "text"),
        (role.BrightText, "danger"),
        (role.Highlight, "accent"),
        (role.HighlightedText, "on_accent"),
        (role.Accent, "accent"),
        (role.ToolTipBase, "text"),
        (role.ToolTipText, "surface"),
        (role.PlaceholderText, "text_soft"),
        (role.Link, "accent"),
        (role.Mid, "line"),
        (role.Dark, "line_strong"),
        (role.Light, "surface"),
    ):
        result.setColor(target, QColor(getattr(palette, name)))
    for target in (role.Text, role.WindowText, role.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, target, QColor(palette.line_strong))
    return result
