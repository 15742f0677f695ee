"""Telling what a checkpoint is by its tensors, and which of our converters turns it into a pack."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, cast

from singcoach.errors import ModelError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.packfile import PackFile
from singcoach.models.packs.copying import plan_gguf, plan_onnx
from singcoach.models.packs.gguf import MAGIC
from singcoach.models.packs.onnx_file import looks_like_onnx
from singcoach.models.packs.plan import Plan
from singcoach.models.packs.roles import HUBERT_ROLES, ROFORMER_ROLES, WHISPER_ROLES
from singcoach.models.packs.sources import Given
from singcoach.models.weights import WeightFile, open_weights
from singcoach.models.weights.faults import unusable
from singcoach.models.weights.weightfile import OpenFile

_DEREVERB_WORDS = ("dereverb", "de-reverb", "de_reverb", "dry", "noreverb")
_ROFORMER_SHARE = 1.35
_WHISPER_BYTES_PER_WEIGHT = 1.3


def recognise(
    given: Given,
    *,
    role: str | None,
    known_roles: Sequence[str],
    hashes: Mapping[Path, str],
    job: Job = NO_JOB,
) -> Plan:
    """Return how the files become a pack; parses them with our own readers alone.

    Parameters
    ----------
    given
        From :func:`singcoach.models.packs.sources.gather`, no pack folder.
    role
        What the user says it is for; None leaves it to the publication and the tensors.
    known_roles
        Roles of the publication whose hash it has; empty where it is not known.
    hashes
        SHA-256 of the files, which what is copied has to have.
    job
        Reports the looking, and may cancel it.

    Raises
    ------
    ModelError
        When the files are damaged, would run code, are of no network that is known, or do not fit
        ``role``.
    """
    starts = [_start(path) for path in given.files]
    if all(start.startswith(MAGIC) for start in starts):
        _check_role(role, ("language_model",), given.path.name)
        return plan_gguf(given.files, hashes=hashes, job=job)
    if len(given.files) == 1 and looks_like_onnx(starts[0]) and starts[0][8:9] != b"{":
        first = given.files[0]
        return plan_onnx(first, role=role, sha256=hashes[first], job=job)
    shards = {path.name for path in given.files} if given.path.is_dir() else None
    with open_weights(given.path, shards=shards, job=job) as weights:
        return _plan_weights(weights, given, shards, role=role, known_roles=known_roles)


def _start(path: Path) -> bytes:
    file = OpenFile(path)
    try:
        return file.stream.read(16)
    finally:
        file.close()


def _plan_weights(
    weights: WeightFile,
    given: Given,
    shards: set[str] | None,
    *,
    role: str | None,
    known_roles: Sequence[str],
) -> Plan:
    from singcoach.models.roformer.config import config_from_shapes as roformer_config
    from singcoach.models.roformer.config import expected_shapes
    from singcoach.models.whisper.config import config_from_shapes as whisper_config
    from singcoach.models.whisper.hubert import hubert_config_from_shapes

    name = given.path.name
    roformer = roformer_config(weights.shapes)
    if roformer is not None:
        _check_role(role, ROFORMER_ROLES, name)
        chosen = role or _roformer_role(name, known_roles)
        n_weights = sum(math.prod(shape) for shape in expected_shapes(roformer).values())
        return Plan(
            what="MelBand Roformer",
            roles=(chosen,),
            needed_bytes=int(4 * n_weights * _ROFORMER_SHARE),
            make=partial(_make_roformer, given.path, chosen),
            notes=(f"{n_weights} weights",),
        )
    whisper = whisper_config(weights.shapes, weights.metadata, dtypes=weights.dtypes)
    if whisper is not None:
        _check_role(role, WHISPER_ROLES, name)
        default = WHISPER_ROLES if whisper.pooling == 1 else ("encoder_general",)
        roles = (role,) if role else default
        n_bytes = sum(
            _WHISPER_BYTES_PER_WEIGHT * math.prod(whisper.shape(part))
            for one in roles
            for part in whisper.names(whisper.blocks_for(cast("Any", one)))
        )
        return Plan(
            what=f"encoder of the Whisper family, size {whisper.size}",
            roles=roles,
            needed_bytes=int(n_bytes),
            make=partial(_make_whisper, given.path, shards, roles),
            notes=(f"{whisper.n_blocks} blocks of {whisper.n_dims}, {whisper.n_mels} mel bands",),
        )
    if hubert_config_from_shapes(weights.shapes) is not None:
        _check_role(role, HUBERT_ROLES, name)
        n_weights = sum(math.prod(shape) for shape in weights.shapes.values())
        return Plan(
            what="HuBERT-soft",
            roles=HUBERT_ROLES,
            needed_bytes=int(_WHISPER_BYTES_PER_WEIGHT * n_weights),
            make=partial(_make_hubert, given.path, shards),
            notes=(f"{n_weights} weights",),
        )
    raise unusable(
        name,
        f"its {len(weights.shapes)} tensors are of no network that is known here",
        hint="Known are MelBand Roformer, the encoders of the Whisper family, and HuBERT-soft",
    )


def _roformer_role(name: str, known_roles: Sequence[str]) -> str:
    for known in known_roles:
        if known in ROFORMER_ROLES:
            return known
    is_dereverb = any(word in name.lower() for word in _DEREVERB_WORDS)
    return "dereverb" if is_dereverb else "separation"


def _check_role(role: str | None, possible: Sequence[str], name: str) -> None:
    if role is not None and role not in possible:
        raise ModelError(
            f"{name} cannot fill the role {role}", hint=f"It can be {' or '.join(possible)}"
        )


def _make_roformer(path: Path, role: str, out_dir: Path, job: Job) -> tuple[PackFile, ...]:
    from singcoach.models.roformer.convert import convert

    with open_weights(path, job=job) as weights:
        kind = cast("Literal['separation', 'dereverb']", role)
        return convert(weights, out_dir, role=kind, job=job)


def _make_whisper(
    path: Path, shards: set[str] | None, roles: Sequence[str], out_dir: Path, job: Job
) -> tuple[PackFile, ...]:
    from singcoach.models.whisper.convert import convert

    with open_weights(path, shards=shards, job=job) as weights:
        return convert(weights, out_dir, roles=cast("Any", roles), job=job)


def _make_hubert(
    path: Path, shards: set[str] | None, out_dir: Path, job: Job
) -> tuple[PackFile, ...]:
    from singcoach.models.whisper.hubert import convert_hubert

    with open_weights(path, shards=shards, job=job) as weights:
        return convert_hubert(weights, out_dir, job=job)
