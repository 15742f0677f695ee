"""``singcoach bench``: measured figures, never remembered ones."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from singcoach.cli import bench_htpr, choices
from singcoach.cli.console import say, show
from singcoach.cli.progress import ConsoleProgress
from singcoach.files import write_whole

if TYPE_CHECKING:
    from singcoach.benchmark.pack_report import PackReport
    from singcoach.benchmark.report import SpeedReport


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
        "--pack",
        metavar="NAME",
        help="measure the network of a pack, mel-band-roformer, with made-up weights beside the "
        "public implementation (takes minutes)",
    )
    speed.add_argument(
        "--seconds",
        type=choices.positive,
        metavar="N",
        help="with --pack: seconds of audio, 8 or more (default: 12)",
    )
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
    problem = _usage_problem(args)
    if problem:
        say(problem)
        return choices.EXIT_USAGE
    report = _pack_report(args) if args.pack else _speed_report(args)
    text = json.dumps(report.to_document(), indent=2, allow_nan=False)
    if args.json == "-":
        show(text)
        return 0
    if args.json:
        write_whole(choices.plain_path(args.json), text + "\n")
    for line in report.table():
        show(line)
    return 0


def _usage_problem(args: argparse.Namespace) -> str:
    if args.pack is None:
        return "" if args.seconds is None else "--seconds goes with --pack"
    if args.hour:
        return "--hour does not go with --pack"
    from singcoach.benchmark.pack_speed import PACKS, shortest_s

    if args.pack not in PACKS:
        return f"no pack {args.pack!r} can be measured; {', '.join(PACKS)} would work"
    if args.seconds is not None and args.seconds < shortest_s(args.pack):
        return f"--seconds {args.seconds} is too short; {shortest_s(args.pack):g} would work"
    return ""


def _speed_report(args: argparse.Namespace) -> SpeedReport:
    from singcoach.benchmark import speed

    with ConsoleProgress("bench") as job:
        return speed.run_speed(
            audio=args.audio,
            repeats=args.repeats,
            threads=args.threads,
            with_hour=args.hour,
            job=job,
        )


def _pack_report(args: argparse.Namespace) -> PackReport:
    from singcoach.benchmark import pack_speed

    with ConsoleProgress("bench") as job:
        return pack_speed.run_pack_speed(
            args.pack,
            audio=args.audio,
            seconds=pack_speed.DEFAULT_SECONDS if args.seconds is None else float(args.seconds),
            repeats=args.repeats,
            threads=args.threads,
            job=job,
        )
