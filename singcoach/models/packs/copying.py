"""Files that become part of a pack as they are: ONNX networks and GGUF language models."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from singcoach import resources
from singcoach.errors import ModelError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.manifest import MANIFEST_NAME, read_manifest
from singcoach.models.packfile import PackFile
from singcoach.models.packs import gguf, onnx_file
from singcoach.models.packs.fitting import (
    NETWORK_PART,
    NETWORK_ROLES,
    check_network,
    fits_embedded,
    listed,
)
from singcoach.models.packs.hearing_pack import check_pair, read_projector
from singcoach.models.packs.onnx_trial import try_onnx
from singcoach.models.packs.plan import Plan
from singcoach.models.packs.roles import LANGUAGE_ROLE, ROFORMER_ROLES
from singcoach.models.packs.sources import changed
from singcoach.models.weights.faults import shown, unusable
from singcoach.models.weights.weightfile import OpenFile, unreadable

_BLOCK_BYTES = 1 << 22
_ROLE_KEY, _PART_KEY, _CONFIG_KEY = "singcoach.role", "singcoach.part", "singcoach.config"


def plan_onnx(path: Path, *, role: str | None, sha256: str, job: Job = NO_JOB) -> Plan:
    """Look into an ONNX file and return how it becomes a pack.

    Its role is the one that its own metadata (``singcoach.role``) or ``role`` names, or the one
    whose embedded network has the same inputs and outputs. What is copied later has to have the
    hash ``sha256``.

    Raises
    ------
    ModelError
        When it is refused, fills no role that is known, or has settings that do not fit it.
    """
    file = OpenFile(path, job)
    try:
        head = onnx_file.read_head(file)
        size = file.size
    except OSError as error:
        raise unreadable(file.name, error) from error
    finally:
        file.close()
    named = head.metadata.get(_ROLE_KEY, "")
    if named and named not in NETWORK_ROLES and role is None:
        raise unusable(path.name, f"it says that it is for {shown(named, 30)}, and no pack is")
    fitting = tuple(found for found in NETWORK_ROLES if fits_embedded(head, found))
    chosen = role or (named if named in NETWORK_ROLES else None) or next(iter(fitting), None)
    config = head.metadata.get(_CONFIG_KEY, "")
    if chosen is None or not (chosen in fitting or (named == chosen and _is_table(config))):
        raise unusable(
            path.name,
            f"its inputs {listed(head.inputs)} and outputs {listed(head.outputs)} "
            + ("fill no role here" if chosen is None else f"are not those of the role {chosen}"),
            hint="The embedded models (`singcoach models list`) show what a role needs",
        )
    part = head.metadata.get(_PART_KEY, "") or (NETWORK_PART if chosen in ROFORMER_ROLES else "")
    config = config if _is_table(config) else ""
    check_network(path.name, head, role=chosen, part=part, config=config)
    made = PackFile(
        file="network.onnx",
        role=chosen,
        part=part,
        sample_rate=_sample_rate(chosen, config),
        inputs=head.inputs,
        outputs=head.outputs,
        config=config,
    )
    return Plan(
        what="ONNX network",
        roles=(chosen,),
        needed_bytes=size,
        make=partial(_copy_onnx, path, sha256, made),
        copies=True,
        notes=(f"{head.n_nodes} operators, taken over as it is",),
    )


def plan_gguf(paths: Sequence[Path], *, hashes: Mapping[Path, str], job: Job = NO_JOB) -> Plan:
    """Look into a GGUF language model and its projector, and return how they become a pack.

    What is copied later has to have the SHA-256 that ``hashes`` names.

    Raises
    ------
    ModelError
        When one is refused, or they are not one model with at most one projector that hears and
        belongs to it.
    """
    parts: dict[gguf.Part, Path] = {}
    heads: dict[gguf.Part, gguf.GgufHead] = {}
    notes = []
    size = 0
    for path in paths:
        file = OpenFile(path, job)
        try:
            head = gguf.read_head(file)
            size += file.size
        except OSError as error:
            raise unreadable(file.name, error) from error
        finally:
            file.close()
        if head.part in parts:
            raise ModelError(
                f"{parts[head.part].name} and {path.name} are both a {head.part}",
                hint="Give one language model and, where it hears, its projector",
            )
        parts[head.part], heads[head.part] = path, head
        notes.append(f"{head.part}: {shown(head.architecture, 30)}, {head.n_tensors} tensors")
    if "model" not in parts:
        raise unusable(
            paths[0].name,
            "it is only the projector of a language model",
            hint="Give the language model with it: `singcoach models add MODEL.gguf MMPROJ.gguf`",
        )
    model = PackFile(
        file="model.gguf", role=LANGUAGE_ROLE, part="model", prompt=heads["model"].prompt
    )
    files = [(parts["model"], model)]
    if "projector" in parts:
        names = (parts["model"].name, parts["projector"].name)
        projector = read_projector(names[1], heads["projector"])
        check_pair(heads["model"], projector, names=names)
        config = projector.to_json()
        made = PackFile(file="projector.gguf", role=LANGUAGE_ROLE, part="projector", config=config)
        files.append((parts["projector"], made))
    return Plan(
        what="language model that hears" if "projector" in parts else "language model",
        roles=("language_model",),
        needed_bytes=size,
        make=partial(_copy_gguf, files, hashes),
        copies=True,
        notes=tuple(notes),
    )


def copy_file(source: Path, target: Path, job: Job = NO_JOB) -> str:
    """Copy an ordinary file in bounded memory and return the SHA-256 of what was copied.

    Raises
    ------
    ModelError
        When ``source`` cannot be read or is no ordinary file.
    OSError
        When ``target`` cannot be written.
    """
    file = OpenFile(source)
    digest = hashlib.sha256()
    n_bytes = 0
    try:
        with target.open("xb") as sink:
            while True:
                try:
                    block = file.stream.read(_BLOCK_BYTES)
                except OSError as error:
                    raise unreadable(file.name, error) from error
                if not block:
                    return digest.hexdigest()
                digest.update(block)
                sink.write(block)
                n_bytes += len(block)
                job.report(n_bytes / max(1, file.size), f"copying {file.name}")
    finally:
        file.close()


def _copy_onnx(
    path: Path, sha256: str, made: PackFile, out_dir: Path, job: Job
) -> tuple[PackFile, ...]:
    _copy_hashed(path, out_dir / made.file, sha256, job.part(0.0, 0.5))
    try_onnx(out_dir / made.file, path.name, job.part(0.5, 1.0))
    return (made,)


def _copy_hashed(source: Path, target: Path, sha256: str, job: Job) -> None:
    """Copy the file that was hashed; nothing has opened the copy before it is compared."""
    if not hmac.compare_digest(copy_file(source, target, job), sha256):
        raise changed(source.name)


def _copy_gguf(
    files: Sequence[tuple[Path, PackFile]], hashes: Mapping[Path, str], out_dir: Path, job: Job
) -> tuple[PackFile, ...]:
    for i, (path, made) in enumerate(files):
        own = job.part(i / len(files), (i + 1) / len(files))
        _copy_hashed(path, out_dir / made.file, hashes[path], own)
    return tuple(made for _, made in files)


def _sample_rate(role: str, config: str) -> int | None:
    rate = json.loads(config).get("sample_rate") if _is_table(config) else None
    if isinstance(rate, int) and not isinstance(rate, bool) and 1_000 <= rate <= 768_000:
        return rate
    embedded = read_manifest(resources.models_dir() / MANIFEST_NAME)
    return next((entry.sample_rate for entry in embedded if entry.role == role), None)


def _is_table(config: str) -> bool:
    try:
        return isinstance(json.loads(config), dict)
    except (ValueError, RecursionError):
        return False
