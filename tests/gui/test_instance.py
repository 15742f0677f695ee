"""A second start shows the first window; a window that was killed or hangs stops nobody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pytestqt.qtbot import QtBot

from singcoach.gui.context import AppContext
from singcoach.gui.instance import InstanceServer, instance_name, wake_other

_SECOND = (
    "import sys\nfrom PySide6.QtCore import QCoreApplication\n"
    "from singcoach.gui.instance import wake_other\n"
    "app = QCoreApplication([])\nsys.exit(0 if wake_other(sys.argv[1]) else 3)"
)


def test_nobody_answers_where_no_window_is(qtbot: QtBot) -> None:
    assert not wake_other(instance_name())


def test_homes_have_windows_of_their_own(monkeypatch, tmp_path: Path) -> None:
    first = instance_name()
    monkeypatch.setenv("SINGCOACH_HOME", str(tmp_path / "other"))
    assert instance_name() != first


def test_a_second_start_wakes_the_first_window(context: AppContext, qtbot: QtBot) -> None:
    server = InstanceServer(instance_name())
    assert server.listening
    with qtbot.waitSignal(server.woken, timeout=30_000):
        second = subprocess.Popen([sys.executable, "-c", _SECOND, instance_name()])
    assert second.wait(30) == 0
    server.close()
    server.deleteLater()


def test_what_a_killed_window_left_is_in_nobodys_way(context: AppContext, qtbot: QtBot) -> None:
    name = instance_name()
    script = (
        "import os, sys\nfrom PySide6.QtCore import QCoreApplication\n"
        "from singcoach.gui.instance import InstanceServer\n"
        "app = QCoreApplication([])\nserver = InstanceServer(sys.argv[1])\n"
        "os._exit(0 if server.listening else 3)"
    )
    done = subprocess.run([sys.executable, "-c", script, name], check=False, env=dict(os.environ))
    assert done.returncode == 0
    assert not wake_other(name)
    server = InstanceServer(name)
    assert server.listening
    server.close()
    server.deleteLater()
