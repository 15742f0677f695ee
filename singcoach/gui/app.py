"""The program with its window: made, shown, and only then the heavy work."""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import sys
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from singcoach import __version__, resources
from singcoach.gui.context import AppContext
from singcoach.gui.instance import InstanceServer, instance_name, wake_other
from singcoach.gui.memory import give_back
from singcoach.gui.settings import SettingsStore
from singcoach.gui.theme import apply_font, apply_theme
from singcoach.gui.window import MainWindow

_LOG = logging.getLogger("singcoach")
_MOST_LOG_BYTES = 1_000_000
_TIDY_MS = 120_000


def make_application(arguments: Sequence[str] = ("singcoach",)) -> QApplication:
    """Return the one application object, with its name and sharp pictures on any screen."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    QApplication.setHighDpiScaleFactorRoundingPolicy(
        Qt.HighDpiScaleFactorRoundingPolicy.PassThrough
    )
    app = QApplication(list(arguments))
    app.setApplicationName("SingCoach")
    app.setApplicationDisplayName("SingCoach")
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("singcoach")
    return app


class Desktop(QObject):
    """Keeps one window over one context, and makes it anew when the language changes."""

    def __init__(self, app: QApplication, context: AppContext) -> None:
        super().__init__()
        self._app = app
        self._context = context
        self._shown = context.settings
        self._dress()
        self.window = MainWindow(context)
        context.settings_changed.connect(self._on_settings_changed)
        self._tidy = QTimer(self)
        self._tidy.setInterval(_TIDY_MS)
        self._tidy.timeout.connect(give_back)
        self._tidy.start()

    def show(self) -> None:
        """Show the window at its first screen."""
        self.window.open()
        self.window.show()

    def come_to_front(self) -> None:
        """Show the window to somebody who started SingCoach again."""
        self.window.setWindowState(self.window.windowState() & ~Qt.WindowState.WindowMinimized)
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()

    def _dress(self) -> None:
        apply_theme(self._app, self._context.settings.theme)
        apply_font(self._app, self._context.settings.language)

    def _on_settings_changed(self) -> None:
        before, self._shown = self._shown, self._context.settings
        if self._shown.theme != before.theme:
            apply_theme(self._app, self._shown.theme)
        if self._shown.language != before.language:
            self._rebuild()

    def _rebuild(self) -> None:
        """Put a window in the new language into the place of this one."""
        old = self.window
        screen = old.current_screen or "home"
        apply_font(self._app, self._shown.language)
        self.window = MainWindow(self._context)
        self.window.setGeometry(old.geometry())
        if old.isMaximized():
            self.window.setWindowState(Qt.WindowState.WindowMaximized)
        self.window.open(screen)
        self.window.setVisible(old.isVisible())
        # The old one is put away without being closed: that would end the program.
        old.hide()
        old.dismantle()


def run() -> int:
    """Open the window and stay until it is closed; returns the exit code."""
    app = make_application()
    name = instance_name()
    if wake_other(name):
        return 0
    _start_log()
    server = InstanceServer(name)
    context = AppContext(SettingsStore())
    catcher = _FaultCatcher(context)
    desktop = Desktop(app, context)
    server.woken.connect(desktop.come_to_front)
    desktop.show()
    try:
        return app.exec()
    finally:
        server.close()
        catcher.release()
        context.close()


class _FaultCatcher:
    """Turns exceptions that nobody caught into a banner and a line of the log."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._before = sys.excepthook
        self._before_in_threads = threading.excepthook
        sys.excepthook = self._on_exception
        threading.excepthook = self._on_thread_exception

    def release(self) -> None:
        """Put the former handlers back."""
        sys.excepthook = self._before
        threading.excepthook = self._before_in_threads

    def _on_exception(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
            return
        self._context.tell_fault(error.with_traceback(trace))

    def _on_thread_exception(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            _LOG.error("in a thread: %s", "".join(traceback.format_exception(args.exc_value)))


def log_file() -> Path:
    """Return where the program writes what went wrong inside it; never audio, never words sung."""
    return resources.user_data_dir() / "log" / "singcoach.log"


def _start_log() -> None:
    path = log_file()
    with contextlib.suppress(OSError):  # without a log the program still works
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            path, maxBytes=_MOST_LOG_BYTES, backupCount=1, encoding="utf-8", delay=True
        )
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        _LOG.addHandler(handler)
        _LOG.setLevel(logging.INFO)
        _LOG.propagate = False
