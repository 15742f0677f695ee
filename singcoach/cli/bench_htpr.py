"""``singcoach bench htpr``: do the scores rank singing as people do?"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from singcoach.cli import choices
from singcoach.cli.console import say, show
from singcoach.cli.listing import audio_in
from singcoach.cli.progress import ConsoleProgress
from singcoach.files import check_output, write_whole

if TYPE_CHECKING:
    from singcoach.benchmark.htpr.run import Audio, Options


def add_parser(
    parts: choices.Subparsers[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Add the part to the parser of ``bench``."""
    parser = parts.add_parser(
        "htpr",
        parents=[common],
        help="how well the scores rank singing as human raters do",
        description="Hold scores against human ratings: tiers, ranks, single raters beside them.",
    )
    parser.add_argument(
        "--ratings",
        type=choices.plain_path,
        metavar="CSV",
        help="ratings, one a line, with the columns item, rater, score and optionally dimension",
    )
    parser.add_argument(
        "--audio",
        type=choices.plain_path,
        metavar="DIR",
        help="the recordings of the items; without, the raters alone",
    )
    parser.add_argument(
        "--backing",
        type=choices.plain_path,
        metavar="DIR",
        help="the accompaniments, named as the recordings are",
    )
    parser.add_argument(
        "--predictions",
        type=choices.plain_path,
        metavar="FILE",
        help="scores made earlier instead of --audio: a CSV, or what assess --json wrote",
    )
    parser.add_argument(
        "--key",
        type=choices.plain_path,
        metavar="FILE",
        help="instead of --ratings: the key of VocalCoachBench, to score its prediction rows with",
    )
    parser.add_argument(
        "--rows",
        type=choices.plain_path,
        metavar="PATH",
        help="with --key: write the prediction rows here",
    )
    parser.add_argument("--json", metavar="PATH", help="write the figures here; - for stdout")
    parser.add_argument(
        "--map",
        action="append",
        default=[],
        type=_pair,
        metavar="RATED=SCORE",
        help="hold the rated dimension RATED against the score SCORE (may be repeated)",
    )
    parser.add_argument(
        "--scale",
        nargs=2,
        type=float,
        metavar=("LOW", "HIGH"),
        help="ends of the rating scale (default: the lowest and highest rating)",
    )
    parser.add_argument(
        "--within", metavar="COLUMN", help="also count only pairs of one group, such as song"
    )
    parser.add_argument(
        "--cluster",
        metavar="COLUMN",
        help="draw whole groups, such as singer, for the intervals",
    )
    parser.add_argument(
        "--crops",
        type=choices.natural,
        default=3,
        metavar="N",
        help="crops of 30 s of each longer recording, each as costly as 30 s of sound (default: 3)",
    )
    parser.add_argument(
        "--seed", type=choices.natural, default=0, metavar="N", help="of every draw"
    )
    parser.add_argument(
        "--draws", type=_draws, default=2000, metavar="N", help="bootstrap draws (default: 2000)"
    )
    choices.add_kind(parser)
    parser.add_argument(
        "--profile",
        choices=("fast", "balanced", "best"),
        default="balanced",
        help="how much work is done (default: balanced)",
    )
    choices.add_engine(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and show; return the exit code."""
    problem = _usage_problem(args)
    if problem:
        say(problem)
        return choices.EXIT_USAGE
    json_path = choices.plain_path(args.json) if args.json and args.json != "-" else None
    for output in (json_path, args.rows):
        if output is not None:
            check_output(output, [args.ratings, args.predictions, args.key])
    lines, text = _score_rows(args) if args.key is not None else _rank(args)
    if args.json == "-":
        show(text)
        return 0
    if json_path is not None:
        write_whole(json_path, text + "\n")
    for line in lines:
        show(line)
    return 0


def _usage_problem(args: argparse.Namespace) -> str:
    if (args.ratings is None) == (args.key is None):
        return "bench htpr needs --ratings, or --key for the rows of VocalCoachBench"
    if args.key is not None and args.predictions is None:
        return "--key needs --predictions: prediction rows, or what assess --json wrote"
    if args.audio is not None and args.predictions is not None:
        return "bench htpr takes either --audio or --predictions"
    if args.rows is not None and args.key is None:
        return "--rows belongs to --key"
    if args.backing is not None and args.audio is None:
        return "--backing belongs to --audio"
    if args.scale is not None and not -1e9 <= args.scale[0] < args.scale[1] <= 1e9:
        return "--scale takes the lower end first, then the higher"
    return ""


def _rank(args: argparse.Namespace) -> tuple[Sequence[str], str]:
    from singcoach.benchmark.htpr.lines import to_lines
    from singcoach.benchmark.htpr.run import run_htpr

    with ConsoleProgress("bench htpr") as job:
        report = run_htpr(
            args.ratings,
            audio=None if args.audio is None else _audio(args),
            predictions_path=args.predictions,
            options=_options(args),
            job=job,
        )
    return to_lines(report), json.dumps(report.to_document(), indent=2, allow_nan=False)


def _score_rows(args: argparse.Namespace) -> tuple[Sequence[str], str]:
    from singcoach.benchmark.htpr.coachbench_key import run_key

    found = run_key(args.key, args.predictions)
    if args.rows is not None:
        write_whole(args.rows, found.rows_text())
    return found.to_lines(), json.dumps(found.to_document(), indent=2, allow_nan=False)


def _options(args: argparse.Namespace) -> Options:
    from singcoach.benchmark.htpr.compare import Scale
    from singcoach.benchmark.htpr.run import Options

    return Options(
        scores_for=dict(args.map),
        scale=None if args.scale is None else Scale(low=args.scale[0], high=args.scale[1]),
        within=args.within,
        cluster=args.cluster,
        n_crops=args.crops,
        seed=args.seed,
        n_draws=args.draws,
    )


def _audio(args: argparse.Namespace) -> Audio:
    from singcoach.benchmark.htpr.run import Audio
    from singcoach.chain.settings import Settings

    return Audio(
        folder=args.audio,
        files=audio_in(args.audio),
        backing_folder=args.backing,
        backing_files=() if args.backing is None else audio_in(args.backing),
        engine=choices.make_engine(args),
        settings=Settings(kind=choices.kind_of(args), profile=args.profile, feedback=False),
    )


def _pair(text: str) -> tuple[str, str]:
    rated, mark, score = (part.strip().lower() for part in text.partition("="))
    if not (rated and mark and score):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form RATED=SCORE")
    return rated, score


def _draws(text: str) -> int:
    number = choices.natural(text)
    if not 100 <= number <= 20_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 100 and 20000")
    return number
