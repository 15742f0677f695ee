"""``singcoach separate``: voice and accompaniment as files whose sum is the mixture."""

from __future__ import annotations

import argparse

from singcoach.cli import choices
from singcoach.cli.console import say, show
from singcoach.cli.progress import ConsoleProgress


def add_parser(
    commands: choices.Subparsers[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "separate",
        parents=[common],
        help="split a song into voice and accompaniment",
        description="Write vocals.wav and accompaniment.wav; their sum is the mixture.",
    )
    parser.add_argument("audio", type=choices.plain_path, metavar="AUDIO")
    parser.add_argument(
        "--out", type=choices.plain_path, required=True, metavar="DIR", help="where the files go"
    )
    choices.add_profile(parser, "balanced", "best")
    choices.add_engine(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Separate one file and return the exit code."""
    from singcoach.chain.stems import write_stems

    engine = choices.make_engine(args)
    with ConsoleProgress(args.audio.name) as job:
        stems = write_stems(args.audio, args.out, engine=engine, job=job)
    for warning in (*stems.warnings, *engine.warnings()):
        say(warning)
    show(str(stems.vocals))
    show(str(stems.accompaniment))
    return 0
