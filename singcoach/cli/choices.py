"""Options that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from singcoach.core.take import TakeKind

if TYPE_CHECKING:
    from singcoach.chain.engine import Engine

Subparsers = argparse._SubParsersAction


EXIT_USAGE = 2


def add_kind(parser: argparse.ArgumentParser) -> None:
    """Add ``--vocals-only`` and ``--mixture``."""
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        "--vocals-only",
        dest="kind",
        action="store_const",
        const="solo",
        help="the file holds the voice alone (else: found out)",
    )
    kind.add_argument(
        "--mixture",
        dest="kind",
        action="store_const",
        const="mixture",
        help="the file holds voice and accompaniment (else: found out)",
    )


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Add ``--device``, ``--threads`` and ``--no-cache``."""
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda", "mps"),
        default="auto",
        help="where the networks of model packs run (default: auto)",
    )
    parser.add_argument(
        "--threads", type=positive, metavar="N", help="threads to use (default: every core)"
    )
    parser.add_argument(
        "--no-cache", action="store_true", help="compute everything anew and keep nothing"
    )


def add_profile(parser: argparse.ArgumentParser, *profiles: str) -> None:
    """Add ``--profile`` with the profiles that make a difference to the command."""
    parser.add_argument(
        "--profile",
        choices=profiles,
        default="balanced",
        help="how much work is done; best uses the added model packs (default: balanced)",
    )


def make_engine(args: argparse.Namespace) -> Engine:
    """Return the engine that the options of :func:`add_engine` and :func:`add_profile` ask for."""
    from singcoach import resources
    from singcoach.chain.cache import Cache
    from singcoach.chain.engine import Engine

    root = None if args.no_cache else resources.cache_dir() / "results"
    return Engine(
        cache=Cache(root),
        threads=args.threads,
        device=args.device,
        profile=getattr(args, "profile", "balanced"),
    )


def natural(text: str) -> int:
    """Read a whole number of 0 or more."""
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 0 or more")
    return int(text)


def positive(text: str) -> int:
    """Read a whole number of at least 1 (for argparse)."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return value


def kind_of(args: argparse.Namespace) -> TakeKind | None:
    """Return the user's word on the file, None where the detector decides."""
    kind: TakeKind | None = args.kind
    return kind


def plain_path(text: str) -> Path:
    """Read a path (for argparse); ``~`` is the user's folder."""
    if not text:
        raise argparse.ArgumentTypeError("an empty name is no file")
    try:
        return Path(text).expanduser()
    except RuntimeError:  # a file whose name begins with ~
        return Path(text)
