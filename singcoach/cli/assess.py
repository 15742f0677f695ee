"""``singcoach assess``: the whole chain on one file, several files or a folder."""

from __future__ import annotations

import argparse
import json
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singcoach.cli import choices
from singcoach.cli.console import say, show
from singcoach.cli.listing import Batch, list_audio
from singcoach.cli.progress import ConsoleProgress
from singcoach.core.languages import LANGUAGES
from singcoach.errors import SingCoachError
from singcoach.files import check_output, make_folder, write_whole

if TYPE_CHECKING:
    from singcoach.chain.assess import AssessedTake
    from singcoach.chain.engine import Engine
    from singcoach.chain.settings import Settings

ERROR_SCHEMA = "singcoach.error/1"


def add_parser(
    commands: choices.Subparsers[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "assess",
        parents=[common],
        help="judge a recording: scores, evidence, feedback, report",
        description="Judge one recording, or each of several (or of a folder) with one JSON line.",
    )
    parser.add_argument(
        "audio", nargs="+", type=choices.plain_path, metavar="AUDIO", help="file or folder"
    )
    choices.add_kind(parser)
    parser.add_argument(
        "--backing",
        type=choices.plain_path,
        metavar="FILE",
        help="the accompaniment that was sung to, as a file of its own",
    )
    parser.add_argument(
        "--song", type=choices.plain_path, metavar="SONG.txt", help="the written song (UltraStar)"
    )
    parser.add_argument(
        "--json", metavar="PATH", help="write the assessment here; - for standard output"
    )
    parser.add_argument(
        "--report",
        type=choices.plain_path,
        metavar="PATH",
        help="write a report: a name that ends in .html or .pdf; for a batch, a folder",
    )
    choices.add_profile(parser, "fast", "balanced", "best")
    parser.add_argument("--no-feedback", action="store_true", help="leave out the coach's words")
    parser.add_argument(
        "--language",
        choices=LANGUAGES,
        default="en",
        help="of the coach's words and the report (default: en)",
    )
    parser.add_argument(
        "--words",
        choices=("auto", "template", "model"),
        default="auto",
        help="who writes the coach's words: built-in sentences or the language model "
        "(default: auto, the model where one is installed and the language is English)",
    )
    choices.add_engine(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Assess what was named and return the exit code."""
    batch = len(args.audio) > 1 or args.audio[0].is_dir()
    problem = _usage_problem(args, batch)
    if problem:
        say(problem)
        return choices.EXIT_USAGE
    engine = choices.make_engine(args)
    settings = _settings(args)
    if not batch:
        return _run_one(args, args.audio[0], engine, settings)
    listed = list_audio(args.audio)
    if not listed.files:
        raise next(iter(listed.faults.values()))
    return _run_batch(args, listed, engine, settings)


def _usage_problem(args: argparse.Namespace, batch: bool) -> str:
    if args.report is not None:
        suffix = args.report.suffix.lower()
        if not batch and suffix not in (".html", ".htm", ".pdf"):
            return "--report takes a name that ends in .html or .pdf"
        if batch and suffix in (".html", ".htm", ".pdf"):
            return "--report takes a folder when several files are assessed"
    if batch and (args.song or args.backing):
        return "--song and --backing belong to one recording, not to several"
    return ""


def _settings(args: argparse.Namespace) -> Settings:
    from singcoach.chain.settings import Settings

    return Settings(
        kind=choices.kind_of(args),
        profile=args.profile,
        backing=args.backing,
        song=args.song,
        feedback=not args.no_feedback,
        language=args.language,
        words=args.words,
    )


def _run_one(args: argparse.Namespace, path: Path, engine: Engine, settings: Settings) -> int:
    from singcoach.report.document import to_document

    json_path = _json_path(args)
    for output in (args.report, json_path):
        if output is not None:
            check_output(output, [path, settings.song, settings.backing])
    assessed = _assess(path, engine, settings)
    document = to_document(assessed.assessment)
    if args.report is not None:
        write_report(args.report, assessed, language=args.language)
    if args.json == "-":
        show(json.dumps(document, indent=2, allow_nan=False))
        return 0
    if json_path is not None:
        write_whole(json_path, json.dumps(document, indent=2, allow_nan=False) + "\n")
    for line in summarise(document):
        show(line)
    if args.report is not None:
        show(f"Report: {args.report}")
    return 0


def _run_batch(args: argparse.Namespace, batch: Batch, engine: Engine, settings: Settings) -> int:
    json_path = _json_path(args)
    if json_path is not None:
        check_output(json_path, batch.files)
    if args.report is not None:
        make_folder(args.report)
    from singcoach.report.document import to_document

    names = report_names(batch.files)
    lines: list[str] = []
    emit: Callable[[str], None] = lines.append if json_path is not None else show
    worst = 0
    try:
        for path, fault in batch.faults.items():
            worst = max(worst, _tell(path, fault, emit))
        for number, path in enumerate(batch.files, start=1):
            label = f"[{number}/{len(batch.files)}] {path.name}"
            try:
                assessed = _assess(path, engine, settings, label=label)
                if args.report is not None:
                    write_report(args.report / names[path], assessed, language=args.language)
                document = to_document(assessed.assessment)
            except SingCoachError as error:
                worst = max(worst, _tell(path, error, emit))
            except Exception as error:  # noqa: BLE001 - one file's trouble must not end the batch
                if getattr(args, "debug", False):
                    traceback.print_exc()
                inner = SingCoachError(
                    f"{path.name} met a fault inside SingCoach ({type(error).__name__})",
                    hint="Run it alone with --debug to see where",
                )
                worst = max(worst, _tell(path, inner, emit))
            else:
                emit(json.dumps(document, allow_nan=False, separators=(",", ":")))
    finally:  # stopped or not: what was finished is kept
        if json_path is not None and lines:
            write_whole(json_path, "".join(f"{line}\n" for line in lines))
    return worst


def _tell(path: Path, error: SingCoachError, emit: Callable[[str], None]) -> int:
    say(error)
    emit(json.dumps(error_line(path, error), allow_nan=False, separators=(",", ":")))
    return error.exit_code


def _json_path(args: argparse.Namespace) -> Path | None:
    return choices.plain_path(args.json) if args.json and args.json != "-" else None


def _assess(
    path: Path, engine: Engine, settings: Settings, *, label: str | None = None
) -> AssessedTake:
    from singcoach.chain.assess import assess

    with ConsoleProgress(label or path.name) as job:
        return assess(path, settings=settings, engine=engine, job=job)


def error_line(path: Path, error: SingCoachError) -> dict[str, Any]:
    """Return the JSON line of a file of a batch that could not be assessed."""
    return {
        "schema": ERROR_SCHEMA,
        "file": path.name.encode("utf-8", "replace").decode(),
        "error": error.message,
        "hint": error.hint,
        "exit_code": error.exit_code,
    }


def report_names(paths: Sequence[Path]) -> dict[Path, str]:
    """Return a report name such as ``a.wav.html`` for each path, all different."""
    names: dict[Path, str] = {}
    taken: set[str] = set()
    for path in paths:
        name = f"{path.name}.html"
        count = 1
        while name.lower() in taken:
            count += 1
            name = f"{path.name}-{count}.html"
        taken.add(name.lower())
        names[path] = name
    return names


def write_report(path: Path, assessed: AssessedTake, *, language: str | None = None) -> None:
    """Write the report in the format that the name asks for."""
    if path.suffix.lower() == ".pdf":
        from singcoach.report.pdf import write_pdf

        write_pdf(path, assessed.assessment, assessed.take, language=language)
    else:
        from singcoach.report.html import write_html

        write_html(path, assessed.assessment, assessed.take, language=language)


def summarise(document: dict[str, Any]) -> list[str]:
    """Return an assessment as a few lines for a person."""
    entry = document["input"]
    screening = document["screening"]
    minutes, seconds = divmod(round(entry["duration_s"]), 60)
    kind = "voice alone" if entry["kind"] == "solo" else "voice with accompaniment"
    lines = [f"{entry['file']}  {minutes}:{seconds:02d}, {kind}"]
    for name, score in (*document["dimensions"].items(), ("overall", document["overall"])):
        lines.append(f"  {name:<10} {_score_text(score)}")
    for name in ("pitch_accuracy", "rhythm_accuracy"):
        if screening[name] is not None:
            lines.append(f"  {name.replace('_', ' '):<15} {100 * screening[name]:3.0f} %")
    lines.extend(f"  note: {reason}" for reason in screening["reasons"])
    feedback = document["feedback"]
    if feedback is not None and feedback["summary"]:
        lines.extend(("", feedback["summary"]))
        lines.extend(f"  - {suggestion['text']}" for suggestion in feedback["suggestions"])
    lines.extend(f"warning: {warning}" for warning in document["warnings"])
    return lines


def _score_text(score: dict[str, Any]) -> str:
    if score["score"] is None:
        return f"-    ({score.get('reason') or 'not enough evidence'})"
    return f"{score['score']:.1f}  (80 % between {score['low']:.1f} and {score['high']:.1f})"
