"""Whether a network that somebody brings can do the work of its role with its settings.

Without this a wrong setting would be found in the middle of somebody's song. The tensors of the
file itself are compared, not those that its manifest claims.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from singcoach import resources
from singcoach.errors import ModelError
from singcoach.models.manifest import MANIFEST_NAME, TensorSpec, read_manifest
from singcoach.models.packs.heads_pack import check_head
from singcoach.models.packs.onnx_file import OnnxHead
from singcoach.models.packs.roles import (
    ADDABLE_ROLES,
    HEADS_ROLE,
    ROFORMER_ROLES,
    WHISPER_ROLES,
)
from singcoach.models.roformer.config import RoformerConfig, config_from_json, expected_shapes
from singcoach.models.roformer.graph import tensor_specs
from singcoach.models.weights.faults import shown, unusable
from singcoach.models.whisper.config import Recipe
from singcoach.models.whisper.hubert import PART as HUBERT_PART

NETWORK_PART, WEIGHTS_PART = "network", "weights"
NETWORK_ROLES = tuple(role for role in ADDABLE_ROLES if role not in ("language_model", HEADS_ROLE))
"""Roles that an ONNX network alone can fill."""

_HUBERT_INPUT = TensorSpec(name="audio", dtype="float32", shape=(1, "n_samples"))


def check_network(name: str, head: OnnxHead, *, role: str, part: str, config: str) -> None:
    """Check the tensors of an ONNX file against its role and its settings.

    Raises
    ------
    ModelError
        When the role is none that a network can fill, the settings cannot be understood, or the
        tensors are not those that the settings speak of.
    """
    if role in ROFORMER_ROLES and part == NETWORK_PART:
        taken, given = _roformer_tensors(name, config)
        fits = same_tensors(head.inputs, (taken,)) and len(head.outputs) == 1
        fits = fits and same_shape(head.outputs[0], given)
    elif role in WHISPER_ROLES and part == "":
        n_mels = Recipe.from_json(config).n_mels
        taken = TensorSpec(name="mel", dtype="float32", shape=(1, n_mels, "n_frames"))
        fits = same_tensors(head.inputs, (taken,)) and len(head.outputs[0].shape) == 3
    elif role == "encoder_singing" and part == HUBERT_PART:
        fits = same_tensors(head.inputs, (_HUBERT_INPUT,)) and len(head.outputs[0].shape) == 3
    elif role == HEADS_ROLE and part:
        fits = check_head(head)
    elif role in NETWORK_ROLES and role not in ROFORMER_ROLES and part == "":
        fits = fits_embedded(head, role)
    else:
        raise unusable(name, _no_such(role, part))
    if not fits:
        raise unusable(
            name,
            f"its tensors {listed((*head.inputs, *head.outputs))} are not those of the role {role} "
            "with its settings",
            hint="Make the pack again from the original checkpoint",
        )


def check_weights(
    name: str, shapes: Mapping[str, tuple[int, ...]], *, role: str, part: str, config: str
) -> None:
    """Check the tensors of a safetensors file; see :func:`check_network`."""
    if role not in ROFORMER_ROLES or part != WEIGHTS_PART:
        raise unusable(name, _no_such(role, part))
    read = config_from_json(config)
    if dict(shapes) != _built(name, read):
        raise unusable(
            name,
            f"its {len(shapes)} tensors are not those of the role {role} with its settings",
            hint="Make the pack again from the original checkpoint",
        )


def fits_embedded(head: OnnxHead, role: str) -> bool:
    """Whether the tensors are those of the embedded network of a role with a single part."""
    embedded = [e for e in read_manifest(resources.models_dir() / MANIFEST_NAME) if e.role == role]
    if len(embedded) != 1 or not embedded[0].inputs:
        return False
    return _alike(head.inputs, embedded[0].inputs) and _alike(head.outputs, embedded[0].outputs)


def same_tensors(given: Sequence[TensorSpec], wanted: Sequence[TensorSpec]) -> bool:
    """Whether names, types, ranks and fixed sizes agree."""
    by_name = {spec.name: spec for spec in given}
    return by_name.keys() == {spec.name for spec in wanted} and all(
        same_shape(by_name[spec.name], spec) for spec in wanted
    )


def same_shape(given: TensorSpec, wanted: TensorSpec) -> bool:
    """Whether types, ranks and fixed sizes agree; a free size may stand for a fixed 1."""
    return (
        given.dtype == wanted.dtype
        and len(given.shape) == len(wanted.shape)
        and all(map(_same_size, given.shape, wanted.shape))
    )


def _same_size(given: int | str, wanted: int | str) -> bool:
    if isinstance(given, str):
        return isinstance(wanted, str) or wanted == 1
    return given == wanted


def listed(specs: Sequence[TensorSpec]) -> str:
    """Return the names of tensors for a sentence."""
    return ", ".join(shown(spec.name, 30) for spec in specs[:6])


def _roformer_tensors(name: str, config: str) -> tuple[TensorSpec, TensorSpec]:
    read = config_from_json(config)
    _built(name, read)
    return tensor_specs(read)


def _built(name: str, config: RoformerConfig) -> dict[str, tuple[int, ...]]:
    try:
        return expected_shapes(config)
    except ValueError as error:
        raise ModelError(
            f"{name} cannot be used: no network can have its settings",
            hint="Make the pack again from the original checkpoint",
            detail=str(error),
        ) from error


def _alike(given: Sequence[TensorSpec], wanted: Sequence[TensorSpec]) -> bool:
    """Whether names, types and ranks agree; the width of features may differ."""
    by_name = {spec.name: spec for spec in given}
    return by_name.keys() == {spec.name for spec in wanted} and all(
        by_name[spec.name].dtype == spec.dtype and len(by_name[spec.name].shape) == len(spec.shape)
        for spec in wanted
    )


def _no_such(role: str, part: str) -> str:
    if role not in ADDABLE_ROLES:
        return f"no pack fills the role {shown(role, 30)}"
    return f"it is no file that the role {role} has a use for (part {shown(part, 30)!r})"
