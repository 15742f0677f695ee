"""The frame around every screen: navigation at the left, messages at the top, the screen below."""

from __future__ import annotations

from typing import Any, Final, cast

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QKeySequence, QPaintEvent, QShortcut
from PySide6.QtWidgets import (
    QApplication,
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from singcoach.gui.context import AppContext
from singcoach.gui.screens import SCREENS, Screen, available, make_screen
from singcoach.gui.tasks import as_fault
from singcoach.gui.texts import text
from singcoach.gui.theme import XS, L, M, S
from singcoach.gui.widgets.base import (
    Banner,
    BannerKind,
    EmptyState,
    Heading,
    Hint,
    _Button,
    clear,
    set_role,
)

LEAST_SIZE: Final = QSize(1024, 700)
_FIRST_SIZE: Final = QSize(1180, 780)
_SIDEBAR_WIDTH: Final = 208
_MOST_BANNERS: Final = 3
_MOST_HISTORY: Final = 50


class _NavigationButton(_Button):
    _role = "nav"
    _ink = "text_soft"


class MainWindow(QMainWindow):
    """The window. Screens are made at their first visit and kept.

    Parameters
    ----------
    context
        The services of the program.
    first_screen
        Where it opens.
    """

    first_painted = Signal()
    """Once, after the window has been drawn for the first time."""
    closing = Signal()
    """The user closes the window."""

    def __init__(self, context: AppContext, *, first_screen: str = "home") -> None:
        super().__init__()
        self._context = context
        self._screens: dict[str, QWidget] = {}
        self._current: str | None = None
        self._history: list[tuple[str, dict[str, Any]]] = []
        self._painted = False
        self._banners: dict[tuple[str, str, str], Banner] = {}
        self.setWindowTitle("SingCoach")
        self.setMinimumSize(LEAST_SIZE)
        self._build()
        self.resize(self._size_that_fits())
        context.navigated.connect(self._on_context_navigated)
        context.told.connect(self._on_context_told)
        self._first_screen = first_screen

    def open(self, screen: str | None = None, **arguments: Any) -> None:
        """Show the first screen."""
        self.show_screen(screen if screen is not None else self._first_screen, **arguments)

    @property
    def current_screen(self) -> str | None:
        """Name of the screen in view."""
        return self._current

    def screen_widget(self, name: str) -> QWidget | None:
        """Return the widget of a screen that was visited."""
        return self._screens.get(name)

    def show_screen(self, name: str, **arguments: Any) -> None:
        """Bring a screen into view; its faults are told and never close the window."""
        self._go(name, arguments, remember=True)

    def go_back(self) -> None:
        """Return to the screen before this one; from the first to the home screen."""
        if len(self._history) > 1:
            self._history.pop()
            name, arguments = self._history[-1]
            self._go(name, arguments, remember=False)
        elif self._current != "home":
            self._go("home", {}, remember=False)

    def _go(self, name: str, arguments: dict[str, Any], *, remember: bool) -> None:
        leaving = self._screens.get(self._current) if self._current is not None else None
        if leaving is not None:
            self._guarded(cast("Screen", leaving).leave)
        widget = self._screens.get(name)
        if widget is None:
            try:
                widget = make_screen(name, self._context)
            except Exception as error:  # noqa: BLE001 - one screen's fault leaves the others
                fault = as_fault(error)
                self._context.tell_fault(fault)
                widget = _Missing(self._context)
            set_role(widget, "screen")
            widget.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
            self._stack.addWidget(widget)
            if not isinstance(widget, _Missing):
                self._screens[name] = widget
        self._current = name
        if remember:
            self._history.append((name, arguments))
            del self._history[:-_MOST_HISTORY]
        self._stack.setCurrentWidget(widget)
        self._drop_missing(widget)
        if name in self._buttons:
            self._buttons[name].setChecked(True)
        else:
            self._uncheck()
        self._guarded(lambda: cast("Screen", widget).enter(**arguments))

    def _guarded(self, step: Any) -> None:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - told, logged with its place, and survived
            self._context.tell_fault(error)

    def _drop_missing(self, kept: QWidget) -> None:
        for index in reversed(range(self._stack.count())):
            widget = self._stack.widget(index)
            if isinstance(widget, _Missing) and widget is not kept:
                self._stack.removeWidget(widget)
                widget.deleteLater()

    def _uncheck(self) -> None:
        self._group.setExclusive(False)
        for button in self._buttons.values():
            button.setChecked(False)
        self._group.setExclusive(True)

    # --- building -----------------------------------------------------------------------------

    def _build(self) -> None:
        whole = QWidget()
        set_role(whole, "window")
        box = QHBoxLayout(whole)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self._sidebar())
        column = QVBoxLayout()
        column.setSpacing(0)
        self._messages = QWidget()
        self._message_box = QVBoxLayout(self._messages)
        self._message_box.setContentsMargins(L, M, L, 0)
        self._message_box.setSpacing(S)
        self._messages.hide()
        column.addWidget(self._messages)
        self._stack = QStackedWidget()
        self._stack.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        column.addWidget(self._stack, 1)
        box.addLayout(column, 1)
        self.setCentralWidget(whole)

    def _sidebar(self) -> QWidget:
        side = QFrame()
        set_role(side, "sidebar")
        side.setAccessibleName(text("window.navigation"))
        side.setFixedWidth(_SIDEBAR_WIDTH)
        box = QVBoxLayout(side)
        box.setContentsMargins(M, L, M, L)
        box.setSpacing(XS)
        name = Heading("SingCoach")
        name.setContentsMargins(M, XS, 0, M)
        box.addWidget(name)
        self._group = QButtonGroup(self)
        self._buttons: dict[str, _NavigationButton] = {}
        names = available()
        for place in ("main", "foot"):
            for number, screen in enumerate(names, start=1):
                if SCREENS[screen].place == place:
                    box.addWidget(self._navigation_button(screen, number))
            if place == "main":
                box.addStretch(1)
        promise = Hint(text("window.on_this_machine"))
        promise.setContentsMargins(M, S, 0, 0)
        box.addWidget(promise)
        return side

    def _navigation_button(self, screen: str, number: int) -> _NavigationButton:
        keys = f"Ctrl+{number}" if number < 10 else None
        button = _NavigationButton(
            text(f"window.{screen}"),
            SCREENS[screen].icon,
            shortcut=keys,
            on_click=lambda: self.show_screen(screen),
        )
        button.setCheckable(True)
        self._group.addButton(button)
        self._buttons[screen] = button
        return button

    def _size_that_fits(self) -> QSize:
        screen = self.screen() or QApplication.primaryScreen()
        room = screen.availableGeometry().size() if screen is not None else _FIRST_SIZE
        return _FIRST_SIZE.boundedTo(room).expandedTo(LEAST_SIZE)

    # --- messages -----------------------------------------------------------------------------

    def _on_context_told(self, kind: str, words: str, hint: str) -> None:
        key = (kind, words, hint)
        if key in self._banners:  # the same thing twice needs one banner
            return
        while len(self._banners) >= _MOST_BANNERS:
            self._close_banner(next(iter(self._banners)))
        banner = Banner(cast("BannerKind", kind), words, hint=hint)
        banner.closed.connect(lambda: self._close_banner(key))
        self._banners[key] = banner
        self._message_box.addWidget(banner)
        self._messages.show()

    def _close_banner(self, key: tuple[str, str, str]) -> None:
        banner = self._banners.pop(key, None)
        if banner is not None:
            self._message_box.removeWidget(banner)
            banner.hide()
            banner.deleteLater()
        self._messages.setVisible(bool(self._banners))

    def banners(self) -> list[str]:
        """Return the sentences that are shown above the screen."""
        return [words for _, words, _ in self._banners]

    # --- events -------------------------------------------------------------------------------

    def _on_context_navigated(self, screen: str, arguments: dict[str, Any]) -> None:
        self.show_screen(screen, **arguments)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Esc goes back where no screen wants it."""
        if event.key() == Qt.Key.Key_Escape:
            if self._banners:
                self._close_banner(next(reversed(self._banners)))
            else:
                self.go_back()
            event.accept()
            return
        super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Notice the first drawing."""
        result = super().event(event)
        if not self._painted and event.type() == QEvent.Type.UpdateRequest:
            self._painted = True
            QTimer.singleShot(0, self, self.first_painted.emit)
        return result

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw; where no update was requested (a window grabbed for a picture), notice it too."""
        super().paintEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Let the screen in view stop what it does."""
        current = self._screens.get(self._current) if self._current is not None else None
        if current is not None:
            self._guarded(cast("Screen", current).leave)
        self.closing.emit()
        super().closeEvent(event)

    def dismantle(self) -> None:
        """Let go of everything, so that another window can take this one's place."""
        self._context.navigated.disconnect(self._on_context_navigated)
        self._context.told.disconnect(self._on_context_told)
        clear(self._message_box)
        self.deleteLater()


class _Missing(QWidget):
    """Stands where a screen could not be made."""

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        box = QVBoxLayout(self)
        box.addWidget(
            EmptyState(
                text("window.screen_missing"),
                text("common.inside_fault_hint"),
                (text("window.home"), lambda: context.navigate("home")),
                icon_name="warning",
            )
        )

    def enter(self, **_arguments: Any) -> None:
        """Nothing to prepare."""

    def leave(self) -> None:
        """Nothing to stop."""


def bind(widget: QWidget, keys: str, action: Any) -> QShortcut:
    """Let keys do something while ``widget``'s window is in front and the widget in view."""
    shortcut = QShortcut(QKeySequence(keys), widget)
    shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
    shortcut.activated.connect(action)
    return shortcut
