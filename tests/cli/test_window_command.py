"""``singcoach`` without a command: the window, or one sentence where there can be none."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

import pytest

from singcoach.cli import window
from singcoach.cli.main import main


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The window's program with its door shut: what was opened is kept here."""
    doors: list[str] = []
    stand_in = ModuleType("singcoach.gui.app")
    stand_in.run = lambda: doors.append("window") or 0  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "singcoach.gui.app", stand_in)
    return doors


def test_no_command_opens_the_window(opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "has_screen", lambda: True)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: object())
    assert main([]) == 0
    assert opened == ["window"]


def test_without_qt_the_way_to_it_is_told(
    opened: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert main([]) == 2
    said = capsys.readouterr().err
    assert "PySide6" in said
    assert "singcoach[desktop]" in said
    assert opened == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="others always have a screen")
def test_without_a_screen_nothing_is_aborted(
    opened: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: object())
    assert main([]) == 2
    assert "no screen" in capsys.readouterr().err
    assert opened == []
