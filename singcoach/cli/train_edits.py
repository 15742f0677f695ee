"""``singcoach train edits``: make a corpus of controlled singing."""

from __future__ import annotations

import argparse

from singcoach.cli import choices
from singcoach.cli.console import show
from singcoach.cli.progress import ConsoleProgress


def add_parser(
    parts: choices.Subparsers[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Add the part to the parser of ``train``."""
    parser = parts.add_parser(
        "edits",
        parents=[common],
        help="make a corpus of singing with known faults to train heads on",
        description="Make good singing worse in known ways, by known amounts, with labels.",
    )
    parser.add_argument(
        "--data",
        type=choices.plain_path,
        required=True,
        metavar="DIR",
        help="the folder that holds vocalset_1s, vocobox and vocadito",
    )
    parser.add_argument(
        "--out",
        type=choices.plain_path,
        required=True,
        metavar="DIR",
        help="the corpus; one that was stopped is gone on with",
    )
    parser.add_argument(
        "--seed", type=choices.natural, default=0, metavar="N", help="of every draw (default: 0)"
    )
    parser.add_argument(
        "--takes",
        type=choices.positive,
        default=600,
        metavar="N",
        help="about how many takes of about 20 s (default: 600)",
    )
    parser.add_argument(
        "--not-for-shipping",
        dest="others",
        action="append",
        default=[],
        type=choices.plain_path,
        metavar="DIR",
        help="also edit the solo singing in this folder, whatever its licence; the corpus is then "
        "marked, and weights trained on it must not ship (may be repeated)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the corpus and say what it holds; return the exit code."""
    from singcoach.models.catalogue import Catalogue
    from singcoach.models.sessions import open_session
    from singcoach.training.made.build import build_corpus

    with ConsoleProgress("train edits") as job:
        built = build_corpus(
            args.data,
            args.out,
            session=open_session(Catalogue.default().require("pitch")),
            seed=args.seed,
            takes=args.takes,
            others=args.others,
            job=job,
        )
    minutes = built.seconds / 60.0
    show(f"{built.takes} takes, {minutes:.0f} min ({built.kept} were there already)")
    return 0
