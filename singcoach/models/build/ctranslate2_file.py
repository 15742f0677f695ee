"""The weights of a small CTranslate2 ``model.bin`` in memory, without CTranslate2."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from singcoach.models.weights.ctranslate2_layout import read_layout
from singcoach.models.weights.tensors import stored_array

_NAME = "model.bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """The name of the architecture, its revision, and its variables by name, as stored."""

    spec: str
    revision: int
    variables: dict[str, NDArray[Any]]


def read_weights(content: bytes) -> Weights:
    """Read a binary of format version 6; see ``weights.ctranslate2_layout.read_layout``.

    Raises
    ------
    ModelError
        When the bytes are of another version, end early, go on after the end, name a variable
        twice, or give a size that does not fit shape and element type.
    """
    layout = read_layout(io.BytesIO(content), size=len(content), name=_NAME)
    arrays = {place: stored_array(content, place) for place in layout.places.values()}
    variables = {name: arrays[place] for name, place in layout.places.items()}
    return Weights(spec=layout.spec, revision=layout.revision, variables=variables)
