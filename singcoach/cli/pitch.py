"""``singcoach pitch`` and ``singcoach notes``: what was sung, as tables and MIDI."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from singcoach.cli import choices
from singcoach.cli.console import say, show
from singcoach.cli.progress import ConsoleProgress
from singcoach.files import check_output

if TYPE_CHECKING:
    from singcoach.chain.melody import Melody


def add_parser(
    commands: choices.Subparsers[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Add both commands to the parser."""
    pitch = commands.add_parser(
        "pitch", parents=[common], help="write the pitch of the voice over time"
    )
    pitch.add_argument("audio", type=choices.plain_path, metavar="AUDIO")
    pitch.add_argument(
        "--csv",
        type=choices.plain_path,
        required=True,
        metavar="PATH",
        help="columns time_s, f0_hz (empty where unvoiced), confidence, voiced",
    )
    notes = commands.add_parser("notes", parents=[common], help="write the notes that were sung")
    notes.add_argument("audio", type=choices.plain_path, metavar="AUDIO")
    notes.add_argument(
        "--csv",
        type=choices.plain_path,
        metavar="PATH",
        help="columns onset_s, offset_s, midi, cents_deviation",
    )
    notes.add_argument("--midi", type=choices.plain_path, metavar="PATH", help="a MIDI file")
    for parser, run in ((pitch, run_pitch), (notes, run_notes)):
        choices.add_kind(parser)
        choices.add_profile(parser, "balanced", "best")
        choices.add_engine(parser)
        parser.set_defaults(run=run)


def run_pitch(args: argparse.Namespace) -> int:
    """Write the pitch track and return the exit code."""
    from singcoach.pitch.export import write_pitch_csv

    check_output(args.csv, [args.audio])
    melody = _melody(args)
    write_pitch_csv(args.csv, melody.pitch)
    show(str(args.csv))
    return 0


def run_notes(args: argparse.Namespace) -> int:
    """Write the notes and return the exit code."""
    from singcoach.pitch.export import write_notes_csv, write_notes_midi

    if args.csv is None and args.midi is None:
        say("notes needs --csv PATH, --midi PATH or both")
        return choices.EXIT_USAGE
    for output in (args.csv, args.midi):
        if output is not None:
            check_output(output, [args.audio])
    melody = _melody(args)
    if args.csv is not None:
        write_notes_csv(args.csv, melody.notes)
        show(str(args.csv))
    if args.midi is not None:
        write_notes_midi(args.midi, melody.notes)
        show(str(args.midi))
    return 0


def _melody(args: argparse.Namespace) -> Melody:
    from singcoach.chain.melody import find_melody

    engine = choices.make_engine(args)
    with ConsoleProgress(args.audio.name) as job:
        melody = find_melody(args.audio, kind=choices.kind_of(args), engine=engine, job=job)
    for warning in (*melody.warnings, *engine.warnings()):
        say(warning)
    return melody
