"""Pictures of every screen: ``python -m singcoach.gui.screenshots --out DIR``.

They are drawn without any screen, over a library made from the shipped recordings, which is kept
for the next time.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from singcoach import resources
from singcoach.core.languages import LANGUAGES

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from singcoach.gui.context import AppContext
    from singcoach.gui.demo_library import DemoLibrary

_SETTLE_S: Final = 0.4
_MOST_WAIT_S: Final = 60.0


def main(argv: Sequence[str] | None = None) -> int:
    """Write the pictures and return the exit code."""
    args = _parser().parse_args(argv)
    home = args.home if args.home is not None else resources.cache_dir() / "screenshots"
    os.environ["SINGCOACH_HOME"] = str(home.absolute())
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

    from singcoach.gui.app import make_application
    from singcoach.gui.context import AppContext
    from singcoach.gui.demo_library import fill
    from singcoach.gui.screens import available

    app = make_application()
    context = AppContext()
    try:
        demo = fill(context.library)
        context.change_settings(singer_id=demo.singer_id, welcomed=True)
        args.out.mkdir(parents=True, exist_ok=True)
        for screen in args.screen or available():
            for theme in args.theme or ("light", "dark"):
                for language in args.language or ("en",):
                    for size in args.size or ((1024, 700),):
                        name = f"{screen}-{theme}-{language}-{size[0]}x{size[1]}.png"
                        context.change_settings(theme=theme, language=language)
                        take_picture(app, context, demo, screen, size, args.out / name)
                        sys.stdout.write(f"{args.out / name}\n")
    finally:
        context.close()
    return 0


def take_picture(
    app: QApplication,
    context: AppContext,
    demo: DemoLibrary,
    screen: str,
    size: tuple[int, int],
    path: Path,
) -> None:
    """Draw one screen into a file."""
    from singcoach.gui.theme import apply_font, apply_theme
    from singcoach.gui.window import MainWindow

    apply_theme(app, context.settings.theme)
    apply_font(app, context.settings.language)
    window = MainWindow(context)
    window.resize(*size)
    window.show()
    window.open(screen, **_arguments(screen, demo))
    settle(app, context)
    window.grab().save(str(path))
    window.close()
    window.dismantle()
    app.processEvents()


def settle(app: QApplication, context: AppContext) -> None:
    """Let the window load and draw what it has begun."""
    until_s = time.monotonic() + _MOST_WAIT_S
    quiet_s = time.monotonic() + _SETTLE_S
    while time.monotonic() < min(until_s, quiet_s):
        app.processEvents()
        if context.tasks.busy:
            quiet_s = time.monotonic() + _SETTLE_S
        time.sleep(0.01)


def _arguments(screen: str, demo: DemoLibrary) -> dict[str, Any]:
    if screen == "review":
        return {"take_id": demo.takes[-1]}
    if screen == "compare":
        return {"take_ids": (demo.takes[0], demo.takes[-1])}
    return {}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m singcoach.gui.screenshots", description=__doc__
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--home", type=Path, metavar="DIR", help="where the demo library is kept")
    parser.add_argument("--screen", action="append", help="one of the screens; may be repeated")
    parser.add_argument("--theme", action="append", choices=("light", "dark"))
    parser.add_argument("--language", action="append", choices=LANGUAGES)
    parser.add_argument("--size", action="append", type=_size, metavar="WxH")
    return parser


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return int(width), int(height)


if __name__ == "__main__":
    raise SystemExit(main())
