"""A pack folder that somebody brings, on a USB stick for instance: taken over if it is whole."""

from __future__ import annotations

import hmac
import os
import stat
from functools import partial
from pathlib import Path

from singcoach.errors import ModelError
from singcoach.jobs import Job
from singcoach.models.installed import PROVENANCE_NAME, Provenance, read_provenance
from singcoach.models.manifest import MANIFEST_NAME, ModelEntry, read_manifest
from singcoach.models.packfile import PackFile
from singcoach.models.packs import gguf, heads_pack, onnx_file
from singcoach.models.packs.copying import copy_file
from singcoach.models.packs.fitting import (
    NETWORK_PART,
    check_network,
    check_weights,
    same_tensors,
)
from singcoach.models.packs.hearing_pack import read_projector
from singcoach.models.packs.onnx_trial import try_onnx
from singcoach.models.packs.plan import About, Plan
from singcoach.models.packs.roles import ADDABLE_ROLES, HEADS_ROLE, LANGUAGE_ROLE, ROFORMER_ROLES
from singcoach.models.weights import open_weights
from singcoach.models.weights.faults import damaged, shown, unsafe, unusable
from singcoach.models.weights.weightfile import OpenFile

_AGAIN = "Make the pack again from the original checkpoint"


def read_folder(folder: Path) -> tuple[tuple[ModelEntry, ...], Provenance]:
    """Read the manifest and the provenance of a foreign pack folder.

    Raises
    ------
    ModelError
        When they are damaged, or something in the folder is a link or no ordinary file.
    """
    for name in (MANIFEST_NAME, PROVENANCE_NAME):
        check_ordinary(folder, name)
    try:
        entries = read_manifest(folder / MANIFEST_NAME)
    except ModelError as error:
        raise damaged(folder.name, f"its manifest is not valid ({shown(error.detail)})") from error
    if not entries:
        raise damaged(folder.name, "its manifest names no files")
    for entry in entries:
        check_ordinary(folder, entry.file)
    try:
        return entries, read_provenance(folder / PROVENANCE_NAME)
    except ModelError as error:
        raise damaged(folder.name, "it does not say where it came from") from error


def plan_folder(folder: Path, entries: tuple[ModelEntry, ...]) -> Plan:
    """Return how a foreign pack folder becomes one of the user's packs.

    Raises
    ------
    ModelError
        When it has a role that no pack fills, or its parts do not belong together.
    """
    for role in dict.fromkeys(entry.role for entry in entries):
        if role not in ADDABLE_ROLES:
            raise unusable(folder.name, f"no pack fills the role {role}", hint=_AGAIN)
        own = [entry for entry in entries if entry.role == role]
        if role in ROFORMER_ROLES and (
            all(entry.part != NETWORK_PART for entry in own)
            or len({entry.config for entry in own}) != 1
        ):
            raise unusable(folder.name, f"its files for {role} do not belong together", hint=_AGAIN)
        if role == HEADS_ROLE:
            heads_pack.check_files(folder.name, own)
    return Plan(
        what="pack",
        roles=tuple(dict.fromkeys(entry.role for entry in entries)),
        needed_bytes=sum(entry.size for entry in entries),
        make=partial(_copy, folder, entries),
        notes=("taken over from a folder",),
        card=heads_pack.read_card(entries[0].card) if entries[0].role == HEADS_ROLE else "",
    )


def about_folder(entries: tuple[ModelEntry, ...]) -> About:
    """Return what the manifest of a pack says of its weights."""
    first = entries[0]
    return About(
        title=first.id,
        version=first.version,
        licence=first.licence,
        source=first.source,
        published=first.published,
    )


def check_ordinary(folder: Path, name: str) -> None:
    """Raise :class:`ModelError` unless ``name`` is an ordinary file in ``folder`` and no link."""
    try:
        mode = os.lstat(folder / name).st_mode
    except OSError as error:
        raise damaged(folder.name, f"{name} is missing") from error
    if stat.S_ISLNK(mode):
        raise unsafe(folder.name, f"{name} is a link, which could lead to any file")
    if not stat.S_ISREG(mode):
        raise unsafe(folder.name, f"{name} is not an ordinary file")


def _copy(
    folder: Path, entries: tuple[ModelEntry, ...], out_dir: Path, job: Job
) -> tuple[PackFile, ...]:
    made = []
    for i, entry in enumerate(entries):
        part = job.part(i / len(entries), (i + 1) / len(entries))
        check_ordinary(folder, entry.file)
        if (folder / entry.file).stat().st_size != entry.size:
            raise damaged(entry.file, f"it has not the {entry.size} bytes of the manifest")
        digest = copy_file(folder / entry.file, out_dir / entry.file, part.part(0.0, 0.5))
        if not hmac.compare_digest(digest, entry.sha256):
            raise damaged(entry.file, f"its SHA-256 is {digest}, not that of the manifest")
        _look_into(out_dir / entry.file, entry, part.part(0.5, 1.0))
        made.append(
            PackFile(
                file=entry.file,
                role=entry.role,
                part=entry.part,
                sample_rate=entry.sample_rate,
                inputs=entry.inputs,
                outputs=entry.outputs,
                config=entry.config,
                prompt=entry.prompt,
            )
        )
    return tuple(made)


def _look_into(path: Path, entry: ModelEntry, job: Job) -> None:
    """Read the copy as its kind has to be read; refuse what is of no kind of ours."""
    suffix = path.suffix.lower()
    role, part, config = entry.role, entry.part, entry.config
    if suffix == ".safetensors":
        with open_weights(path, job=job) as weights:
            check_weights(path.name, weights.shapes, role=role, part=part, config=config)
        return
    if suffix == ".toml" and role == HEADS_ROLE and not part:
        heads_pack.check_heads_file(path)
        return
    if suffix not in (".onnx", ".gguf"):
        raise unusable(path.name, "a pack holds ONNX, safetensors and GGUF files alone")
    file = OpenFile(path, job)
    try:
        if suffix == ".gguf":
            head = gguf.read_head(file)
            if role != LANGUAGE_ROLE or head.part != part:
                raise unusable(path.name, f"it cannot be the part {part!r} of {role}", hint=_AGAIN)
            if part == "projector" and read_projector(path.name, head).to_json() != config:
                raise unusable(path.name, "its manifest tells of another projector", hint=_AGAIN)
            return
        network = onnx_file.read_head(file)
    finally:
        file.close()
    if not same_tensors(network.inputs, entry.inputs):
        raise ModelError(
            f"{path.name} takes other inputs than its manifest says",
            hint=_AGAIN,
        )
    check_network(path.name, network, role=role, part=part, config=config)
    try_onnx(path, path.name, job)
