"""Whether a projector lets a language model hear, found out before anything runs either."""

from __future__ import annotations

from singcoach.errors import ModelError
from singcoach.models.language.projector import Projector, projector_of
from singcoach.models.packs.gguf import GgufHead
from singcoach.models.weights.faults import unusable


def read_projector(name: str, head: GgufHead) -> Projector:
    """Return what the projector in the file ``name`` is.

    Raises
    ------
    ModelError
        When it does not hear or is of a kind that is not known.
    """
    try:
        return projector_of(head.settings)
    except ValueError as error:
        raise unusable(
            name,
            str(error),
            hint="Known are those of Ultravox, Voxtral, Qwen2-Audio and Qwen2.5-Omni; without it "
            "the language model writes what was measured",
        ) from error


def check_pair(model: GgufHead, projector: Projector, *, names: tuple[str, str]) -> None:
    """Check that a projector makes rows as wide as those of the language model.

    Raises
    ------
    ModelError
        When it belongs to another model.
    """
    if model.width != projector.width:
        raise ModelError(
            f"{names[1]} belongs to another language model than {names[0]}",
            hint="Give the projector that was published with the language model",
            detail=f"rows of {projector.width} numbers, and {model.width} in the model",
        )
