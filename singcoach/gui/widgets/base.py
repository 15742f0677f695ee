"""The few building blocks that every screen is made of.

A widget says what it is by its property ``role``; the style sheet of the theme does the rest. All
of them have an accessible name and show where the keyboard is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from singcoach.gui.texts import text
from singcoach.gui.theme import XL, XS, XXL, L, M, S, colour, theme
from singcoach.gui.widgets.icons import ICON_SIZE, icon, paint_icon

BannerKind = Literal["info", "good", "warning", "error"]
Action = Callable[[], object]


def set_role(widget: QWidget, role: str) -> None:
    """Give a widget its place in the style sheet."""
    widget.setProperty("role", role)


def restyle(widget: QWidget) -> None:
    """Look the style up again after a property has changed."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()


class _Label(QLabel):
    _role = ""

    def __init__(self, words: str = "", parent: QWidget | None = None) -> None:
        super().__init__(words, parent)
        set_role(self, self._role)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        policy = self.sizePolicy()
        policy.setHorizontalPolicy(QSizePolicy.Policy.Preferred)
        self.setSizePolicy(policy)


class Title(_Label):
    """The name of a screen."""

    _role = "title"


class Heading(_Label):
    """The name of a part of a screen."""

    _role = "heading"


class Body(_Label):
    """Ordinary text."""

    _role = "body"


class Strong(_Label):
    """Text that stands out a little."""

    _role = "strong"


class Hint(_Label):
    """Small, soft text that explains."""

    _role = "hint"


class Number(_Label):
    """One large figure."""

    _role = "number"


class Tag(_Label):
    """A short word on a soft ground, such as a state."""

    _role = "tag"

    def __init__(self, words: str = "", parent: QWidget | None = None) -> None:
        super().__init__(words, parent)
        self.setWordWrap(False)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)


class Card(QFrame):
    """A calm surface that holds what belongs together.

    Attributes
    ----------
    body
        The layout to add to.
    """

    def __init__(self, *widgets: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "card")
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(XL, L, XL, L)
        self.body.setSpacing(S)
        for widget in widgets:
            self.body.addWidget(widget)


