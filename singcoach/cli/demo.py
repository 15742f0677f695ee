"""``singcoach demo``: the main job on the recording that ships with the app."""

from __future__ import annotations

import argparse

from singcoach.cli import choices
from singcoach.cli.assess import summarise, write_report
from singcoach.cli.console import show
from singcoach.cli.progress import ConsoleProgress


def add_parser(
    commands: choices.Subparsers[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "demo",
        parents=[common],
        help="judge the real recording that ships with SingCoach",
        description="Judge the shipped recording, write its report and show where it is.",
    )
    parser.add_argument(
        "--out",
        type=choices.plain_path,
        metavar="DIR",
        help="where the report goes (default: this folder)",
    )
    choices.add_engine(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the demo and return the exit code."""
    from pathlib import Path

    from singcoach.chain.assess import assess
    from singcoach.chain.demo import demo_recording
    from singcoach.chain.settings import Settings
    from singcoach.files import write_whole
    from singcoach.report.document import to_document, to_json

    recording = demo_recording()
    folder = args.out if args.out is not None else Path.cwd()
    with ConsoleProgress(recording.path.name) as job:
        assessed = assess(
            recording.path,
            settings=Settings(),
            engine=choices.make_engine(args),
            job=job,
        )
    document = to_document(assessed.assessment)
    report = folder / "singcoach-demo.html"
    write_report(report, assessed)
    result = folder / "singcoach-demo.json"
    write_whole(result, to_json(document) + "\n")
    for line in summarise(document):
        show(line)
    show()
    show(f"Recording: {recording.attribution}")
    show(f"Report:    {report.resolve()}")
    show(f"Numbers:   {result.resolve()}")
    return 0
