"""The console script: parses, runs one command, turns every outcome into an exit code."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from singcoach import __version__
from singcoach.cli.console import say
from singcoach.errors import Cancelled, SingCoachError

EXIT_DONE = 0
EXIT_CANCELLED = 6
EXIT_INTERNAL = 70


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of every command and option."""
    from singcoach.cli import assess, bench, demo, doctor, models, pitch, record, separate, train

    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--debug",
        action="store_true",
        default=argparse.SUPPRESS,
        help="show a traceback when something fails",
    )
    parser = argparse.ArgumentParser(
        prog="singcoach",
        description="A singing coach that runs wholly on this machine.",
        parents=[common],
    )
    parser.add_argument("--version", action="version", version=f"singcoach {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for module in (assess, record, separate, pitch, models, train, bench, demo, doctor):
        module.add_parser(commands, common)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (DESIGN: 0, 2, 3, 4, 5, 6, 70)."""
    debug = "--debug" in (sys.argv if argv is None else argv)
    with contextlib.suppress(ValueError):  # not in the main thread: an embedding program decides
        for name in ("SIGTERM", "SIGHUP"):  # SIGHUP: the terminal was closed
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), _stop)
    try:
        parser = build_parser()
        args = parser.parse_args(argv)
        if args.command is None:
            from singcoach.cli import window

            return window.run()
        return int(args.run(args))
    except SystemExit as stop:
        return int(stop.code or 0)
    except (KeyboardInterrupt, Cancelled):
        if debug:
            traceback.print_exc()
        say("stopped")
        return EXIT_CANCELLED
    except BrokenPipeError:
        # Whoever read our output has gone; give the interpreter nothing left to flush into it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_DONE
    except SingCoachError as error:
        if debug:
            traceback.print_exc()
        say(error)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the outermost layer: nothing may escape as a traceback
        if debug:
            traceback.print_exc()
        say(
            f"something went wrong inside SingCoach ({type(error).__name__})",
            "Run again with --debug to see where",
        )
        return EXIT_INTERNAL


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
