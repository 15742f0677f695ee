"""``singcoach train heads``: heads from a corpus of controlled edits, or from one's own ratings."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from singcoach.cli import choices
from singcoach.cli.console import say, show
from singcoach.cli.listing import audio_in
from singcoach.cli.progress import ConsoleProgress
from singcoach.core.scores import DIMENSIONS
from singcoach.errors import InputError
from singcoach.jobs import Job

if TYPE_CHECKING:
    from singcoach.chain.engine import Engine
    from singcoach.training.heads import Material, Options
    from singcoach.training.listening import Labelled


def add_parser(
    parts: choices.Subparsers[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Add the part to the parser of ``train``."""
    parser = parts.add_parser(
        "heads",
        parents=[common],
        help="train heads and write them as a pack for `models add`",
        description="Train what turns singing into scores: on controlled edits, or on ratings.",
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--corpus", type=choices.plain_path, metavar="DIR", help="what `train edits` made"
    )
    source.add_argument(
        "--ratings",
        type=choices.plain_path,
        metavar="CSV",
        help="ratings, one a line, with the columns item, rater, score and optionally dimension, "
        "singer and song",
    )
    parser.add_argument(
        "--audio", type=choices.plain_path, metavar="DIR", help="with --ratings: the recordings"
    )
    parser.add_argument(
        "--backing",
        type=choices.plain_path,
        metavar="DIR",
        help="with --ratings: the accompaniments, named as the recordings are",
    )
    parser.add_argument(
        "--map",
        action="append",
        default=[],
        type=_pair,
        metavar="RATED=DIMENSION",
        help="with --ratings: train DIMENSION on the rated dimension RATED (may be repeated)",
    )
    parser.add_argument(
        "--out", type=choices.plain_path, required=True, metavar="DIR", help="the pack's new folder"
    )
    parser.add_argument(
        "--dimension",
        dest="dimensions",
        action="append",
        choices=DIMENSIONS,
        metavar="D",
        help=f"what to train: {', '.join(DIMENSIONS)} (may be repeated; default: all with labels)",
    )
    parser.add_argument(
        "--architecture",
        choices=("linear", "mlp", "rnn", "transformer"),
        default="mlp",
        help="linear: signed sum of measures; the others: small networks (default: mlp)",
    )
    parser.add_argument(
        "--inputs",
        nargs="+",
        choices=("measures", "general", "singing"),
        help="what a network looks at (default: all three)",
    )
    parser.add_argument(
        "--loss",
        choices=("pairwise", "score"),
        default="pairwise",
        help="learn which of two is better, or the number itself (default: pairwise)",
    )
    parser.add_argument("--seed", type=choices.natural, default=0, metavar="N", help="default: 0")
    parser.add_argument(
        "--members",
        type=_members,
        default=5,
        metavar="N",
        help="size of the ensemble (default: 5)",
    )
    parser.add_argument(
        "--epochs", type=choices.positive, metavar="N", help="most rounds (default: 60)"
    )
    parser.add_argument("--resume", action="store_true", help="go on with what was stopped")
    choices.add_kind(parser)
    choices.add_engine(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train, write the pack, say how it did and what to do with it; return the exit code."""
    from singcoach.training.accuracy import described
    from singcoach.training.heads import prepare, train_heads

    _check(args)
    prepare(args.out, resume=args.resume)
    args.profile = "best"
    engine = choices.make_engine(args)
    with ConsoleProgress("train heads") as job:
        heard = job.part(0.0, 0.6)
        material = _corpus(args, engine, heard) if args.corpus else _ratings(args, engine, heard)
        options = _options(args, material)
        trained = train_heads(material, options, args.out, resume=True, job=job.part(0.6, 1.0))
    for one in trained.figures:
        show(
            f"{one.dimension:<10} {one.n_examples} examples, {one.n_units} {one.unit_kind}s: "
            f"pairs rightly ordered {described(one.folds)} in folds"
        )
        if one.held_out is not None and one.rules is not None:
            show(
                f"{'':<10} held out {described(one.held_out)}; shipped head {described(one.rules)}"
            )
    show(f"`singcoach models add {args.out} --trust` installs it; `--profile best` uses it")
    return 0


def _check(args: argparse.Namespace) -> None:
    """Refuse options that contradict each other before any work."""
    if args.ratings and not args.audio:
        raise InputError("--ratings needs the recordings too", hint="Give them with --audio DIR")
    if args.corpus and (args.audio or args.backing or args.map or args.kind):
        raise InputError(
            "--audio, --backing, --map, --vocals-only and --mixture belong to --ratings",
            hint="A corpus holds its own recordings",
        )
    inputs = args.inputs or (["measures"] if args.architecture == "linear" else None)
    if inputs is not None and len(set(inputs)) != len(inputs):
        raise InputError("--inputs names the same twice", hint="Name each once")
    if args.architecture == "linear" and inputs != ["measures"]:
        raise InputError("A linear head takes the measures alone", hint="Leave --inputs out")
    if args.architecture in ("rnn", "transformer") and inputs == ["measures"]:
        raise InputError(
            f"The architecture {args.architecture} needs an encoder",
            hint="Add general or singing to --inputs",
        )


def _options(args: argparse.Namespace, material: Material) -> Options:
    from singcoach.training.heads import Options

    there = {name for example in material.examples for name in example.labels}
    asked = args.dimensions or [d for d in DIMENSIONS if d in there]
    if not asked:
        raise InputError(
            f"Nothing is labelled for {', '.join(DIMENSIONS)}",
            hint="--map overall=technique trains technique on ratings of the whole",
        )
    default = ("measures",) if args.architecture == "linear" else ("measures", "general", "singing")
    return Options(
        dimensions=tuple(dict.fromkeys(asked)),
        architecture=args.architecture,
        inputs=tuple(args.inputs or default),
        loss=args.loss,
        seed=args.seed,
        members=args.members,
        epochs=args.epochs,
    )


def _corpus(args: argparse.Namespace, engine: Engine, job: Job) -> Material:
    from singcoach.training.corpus import read_manifest
    from singcoach.training.heads import Material
    from singcoach.training.listening import listen, recordings_of_corpus

    manifest = read_manifest(args.corpus)
    if not manifest.finished:
        say(
            f"The corpus {args.corpus} was not made to its end, so some faults or singers are "
            "missing; `singcoach train edits` with the same options goes on with it"
        )
    recordings, splits = recordings_of_corpus(args.corpus)
    heard = listen(recordings, engine, job)
    _tell(heard.failed)
    return Material(
        examples=[e for e in heard.examples if splits[e.item] == "train"],
        held_out=[e for e in heard.examples if splits[e.item] != "train"],
        encoders=heard.encoders,
        described=f"controlled edits and made singing, {len(heard.examples)} takes",
        sources=tuple(f"{s.name}: {s.licence}. {s.attribution}" for s in manifest.sources),
        shippable=manifest.shippable,
        warning="These heads were trained on controlled edits, not on human ratings",
    )


def _ratings(args: argparse.Namespace, engine: Engine, job: Job) -> Material:
    from singcoach.training.heads import Material
    from singcoach.training.listening import listen

    with tempfile.TemporaryDirectory(prefix="singcoach-train-") as place:
        recordings = _rated(args, Path(place), job.part(0.0, 0.05))
        heard = listen(recordings, engine, job.part(0.05, 1.0))
    _tell(heard.failed)
    return Material(
        examples=list(heard.examples),
        encoders=heard.encoders,
        described=f"ratings in {args.ratings.name}, {len(heard.examples)} recordings",
        sources=(f"recordings in {args.audio.name}, given by the user; licence not known",),
        shippable=False,
        warning="These heads were trained on the user's own ratings and hold for such takes alone",
    )


def _rated(args: argparse.Namespace, place: Path, job: Job) -> list[Labelled]:
    """Return the rated recordings; parts of one performance are joined in ``place``."""
    from singcoach.benchmark.htpr.matching import match, relative_names
    from singcoach.benchmark.htpr.pieces import join_parts
    from singcoach.benchmark.htpr.ratings import read_ratings
    from singcoach.training.listening import Labelled

    ratings = read_ratings(args.ratings)
    for note in ratings.notes:
        say(note)
    named = dict(args.map)
    labels: dict[str, dict[str, float]] = {}
    for dimension, table in ratings.tables.items():
        for item, mean in zip(table.items, table.means.tolist(), strict=True):
            labels.setdefault(item, {})[named.get(dimension, dimension)] = mean
    files = relative_names(audio_in(args.audio), args.audio)
    matches = match(ratings.items, files, folders=True)
    if not matches.found:
        raise InputError(
            f"None of the {len(ratings.items)} items of {ratings.name} is in {args.audio.name}",
            hint=f"Name the recordings as the items; the first item is {ratings.items[0][:60]}",
        )
    if matches.missing or matches.ambiguous:
        n_missing = len(matches.missing) + len(matches.ambiguous)
        say(f"{n_missing} of {len(ratings.items)} items have no single recording: left out")
    backings = relative_names(audio_in(args.backing), args.backing) if args.backing else {}
    fitting = match(matches.found, backings).found if backings else {}
    found = []
    for number, (item, parts) in enumerate(matches.found.items()):
        job.report(number / len(matches.found), "joining parts")
        file = files[parts[0]]
        if len(parts) > 1:
            file = place / f"{number}.wav"
            join_parts([files[part] for part in parts], file)
        found.append(
            Labelled(
                item=item,
                file=file,
                labels=labels[item],
                corpus=ratings.name,
                singer=ratings.groups.get("singer", {}).get(item, ""),
                song=ratings.groups.get("song", {}).get(item, ""),
                backing=backings[fitting[item][0]] if item in fitting else None,
                kind=choices.kind_of(args),
            )
        )
    return found


def _tell(failed: Mapping[str, str]) -> None:
    for item, reason in failed.items():
        say(f"{item} was left out: {reason}")


def _pair(text: str) -> tuple[str, str]:
    rated, mark, dimension = (part.strip().lower() for part in text.partition("="))
    if not (rated and mark) or dimension not in DIMENSIONS:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form RATED=DIMENSION")
    return rated, dimension


def _members(text: str) -> int:
    from singcoach.scoring.network_specs import MAX_MEMBERS

    number = choices.positive(text)
    if number > MAX_MEMBERS:
        raise argparse.ArgumentTypeError(f"{text!r} is more than {MAX_MEMBERS}")
    return number