class Line(QFrame):
    """A thin line between two things."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "line")


class _Button(QPushButton):
    """A button whose icon follows the theme and whose tooltip names its key."""

    _role = ""
    _ink = "text"
    _checked_ink = "accent"

    def __init__(
        self,
        words: str,
        icon_name: str | None = None,
        *,
        shortcut: str | None = None,
        on_click: Action | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(words.replace("&", "&&"), parent)
        set_role(self, self._role)
        self.setAccessibleName(words)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAutoDefault(False)
        self._icon_name = icon_name
        if shortcut is not None:
            self.setShortcut(QKeySequence(shortcut))
            self.setToolTip(with_keys(words, shortcut))
        if on_click is not None:
            self.clicked.connect(lambda _checked=False: on_click())
        theme().changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def set_icon(self, name: str | None) -> None:
        """Show another icon."""
        self._icon_name = name
        self._on_theme_changed()

    def _on_theme_changed(self) -> None:
        if self._icon_name is not None:
            self.setIcon(icon(self._icon_name, self._ink, checked_ink=self._checked_ink))
            self.setIconSize(ICON_SIZE)


class PrimaryButton(_Button):
    """The one next step of a screen."""

    _role = "primary"
    _ink = "on_accent"
    _checked_ink = "on_accent"


class BigButton(_Button):
    """The one next step where it is the only thing that matters."""

    _role = "big"
    _ink = "on_accent"
    _checked_ink = "on_accent"


class PlainButton(_Button):
    """Every other step."""

    _role = "plain"


class DangerButton(_Button):
    """A step that takes something away."""

    _role = "danger"
    _ink = "danger"


class LinkButton(_Button):
    """A step beside the main road."""

    _role = "link"
    _ink = "accent"


class IconButton(QToolButton):
    """A button that is only an icon; its name is in the tooltip and for screen readers."""

    def __init__(
        self,
        icon_name: str,
        name: str,
        *,
        shortcut: str | None = None,
        checkable: bool = False,
        on_click: Action | None = None,
        ink: str = "text",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._icon_name = icon_name
        self._ink = ink
        self.setCheckable(checkable)
        self.setIconSize(ICON_SIZE)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._shortcut = shortcut
        if shortcut is not None:
            self.setShortcut(QKeySequence(shortcut))
        self.set_name(name)
        if on_click is not None:
            self.clicked.connect(lambda _checked=False: on_click())
        theme().changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def set_name(self, name: str) -> None:
        """Say what it does."""
        self.setAccessibleName(name)
        self.setToolTip(name if self._shortcut is None else with_keys(name, self._shortcut))

    def set_icon(self, icon_name: str, name: str) -> None:
        """Show another icon with another name, such as pause for play."""
        self._icon_name = icon_name
        self.set_name(name)
        self._on_theme_changed()

    def _on_theme_changed(self) -> None:
        self.setIcon(icon(self._icon_name, self._ink))


class Segments(QFrame):
    """A choice among a few, all of them visible.

    Parameters
    ----------
    choices
        What each is called in the program, and its words.
    name
        What is chosen, for screen readers.
    """

    chosen = Signal(str)

    def __init__(
        self, choices: Sequence[tuple[str, str]], *, name: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        set_role(self, "sunken")
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        box = QHBoxLayout(self)
        box.setContentsMargins(XS, XS, XS, XS)
        box.setSpacing(0)
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QPushButton] = {}
        for key, words in choices:
            button = QPushButton(words, self)
            set_role(button, "segment")
            button.setCheckable(True)
            button.setAutoDefault(False)
            button.setAccessibleName(f"{name}: {words}")
            button.clicked.connect(lambda _checked=False, key=key: self.chosen.emit(key))
            self._group.addButton(button)
            self._buttons[key] = button
            box.addWidget(button)

    @property
    def value(self) -> str:
        """The chosen one; empty before any choice."""
        return next((key for key, button in self._buttons.items() if button.isChecked()), "")

    def choose(self, key: str) -> None:
        """Choose without telling :attr:`chosen`."""
        self._buttons[key].setChecked(True)


class IconLabel(QWidget):
    """An icon that only shows; it takes no part in reading aloud."""

    def __init__(
        self, icon_name: str, *, ink: str = "text", pixels: int = 20, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._icon_name, self._ink = icon_name, ink
        self.setFixedSize(pixels, pixels)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def set_icon(self, icon_name: str, ink: str) -> None:
        """Show another icon."""
        self._icon_name, self._ink = icon_name, ink
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the icon."""
        painter = QPainter(self)
        paint_icon(painter, self._icon_name, QRectF(self.rect()), colour(self._ink))
        painter.end()


