"""``singcoach train``: controlled material, heads that score, the coach's words."""

from __future__ import annotations

import argparse

from singcoach.cli import choices, train_edits, train_feedback, train_heads, train_hearing


def add_parser(
    commands: choices.Subparsers[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Add the command with its parts to the parser."""
    parser = commands.add_parser(
        "train",
        parents=[common],
        help="make training material, train heads that score and the coach's words",
    )
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    train_edits.add_parser(parts, common)
    train_heads.add_parser(parts, common)
    train_feedback.add_parser(parts, common)
    train_hearing.add_parser(parts, common)
