"""``singcoach doctor``: is everything here that singing needs."""

from __future__ import annotations

import argparse

from singcoach.cli import choices
from singcoach.cli.console import show
from singcoach.cli.progress import ConsoleProgress
from singcoach.errors import ModelError


def add_parser(
    commands: choices.Subparsers[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "doctor", parents=[common], help="check devices, models, disk, and run a self-test"
    )
    parser.add_argument("--no-self-test", action="store_true", help="only look, run nothing")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show the findings; return 4 when a model is not whole, 70 when something else is broken."""
    from singcoach.doctor import examine

    with ConsoleProgress("doctor") as job:
        findings = examine(self_test=not args.no_self_test, job=job)
    worst = 0
    for finding in findings:
        show(f"{finding.state:<8} {finding.area}: {finding.name}: {finding.text}")
        if finding.hint:
            show(f"         {finding.hint}")
        if finding.state == "fault":
            worst = max(worst, ModelError.exit_code if finding.area == "models" else 70)
    return worst
