"""How long the window takes to show: ``python -m singcoach.gui.startup``.

Each run is a fresh process, from its start to its first drawing; a bare PySide6 window, started in
turn with ours, says how fast the machine is at that moment.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

from singcoach.gui.display import has_screen

_OURS = """
import sys, time
from singcoach.gui.app import Desktop, make_application
from singcoach.gui.context import AppContext
app = make_application()
context = AppContext()
desktop = Desktop(app, context)
def painted():
    sys.stdout.write(f"{time.time()}\\n")
    app.quit()
desktop.window.first_painted.connect(painted)
desktop.show()
app.exec()
context.close()
"""
_BARE = """
import sys, time
from PySide6.QtCore import QEvent, QTimer
from PySide6.QtWidgets import QApplication, QMainWindow
class Window(QMainWindow):
    def event(self, event):
        done = super().event(event)
        if event.type() == QEvent.Type.UpdateRequest:
            QTimer.singleShot(0, self.painted)
        return done
    def painted(self):
        sys.stdout.write(f"{time.time()}\\n")
        QApplication.quit()
app = QApplication([])
window = Window()
window.resize(1180, 780)
window.show()
app.exec()
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, return the exit code."""
    parser = argparse.ArgumentParser("python -m singcoach.gui.startup", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="of each window (default: 5)")
    parser.add_argument("--json", action="store_true", help="print numbers for programs")
    args = parser.parse_args(argv)
    result = measure(max(1, args.runs))
    if args.json:
        sys.stdout.write(json.dumps(result) + "\n")
    else:
        sys.stdout.write(
            f"SingCoach        first {result['ours_first_s']:.2f} s, "
            f"median {result['ours_s']:.2f} s\n"
            f"bare PySide6     first {result['bare_first_s']:.2f} s, "
            f"median {result['bare_s']:.2f} s\n"
            f"ratio of medians {result['ratio']:.2f}\n"
        )
    return 0


def measure(runs: int) -> dict[str, float]:
    """Start both windows ``runs`` times in turn; seconds from process start to first drawing."""
    ours: list[float] = []
    bare: list[float] = []
    with tempfile.TemporaryDirectory() as home:
        for _ in range(runs):
            bare.append(_seconds(_BARE, home))
            ours.append(_seconds(_OURS, home))
    return {
        "ours_first_s": ours[0],
        "ours_s": statistics.median(ours),
        "bare_first_s": bare[0],
        "bare_s": statistics.median(bare),
        "ratio": statistics.median(ours) / statistics.median(bare),
    }


def _seconds(program: str, home: str) -> float:
    env = {**os.environ, "SINGCOACH_HOME": home}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program is compiled
    if not has_screen():
        env["QT_QPA_PLATFORM"] = "offscreen"
    start_s = time.time()
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=env,
    )
    return float(done.stdout.splitlines()[-1]) - start_s


if __name__ == "__main__":
    raise SystemExit(main())