class EmptyState(QWidget):
    """What a screen says when there is nothing to show yet: what it is for, and the next step."""

    def __init__(
        self,
        title: str,
        words: str,
        action: tuple[str, Action] | None = None,
        *,
        icon_name: str = "note",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        column = QWidget()
        column.setMaximumWidth(520)
        box = QVBoxLayout(column)
        box.setSpacing(M)
        box.addWidget(
            IconLabel(icon_name, ink="accent", pixels=48), 0, Qt.AlignmentFlag.AlignHCenter
        )
        for label in (Heading(title), Body(words)):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            box.addWidget(label)
        self.button: PrimaryButton | None = None
        if action is not None:
            self.button = PrimaryButton(action[0], on_click=action[1])
            box.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(XL, XXL, XL, XXL)
        outer.addStretch(2)
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(column, 1000)
        middle.addStretch(1)
        outer.addLayout(middle)
        outer.addStretch(3)


_BANNER_ICONS = {
    "info": ("info", "accent"),
    "good": ("good", "good"),
    "warning": ("warning", "warning"),
    "error": ("error", "danger"),
}


class Banner(QFrame):
    """A message at the top: one sentence, what to do, perhaps a button; can be closed."""

    closed = Signal()

    def __init__(
        self,
        kind: BannerKind,
        words: str,
        action: tuple[str, Action] | None = None,
        *,
        hint: str = "",
        closable: bool = True,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        set_role(self, "banner")
        self.setProperty("kind", kind)
        self.setAccessibleName(f"{words} {hint}".strip())
        box = QHBoxLayout(self)
        box.setContentsMargins(L, S, S, S)
        box.setSpacing(M)
        name, ink = _BANNER_ICONS[kind]
        box.addWidget(IconLabel(name, ink=ink), 0, Qt.AlignmentFlag.AlignVCenter)
        column = QVBoxLayout()
        column.setSpacing(0)
        self.words = Strong(words)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(self.words)
        if hint:
            column.addWidget(Hint(hint))
        box.addLayout(column, 1)
        self.button: PlainButton | None = None
        if action is not None:
            self.button = PlainButton(action[0], on_click=action[1])
            box.addWidget(self.button)
        if closable:
            box.addWidget(
                IconButton("close", text("window.dismiss"), on_click=self.closed.emit),
                0,
                Qt.AlignmentFlag.AlignTop,
            )


class ScreenHeader(QWidget):
    """The title of a screen with its actions at the right, and one line below that explains.

    Parameters
    ----------
    actions
        Buttons, from left to right; the primary one last.
    on_back
        Shows a way back at the left.
    """

    def __init__(
        self,
        title: str,
        actions: Sequence[QWidget] = (),
        *,
        words: str = "",
        on_back: Action | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(S)
        if on_back is not None:
            box.addWidget(
                IconButton("back", text("common.back"), on_click=on_back),
                0,
                Qt.AlignmentFlag.AlignTop,
            )
        column = QVBoxLayout()
        column.setSpacing(XS)
        self.title = Title(title)
        column.addWidget(self.title)
        self.words = Hint(words)
        if not words:  # never shown here: without a place it would be a window of its own
            self.words.hide()
        column.addWidget(self.words)
        box.addLayout(column, 1)
        for action in actions:
            box.addWidget(action, 0, Qt.AlignmentFlag.AlignTop)

    def set_words(self, title: str, words: str = "") -> None:
        """Show another title and explanation."""
        self.title.setText(title)
        self.words.setText(words)
        self.words.setVisible(bool(words))


class Page(QScrollArea):
    """A screen's content that scrolls when it must and never grows too wide to read.

    Attributes
    ----------
    body
        The layout to add to.
    """

    def __init__(self, *, most_width: int = 1120, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        outer = QWidget()
        set_role(outer, "page")
        row_box = QHBoxLayout(outer)
        row_box.setContentsMargins(XXL, XL, XXL, XL)
        inner = QWidget()
        set_role(inner, "page")
        inner.setMaximumWidth(most_width)
        self.body = QVBoxLayout(inner)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(L)
        row_box.addStretch(1)
        row_box.addWidget(inner, 1000)
        row_box.addStretch(1)
        self.setWidget(outer)


def row(*widgets: QWidget | int, spacing: int = S) -> QHBoxLayout:
    """Return widgets side by side; a number is a stretch."""
    box = QHBoxLayout()
    box.setContentsMargins(0, 0, 0, 0)
    box.setSpacing(spacing)
    for widget in widgets:
        if isinstance(widget, int):
            box.addStretch(widget)
        else:
            box.addWidget(widget)
    return box


def clear(layout: QLayout) -> None:
    """Take everything out of a layout and delete it."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.setParent(None)
            widget.deleteLater()
        elif (inner := item.layout()) is not None:
            clear(inner)
            inner.deleteLater()


def with_keys(name: str, keys: str) -> str:
    """Return a name with the keys that do the same, as the system writes them."""
    written = QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)
    return text("common.with_shortcut", name=name, keys=written)


def icon_size(pixels: int) -> QSize:
    """Return a square size."""
    return QSize(pixels, pixels)
