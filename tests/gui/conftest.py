"""A window without a screen; whatever leaks or complains fails the test."""

from __future__ import annotations

import importlib.util
import os
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

os.environ["QT_QPA_PLATFORM"] = os.environ.get("SINGCOACH_TEST_PLATFORM", "offscreen")
os.environ.setdefault("QT_LOGGING_RULES", "qt.qpa.fonts=false")

HAS_QT = importlib.util.find_spec("PySide6") is not None
if not HAS_QT and os.environ.get("CI") == "true":
    raise RuntimeError("the window's tests need PySide6 where CI runs")

collect_ignore_glob = [] if HAS_QT else ["test_*.py"]  # view_models/ needs no Qt

if TYPE_CHECKING:
    from singcoach.gui.context import AppContext

_QT_FIXTURES = {"qtbot", "qapp", "context"}
_GRACE_S = 3.0


@pytest.fixture(autouse=True)
def _nothing_leaks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail where a test leaves threads or Qt warnings behind."""
    before = set(threading.enumerate())
    qtlog: Any = None
    if HAS_QT and _QT_FIXTURES & set(request.fixturenames):
        qtlog = request.getfixturevalue("qtlog")
    yield
    if qtlog is not None:
        kinds = ("QtWarningMsg", "QtCriticalMsg", "QtFatalMsg")
        told = [r.message for r in qtlog.records if str(r.type).rpartition(".")[2] in kinds]
        assert not told, f"Qt complained: {told}"
    until_s = time.monotonic() + _GRACE_S
    while time.monotonic() < until_s:
        left = [thread for thread in threading.enumerate() if thread not in before]
        if not left:
            return
        time.sleep(0.02)
    pytest.fail(f"threads were left behind: {left}")


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """Every test starts in English."""
    from singcoach.gui.texts import set_language

    set_language("en")
    yield
    set_language("en")


@pytest.fixture
def context(qapp: Any) -> Iterator[AppContext]:
    """The services over an empty home of the test's own, in English and light."""
    from PySide6.QtCore import QCoreApplication, QEvent, QTimer

    from singcoach.gui.context import AppContext
    from singcoach.gui.settings import SettingsStore
    from singcoach.gui.theme import apply_font, apply_theme

    store = SettingsStore()
    store.update(language="en", theme="light")
    apply_theme(qapp, "light")
    apply_font(qapp, "en")
    made = AppContext(store)
    yield made
    made.close()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    running = [timer for timer in made.findChildren(QTimer) if timer.isActive()]
    assert not running, f"timers were left running: {running}"
    made.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
