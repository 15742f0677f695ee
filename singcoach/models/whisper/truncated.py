"""The embedded singing encoder: the first blocks of the embedded general one.

The singing encoder after Encoder-SaMoye is a Whisper without its last quarter of blocks, so the
file of the general encoder holds all of it. It is cut out when it is first needed: some tenths of a
second and 20 MB of memory instead of a second file of 26 MB in every installation. (One graph with
both outputs would compute the last blocks for nothing, and its windows would have to be of one
length.)
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from singcoach.errors import ModelError
from singcoach.models.catalogue import VerifiedModel
from singcoach.models.manifest import ModelEntry
from singcoach.models.whisper.config import SINGING
from singcoach.models.whisper.products import PositionTable

EMBEDDED_ID = "whisper-base"
N_BLOCKS = 5
"""Of Whisper base's 6: a quarter, rounded down, is left out."""

N_POSITIONS = 1500
POSITIONS_NAME = "whisper_base_singing_positions.npz"
_BLOCK = re.compile(r"layer_(\d+)\.")
_TABLE = "position_mean"


def singing_entry(general: ModelEntry) -> ModelEntry:
    """Return what :func:`singing_model` makes of the embedded model of ``encoder_general``.

    Raises
    ------
    ModelError
        When it is not the encoder that ships.
    """
    if general.id != EMBEDDED_ID:
        raise ModelError(
            f"No singing encoder can be made from the model {general.id}",
            hint="Add a pack for the role encoder_singing",
        )
    return dataclasses.replace(general, role="encoder_singing", config=SINGING.to_json())


def singing_model(general: VerifiedModel) -> VerifiedModel:
    """Return the embedded model of the role ``encoder_singing``.

    Parameters
    ----------
    general
        The embedded model of the role ``encoder_general``, checked.

    Returns
    -------
    Its entry names the same file and digest, because that is what was checked; role and ``config``
    are those of the singing encoder, and the bytes are made from the checked ones.

    Raises
    ------
    ModelError
        When it is not the encoder that ships.
    """
    entry = singing_entry(general.entry)
    table = read_singing_positions()
    content = truncated(general.content, N_BLOCKS, places=table.places, directions=table.directions)
    return VerifiedModel(entry=entry, content=content)


def truncated(
    content: bytes, n_blocks: int, *, places: NDArray[Any], directions: NDArray[Any]
) -> bytes:
    """Return the network of ``content`` without the blocks after ``n_blocks``.

    Parameters
    ----------
    content
        A file of :func:`singcoach.models.whisper.graph.write_encoder` with its weights inside.
    places, directions
        What the shorter network answers at each place, float16: ``(n, rank)``, ``(rank, n_dims)``.

    Raises
    ------
    ValueError
        When the network has fewer blocks.
    """
    import onnx

    model = onnx.load_model_from_string(content)
    graph = model.graph
    last = f"layer_{n_blocks - 1}.out"
    if not any(last in node.output for node in graph.node):
        raise ValueError(f"the network has no block {n_blocks - 1}")
    nodes = [node for node in graph.node if not _is_beyond(node.name, n_blocks)]
    for node in nodes:
        if node.name == "features":
            node.input[0] = last
    needed = {name for node in nodes for name in node.input}
    weights = [weight for weight in graph.initializer if weight.name in needed]
    for weight in weights:
        if weight.name == f"{_TABLE}.places.fp16":
            weight.CopyFrom(onnx.numpy_helper.from_array(places, weight.name))
        elif weight.name == f"{_TABLE}.directions.fp16":
            weight.CopyFrom(onnx.numpy_helper.from_array(directions, weight.name))
    shorter = onnx.helper.make_graph(
        nodes, "whisper-singing-encoder", list(graph.input), list(graph.output), weights
    )
    model.graph.CopyFrom(shorter)
    made: bytes = model.SerializeToString(deterministic=True)
    return made


def _is_beyond(name: str, n_blocks: int) -> bool:
    match = _BLOCK.match(name)
    return match is not None and int(match[1]) >= n_blocks


def read_singing_positions() -> PositionTable:
    """Read what ``singcoach.encoders.measure_positions`` measured."""
    path = Path(__file__).with_name(POSITIONS_NAME)
    with np.load(path, allow_pickle=False) as table:
        known, directions = table["places"], table["directions"]
    beyond = N_POSITIONS - len(known)
    return PositionTable(np.pad(known, ((0, beyond), (0, 0)), "edge"), directions)
