"""The window is there before anything heavy is loaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

_SHOW = """
import json, sys
from singcoach.gui.app import Desktop, make_application
from singcoach.gui.context import AppContext
app = make_application()
context = AppContext()
desktop = Desktop(app, context)
loaded = []
def painted():
    loaded.extend(sys.modules)
    app.quit()
desktop.window.first_painted.connect(painted)
desktop.show()
app.exec()
context.close()
heavy = ("librosa", "numba", "scipy.signal", "scipy.stats", "onnxruntime", "torch", "pyqtgraph",
         "sklearn", "av", "llama_cpp", "reportlab", "sounddevice")
print(json.dumps([name for name in heavy if name in loaded]))
"""


def test_nothing_heavy_is_loaded_before_the_window_shows(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SHOW],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "SINGCOACH_HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []
    assert "Traceback" not in done.stderr
