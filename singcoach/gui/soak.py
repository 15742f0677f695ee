"""Hours of use at speed: ``python -m singcoach.gui.soak --rounds 200``.

Every round visits all screens, opens takes, changes the theme, and every second round the language,
which makes the window anew. Memory and objects are counted after a third of the rounds, when the
letters of every language have been loaded, and at the end.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from singcoach import resources

_DWELL_S: Final = 0.05
_LANGUAGE_EVERY: Final = 2
_LEAST_ROUNDS: Final = 42
"""After a third of these every language's letters have been loaded once."""


def main(argv: Sequence[str] | None = None) -> int:
    """Visit, count, print; returns the exit code."""
    parser = argparse.ArgumentParser("python -m singcoach.gui.soak", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--home", type=Path, metavar="DIR", help="where the demo library is kept")
    args = parser.parse_args(argv)
    home = args.home if args.home is not None else resources.cache_dir() / "screenshots"
    os.environ["SINGCOACH_HOME"] = str(home.absolute())
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

    from singcoach.gui.app import Desktop, make_application
    from singcoach.gui.context import AppContext
    from singcoach.gui.demo_library import fill

    app = make_application()
    context = AppContext()
    demo = fill(context.library)
    context.change_settings(singer_id=demo.singer_id, welcomed=True, language="en")
    desktop = Desktop(app, context)
    desktop.show()
    rounds = max(_LEAST_ROUNDS, args.rounds)
    visits = before = 0
    early: tuple[float, int] | None = None
    for number in range(rounds):
        visits += _round(app, context, demo, number)
        if number + 1 == rounds // 3:
            before = visits
            early = _count(app)
    memory_mb, objects = _count(app)
    desktop.window.close()
    context.close()
    assert early is not None
    grown_mb = memory_mb - early[0]
    a_visit_kb = 1000 * grown_mb / (visits - before)
    sys.stdout.write(
        f"{rounds} rounds, {visits} visits: memory {early[0]:.0f} -> {memory_mb:.0f} MB "
        f"({a_visit_kb:+.0f} kB a visit), objects {early[1]} -> {objects}\n"
    )
    return 0


def _round(app: Any, context: Any, demo: Any, number: int) -> int:
    from singcoach.gui.screens import available

    if number % _LANGUAGE_EVERY == _LANGUAGE_EVERY - 1:
        languages = ("en", "de", "ja", "zh", "fr", "es")
        context.change_settings(language=languages[(number // _LANGUAGE_EVERY) % len(languages)])
    context.change_settings(theme="dark" if number % 2 else "light")
    take = demo.takes[number % len(demo.takes)]
    names = available()
    for screen in names:
        arguments: dict[str, Any] = {}
        if screen == "review":
            arguments = {"take_id": take}
        elif screen == "compare":
            arguments = {"take_ids": (demo.takes[0], take)}
        context.navigate(screen, **arguments)
        _dwell(app, context)
    context.take_changed.emit(take)
    return len(names)


def _dwell(app: Any, context: Any) -> None:
    until_s = time.monotonic() + _DWELL_S
    give_up_s = until_s + 10.0
    while time.monotonic() < until_s or (context.tasks.busy and time.monotonic() < give_up_s):
        app.processEvents()
        time.sleep(0.002)


def _count(app: Any) -> tuple[float, int]:
    import psutil
    from PySide6.QtCore import QCoreApplication, QEvent

    from singcoach.gui.memory import give_back

    app.processEvents()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    give_back()
    return psutil.Process().memory_info().rss / 1e6, len(gc.get_objects())


if __name__ == "__main__":
    raise SystemExit(main())
