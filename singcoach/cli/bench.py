"""``singcoach bench``: measured figures, never remembered ones."""

from __future__ import annotations

import argparse
import json

from singcoach.cli import bench_htpr, choices
from singcoach.cli.console import show
from singcoach.cli.progress import ConsoleProgress
from singcoach.files import write_whole


def add_parser(
    commands: choices.Subparsers[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Add the command with its parts to the parser."""
    parser = commands.add_parser(
        "bench", parents=[common], help="measure speed, and ranking beside people"
    )
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    speed = parts.add_parser(
        "speed",
        parents=[common],
        help="seconds and memory of every stage beside peers, in one run",
    )
    speed.add_argument(
        "--audio",
        type=choices.plain_path,
        metavar="FILE",
        help="a song (default: a shipped recording, repeated to four minutes)",
    )
    speed.add_argument("--json", metavar="PATH", help="write the figures here; - for stdout")
    speed.add_argument(
        "--repeats", type=choices.positive, default=1, metavar="N", help="the median of N runs"
    )
    speed.add_argument(
        "--threads", type=choices.positive, metavar="N", help="threads (default: every core)"
    )
    speed.add_argument(
        "--hour", action="store_true", help="measure a 60-minute recording too (takes minutes)"
    )
    speed.set_defaults(run=run_speed)
    bench_htpr.add_parser(parts, common)


def run_speed(args: argparse.Namespace) -> int:
    """Measure and show; return the exit code."""
    from singcoach.benchmark import speed

    with ConsoleProgress("bench") as job:
        report = speed.run_speed(
            audio=args.audio,
            repeats=args.repeats,
            threads=args.threads,
            with_hour=args.hour,
            job=job,
        )
    text = json.dumps(report.to_document(), indent=2, allow_nan=False)
    if args.json == "-":
        show(text)
        return 0
    if args.json:
        write_whole(choices.plain_path(args.json), text + "\n")
    for line in report.table():
        show(line)
    return 0
