"""The heads that are in force: the shipped ones, or in the profile ``best`` those of a pack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from singcoach.chain.engine import Engine
from singcoach.core.scores import Dimension
from singcoach.scoring.networks import NetworkHead, open_networks
from singcoach.scoring.specs import Heads, parse_heads


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenHeads:
    """The heads and, by dimension, the networks that their routing names."""

    heads: Heads
    networks: Mapping[Dimension, NetworkHead]


def open_heads(engine: Engine) -> OpenHeads:
    """Read the heads that judge the current take, and note that they take part.

    Raises
    ------
    ModelError
        A file is missing or damaged.
    """
    heads = parse_heads(engine.model("heads", provider="numpy"))
    return OpenHeads(heads=heads, networks=open_networks(heads, lambda i: engine.model("heads", i)))
